#pragma once

#include <string>
#include <string_view>

#include "config/config.hpp"
#include "program/command.hpp"
#include "program/common_options.hpp"

namespace taipan::cli {

/// What to do when neither -n nor -p says which environment is meant.
enum class WithoutTarget {
    fail,           ///< create: a name is needed
    active_or_root, ///< install, list, run: $CONDA_PREFIX, else the root prefix
    active_or_fail, ///< remove, as mamba: $CONDA_PREFIX
};

/// Resolves -n/-p to an absolute path (conda-spec 4.8): `base` is the root prefix; a name is looked for in each
/// envs_dir, then put into the first one that can be written. What a killed run has left there is repaired first.
Result<std::string> resolve_target(const Invocation& invocation, const CommonOptions& options, const Config& config,
                                   WithoutTarget otherwise);

/// Fails for names that cannot be one: empty, reserved, or with `/`, `:`, `#` or, but for mamba, a blank.
Result<void> validate_environment_name(std::string_view name, Role role);

/// How people call the environment: `base`, its name when it lies in an envs_dir, else empty.
[[nodiscard]] std::string environment_name(const std::string& prefix, const Config& config);

/// The words that select it on our command line: `-n NAME` or `-p PATH`.
[[nodiscard]] std::string selecting_words(const std::string& prefix, const Config& config);

/// True when a directory is empty or does not exist.
[[nodiscard]] bool is_empty_or_missing(const std::string& path);

/// Fails with not_writable when the prefix, or the nearest directory above it that exists, cannot be written.
Result<void> require_writable(const std::string& prefix);

} // namespace taipan::cli
