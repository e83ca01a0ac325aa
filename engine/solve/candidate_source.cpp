#include "solve/candidate_source.hpp"

#include "model/dependency_name.hpp"

namespace taipan {

Result<std::vector<std::string>> CandidateSource::needed_names(std::string_view name) {
    TAIPAN_TRY(const auto found, candidates(name));
    std::vector<std::string> names;
    for (const auto& candidate : found)
        for (const auto& dependency : candidate.record.depends) names.push_back(dependency_name(dependency));
    return names;
}

std::vector<std::string> CandidateSource::other_platforms(const MatchSpec&) { return {}; }

} // namespace taipan
