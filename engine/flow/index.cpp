// From channel names to something a solver can ask. Each (channel, subdir) is one index and is loaded on a thread of
// its own, which mostly waits for the network; the CPU work (inflate, cut, parse) of several indexes thus overlaps.

#include "flow/index.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <thread>

#include "base/filesystem.hpp"
#include "flow/network.hpp"
#include "model/pattern.hpp"

namespace taipan {

namespace {

struct LoadingIndex {
    std::shared_ptr<IndexLoader> loader;
    int priority = 0;
    std::optional<Result<SubdirIndex>> index = {};
};

void load_all(std::vector<LoadingIndex>& loading) {
    std::vector<std::jthread> threads;
    for (auto& one : loading) threads.emplace_back([&one] { one.index = one.loader->load(); });
}

} // namespace

Result<LoadedIndexes> load_indexes(Session& session, std::vector<Channel> channels, const std::string& subdir,
                                   const std::string& cache_directory) {
    LoadedIndexes loaded;
    loaded.channels = std::move(channels);
    TAIPAN_CHECK(make_directories(cache_directory));
    // The network starts here, before threads ask for it at the same time.
    const bool remote = std::any_of(loaded.channels.begin(), loaded.channels.end(),
                                    [](const Channel& channel) { return !channel.base_url.starts_with("file://"); });
    if (remote && !session.config().offline) {
        TAIPAN_TRY(Network* const network, session.network());
        static_cast<void>(network);
    }
    std::vector<LoadingIndex> loading;
    for (std::size_t i = 0; i < loaded.channels.size(); ++i) {
        const Channel& channel = loaded.channels[i];
        std::vector<std::string> parts = {subdir};
        if (subdir != "noarch") parts.emplace_back("noarch");
        for (auto& part : parts) {
            if (!channel.subdir.empty() && channel.subdir != part) continue;
            loading.push_back({std::make_shared<IndexLoader>(session, channel, std::move(part), cache_directory),
                               static_cast<int>(loaded.channels.size() - i)});
        }
    }
    load_all(loading);
    for (auto& one : loading) {
        if (!*one.index) return std::move(*one.index).error();
        loaded.entries.push_back({std::move(**one.index), one.priority, std::move(one.loader)});
    }
    return loaded;
}

template <class Ask>
auto IndexCandidates::ask(LoadedIndexes::Entry& entry, const Ask& question) -> decltype(question(entry.index)) {
    auto answer = question(entry.index);
    if (answer || answer.error().code != ErrorCode::parse) return answer;
    TAIPAN_TRY(entry.index, entry.loader->load_again());
    return question(entry.index);
}

Result<std::vector<Candidate>> IndexCandidates::candidates(std::string_view name) {
    std::vector<Candidate> found;
    for (auto& entry : indexes_.entries) {
        TAIPAN_TRY(auto records, ask(entry, [&](const SubdirIndex& index) { return index.records(name); }));
        for (auto& record : records) found.push_back({std::move(record), entry.channel_priority});
    }
    return found;
}

std::vector<std::string> IndexCandidates::all_names() {
    std::set<std::string_view> names;
    for (const auto& entry : indexes_.entries) {
        for (const auto name : entry.index.names()) names.insert(name);
    }
    return {names.begin(), names.end()};
}

Result<std::vector<std::string>> IndexCandidates::names_matching(std::string_view glob) {
    std::vector<std::string> matching;
    for (auto& name : all_names()) {
        if (glob_matches(glob, name)) matching.push_back(std::move(name));
    }
    return matching;
}

std::vector<std::string> IndexCandidates::searched_channels() {
    std::vector<std::string> names;
    for (const auto& channel : indexes_.channels) names.push_back(channel.name);
    return names;
}

} // namespace taipan
