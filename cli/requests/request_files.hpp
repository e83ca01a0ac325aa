#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/environment_file.hpp"
#include "program/command.hpp"
#include "program/option.hpp"

namespace taipan::cli {

/// The files of `-f/--file` and what is chosen of them; shared by the commands that take files.
struct RequestFileOptions {
    std::vector<std::string> files; ///< paths, file:// and http(s) URLs; `-` is standard input
    std::vector<std::string> categories;
    std::string lock_environment;
    bool comment_selectors = false; ///< `# [linux]` at the end of a line counts, as with conda-lock

    [[nodiscard]] Options options(); ///< -f, --category, -e
};

/// What `env create` and `env update` read when they are told nothing: environment.yml, or else environment.yaml.
[[nodiscard]] std::string default_file(const Invocation& invocation);

/// Reads them all, in order. Downloads those that are URLs. Errors name the file: it is not there, cannot be read or
/// understood, is for another platform, or lists packages by URL beside files that name specs.
Result<std::vector<RequestFile>> read_request_files(const RequestFileOptions& options, const Config& config);

} // namespace taipan::cli
