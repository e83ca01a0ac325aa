#pragma once

#include <string>

namespace taipan {

/// Adds a benchmark that extracts this package into a fresh directory below $TMPDIR (or /tmp), as often as it takes.
void register_extract_benchmark(const std::string& package_file);

} // namespace taipan
