#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/match_spec.hpp"
#include "model/record.hpp"

namespace taipan {

/// A package that a channel offers, and how much the channel is preferred.
struct Candidate {
    PackageRecord record;
    int channel_priority = 0; ///< higher wins; all subdirs of one channel share it, no two channels do
    bool beside_pip = false;  ///< the index that has it, of one subdir, has pip as well; asked of python only
};

/// Where candidates come from; implemented by flow over the loaded indexes. The solver asks for each name at
/// most once a run.
class CandidateSource {
public:
    CandidateSource() = default;
    CandidateSource(const CandidateSource&) = delete;
    CandidateSource& operator=(const CandidateSource&) = delete;
    virtual ~CandidateSource() = default;

    /// Everything named so (lower case), of all channels, in a deterministic order; empty when there is none.
    virtual Result<std::vector<Candidate>> candidates(std::string_view name) = 0;
    /// Whether there is any of that name.
    virtual Result<bool> has(std::string_view name) {
        auto found = candidates(name);
        if (!found) return std::move(found).error();
        return !found->empty();
    }
    /// The names that some candidate of that name depends on, each at least once.
    virtual Result<std::vector<std::string>> needed_names(std::string_view name);
    /// Names that match a glob (`py*`, `*`), sorted; for specs whose name is a glob.
    virtual Result<std::vector<std::string>> names_matching(std::string_view glob) = 0;
    /// Every name, sorted; asked only to suggest a similar one.
    virtual std::vector<std::string> all_names() = 0;
    /// What was searched, for messages: canonical channel names or URLs, without credentials.
    virtual std::vector<std::string> searched_channels() = 0;
    /// Platforms other than the searched one for which a searched channel has what the spec asks for, sorted; as far
    /// as it is known without much effort. For messages.
    virtual std::vector<std::string> other_platforms(const MatchSpec& spec);
};

} // namespace taipan
