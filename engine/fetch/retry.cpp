#include "fetch/retry.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string>

namespace taipan {

std::optional<std::chrono::milliseconds> retry_delay(const AttemptOutcome& outcome, const RetryPolicy& policy,
                                                     double jitter) {
    const bool busy = outcome.status == 413 || outcome.status == 429 || outcome.status == 408 ||
                      (outcome.status >= 500 && outcome.status != 501);
    if (outcome.attempt > policy.max_retries || !(busy || outcome.connection_failed)) return std::nullopt;
    if (outcome.retry_after) {
        return std::chrono::milliseconds(std::min(*outcome.retry_after, policy.longest_wait));
    }
    const double full = std::min(policy.backoff_factor * std::pow(2.0, outcome.attempt - 1),
                                 static_cast<double>(policy.longest_wait.count()));
    return std::chrono::milliseconds(static_cast<std::int64_t>(full * 1000.0 * (0.5 + jitter / 2.0)));
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, std::int64_t now) {
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\r' || value.back() == '\n'))
        value.remove_suffix(1);
    if (value.empty()) return std::nullopt;
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error == std::errc() && end == value.data() + value.size()) {
        return std::chrono::seconds(std::max<std::int64_t>(seconds, 0));
    }
    std::tm date{}; // IMF-fixdate is the one form that servers may still send (RFC 9110, 5.6.7)
    const std::string text(value);
    const char* const rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (rest == nullptr || *rest != '\0') return std::nullopt;
    const std::int64_t when = ::timegm(&date);
    return std::chrono::seconds(std::max<std::int64_t>(when - now, 0));
}

} // namespace taipan
