#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "solve/memory_source.hpp"

// What a request does to an environment, for the tests of those.
namespace taipan::test {

using Names = std::vector<std::string>;

/// What changes, as "-a-1.0-0" and "+a-2.0-0", in the order of the transaction.
inline Names changes(const SolveRequest& request, CandidateSource& source) {
    const auto solution = solve(request, source);
    if (!solution) return {solution.error().describe()};
    Names texts;
    for (const auto& record : solution->unlink) texts.push_back('-' + record.dist_name());
    for (const auto& record : solution->link) texts.push_back('+' + record.dist_name());
    return texts;
}

inline std::map<std::string, MatchSpec> history(std::initializer_list<std::string_view> texts) {
    std::map<std::string, MatchSpec> result;
    for (auto& one : specs(texts)) result.emplace(one.name(), one);
    return result;
}

inline PackageRecord in_main(PackageRecord record) {
    record.channel_name = "main";
    record.channel = "https://example.org/main";
    return record;
}

} // namespace taipan::test
