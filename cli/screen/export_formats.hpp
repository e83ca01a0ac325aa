#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/record.hpp"

namespace taipan::cli {

/// The forms in which conda writes an environment down (conda-spec 9.4).
enum class ExportFormat { yaml, json, explicit_urls, requirements };

/// By conda's names and aliases for them; nullopt for others.
[[nodiscard]] std::optional<ExportFormat> export_format_named(std::string_view name);
/// By the name of the file that is to be written.
[[nodiscard]] std::optional<ExportFormat> export_format_of_file(std::string_view path);
/// conda's name.
[[nodiscard]] std::string_view name_of(ExportFormat format);

/// An environment before it becomes text.
struct ExportedEnvironment {
    std::string name, prefix, platform;
    std::vector<std::string> channels;
    std::vector<std::string> requests; ///< canonical specs, with channel
    std::vector<std::string> pip;      ///< `name==version`
    std::vector<std::pair<std::string, std::string>> variables;
    std::vector<PackageRecord> packages; ///< in dependency order
    bool shows_no_channels = false;      ///< an empty list of channels is written, as by mamba
    bool as_written = false;             ///< requests go into environment files as they are
};

/// The text, with a line end. Fails where the format cannot say what the environment has, in conda's words.
Result<std::string> export_text(const ExportedEnvironment& environment, ExportFormat format);

} // namespace taipan::cli
