#pragma once

#include <string>
#include <vector>

#include "link/place_file.hpp"
#include "link/plan.hpp"
#include "model/record.hpp"

namespace taipan {

/// Where the package came from and who asked for it.
struct RecordOrigin {
    std::string package_tarball_full_path;
    std::string extracted_package_dir;
    std::vector<std::string> requested_specs; ///< canonical; empty for a dependency
};

/// The conda-meta record of a package that was just linked (conda-spec 4.2). Takes the paths out of the plan.
[[nodiscard]] PrefixRecord installed_record(PackageRecord package, LinkPlan&& plan, const PlacedFiles& placed,
                                            RecordOrigin origin);

/// Takes the sources out that have gone since bytecode is in their place.
void leave_out_gone_sources(PrefixRecord& record, const std::vector<PycItem>& modules, int prefix_fd);
/// Fills in the sizes of the pyc files that exist; to be called after compilation.
void stat_pyc_files(PrefixRecord& record, int prefix_fd);

} // namespace taipan
