#include "config/config_sources.hpp"

#include <algorithm>
#include <set>

#include <dirent.h>

#include "base/filesystem.hpp"
#include "config/config_keys.hpp"
#include "config/expand.hpp"

// Configuration lies in up to some thirty places (conda's and mamba's). Each becomes one ConfigSource, a plain map from
// canonical key to value; what a key means in the end is then a fold over these maps (merged_value), which does no I/O.
// What must hold: a location counts once, with its lowest precedence; null means "not set"; a key and its alias in one
// place is a contradiction and refused; flags are comments, so they are read from the text's lines, not from the YAML.

namespace taipan {

namespace {

constexpr std::uint64_t rc_size_limit = 16U << 20U;

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    std::size_t at = 0;
    while (at <= text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.emplace_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

RcFlag flag_of_line(const std::vector<std::string>& lines, int line) {
    if (line < 1 || static_cast<std::size_t>(line) > lines.size()) return RcFlag::none;
    const std::string& text = lines[static_cast<std::size_t>(line) - 1];
    const auto mark = text.find("#!");
    if (mark == std::string::npos) return RcFlag::none;
    const auto word = trimmed(std::string_view(text).substr(mark + 2));
    if (word == "final") return RcFlag::final;
    if (word == "top") return RcFlag::top;
    if (word == "bottom") return RcFlag::bottom;
    return RcFlag::none;
}

RcFlag flag_of_key(const std::vector<std::string>& lines, const std::string& key) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto& line = lines[i];
        if (!line.starts_with(key)) continue;
        const auto rest = trimmed(std::string_view(line).substr(key.size()));
        if (rest.starts_with(':')) return flag_of_line(lines, static_cast<int>(i) + 1);
    }
    return RcFlag::none;
}

void expand_all(YamlValue& value, const std::map<std::string, std::string>& environment) {
    value.text = expand_variables(value.text, environment);
    for (auto& item : value.items) expand_all(item, environment);
    for (auto& member : value.members) expand_all(member.second, environment);
}

std::string variable(const ConfigRequest& request, const std::string& name) {
    const auto found = request.environment.find(name);
    return found == request.environment.end() ? std::string() : found->second;
}

/// `.condarc`, `condarc` and `condarc.d` of a directory.
void add_directory(std::vector<std::string>& out, const std::string& directory, const std::string& tool) {
    for (const auto& name : {"." + tool + "rc", tool + "rc", tool + "rc.d"}) out.push_back(directory + '/' + name);
}

/// The `*.yml` and `*.yaml` files of a `condarc.d`, sorted.
std::vector<std::string> files_of_directory(const std::string& path) {
    std::vector<std::string> files;
    if (DIR* directory = ::opendir(path.c_str())) {
        while (const dirent* entry = ::readdir(directory)) {
            const std::string_view name(entry->d_name);
            if (name.ends_with(".yml") || name.ends_with(".yaml")) files.push_back(path + '/' + std::string(name));
        }
        static_cast<void>(::closedir(directory));
    }
    std::sort(files.begin(), files.end());
    return files;
}

Result<void> add_value(ConfigSource& source, const ConfigKey& key, std::string_view written, SourceValue value) {
    if (value.value.is_null()) return {};
    if (!source.values.emplace(std::string(key.name), std::move(value)).second) {
        return make_error(ErrorCode::parse, source.name + ": '" + std::string(written) +
                                                "' is given twice, or together with its other name ('" +
                                                std::string(key.name) + "', '" + std::string(key.alias) +
                                                "'); keep one of them");
    }
    return {};
}

/// The variables `<PREFIX>_<KEY>` as one source; a list is split at the key's separator.
Result<ConfigSource> variables_source(const ConfigRequest& request, const std::string& prefix) {
    ConfigSource source{prefix + "_* variables", {}};
    for (const auto& key : config_keys()) {
        for (const auto name : {key.name, key.alias}) {
            if (name.empty()) continue;
            std::string upper = prefix + '_';
            for (const char c : name) upper.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
            const auto found = request.environment.find(upper);
            if (found == request.environment.end() || found->second.empty()) continue;
            SourceValue value;
            if (is_list_key(key)) {
                value.value.kind = YamlValue::Kind::sequence;
                for (auto& part : split_list(found->second, key.environment_separator)) {
                    const auto mark = part.find("!important");
                    const auto text = trimmed(std::string_view(part).substr(0, mark));
                    value.value.items.push_back({YamlValue::Kind::scalar, std::string(text), 0, {}, {}});
                    value.item_flags.push_back(mark == std::string::npos ? RcFlag::none : RcFlag::top);
                }
            } else {
                const auto mark = found->second.find("!important");
                value.value.kind = YamlValue::Kind::scalar;
                value.value.text = trimmed(std::string_view(found->second).substr(0, mark));
                if (mark != std::string::npos) value.flag = RcFlag::final;
            }
            TAIPAN_CHECK(add_value(source, key, upper, std::move(value)));
        }
    }
    return source;
}

} // namespace

