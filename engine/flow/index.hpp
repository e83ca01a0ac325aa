#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/index_loader.hpp"
#include "flow/other_platforms.hpp"
#include "flow/session.hpp"
#include "repodata/subdir_index.hpp"
#include "solve/candidate_source.hpp"

namespace taipan {

/// The indexes of all channels and subdirs of a request, in order of priority.
struct LoadedIndexes {
    struct Entry {
        SubdirIndex index;                     ///< empty if there are shards
        int channel_priority = 0;              ///< higher wins
        std::shared_ptr<IndexLoader> loader;   ///< for an index that turns out to be damaged
        std::shared_ptr<ShardedSubdir> shards; ///< null unless the packages come from shards
        [[nodiscard]] bool has(std::string_view name) const { return shards ? shards->has(name) : index.has(name); }
    };
    Session* session = nullptr; ///< to fetch shards
    std::vector<Entry> entries;
    std::vector<Channel> channels;
    std::string subdir, cache_directory;
};

/// What the packages of an index are wanted for.
enum class IndexUse {
    solving,   ///< some names and what they reach: shards will do
    searching, ///< any name, maybe all
};

/// Loads the index of each channel for `subdir` and noarch, all at once: from the server, or from the repodata cache
/// in `cache_directory` while that is fresh (conda-spec 7.6). A channel without a platform subdir is empty there; a
/// channel without noarch is an error.
Result<LoadedIndexes> load_indexes(Session& session, std::vector<Channel> channels, const std::string& subdir,
                                   const std::string& cache_directory, IndexUse use);

/// The loaded indexes as the solver sees them.
class IndexCandidates final : public CandidateSource {
public:
    explicit IndexCandidates(LoadedIndexes& indexes) : indexes_(indexes) {}
    Result<std::vector<Candidate>> candidates(std::string_view name) override;
    Result<bool> has(std::string_view name) override;
    Result<std::vector<std::string>> needed_names(std::string_view name) override;
    Result<std::vector<std::string>> names_matching(std::string_view glob) override;
    std::vector<std::string> all_names() override;
    std::vector<std::string> searched_channels() override;
    std::vector<std::string> other_platforms(const MatchSpec& spec) override;

private:
    /// Asks an index; once more after it was made anew if it was damaged.
    template <class Ask> auto ask(LoadedIndexes::Entry& entry, const Ask& question) -> decltype(question(entry.index));

    std::vector<std::string> names_with_prefix(std::string_view prefix);

    LoadedIndexes& indexes_; ///< must outlive this
    std::optional<OtherPlatforms> other_platforms_;
};

} // namespace taipan
