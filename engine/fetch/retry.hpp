#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace taipan {

/// How one attempt at a transfer ended, as far as trying again is concerned.
struct AttemptOutcome {
    int attempt = 1;                                 ///< 1 for the first
    long status = 0;                                 ///< HTTP status, 0 when there was none
    bool connection_failed = false;                  ///< refused, reset, timed out, truncated, DNS …
    std::optional<std::chrono::seconds> retry_after; ///< what the server asked for
};

struct RetryPolicy {
    int max_retries = 3;
    double backoff_factor = 1; ///< seconds; the n-th retry waits factor * 2^(n-1), with jitter
    std::chrono::seconds longest_wait{60};
};

/// How long to wait before the next attempt, or nullopt to give up. `jitter` is in [0, 1): the wait is between
/// half and all of the computed time, so that many clients do not come back at once. 413, 429 and every 5xx but 501
/// are worth another attempt, and so is a failed connection (conda-spec 7.9).
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_delay(const AttemptOutcome& outcome,
                                                                   const RetryPolicy& policy, double jitter);

/// `Retry-After` in seconds or as an HTTP date relative to `now` (seconds since the epoch); nullopt when malformed.
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, std::int64_t now);

} // namespace taipan
