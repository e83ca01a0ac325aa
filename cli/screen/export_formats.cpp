#include "screen/export_formats.hpp"

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "screen/explicit_list.hpp"
#include "screen/yaml_text.hpp"

namespace taipan::cli {

namespace {

struct FormatNames {
    ExportFormat format;
    std::vector<std::string_view> names; ///< the first is conda's, the others its aliases
    std::vector<std::string_view> files;
};

const std::vector<FormatNames>& formats() {
    static const std::vector<FormatNames> table = {
        {ExportFormat::yaml, {"environment-yaml", "yaml", "yml", "env.yml"}, {"environment.yaml", "environment.yml"}},
        {ExportFormat::json, {"environment-json", "json"}, {"environment.json"}},
        {ExportFormat::explicit_urls, {"explicit"}, {"explicit.txt"}},
        {ExportFormat::requirements, {"requirements", "reqs", "txt"}, {"requirements.txt", "spec.txt"}},
    };
    return table;
}

/// `conda-forge::numpy==1.2=py_0` as environment files have it: `numpy=1.2=py_0`.
std::string environment_form(const std::string& spec) {
    const std::size_t colons = spec.find("::");
    std::string text = colons == std::string::npos ? spec : spec.substr(colons + 2);
    if (const std::size_t equal = text.find("=="); equal != std::string::npos) text.erase(equal, 1);
    return text;
}

std::string as_yaml(const ExportedEnvironment& content) {
    std::string text = "name: " + yaml_scalar(content.name) + '\n';
    if (!content.channels.empty()) text += "channels:\n";
    if (content.channels.empty() && content.shows_no_channels) text += "channels: []\n";
    for (const auto& channel : content.channels) text += "  - " + yaml_scalar(channel) + '\n';
    text += content.requests.empty() && content.pip.empty() ? "dependencies: []\n" : "dependencies:\n";
    for (const auto& spec : content.requests)
        text += "  - " + yaml_scalar(content.as_written ? spec : environment_form(spec)) + '\n';
    if (!content.pip.empty()) text += "  - pip:\n";
    for (const auto& line : content.pip) text += "      - " + yaml_scalar(line) + '\n';
    if (!content.variables.empty()) text += "variables:\n";
    for (const auto& [name, value] : content.variables)
        text += "  " + yaml_scalar(name) + ": " + yaml_scalar(value) + '\n';
    return text + "prefix: " + yaml_scalar(content.prefix) + '\n';
}

std::string as_json(const ExportedEnvironment& content) {
    JsonWriter json;
    json.begin_object();
    json.member("name", content.name);
    if (!content.channels.empty() || content.shows_no_channels) json.member("channels", content.channels);
    json.key("dependencies").begin_array();
    for (const auto& spec : content.requests) json.value(content.as_written ? spec : environment_form(spec));
    if (!content.pip.empty()) json.begin_object().member("pip", content.pip).end_object();
    json.end_array();
    if (!content.variables.empty()) {
        json.key("variables").begin_object();
        for (const auto& [name, value] : content.variables) json.member(name, value);
        json.end_object();
    }
    json.member("prefix", content.prefix);
    return json.end_object().take() + '\n';
}

Result<std::string> as_explicit(const ExportedEnvironment& content) {
    if (content.packages.empty()) {
        return make_error(ErrorCode::invalid_argument, "Cannot export explicit format: no explicit packages with "
                                                       "installation metadata found.");
    }
    if (!content.pip.empty()) {
        return make_error(ErrorCode::invalid_argument,
                          "Cannot export explicit format: environment contains external packages that cannot be "
                          "represented in explicit format. Use a different format to include external packages.");
    }
    std::string text = list_header(content.platform) + "@EXPLICIT\n";
    for (const auto& record : content.packages) {
        if (record.url.empty()) {
            return make_error(ErrorCode::invalid_argument,
                              "Cannot export '" + record.name + "': explicit format requires package URLs");
        }
        text += record.url + '\n';
    }
    return text;
}

Result<std::string> as_requirements(const ExportedEnvironment& content) {
    if (content.requests.empty()) {
        return make_error(
            ErrorCode::invalid_argument,
            "Cannot export requirements format: no requested packages found. Use 'explicit' format for "
            "environments with installed packages, or ensure the environment has package specifications.");
    }
    std::string text = list_header(content.platform) +
                       "# Note: This is a conda requirements file (MatchSpec format)\n"
                       "# Contains conda package specifications, not pip requirements\n\n";
    for (const auto& spec : content.requests) text += spec + '\n';
    return text;
}

} // namespace

std::optional<ExportFormat> export_format_named(std::string_view name) {
    for (const auto& row : formats()) {
        for (const auto known : row.names) {
            if (known == name) return row.format;
        }
    }
    return std::nullopt;
}

std::optional<ExportFormat> export_format_of_file(std::string_view path) {
    const auto name = base_name(path);
    for (const auto& row : formats()) {
        for (const auto known : row.files) {
            if (known == name) return row.format;
        }
    }
    // conda refuses other names; what their ending means is plain for these two.
    if (name.ends_with(".json")) return ExportFormat::json;
    if (name.ends_with(".yml") || name.ends_with(".yaml")) return ExportFormat::yaml;
    return std::nullopt;
}

std::string_view name_of(ExportFormat format) {
    for (const auto& row : formats()) {
        if (row.format == format) return row.names.front();
    }
    return {};
}

Result<std::string> export_text(const ExportedEnvironment& environment, ExportFormat format) {
    switch (format) {
    case ExportFormat::yaml: return as_yaml(environment);
    case ExportFormat::json: return as_json(environment);
    case ExportFormat::explicit_urls: return as_explicit(environment);
    case ExportFormat::requirements: return as_requirements(environment);
    }
    return make_error(ErrorCode::internal, "unknown export format");
}

} // namespace taipan::cli
