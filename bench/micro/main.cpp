// Micro benchmarks of the hot pieces. Package files named on the command line are extracted as benchmarks too:
//   build/release/taipan_micro --benchmark_filter=extract path/to/python-3.11.2-0.conda

#include <benchmark/benchmark.h>

#include "extract_bench.hpp"

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    for (int i = 1; i < argc; ++i) taipan::register_extract_benchmark(argv[i]);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
