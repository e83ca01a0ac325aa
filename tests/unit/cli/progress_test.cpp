#include <catch2/catch.hpp>

#include <thread>

#include "screen/progress.hpp"

using namespace taipan;
using namespace taipan::cli;

namespace {

std::size_t columns(const std::string& text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0U) != 0x80 ? 1 : 0;
    return count;
}

} // namespace

TEST_CASE("live lines never reach the last column", "[progress]") {
    std::array<StageState, stage_count> states;
    auto& fetch = states[static_cast<std::size_t>(Stage::fetch)];
    fetch.begun = 7;
    fetch.expected_items = 12;
    fetch.expected_amount = 4'000'000'000;
    fetch.active.emplace("big", StageState::Item{4'000'000'000, 1'234'567'890});
    fetch.busy_since = Clock::now() - std::chrono::seconds(10);
    auto& extract = states[static_cast<std::size_t>(Stage::extract)];
    extract.begun = extract.expected_items = 3;
    extract.ended = 9;
    extract.latest = std::string(300, 'x');
    extract.active.emplace("x", StageState::Item{});
    auto& index = states[static_cast<std::size_t>(Stage::index)];
    index.begun = 1;
    index.latest = std::string(300, 'u');
    index.active.emplace("u", StageState::Item{});
    for (const int width : {20, 21, 40, 60, 61, 80, 200}) {
        const auto lines = progress_lines(states, width, true, Clock::now());
        REQUIRE(lines.size() == 3);
        for (const auto& line : lines) CHECK(columns(line) < static_cast<std::size_t>(std::max(width, 21)));
    }
    const auto lines = progress_lines(states, 100, false, Clock::now());
    CHECK(lines[1].find("1.2 GB / 4.0 GB") != std::string::npos);
    CHECK(lines[1].find("MB/s") != std::string::npos);
}

TEST_CASE("a stage's time is the union of its items, and retries count once", "[progress]") {
    Console console{Terminal{}};
    const auto progress = make_progress(console, true, 0);
    progress->begin(Stage::fetch, "a", 10);
    progress->begin(Stage::fetch, "a", 10);
    progress->advance(Stage::fetch, "a", 5);
    progress->begin(Stage::fetch, "b", 0);
    progress->advance(Stage::fetch, "b", 7);
    progress->end(Stage::fetch, "a", true);
    progress->end(Stage::fetch, "b", true);
    progress->end(Stage::fetch, "never begun", true);
    CHECK(progress->summary().find("fetch 0.0 s (2 packages, 17 B)") != std::string::npos);
}

TEST_CASE("events may come from many threads", "[progress]") {
    Console console{Terminal{}};
    const auto progress = make_progress(console, true, 0);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&progress, t] {
            for (int i = 0; i < 200; ++i) {
                const auto name = std::to_string(t) + '-' + std::to_string(i);
                progress->begin(Stage::link, name, 1);
                progress->advance(Stage::link, name, 1);
                progress->end(Stage::link, name, true);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(progress->summary().find("(800 packages)") != std::string::npos);
}
