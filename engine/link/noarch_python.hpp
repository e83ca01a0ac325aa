#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/record.hpp"

namespace taipan {

/// The python that a prefix has or will have; what noarch python packages are linked for.
struct PythonInfo {
    std::string version;            ///< major and minor: `3.11`
    std::string site_packages_path; ///< relative to the prefix
    std::string executable;         ///< relative to the prefix: `bin/python3.11`, `bin/python3.13t`
    bool operator==(const PythonInfo&) const = default;
};

/// From the record of the `python` package (conda-spec 3.3, CEP 17). Errors: corrupt_package when its
/// python_site_packages_path would leave the prefix or its version has no two numbers.
Result<PythonInfo> python_info(const PackageRecord& python);

/// Where a file of a noarch python package goes: `site-packages/x` -> `<site-packages>/x`, `python-scripts/x` ->
/// `bin/x`, anything else stays.
[[nodiscard]] std::string noarch_target_path(std::string_view source, const PythonInfo& python);

/// True for the sources that are compiled: `site-packages/....py` before relocation (conda-spec 3.5).
[[nodiscard]] bool is_compiled_source(std::string_view source);

/// `a/b.py` -> `a/__pycache__/b.cpython-311.pyc` (Python 2: `a/b.pyc`).
[[nodiscard]] std::string pyc_path(std::string_view target, const PythonInfo& python);

} // namespace taipan
