// From channel names to something a solver can ask. Each (channel, subdir) is one index and is loaded on a thread of
// its own, which mostly waits for the network; the CPU work (inflate, cut, parse) of several indexes thus overlaps.

#include "flow/index.hpp"

#include <algorithm>
#include <optional>
#include <thread>

#include "base/filesystem.hpp"
#include "flow/network.hpp"
#include "flow/shard_walk.hpp"
#include "model/pattern.hpp"

namespace taipan {

namespace {

struct LoadingIndex {
    std::shared_ptr<IndexLoader> loader;
    int priority = 0;
    std::optional<Result<SubdirIndex>> index = {};
    std::shared_ptr<ShardedSubdir> shards = {};

    void load(IndexUse use) {
        if (use == IndexUse::solving) {
            auto sharded = loader->load_shards();
            if (!sharded) {
                index = std::move(sharded).error();
                return;
            }
            shards = std::move(*sharded);
        }
        index = shards ? loader->without_packages() : loader->load();
    }
};

void load_all(std::vector<LoadingIndex>& loading, IndexUse use) {
    std::vector<std::jthread> threads;
    for (auto& one : loading) threads.emplace_back([&one, use] { one.load(use); });
}

} // namespace

Result<LoadedIndexes> load_indexes(Session& session, std::vector<Channel> channels, const std::string& subdir,
                                   const std::string& cache_directory, IndexUse use) {
    LoadedIndexes loaded;
    loaded.session = &session;
    loaded.channels = std::move(channels);
    loaded.subdir = subdir;
    loaded.cache_directory = cache_directory;
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
    load_all(loading, use);
    for (auto& one : loading) {
        if (!*one.index) return std::move(*one.index).error();
        loaded.entries.push_back({std::move(**one.index), one.priority, std::move(one.loader), std::move(one.shards)});
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
    const auto add = [&](std::vector<PackageRecord>& records, const LoadedIndexes::Entry& entry) {
        const bool beside_pip = name == "python" && entry.has("pip");
        for (auto& record : records) found.push_back({std::move(record), entry.channel_priority, beside_pip});
    };
    for (auto& entry : indexes_.entries) {
        if (entry.shards) {
            if (!entry.shards->has(name)) continue;
            if (entry.shards->loaded(name) == nullptr)
                TAIPAN_CHECK(load_shards(*indexes_.session, indexes_, {std::string(name)}, false));
            TAIPAN_TRY(auto records, entry.shards->loaded(name)->records(name));
            add(records, entry);
        } else {
            TAIPAN_TRY(auto records, ask(entry, [&](const SubdirIndex& index) { return index.records(name); }));
            add(records, entry);
        }
    }
    return found;
}

Result<bool> IndexCandidates::has(std::string_view name) {
    return std::any_of(indexes_.entries.begin(), indexes_.entries.end(),
                       [&](const LoadedIndexes::Entry& entry) { return entry.has(name); });
}

Result<std::vector<std::string>> IndexCandidates::needed_names(std::string_view name) {
    std::vector<std::string> needed;
    for (auto& entry : indexes_.entries) {
        if (entry.shards) return CandidateSource::needed_names(name);
        TAIPAN_TRY(const auto names, ask(entry, [&](const SubdirIndex& index) { return index.needed_names(name); }));
        needed.insert(needed.end(), names.begin(), names.end());
    }
    return needed;
}

std::vector<std::string> IndexCandidates::all_names() { return names_with_prefix({}); }

/// Sorted, each once.
std::vector<std::string> IndexCandidates::names_with_prefix(std::string_view prefix) {
    std::vector<std::string_view> names;
    for (const auto& entry : indexes_.entries) {
        const auto some = entry.shards ? entry.shards->names() : entry.index.names_with_prefix(prefix);
        names.insert(names.end(), some.begin(), some.end());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::erase_if(names, [&](std::string_view name) { return !name.starts_with(prefix); });
    return {names.begin(), names.end()};
}

/// What a glob may begin with that means itself.
constexpr std::string_view plain_characters = "abcdefghijklmnopqrstuvwxyz0123456789_-.";

Result<std::vector<std::string>> IndexCandidates::names_matching(std::string_view glob) {
    std::vector<std::string> matching;
    for (auto& name : names_with_prefix(glob.substr(0, glob.find_first_not_of(plain_characters)))) {
        if (glob_matches(glob, name)) matching.push_back(std::move(name));
    }
    return matching;
}

std::vector<std::string> IndexCandidates::searched_channels() {
    std::vector<std::string> names;
    for (const auto& channel : indexes_.channels) names.push_back(channel.name);
    return names;
}

std::vector<std::string> IndexCandidates::other_platforms(const MatchSpec& spec) {
    if (indexes_.session == nullptr) return {};
    if (!other_platforms_) {
        std::vector<OtherPlatforms::Searched> searched;
        for (const Channel& channel : indexes_.channels) {
            const bool sharded = std::any_of(indexes_.entries.begin(), indexes_.entries.end(), [&](const auto& entry) {
                return entry.shards != nullptr && entry.index.channel().base_url == channel.base_url;
            });
            searched.push_back({channel, sharded});
        }
        other_platforms_ = OtherPlatforms::look(*indexes_.session, searched, indexes_.subdir, indexes_.cache_directory);
    }
    return other_platforms_->with(spec);
}

} // namespace taipan
