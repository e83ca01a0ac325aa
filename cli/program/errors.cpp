#include "program/errors.hpp"

#include <cstdlib>

#include "base/json_writer.hpp"
#include "config/yaml_value.hpp"
#include "screen/shown_channel.hpp"

namespace taipan::cli {

std::string_view error_name(ErrorCode code) {
    switch (code) {
    case ErrorCode::invalid_argument: return "CondaValueError";
    case ErrorCode::no_channels: return "NoChannelsConfiguredError";
    case ErrorCode::package_not_found: return "PackagesNotFoundInChannelsError";
    case ErrorCode::unsatisfiable: return "LibMambaUnsatisfiableError";
    case ErrorCode::package_disallowed: return "DisallowedPackageError";
    case ErrorCode::http:
    case ErrorCode::network: return "CondaHTTPError";
    case ErrorCode::offline: return "OfflineError";
    case ErrorCode::checksum_mismatch: return "ChecksumMismatchError";
    case ErrorCode::corrupt_package: return "CondaVerificationError";
    case ErrorCode::corrupt_environment: return "CorruptedEnvironmentError";
    case ErrorCode::parse: return "ParseError";
    case ErrorCode::io: return "CondaOSError";
    case ErrorCode::no_space: return "NoSpaceLeftError";
    case ErrorCode::not_writable: return "EnvironmentNotWritableError";
    case ErrorCode::environment_exists: return "CondaValueError";
    case ErrorCode::not_an_environment: return "DirectoryNotACondaEnvironmentError";
    case ErrorCode::environment_not_found: return "EnvironmentLocationNotFound";
    case ErrorCode::environment_frozen: return "EnvironmentIsFrozenError";
    case ErrorCode::prefix_too_long: return "PaddingError";
    case ErrorCode::clobber: return "ClobberError";
    case ErrorCode::link_script_failed: return "LinkError";
    case ErrorCode::locked: return "LockError";
    case ErrorCode::outdated_plan:
    case ErrorCode::cancelled:
    case ErrorCode::internal: return "CondaError";
    }
    return "CondaError";
}

std::string_view error_name_by_facts(const Error& error) {
    if (error.details.empty()) return {};
    const auto facts = parse_yaml(error.details, "details");
    if (!facts) return {};
    if (error.code == ErrorCode::invalid_argument && facts->find("filename") != nullptr) {
        return "EnvironmentFileNotFound";
    }
    if (error.code == ErrorCode::package_not_found && facts->find("not_installed") != nullptr) {
        return "PackageNotInstalledError";
    }
    if (error.code == ErrorCode::package_not_found && facts->find("not_in_prefix") != nullptr) {
        return "PackagesNotFoundInPrefixError";
    }
    if (facts->find("missing_argument") != nullptr) return "ArgumentError";
    if (facts->find("invalid_spec") != nullptr) return "InvalidMatchSpec";
    return {};
}

void add_prefix(Error& error, std::string_view prefix) {
    if (!error.details.starts_with('{') || error.details == "{}") return;
    JsonWriter json;
    const auto member = json.begin_object().member("prefix", prefix).end_object().take();
    const auto end = member.rfind("\n}");
    error.details = member.substr(0, end) + "," + error.details.substr(1);
}

std::string error_text(const Error& error, std::string_view name) {
    std::string text("\n");
    return text.append(name).append(": ").append(error.describe()).append("\n\n");
}

namespace {

std::string dash_list(const std::vector<std::string>& items) {
    std::string text;
    for (const auto& item : items) text += "\n  - " + item;
    return text;
}

std::vector<std::string> texts_of(const YamlValue& list) {
    std::vector<std::string> texts;
    for (const auto& item : list.items) texts.push_back(item.text);
    return texts;
}

void write_prefix(JsonWriter& json, const YamlValue& facts) {
    if (const auto* prefix = facts.find("prefix"); prefix != nullptr) json.member("prefix", prefix->text);
}

/// conda: a number when there was an answer, the text 000 when there was none.
void write_answer(JsonWriter& json, const YamlValue& facts, const std::string& url) {
    json.member("url", url).member("elapsed_time", "-").member("response_details", "");
    json.key("json").begin_object().end_object();
    if (const auto* reason = facts.find("reason"); reason != nullptr) json.member("reason", reason->text);
    const auto* status = facts.find("status_code");
    if (status == nullptr) return;
    if (status->text == "000")
        json.member("status_code", status->text);
    else
        json.member("status_code", std::atoi(status->text.c_str()));
}

/// Members that conda's exceptions of these kinds have, from the error's own facts. (JSON is YAML.)
void write_known_facts(JsonWriter& json, const Error& error) {
    const auto facts = parse_yaml(error.details, "details");
    if (!facts) return;
    if (const auto* location = facts->find("location"); location != nullptr) json.member("location", location->text);
    for (const auto* name : {"key", "msg"}) {
        if (const auto* text = facts->find(name); text != nullptr) json.member(name, text->text);
    }
    if (const auto* place = facts->find("target_directory"); place != nullptr) {
        json.member("target_directory", place->text);
    }
    if (const auto* file = facts->find("filename"); file != nullptr) json.member("filename", file->text);
    if (const auto* url = facts->find("url"); url != nullptr) write_answer(json, *facts, url->text);
    if (const auto* absent = facts->find("not_installed"); absent != nullptr && !absent->items.empty()) {
        json.member("package_name", absent->items.front().text).member("packages_formatted", "");
        write_prefix(json, *facts);
    }
    if (const auto* absent = facts->find("not_in_prefix"); absent != nullptr) {
        const auto names = texts_of(*absent);
        json.member("package_name", names).member("packages_formatted", dash_list(names));
        write_prefix(json, *facts);
    }
    if (const auto* problems = facts->find("solver_problems"); problems != nullptr) {
        json.member("solver_problems", texts_of(*problems)); // mamba's
    }
    const auto* missing = facts->find("missing");
    const auto* channels = facts->find("channels");
    if (missing == nullptr || channels == nullptr) return;
    std::vector<std::string> specs;
    for (const auto& one : missing->items) {
        if (const auto* spec = one.find("spec"); spec != nullptr) specs.push_back(spec->text);
    }
    const auto urls = texts_of(*channels);
    json.key("channel_urls").begin_array();
    for (const auto& url : urls) shown_channel(url).write(json);
    json.end_array().member("channels_formatted", dash_list(urls));
    json.member("packages", specs).member("packages_formatted", dash_list(specs));
}

} // namespace

std::string error_json(const Error& error, std::string_view name) {
    const std::string message = error.describe();
    JsonWriter json;
    json.begin_object();
    json.key("caused_by").value("None");
    if (!error.details.empty()) json.key("details").raw(error.details);
    json.member("error", std::string(name) + ": " + message);
    json.member("exception_name", name);
    json.member("exception_type", "<class 'conda.exceptions." + std::string(name) + "'>");
    json.member("message", message);
    if (!error.details.empty()) write_known_facts(json, error);
    json.member("success", false);
    json.end_object();
    return json.take() + "\n";
}

} // namespace taipan::cli
