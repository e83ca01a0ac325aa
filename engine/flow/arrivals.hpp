#pragma once

#include <mutex>
#include <vector>

#include "base/result.hpp"
#include "flow/materialise.hpp"
#include "flow/plan.hpp"

namespace taipan {

/// Lets packages through as they arrive, but noarch Python ones only when it is known where their files belong: of a
/// python that was asked for by URL that stands in its own record. Thread-safe.
class Arrivals {
public:
    /// `on_python` is called with python's complete record before packages that wait for it are let through.
    Arrivals(const Plan& plan, OnPackage on_package, std::function<Result<void>(const PackageRecord&)> on_python);

    Result<void> take(CachedPackage package);

private:
    OnPackage on_package_;
    std::function<Result<void>(const PackageRecord&)> on_python_;
    std::mutex mutex_;
    bool awaited_ = false;              ///< guarded by mutex_
    std::vector<CachedPackage> parked_; ///< guarded by mutex_
};

} // namespace taipan
