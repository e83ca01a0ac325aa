#include <benchmark/benchmark.h>

#include "model/match_spec.hpp"
#include "model/version.hpp"

namespace {

void version_parse(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(taipan::Version::parse("1.26.4rc1.post2+cuda118"));
    state.SetItemsProcessed(state.iterations());
}

void version_compare(benchmark::State& state) {
    const auto older = taipan::Version::parse("1.26.4rc1");
    const auto newer = taipan::Version::parse("1.26.4");
    for (auto _ : state) benchmark::DoNotOptimize(*older < *newer);
    state.SetItemsProcessed(state.iterations());
}

void match_spec_parse(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(taipan::MatchSpec::parse("numpy >=1.22.4,<2.0a0"));
    state.SetItemsProcessed(state.iterations());
}

void match_spec_match(benchmark::State& state) {
    const auto spec = taipan::MatchSpec::parse("numpy >=1.22.4,<2.0a0");
    const auto version = taipan::Version::parse("1.26.4");
    for (auto _ : state) benchmark::DoNotOptimize(spec->matches(*version, "py311h64a7726_0", 0));
    state.SetItemsProcessed(state.iterations());
}

} // namespace

BENCHMARK(version_parse);
BENCHMARK(version_compare);
BENCHMARK(match_spec_parse);
BENCHMARK(match_spec_match);
