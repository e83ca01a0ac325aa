// Variables of an environment: packages bring them in etc/conda/env_vars.d, people set them in conda-meta/state, which
// may have keys of other tools that must survive a change (conda-spec 4.5, 5.2).

#include "prefix/environment_variables.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include <dirent.h>
#include <simdjson.h>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"

namespace taipan {

namespace {

namespace ondemand = simdjson::ondemand;
using Variables = std::map<std::string, std::string>;

constexpr std::uint64_t text_limit = std::uint64_t{16} << 20;

std::string state_path(const std::string& prefix) { return prefix + "/conda-meta/state"; }

Error malformed(const std::string& path, simdjson::error_code code) {
    return make_error(ErrorCode::parse, path + " is no JSON object of variables: " + simdjson::error_message(code) +
                                            "; correct or remove it");
}

/// String members; numbers and booleans are taken as they are written, anything else is left out.
simdjson::error_code read_variables(ondemand::object& object, OrderedVariables& variables) {
    for (auto field : object) {
        std::string_view key;
        ondemand::value value;
        if (auto code = field.unescaped_key().get(key)) return code;
        const std::string name(key);
        if (auto code = field.value().get(value)) return code;
        std::string_view text;
        if (value.get_string().get(text) == simdjson::SUCCESS) {
            set_variable(variables, name, std::string(text));
            continue;
        }
        ondemand::json_type type{};
        if (auto code = value.type().get(type)) return code;
        if (type != ondemand::json_type::number && type != ondemand::json_type::boolean) continue;
        std::string token(value.raw_json_token());
        token.resize(token.find_last_not_of(" \t\r\n") + 1);
        set_variable(variables, name, token);
    }
    return simdjson::SUCCESS;
}

/// What `conda-meta/state` holds: the variables, and the other members as JSON text.
struct State {
    OrderedVariables variables;
    std::vector<std::pair<std::string, std::string>> others;
};

Result<State> read_state(const std::string& prefix) {
    State state;
    const std::string path = state_path(prefix);
    if (!exists(path)) return state;
    TAIPAN_TRY(const std::string text, read_regular_file(path, text_limit));
    const simdjson::padded_string padded(text);
    ondemand::parser parser;
    ondemand::document document;
    ondemand::object top;
    if (auto code = parser.iterate(padded).get(document)) return malformed(path, code);
    if (auto code = document.get_object().get(top)) return malformed(path, code);
    for (auto field : top) {
        std::string_view key;
        ondemand::value value;
        if (auto code = field.unescaped_key().get(key)) return malformed(path, code);
        const std::string name(key);
        if (auto code = field.value().get(value)) return malformed(path, code);
        ondemand::object variables;
        if (name == "env_vars" && value.get_object().get(variables) == simdjson::SUCCESS) {
            if (auto code = read_variables(variables, state.variables)) return malformed(path, code);
            continue;
        }
        std::string_view raw;
        if (auto code = simdjson::to_json_string(value).get(raw)) return malformed(path, code);
        if (name != "env_vars") state.others.emplace_back(name, std::string(raw));
    }
    return state;
}

Result<OrderedVariables> read_file_of_variables(const std::string& path) {
    TAIPAN_TRY(const std::string text, read_regular_file(path, text_limit));
    const simdjson::padded_string padded(text);
    ondemand::parser parser;
    ondemand::document document;
    ondemand::object top;
    if (auto code = parser.iterate(padded).get(document)) return malformed(path, code);
    if (auto code = document.get_object().get(top)) return malformed(path, code);
    OrderedVariables variables;
    if (auto code = read_variables(top, variables)) return malformed(path, code);
    return variables;
}

std::vector<std::string> json_files(const std::string& directory) {
    struct Closer {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    std::vector<std::string> files;
    const std::unique_ptr<DIR, Closer> stream(::opendir(directory.c_str()));
    while (stream) {
        const dirent* entry = ::readdir(stream.get()); // NOLINT(concurrency-mt-unsafe): own stream
        if (entry == nullptr) break;
        if (std::string_view(entry->d_name).ends_with(".json")) files.push_back(directory + '/' + entry->d_name);
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return text;
}

} // namespace

void set_variable(OrderedVariables& variables, const std::string& name, const std::string& value) {
    const auto known =
        std::find_if(variables.begin(), variables.end(), [&](const auto& one) { return one.first == name; });
    if (known != variables.end())
        known->second = value;
    else
        variables.emplace_back(name, value);
}

Result<Variables> prefix_variables(const std::string& prefix, bool upper_case) {
    Variables variables;
    for (const std::string& file : json_files(prefix + "/etc/conda/env_vars.d")) {
        TAIPAN_TRY(auto brought, read_file_of_variables(file));
        for (auto& [name, value] : brought) variables[name] = std::move(value);
    }
    TAIPAN_TRY(State state, read_state(prefix));
    for (auto& [name, value] : state.variables) variables[name] = std::move(value);
    if (!upper_case) return variables;
    Variables result;
    for (auto& [name, value] : variables) result[upper(name)] = std::move(value);
    return result;
}

Result<OrderedVariables> state_variables(const std::string& prefix) {
    TAIPAN_TRY(State state, read_state(prefix));
    return std::move(state.variables);
}

Result<void> write_state_variables(const std::string& prefix, const OrderedVariables& variables) {
    TAIPAN_TRY(const State state, read_state(prefix));
    JsonWriter json;
    json.begin_object().key("env_vars").begin_object();
    for (const auto& [name, value] : variables) json.member(name, value);
    json.end_object().end_object();
    std::string text = json.take();
    text.resize(text.size() - 2); // "\n}" comes after the other members
    for (const auto& [name, raw] : state.others) {
        JsonWriter quoted;
        quoted.value(name);
        text.append(",\n  ").append(quoted.text()).append(": ").append(raw);
    }
    return write_file_atomic(state_path(prefix), text + "\n}");
}

} // namespace taipan
