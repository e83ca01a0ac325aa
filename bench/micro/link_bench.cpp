// Hard links of a package's files into a new prefix, as the link stage makes them: directories first, then groups.
// On one thread: what the kernel takes for it is the floor of a warm install.

#include <cstdlib>
#include <optional>
#include <string>

#include <benchmark/benchmark.h>

#include "base/filesystem.hpp"
#include "link/place_file.hpp"
#include "link/plan.hpp"

namespace taipan {

namespace {

constexpr std::int64_t files_in_a_directory = 20; // about what Python packages have

std::string temporary_directory() {
    const char* temporary = std::getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): one thread
    return temporary != nullptr ? temporary : "/tmp";
}

/// Writes a package of so many small files and describes it.
Result<PackageLayout> make_package(const std::string& directory, std::int64_t files) {
    PackageLayout layout;
    for (std::int64_t i = 0; i < files; ++i) {
        const std::string parent = "lib/part" + std::to_string(i / files_in_a_directory);
        if (i % files_in_a_directory == 0) TAIPAN_CHECK(make_directories(directory + "/" + parent));
        PathEntry entry;
        entry.path = parent + "/module" + std::to_string(i) + ".py";
        TAIPAN_CHECK(append_to_file(directory + "/" + entry.path, "pass\n"));
        layout.paths.push_back(std::move(entry));
    }
    return layout;
}

/// Links the plan into a fresh prefix, and removes that outside the measured time.
Result<void> link_once(benchmark::State& state, const std::string& parent, const LinkPlan& plan, PlaceContext context) {
    state.PauseTiming();
    auto prefix = StagedDirectory::create(parent, "bench-prefix");
    if (!prefix) return std::move(prefix).error();
    context.prefix_fd = prefix->fd();
    context.prefix = prefix->path();
    state.ResumeTiming();
    TAIPAN_CHECK(create_directories(plan.directories, context.prefix_fd, context.prefix));
    TAIPAN_CHECK(place_groups(plan, 0, plan.groups.size(), context));
    state.PauseTiming();
    { const auto gone = std::move(*prefix); }
    state.ResumeTiming();
    return {};
}

Result<void> run(benchmark::State& state) {
    const std::string parent = temporary_directory();
    auto package = StagedDirectory::create(parent, "bench-package");
    if (!package) return std::move(package).error();
    auto layout = make_package(package->path(), state.range(0));
    if (!layout) return std::move(layout).error();
    PackageRecord record;
    record.name = "synthetic";
    record.version = "1.0";
    record.build = "synthetic_0";
    LinkOptions options;
    options.prefix = parent + "/bench-prefix";
    const auto plan = make_link_plan(std::move(*layout), record, std::nullopt, options);
    if (!plan) return plan.error();
    PlaceContext context;
    context.package_fd = package->fd();
    context.package_dir = package->path();
    for (auto _ : state) TAIPAN_CHECK(link_once(state, parent, *plan, context));
    state.SetItemsProcessed(state.iterations() * state.range(0));
    return {};
}

void link_files(benchmark::State& state) {
    const auto done = run(state);
    if (!done) state.SkipWithError(done.error().message.c_str());
}

BENCHMARK(link_files)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

} // namespace

} // namespace taipan
