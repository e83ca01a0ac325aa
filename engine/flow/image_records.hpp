#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/image_contents.hpp"
#include "flow/plan.hpp"
#include "image/tar_stream.hpp"
#include "link/place_file.hpp"

namespace taipan {

/// What lies in an image's `conda-meta`: a record for each package and the history, as an environment of these packages
/// has them, without a trace of this machine or of now. `placed` has the digests of each package's rewritten files; the
/// packages' plans are used up.
[[nodiscard]] std::vector<TarItem> image_records(const Plan& plan, std::vector<ImagePackage>& packages,
                                                 const std::vector<PlacedFiles>& placed, std::int64_t moment);

/// `%Y-%m-%dT%H:%M:%SZ`
[[nodiscard]] std::string rfc3339_time(std::int64_t seconds);

} // namespace taipan
