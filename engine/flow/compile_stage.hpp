#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cache/pyc_cache.hpp"
#include "flow/session.hpp"
#include "link/plan.hpp"

namespace taipan {

/// The modules of one linked package that want bytecode.
struct PackageModules {
    const LinkPlan* plan = nullptr;
    PycCache::Key key; ///< without a hash the bytecode is not kept
    bool copy = false; ///< no hard links between prefix and cache
};

struct CompileTarget {
    std::string prefix;
    int prefix_fd = -1; ///< borrowed
    PythonInfo python;
    std::string packages_directory; ///< the package cache beside which bytecode is kept
};

/// Gives all modules their bytecode: from the cache what was compiled before, by the prefix's interpreter the rest,
/// on all workers; what is new goes into the cache. Runs inside of the caller's arena. Returns how many were compiled.
Result<std::uint64_t> compile_modules(Session& session, const CompileTarget& target,
                                      const std::vector<PackageModules>& packages);

} // namespace taipan
