#include <string>

#include <benchmark/benchmark.h>

#include "link/prefix_rewrite.hpp"

namespace {

/// A file of `range(0)` bytes with a placeholder every 64 KiB, as large shared libraries have.
void prefix_rewrite(benchmark::State& state, taipan::FileMode mode) {
    const std::string placeholder = "/home/conda/" + std::string(243, 'p');
    std::string original(static_cast<std::size_t>(state.range(0)), '\x7f');
    for (std::size_t at = 100; at + 600 < original.size(); at += std::size_t{64} << 10U) {
        original.replace(at, placeholder.size() + 5, placeholder + "/lib" + std::string(1, '\0'));
    }
    for (auto _ : state) {
        std::string content = original;
        benchmark::DoNotOptimize(
            taipan::rewrite_prefix(content, placeholder, "/opt/env", mode, taipan::Platform::linux_os));
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

} // namespace

BENCHMARK_CAPTURE(prefix_rewrite, text, taipan::FileMode::text)->Arg(16 << 10)->Arg(1 << 20);
BENCHMARK_CAPTURE(prefix_rewrite, binary, taipan::FileMode::binary)->Arg(16 << 10)->Arg(8 << 20);
