#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// `<home>/.conda/environments.txt`: the environments of a user, wherever they lie (conda-spec 4.8).

/// Adds the prefix unless it is listed or is a build's scratch prefix.
Result<void> register_environment(const std::string& home, const std::string& prefix);
/// Takes the prefix out, and with it every line that is no environment any more. A missing file is fine.
Result<void> unregister_environment(const std::string& home, const std::string& prefix);
/// The lines that are environments, in order, unique.
Result<std::vector<std::string>> registered_environments(const std::string& home);

/// An environment and how it is called.
struct ListedEnvironment {
    std::string prefix;
    std::string name; ///< `base`, the directory's name when it lies in an envs_dir, else empty
};

/// The root prefix (when it is an environment), those in `envs_dirs`, then those registered in any of `homes`; unique,
/// each group sorted.
std::vector<ListedEnvironment> list_environments(const std::vector<std::string>& homes, const std::string& root_prefix,
                                                 const std::vector<std::string>& envs_dirs);

} // namespace taipan
