#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// An answer that holds for a while: does the server have `.json.zst`, shards?
struct RememberedAnswer {
    bool value = false;
    std::string last_checked; ///< ISO 8601, UTC: `2026-11-22T19:56:56.123456Z`
};

/// What is known of a cached repodata.json: the content of `<key>.info.json` (conda-spec 7.6).
struct RepodataState {
    std::string url;                      ///< subdir URL without credentials and without trailing slash
    std::string etag, mod, cache_control; ///< headers of the 200, verbatim
    std::int64_t mtime_ns = 0, size = 0;  ///< must equal the stat of the json file
    std::int64_t refresh_ns = 0;          ///< last 200 or 304, ns since the epoch
    std::optional<RememberedAnswer> has_zst, has_shards;
};

/// How long a remembered answer holds before the server is asked again.
inline constexpr std::int64_t remembered_answer_days = 7;

/// `md5(<subdir URL with credentials>/[file name])[:8]`, with "1" appended for use_only_tar_bz2.
/// `file_name` is left out of the hash when it is `repodata.json`.
[[nodiscard]] std::string repodata_cache_key(std::string_view subdir_url, std::string_view file_name = "repodata.json",
                                             bool use_only_tar_bz2 = false);

/// The paths of one cached repodata.
struct RepodataCachePaths {
    std::string json;  ///< `<directory>/<key>.json`
    std::string state; ///< `<directory>/<key>.info.json`
    std::string index; ///< `<directory>/<key>.tpi`: what we made of the json (index_format.hpp)
};
[[nodiscard]] RepodataCachePaths repodata_cache_paths(std::string_view cache_directory, std::string_view key);

/// Parses a state file's text. Unknown keys and wrong types are ignored; fails only on text that is no JSON object.
Result<RepodataState> parse_repodata_state(std::string_view text);
/// The text conda would write (indent 2).
[[nodiscard]] std::string format_repodata_state(const RepodataState& state);

/// A state file that fits its json: nullopt when there is no json. When the state is missing, unreadable or does
/// not fit the json (mtime_ns, size), the validators (etag, mod, cache_control, refresh_ns) come back empty.
std::optional<RepodataState> load_repodata_state(const RepodataCachePaths& paths);
/// Stats the json into `state.mtime_ns`/`size` and writes the state file atomically.
Result<void> save_repodata_state(const RepodataCachePaths& paths, RepodataState& state);

/// `max-age` of a Cache-Control value in seconds; 0 when there is none or `no-cache`/`no-store` is given.
[[nodiscard]] std::int64_t max_age_seconds(std::string_view cache_control);
/// True when the cached json may be used without asking the server. `ttl`: conda's local_repodata_ttl
/// (1: max-age of the state, 0: always ask, n: n seconds). `file://` URLs are never fresh.
[[nodiscard]] bool is_fresh(const RepodataState& state, std::int64_t ttl, std::int64_t now_ns);
/// True while a remembered answer need not be asked again.
[[nodiscard]] bool still_holds(const std::optional<RememberedAnswer>& answer, std::int64_t now_ns);
/// The form of `last_checked`.
[[nodiscard]] std::string format_utc_timestamp(std::int64_t now_ns);

/// conda's lock of a cached repodata: a record lock on byte 21 of the state file, for read-check-download-write. It
/// belongs to the open file, not to the process (conda's does, and closing any descriptor of the file would drop it);
/// the two kinds exclude each other all the same.
class RepodataLock {
public:
    /// Tries for `timeout_seconds`, then fails with ErrorCode::locked. File systems without locks succeed.
    static Result<RepodataLock> acquire(const RepodataCachePaths& paths, double timeout_seconds = 10);

private:
    explicit RepodataLock(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

} // namespace taipan
