#include "config/environment_file.hpp"

#include <algorithm>
#include <optional>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "config/comment_selectors.hpp"
#include "config/expand.hpp"
#include "config/lock_file.hpp"
#include "config/yaml_value.hpp"

// environment.yml (CEP 24) as plain data. A file is a request, so what is not understood is told (warnings) and what
// would be misunderstood is refused: a dependency that is neither a spec nor a `pip:` list would silently be missing
// from the environment.

namespace taipan {

namespace {

constexpr std::uint64_t request_size_limit = 64U << 20U;

Error invalid(const std::string& path, const std::string& what) {
    return make_error(ErrorCode::parse, path + ": " + what);
}

/// `sel(linux)` -> `linux`; nullopt when the key is no selector.
std::optional<std::string_view> selector_of(std::string_view key) {
    if (!key.starts_with("sel(") || !key.ends_with(')')) return std::nullopt;
    return key.substr(4, key.size() - 5);
}

Result<void> read_pip(const YamlValue& list, RequestFile& file) {
    if (list.is_null()) return {};
    if (!list.is_sequence()) return invalid(file.path, "'pip:' must be a list of requirements");
    for (const auto& item : list.items) {
        if (!item.is_scalar()) return invalid(file.path, "an entry of 'pip:' is no requirement line");
        file.pip.push_back(item.text);
    }
    return {};
}

Result<void> read_dependency_map(const YamlValue& item, const RequestFileContext& context, RequestFile& file) {
    for (const auto& [key, value] : item.members) {
        if (key == "pip") {
            TAIPAN_CHECK(read_pip(value, file));
        } else if (const auto selector = selector_of(key)) {
            if (*selector != "unix" && *selector != "linux" && *selector != "osx" && *selector != "win") {
                return invalid(file.path,
                               "unknown selector '" + key + "'; use sel(unix), sel(linux), sel(osx) or sel(win)");
            }
            if (!value.is_scalar()) return invalid(file.path, "'" + key + "' must be followed by one package spec");
            if (selector_holds(*selector, context.subdir)) file.dependencies.push_back(value.text);
        } else {
            return invalid(file.path, "'" + key + ":' packages cannot be installed; only conda specs and 'pip:' can");
        }
    }
    return {};
}

Result<void> read_dependencies(const YamlValue& list, const RequestFileContext& context, RequestFile& file) {
    if (list.is_null()) return {};
    if (!list.is_sequence()) return invalid(file.path, "'dependencies' must be a list");
    for (const auto& item : list.items) {
        if (item.is_scalar()) {
            file.dependencies.push_back(std::string(trimmed(item.text)));
        } else if (item.is_map()) {
            TAIPAN_CHECK(read_dependency_map(item, context, file));
        } else {
            return invalid(file.path, "an entry of 'dependencies' (line " + std::to_string(item.line) +
                                          ") is neither a package spec nor 'pip:'");
        }
    }
    return {};
}

Result<void> read_channels(const YamlValue& list, const RequestFileContext& context, RequestFile& file) {
    if (list.is_null()) return {};
    if (!list.is_sequence()) return invalid(file.path, "'channels' must be a list");
    for (const auto& item : list.items) {
        if (!item.is_scalar()) return invalid(file.path, "an entry of 'channels' is no channel name or URL");
        if (item.text == "nodefaults")
            file.nodefaults = true;
        else
            file.channels.push_back(expand_variables(item.text, context.environment));
    }
    return {};
}

Result<void> read_platforms(const YamlValue& list, RequestFile& file) {
    if (list.is_null()) return {};
    if (!list.is_sequence()) return invalid(file.path, "'platforms' must be a list");
    for (const auto& item : list.items) {
        if (!item.is_scalar()) return invalid(file.path, "an entry of 'platforms' is no platform");
        file.platforms.push_back(item.text);
    }
    return {};
}

Result<void> read_variables(const YamlValue& map, RequestFile& file) {
    if (map.is_null()) return {};
    if (!map.is_map()) return invalid(file.path, "'variables' must be 'NAME: value' lines");
    for (const auto& [name, value] : map.members) {
        if (!value.is_scalar() && !value.is_null())
            return invalid(file.path, "variable '" + name + "' has no plain value");
        if (name.empty() || name.find('=') != std::string::npos || name == "PATH") {
            return invalid(file.path, "'" + name + "' cannot be set as an environment variable");
        }
        file.variables.emplace_back(name, value.text);
    }
    return {};
}

Result<void> read_word(const YamlValue& value, const std::string& key, std::string& target, const RequestFile& file) {
    if (value.is_null()) return {};
    if (!value.is_scalar()) return invalid(file.path, "'" + key + "' must be one word");
    target = value.text;
    return {};
}

bool named_as_yaml(std::string_view path) {
    return path.ends_with(".yml") || path.ends_with(".yaml") || path.ends_with(".lock") || path.ends_with(".json");
}

/// Whether text without a telling name is YAML: a line begins with one of the words that environment and lock files
/// begin with. In a list of specs none can be followed by a colon.
bool reads_as_yaml(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        at = end + 1;
        for (const std::string_view word : {"name", "channels", "dependencies", "version", "environments", "packages",
                                            "package", "metadata", "prefix", "variables", "platforms", "category"}) {
            if (line.starts_with(word) && line.substr(word.size()).starts_with(':')) return true;
        }
        if (line.starts_with('{')) return true;
    }
    return false;
}

bool is_explicit(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (trimmed(text.substr(at, end - at)) == "@EXPLICIT") return true;
        at = end + 1;
    }
    return false;
}

} // namespace

