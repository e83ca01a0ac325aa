#include "extract_bench.hpp"

#include <atomic>
#include <cstdlib>
#include <memory>

#include <benchmark/benchmark.h>

#include "base/filesystem.hpp"
#include "extract/extract.hpp"
#include "unit/extract/helper_threads.hpp"

namespace taipan {

namespace {

void extract(benchmark::State& state, const std::string& package_file, int helper_threads) {
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
    std::unique_ptr<test::HelperThreads> helpers;
    if (helper_threads > 0) helpers = std::make_unique<test::HelperThreads>(helper_threads);
    std::uint64_t files = 0;
    std::uint64_t content = 0;
    for (auto _ : state) {
        auto staged = StagedDirectory::create(parent, "bench");
        MemoryInput input(*bytes);
        const auto extracted =
            staged ? extract_package(context, input, *format, staged->fd(), cancelled, {.helpers = helpers.get()})
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
    for (const int helpers : {0, 1}) {
        const std::string name = "extract/" + std::string(base_name(package_file)) + (helpers > 0 ? "/helped" : "");
        benchmark::RegisterBenchmark(
            name.c_str(), [package_file, helpers](benchmark::State& state) { extract(state, package_file, helpers); })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
    }
}

} // namespace taipan
