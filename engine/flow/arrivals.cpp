#include "flow/arrivals.hpp"

#include <algorithm>
#include <utility>

namespace taipan {

Arrivals::Arrivals(const Plan& plan, OnPackage on_package, std::function<Result<void>(const PackageRecord&)> on_python)
    : on_package_(std::move(on_package)), on_python_(std::move(on_python)) {
    awaited_ = std::any_of(plan.link.begin(), plan.link.end(), [](const PlannedPackage& package) {
        return package.record.name == "python" && package.from_url && !package.complete;
    });
}

Result<void> Arrivals::take(CachedPackage package) {
    std::vector<CachedPackage> free;
    {
        const std::scoped_lock guard(mutex_);
        if (awaited_ && package.record.noarch == Noarch::python) {
            parked_.push_back(std::move(package));
            return {};
        }
        if (awaited_ && package.record.name == "python") {
            TAIPAN_CHECK(on_python_(package.record));
            awaited_ = false;
            free = std::move(parked_);
        }
    }
    TAIPAN_CHECK(on_package_(std::move(package)));
    for (auto& parked : free) TAIPAN_CHECK(on_package_(std::move(parked)));
    return {};
}

} // namespace taipan
