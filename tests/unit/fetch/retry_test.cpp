#include <catch2/catch.hpp>

#include "fetch/retry.hpp"

using namespace taipan;
using namespace std::chrono_literals;

namespace {

AttemptOutcome outcome(int attempt, long status, bool connection_failed = false) {
    AttemptOutcome result;
    result.attempt = attempt;
    result.status = status;
    result.connection_failed = connection_failed;
    return result;
}

} // namespace

TEST_CASE("what is worth another attempt") {
    const RetryPolicy policy;
    for (const long status : {408L, 413L, 429L, 500L, 502L, 503L, 504L})
        CHECK(retry_delay(outcome(1, status), policy, 0));
    for (const long status : {400L, 401L, 403L, 404L, 410L, 501L})
        CHECK_FALSE(retry_delay(outcome(1, status), policy, 0));
    CHECK(retry_delay(outcome(1, 0, true), policy, 0));
    CHECK_FALSE(retry_delay(outcome(1, 0, false), policy, 0));
}

TEST_CASE("retries end") {
    const RetryPolicy policy;
    CHECK(retry_delay(outcome(3, 503), policy, 0));
    CHECK_FALSE(retry_delay(outcome(4, 503), policy, 0));
    CHECK_FALSE(retry_delay(outcome(1, 503), RetryPolicy{0, 1, 60s}, 0));
}

TEST_CASE("the wait doubles, with jitter in its upper half") {
    const RetryPolicy policy;
    CHECK(*retry_delay(outcome(1, 503), policy, 0) == 500ms);
    CHECK(*retry_delay(outcome(2, 503), policy, 0) == 1000ms);
    CHECK(*retry_delay(outcome(3, 503), policy, 0) == 2000ms);
    const auto late = *retry_delay(outcome(3, 503), policy, 0.999);
    CHECK(late > 3900ms);
    CHECK(late <= 4000ms);
}

TEST_CASE("Retry-After is obeyed, within reason") {
    auto busy = outcome(1, 429);
    busy.retry_after = 7s;
    CHECK(*retry_delay(busy, RetryPolicy{}, 0.5) == 7s);
    busy.retry_after = 100000s;
    CHECK(*retry_delay(busy, RetryPolicy{}, 0.5) == 60s);
}

TEST_CASE("Retry-After in its two forms") {
    CHECK(parse_retry_after("120", 0) == 120s);
    CHECK(parse_retry_after(" 3\r\n", 0) == 3s);
    CHECK(parse_retry_after("-5", 0) == 0s);
    CHECK(parse_retry_after("Thu, 01 Jan 1970 00:01:40 GMT", 40) == 60s);
    CHECK(parse_retry_after("Thu, 01 Jan 1970 00:00:10 GMT", 40) == 0s);
    CHECK_FALSE(parse_retry_after("", 0));
    CHECK_FALSE(parse_retry_after("soon", 0));
}
