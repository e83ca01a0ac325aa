#include "extract_bench.hpp"

#include <atomic>
#include <cstdlib>

#include <benchmark/benchmark.h>

#include "base/filesystem.hpp"
#include "extract/extract.hpp"

namespace taipan {

namespace {

void extract(benchmark::State& state, const std::string& package_file) {
    const auto bytes = read_file(package_file);
    const auto format = archive_format(base_name(package_file));
    if (!bytes || !format) {
        state.SkipWithError("not a readable package");
        return;
    }
    const char* temporary = std::getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): one thread
    const std::string parent = temporary != nullptr ? temporary : "/tmp";
    const std::atomic<bool> cancelled{false};
    ExtractContext context;
    std::uint64_t files = 0;
    std::uint64_t content = 0;
    for (auto _ : state) {
        auto staged = StagedDirectory::create(parent, "bench");
        MemoryInput input(*bytes);
        const auto extracted = staged ? extract_package(context, input, *format, staged->fd(), cancelled)
                                      : Result<ExtractedPackage>(std::move(staged).error());
        if (!extracted) {
            state.SkipWithError(extracted.error().message.c_str());
            return;
        }
        files += extracted->files;
        content += extracted->bytes;
        state.PauseTiming(); // the tree is removed outside the measured time
        { const auto gone = std::move(staged); }
        state.ResumeTiming();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(files));
    state.SetBytesProcessed(static_cast<std::int64_t>(content));
}

} // namespace

void register_extract_benchmark(const std::string& package_file) {
    benchmark::RegisterBenchmark(("extract/" + std::string(base_name(package_file))).c_str(),
                                 [package_file](benchmark::State& state) { extract(state, package_file); })
        ->Unit(benchmark::kMillisecond);
}

} // namespace taipan
