#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "prefix/prefix_data.hpp"

namespace taipan {

/// The Python packages of a prefix that conda packages do not own: what pip installed (conda-spec 4.9). As records of
/// channel `pypi`, build `pypi_0` (`dev_0` and channel `<develop>` for egg-links), sorted by name.
Result<std::vector<PackageRecord>> pip_packages(const PrefixData& data);

/// Those of them that have one of these names and of which pip's RECORD tells the files, as records that can be
/// unlinked. Files outside of the prefix are left out.
Result<std::vector<PrefixRecord>> pip_records(const PrefixData& data, const std::set<std::string>& names);

/// `Baz_Pip` -> `baz-pip`.
[[nodiscard]] std::string normalised_python_name(std::string_view name);
/// Name and version from the text of METADATA or PKG-INFO; both empty when it is no such text.
struct PythonIdentity {
    std::string name, version;
};
[[nodiscard]] PythonIdentity parse_python_metadata(std::string_view text);

} // namespace taipan
