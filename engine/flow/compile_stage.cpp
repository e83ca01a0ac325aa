// Byte-compilation, after everything is linked: first what the cache has, package by package; then the rest in one
// batch a worker, each an interpreter process, with the same amount of source for each; then the new bytecode is kept.

#include "flow/compile_stage.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>

#include <tbb/parallel_for.h>

#include "flow/first_error.hpp"
#include "link/place_file.hpp"
#include "link/pyc.hpp"

namespace taipan {

namespace {

/// Not worth a process of its own.
constexpr std::size_t smallest_batch = 8;
/// What a module costs besides its size, as bytes of source.
constexpr std::uint64_t module_overhead = 1024;

/// One package while its modules are compiled.
struct Work {
    std::vector<CompiledModule> kept; ///< what goes through the cache
    std::vector<PycItem> items;       ///< the same ones, as the plan has them
    std::vector<PycItem> to_compile;
    bool store = false;
};

Work work_of(const PackageModules& package) {
    Work work;
    for (const PycItem& item : package.plan->pyc) {
        if (package.key.hash.empty() || item.rewritten) {
            work.to_compile.push_back(item);
            continue;
        }
        work.kept.push_back({item.source, item.pyc});
        work.items.push_back(item);
    }
    return work;
}

class Compiler {
public:
    Compiler(Session& session, const CompileTarget& target, const std::vector<PackageModules>& packages)
        : session_(session),
          target_(target),
          packages_(packages),
          cache_(target.packages_directory),
          work_(packages.size()) {}

    Result<std::uint64_t> run() {
        TAIPAN_CHECK(each_package(&Compiler::reuse));
        TAIPAN_CHECK(compile());
        TAIPAN_CHECK(each_package(&Compiler::keep));
        return compiled_.load();
    }

private:
    Result<void> each_package(Result<void> (Compiler::*step)(std::size_t)) {
        FirstError errors;
        tbb::parallel_for(std::size_t{0}, packages_.size(), [&](std::size_t i) {
            if (!errors.any() && !packages_[i].plan->pyc.empty()) errors.take((this->*step)(i));
        });
        return errors.result();
    }

    Result<void> reuse(std::size_t index) {
        const PackageModules& package = packages_[index];
        TAIPAN_TRY([[maybe_unused]] const auto made,
                   create_directories(package.plan->pyc_directories, target_.prefix_fd, target_.prefix));
        Work& work = work_[index] = work_of(package);
        if (work.kept.empty()) return {};
        TAIPAN_TRY(const auto missing, cache_.place(package.key, work.kept, target_.prefix_fd, package.copy));
        work.store = !missing.empty();
        for (const std::size_t i : missing) work.to_compile.push_back(work.items[i]);
        return {};
    }

    /// The largest sources first, each to the batch that has least to do.
    std::vector<std::vector<PycItem>> batches() {
        std::vector<PycItem> all;
        for (Work& work : work_) std::move(work.to_compile.begin(), work.to_compile.end(), std::back_inserter(all));
        std::stable_sort(all.begin(), all.end(),
                         [](const PycItem& a, const PycItem& b) { return a.source_size > b.source_size; });
        const auto workers = static_cast<std::size_t>(std::max(1, session_.workers()));
        const std::size_t count = std::clamp<std::size_t>(all.size() / smallest_batch, 1, workers);
        std::vector<std::vector<PycItem>> parts(all.empty() ? 0 : count);
        std::vector<std::uint64_t> load(parts.size(), 0);
        for (PycItem& item : all) {
            const auto least = static_cast<std::size_t>(std::min_element(load.begin(), load.end()) - load.begin());
            load[least] += item.source_size + module_overhead;
            parts[least].push_back(std::move(item));
        }
        return parts;
    }

    Result<void> compile() {
        const auto parts = batches();
        const PycRun run{target_.prefix, target_.python, session_.config().environment, &session_.stop().flag()};
        FirstError errors;
        tbb::parallel_for(std::size_t{0}, parts.size(), [&](std::size_t i) {
            auto outcome = compile_pyc(run, parts[i]);
            if (outcome)
                compiled_ += outcome->compiled;
            else
                errors.take(std::move(outcome).error());
        });
        return errors.result();
    }

    /// Bytecode that cannot be kept (a full disk, say) is compiled again next time, which is no error now.
    Result<void> keep(std::size_t index) {
        const Work& work = work_[index];
        if (!work.store) return {};
        const PackageModules& package = packages_[index];
        if (auto kept = cache_.store(package.key, work.kept, target_.prefix_fd, package.copy); !kept) {
            session_.sink().note(Severity::debug, "the bytecode of " + package.key.dist_name +
                                                      " is not kept in the cache: " + kept.error().message);
        }
        return {};
    }

    Session& session_;
    const CompileTarget& target_;
    const std::vector<PackageModules>& packages_;
    PycCache cache_;
    std::vector<Work> work_; ///< by package
    std::atomic<std::uint64_t> compiled_{0};
};

} // namespace

Result<std::uint64_t> compile_modules(Session& session, const CompileTarget& target,
                                      const std::vector<PackageModules>& packages) {
    return Compiler(session, target, packages).run();
}

} // namespace taipan
