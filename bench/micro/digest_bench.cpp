#include <string>

#include <benchmark/benchmark.h>

#include "base/digest.hpp"

namespace {

void digest(benchmark::State& state, taipan::Digest::Kind kind) {
    const std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
    taipan::Digest hash(kind);
    for (auto _ : state) {
        hash.update(bytes);
        benchmark::DoNotOptimize(hash.finish_hex());
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

} // namespace

BENCHMARK_CAPTURE(digest, sha256, taipan::Digest::Kind::sha256)->Arg(4 << 10)->Arg(1 << 20);
BENCHMARK_CAPTURE(digest, md5, taipan::Digest::Kind::md5)->Arg(4 << 10)->Arg(1 << 20);
