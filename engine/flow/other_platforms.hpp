#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/session.hpp"
#include "model/channel.hpp"
#include "model/match_spec.hpp"
#include "repodata/subdir_index.hpp"

namespace taipan {

/// What channels have for platforms that a request is not about, as far as it can be told with little effort. Only for
/// saying why something was not found.
class OtherPlatforms {
public:
    /// A channel, and whether its packages come from shards.
    struct Searched {
        Channel channel;
        bool sharded = false;
    };
    /// `subdir` is the platform that was searched. Looks at what is in the cache, however old, at channels on disk, and
    /// asks servers for small indexes, once, all at the same time.
    static OtherPlatforms look(Session& session, const std::vector<Searched>& channels, const std::string& subdir,
                               const std::string& cache_directory);

    /// The platforms for which one of the channels has what the spec asks for, sorted.
    [[nodiscard]] std::vector<std::string> with(const MatchSpec& spec) const;

private:
    /// What is known of one platform of one channel.
    struct Known {
        std::string subdir;
        std::optional<SubdirIndex> index;
        std::set<std::string, std::less<>> names; ///< where there are shards: just the names
    };
    static void look_at(Session& session, const Searched& searched, const std::string& cache_directory, Known& known);

    std::vector<Known> known_;
};

} // namespace taipan
