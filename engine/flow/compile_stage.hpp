#pragma once

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cache/pyc_cache.hpp"
#include "flow/compile_pool.hpp"
#include "flow/session.hpp"
#include "link/made_directories.hpp"
#include "link/plan.hpp"

namespace taipan {

/// The modules of one linked package that want bytecode.
struct PackageModules {
    const LinkPlan* plan = nullptr; ///< outlives the stage's work
    PycCache::Key key;              ///< without a hash the bytecode is not kept
    bool copy = false;              ///< no hard links between prefix and cache
};

struct CompileTarget {
    std::string prefix;
    int prefix_fd = -1; ///< borrowed
    PythonInfo python;
    std::string packages_directory; ///< the package cache beside which bytecode is kept
    MadeDirectories& made;          ///< of the prefix, by this run
};

/// Gives modules their bytecode, package by package as they are linked: from the cache what was compiled before, by the
/// prefix's interpreter the rest. What is new goes into the cache.
class CompileStage {
public:
    /// For so many packages.
    CompileStage(Session& session, CompileTarget target, std::size_t packages);

    /// Another python than was expected when the stage was made; before `open`.
    void set_python(const PythonInfo& python) { pool_.set_python(python); }
    /// The interpreter and all that it needs are linked.
    void open() { pool_.open(); }
    /// The package at this index is linked: its modules can be compiled. Thread-safe.
    Result<void> package_linked(std::size_t index, PackageModules package);
    /// When all packages are linked. Modules that have one of the `contested` paths, whose content may have changed
    /// since its package was linked, are compiled once more. Runs inside of the caller's arena. Returns how many were
    /// compiled.
    Result<std::uint64_t> finish(const std::set<std::string>& contested);
    /// Of modules whose bytecode has taken their place.
    [[nodiscard]] std::uint64_t sources_removed() const { return sources_removed_; }
    [[nodiscard]] std::uint64_t bytes_removed() const { return bytes_removed_; }

private:
    /// One package while its modules are compiled.
    struct Work {
        PackageModules package;
        std::vector<CompiledModule> kept; ///< what goes through the cache
        bool store = false;
    };
    [[nodiscard]] KnownDirectory known() const;
    Result<std::uint64_t> redo(const std::set<std::string>& contested);
    void keep(const Work& work);
    Result<void> remove_sources(const LinkPlan& plan);

    Session& session_;
    CompileTarget target_;
    PycCache cache_;
    std::vector<Work> work_; ///< by package; each touched by one worker
    std::atomic<std::uint64_t> sources_removed_{0}, bytes_removed_{0};
    CompilePool pool_;
};

} // namespace taipan