bool selector_holds(std::string_view selector, std::string_view subdir) {
    if (selector == "unix") return !subdir.starts_with("win-");
    if (selector != "linux" && selector != "osx" && selector != "win") return false;
    return subdir.starts_with(selector) && subdir.substr(selector.size()).starts_with('-');
}

Result<RequestFile> parse_environment_yaml(std::string_view text, const std::string& path,
                                           const RequestFileContext& context) {
    TAIPAN_TRY(const auto document, parse_yaml(text, path));
    return parse_environment_document(document, path, context);
}

Result<RequestFile> parse_environment_document(const YamlValue& document, const std::string& path,
                                               const RequestFileContext& context) {
    RequestFile file;
    file.kind = RequestFile::Kind::environment;
    file.path = path;
    if (document.is_null()) return invalid(path, "the file is empty");
    if (!document.is_map())
        return invalid(path, "is no environment file: 'name:', 'channels:' and 'dependencies:' are expected");
    for (const auto& [key, value] : document.members) {
        if (key == "name")
            TAIPAN_CHECK(read_word(value, key, file.name, file));
        else if (key == "prefix")
            TAIPAN_CHECK(read_word(value, key, file.prefix, file));
        else if (key == "channels")
            TAIPAN_CHECK(read_channels(value, context, file));
        else if (key == "dependencies")
            TAIPAN_CHECK(read_dependencies(value, context, file));
        else if (key == "variables")
            TAIPAN_CHECK(read_variables(value, file));
        else if (key == "category")
            TAIPAN_CHECK(read_word(value, key, file.category, file));
        else if (key == "platforms")
            TAIPAN_CHECK(read_platforms(value, file));
        else {
            file.warnings.push_back(path + ": the section '" + key + "' is not known and ignored");
        }
    }
    return file;
}

Result<RequestFile> parse_request_file(std::string_view text, const std::string& path,
                                       const RequestFileContext& context) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (is_explicit(text) || !(named_as_yaml(path) || reads_as_yaml(text))) return parse_spec_file(text, path, context);
    std::vector<std::string> unknown;
    const auto chosen = context.comment_selectors ? lines_for_platform(text, context.subdir, unknown) : std::string();
    TAIPAN_TRY(const auto document, parse_yaml(context.comment_selectors ? std::string_view(chosen) : text, path));
    if (is_conda_lock(document)) return parse_conda_lock(document, path, context);
    if (is_pixi_lock(document)) return parse_pixi_lock(document, path, context);
    TAIPAN_TRY(auto file, parse_environment_document(document, path, context));
    for (const auto& word : unknown) {
        file.warnings.push_back(path + ": lines with the selector [" + word +
                                "], which names no platform, are left out");
    }
    return file;
}

Result<RequestFile> read_request_file(const std::string& path, const RequestFileContext& context) {
    const auto absolute = absolute_path(expand_home(path, context.home), context.working_directory);
    if (!exists(absolute)) {
        Error error =
            make_error(ErrorCode::invalid_argument, "'" + path + "' file not found; check the path given to -f/--file");
        JsonWriter facts;
        error.details = facts.begin_object().member("filename", path).end_object().take();
        return error;
    }
    TAIPAN_TRY(const auto text, read_file(absolute, request_size_limit));
    RequestFileContext here = context;
    here.base_directory = parent_path(absolute);
    return parse_request_file(text, path, here);
}

} // namespace taipan