std::vector<std::string> rc_file_candidates(const ConfigRequest& request, const std::string& root_prefix,
                                            const std::string& home) {
    std::vector<std::string> all;
    for (const std::string system : {"/etc/conda", "/var/lib/conda"}) {
        add_directory(all, system, "conda");
        all.push_back(system + "/.mambarc");
    }
    add_directory(all, root_prefix, "conda");
    all.push_back(root_prefix + "/.mambarc");
    const std::string xdg = variable(request, "XDG_CONFIG_HOME");
    if (!xdg.empty()) add_directory(all, xdg + "/conda", "conda");
    if (!home.empty()) {
        add_directory(all, home + "/.config/conda", "conda");
        add_directory(all, home + "/.conda", "conda");
        all.push_back(home + "/.condarc");
        add_directory(all, (xdg.empty() ? home + "/.config" : xdg) + "/mamba", "mamba");
        add_directory(all, home + "/.mamba", "mamba");
        all.push_back(home + "/.mambarc");
    }
    const std::string target = request.target_prefix.value_or(variable(request, "CONDA_PREFIX"));
    if (!target.empty()) {
        add_directory(all, target, "conda");
        all.push_back(target + "/.mambarc");
    }
    for (const auto* name : {"CONDARC", "MAMBARC"}) {
        if (auto file = variable(request, name); !file.empty()) {
            all.push_back(absolute_path(expand_home(file, home), request.working_directory));
        }
    }
    std::set<std::string> seen;
    std::erase_if(all, [&](const std::string& path) { return !seen.insert(path).second; });
    return all;
}

Result<ConfigSource> parse_rc_text(std::string_view text, const std::string& path,
                                   const std::map<std::string, std::string>& environment,
                                   std::vector<std::string>& warnings) {
    TAIPAN_TRY(auto document, parse_yaml(text, path));
    ConfigSource source{path, {}};
    if (document.is_null()) return source;
    if (!document.is_map()) {
        return make_error(ErrorCode::parse, path + " is no configuration: 'key: value' lines are expected");
    }
    const auto lines = lines_of(text);
    for (auto& [name, value] : document.members) {
        const ConfigKey* key = find_config_key(name);
        if (key == nullptr) {
            warnings.push_back(path + ": unknown key '" + name + "' is ignored");
            continue;
        }
        SourceValue entry;
        entry.flag = flag_of_key(lines, name) == RcFlag::final ? RcFlag::final : RcFlag::none;
        for (const auto& item : value.items) entry.item_flags.push_back(flag_of_line(lines, item.line));
        expand_all(value, environment);
        entry.value = std::move(value);
        TAIPAN_CHECK(add_value(source, *key, name, std::move(entry)));
    }
    return source;
}

Result<std::vector<ConfigSource>> load_config_sources(const ConfigRequest& request, const std::string& root_prefix,
                                                      const std::string& home, std::vector<std::string>& warnings) {
    std::vector<ConfigSource> sources;
    const auto add_file = [&](const std::string& path) -> Result<void> {
        TAIPAN_TRY(const auto text, read_file(path, rc_size_limit));
        TAIPAN_TRY(auto source, parse_rc_text(text, path, request.environment, warnings));
        sources.push_back(std::move(source));
        return {};
    };
    if (!request.no_rc && request.rc_files.empty()) {
        for (const auto& path : rc_file_candidates(request, root_prefix, home)) {
            if (path.ends_with(".d")) {
                for (const auto& file : files_of_directory(path)) TAIPAN_CHECK(add_file(file));
            } else if (exists(path) && !is_directory(path)) {
                TAIPAN_CHECK(add_file(path));
            }
        }
    } else if (!request.no_rc) {
        for (const auto& path : request.rc_files) {
            TAIPAN_CHECK(add_file(absolute_path(expand_home(path, home), request.working_directory)));
        }
    }
    if (request.no_env) return sources;
    for (const auto* prefix : {"CONDA", "MAMBA"}) {
        TAIPAN_TRY(auto source, variables_source(request, prefix));
        if (!source.values.empty()) sources.push_back(std::move(source));
    }
    return sources;
}

namespace {

void append_unique(std::vector<YamlValue>& out, const YamlValue& item) {
    const auto same = [&](const YamlValue& other) { return other.text == item.text && other.kind == item.kind; };
    if (!item.is_scalar() || std::none_of(out.begin(), out.end(), same)) out.push_back(item);
}

YamlValue merged_sequence(const std::vector<const SourceValue*>& rising) {
    std::vector<YamlValue> top, middle, bottom;
    for (const auto* value : rising) {
        for (std::size_t i = 0; i < value->value.items.size(); ++i) {
            if (value->item_flags[i] == RcFlag::top) append_unique(top, value->value.items[i]);
        }
    }
    for (auto value = rising.rbegin(); value != rising.rend(); ++value) {
        for (std::size_t i = 0; i < (*value)->value.items.size(); ++i) {
            const auto flag = (*value)->item_flags[i];
            append_unique(flag == RcFlag::bottom ? bottom : middle, (*value)->value.items[i]);
        }
    }
    YamlValue merged;
    merged.kind = YamlValue::Kind::sequence;
    for (const auto* part : {&top, &middle}) {
        for (const auto& item : *part) {
            const auto same = [&](const YamlValue& other) { return other.text == item.text && item.is_scalar(); };
            if (std::none_of(bottom.begin(), bottom.end(), same)) append_unique(merged.items, item);
        }
    }
    merged.items.insert(merged.items.end(), bottom.begin(), bottom.end());
    return merged;
}

} // namespace

YamlValue merged_value(const std::vector<ConfigSource>& sources, const std::string& key) {
    std::vector<const SourceValue*> rising;
    for (const auto& source : sources) {
        const auto found = source.values.find(key);
        if (found == source.values.end()) continue;
        rising.push_back(&found->second);
        if (found->second.flag == RcFlag::final) break;
    }
    if (rising.empty()) return {};
    const auto kind = rising.back()->value.kind;
    std::erase_if(rising, [&](const SourceValue* value) { return value->value.kind != kind; });
    if (kind == YamlValue::Kind::sequence) return merged_sequence(rising);
    if (kind != YamlValue::Kind::map) return rising.back()->value;
    YamlValue merged;
    merged.kind = kind;
    for (const auto* value : rising) {
        for (const auto& member : value->value.members) {
            std::erase_if(merged.members, [&](const auto& other) { return other.first == member.first; });
            merged.members.push_back(member);
        }
    }
    return merged;
}

} // namespace taipan
