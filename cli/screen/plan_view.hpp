#pragma once

#include <string>
#include <vector>

#include "flow/plan.hpp"

namespace taipan::cli {

/// What a plan does to one package that is there before and after.
enum class ChangeKind { updated, superseded, downgraded, revised, reinstalled };

struct PlanChange {
    const PackageRecord* before = nullptr;
    const PlannedPackage* after = nullptr;
    ChangeKind kind = ChangeKind::updated;
};

/// A plan sorted into the sections that people read; packages by name. Points into the plan.
struct PlanSections {
    std::vector<const PlannedPackage*> added;
    std::vector<const PackageRecord*> removed;
    std::vector<PlanChange> changed;
};
[[nodiscard]] PlanSections sort_plan(const Plan& plan);

/// The plan as text (conda-spec 12.4): where, which specs, a table for each kind of change, totals. `width`: columns
/// of the terminal, 0 when lines may have any length.
[[nodiscard]] std::string plan_text(const Plan& plan, std::size_t width);

} // namespace taipan::cli
