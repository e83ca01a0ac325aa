#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "flow/image.hpp"
#include "program/command.hpp"
#include "program/option.hpp"

namespace taipan::cli {

/// What `image` is told about the image itself.
struct ImageOptions {
    std::string output, prefix = "/opt/env", base, tag = "latest", compression = "zstd", most_layers;
    std::optional<std::string> entrypoint, command, user, working_directory;
    std::vector<std::string> environment, labels;

    [[nodiscard]] Options options();
    /// The same as a request; `source_date_epoch` is the text of that variable. Errors: invalid_argument.
    Result<ImageRequest> request(const Config& config, const std::string& source_date_epoch) const;
};

} // namespace taipan::cli
