// The record of one package as an indexer makes it.
//
// A channel must pass on what it does not understand (new keys come with new CEPs), so a record is not parsed into our
// own fields: it stays a list of keys with JSON values, of which only those that an indexer decides are touched.
#include "repodata/channel_package.hpp"

#include <algorithm>
#include <array>

#include <simdjson.h>

#include "base/json_writer.hpp"
#include "model/record.hpp"

namespace taipan {
namespace {

namespace dom = simdjson::dom;

/// What builders note for themselves; channels have never published it (conda-index leaves out the same).
constexpr std::array<std::string_view, 10> builder_keys = {
    "arch",    "platform",       "has_prefix", "mtime",           "ucs", "requires_features",
    "binstar", "target-triplet", "machine",    "operatingsystem",
};

constexpr std::string_view cache_header = R"({"taipan_index_cache": 1})";

Error no_record(const std::string& why) { return make_error(ErrorCode::corrupt_package, "info/index.json " + why); }

JsonFields fields_of(dom::object object) {
    JsonFields fields;
    for (const auto field : object) fields.insert_or_assign(std::string(field.key), simdjson::minify(field.value));
    return fields;
}

/// run_exports as CEP 12 has it; a bare list means the same as "weak".
std::string read_run_exports(std::string_view json) {
    dom::parser parser;
    dom::element root;
    if (json.empty() || parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return "{}";
    if (root.is_array()) return R"({"weak":)" + simdjson::minify(root) + '}';
    if (root.is_string()) return R"({"weak":[)" + simdjson::minify(root) + "]}";
    return root.is_object() ? simdjson::minify(root) : std::string("{}");
}

std::optional<ChannelPackage> read_cache_line(dom::parser& parser, std::string_view line) {
    dom::element root;
    if (parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
    std::string_view fn, name;
    dom::object record;
    dom::element run_exports;
    ChannelPackage package;
    if (root["fn"].get(fn) != simdjson::SUCCESS || root["name"].get(name) != simdjson::SUCCESS ||
        root["size"].get(package.size) != simdjson::SUCCESS ||
        root["mtime_ns"].get(package.mtime_ns) != simdjson::SUCCESS ||
        root["record"].get(record) != simdjson::SUCCESS || root["run_exports"].get(run_exports) != simdjson::SUCCESS)
        return std::nullopt;
    package.fn = fn;
    package.name = name;
    package.record = fields_of(record);
    package.run_exports = simdjson::minify(run_exports);
    return package;
}

} // namespace

Result<JsonFields> read_json_fields(std::string_view json) {
    dom::parser parser;
    dom::element root;
    if (const auto code = parser.parse(json.data(), json.size()).get(root); code != simdjson::SUCCESS)
        return make_error(ErrorCode::parse, std::string("is no JSON: ") + simdjson::error_message(code));
    dom::object object;
    if (root.get(object) != simdjson::SUCCESS) return make_error(ErrorCode::parse, "is no JSON object");
    return fields_of(object);
}

std::string json_string(std::string_view text) { return JsonWriter().value(text).take(); }

std::optional<std::string> text_of_json(std::string_view json) {
    dom::parser parser;
    std::string_view text;
    if (parser.parse(json.data(), json.size()).get(text) != simdjson::SUCCESS) return std::nullopt;
    return std::string(text);
}

void append_json(std::string& out, const JsonFields& fields) {
    char before = '{';
    for (const auto& [key, value] : fields) {
        out += before;
        out += json_string(key);
        out += ':';
        out += value;
        before = ',';
    }
    if (before == '{') out += '{';
    out += '}';
}

Result<ChannelPackage> make_channel_package(std::string_view fn, std::string_view subdir, const ArchiveFacts& facts,
                                            std::string_view index_json, std::string_view run_exports_json) {
    auto fields = read_json_fields(index_json);
    if (!fields) return no_record(fields.error().message);
    std::array<std::string, 3> identity;
    std::size_t at = 0;
    for (const std::string_view key : {"name", "version", "build"}) {
        const auto found = fields->find(key);
        auto text = found == fields->end() ? std::nullopt : text_of_json(found->second);
        if (!text || text->empty()) return no_record("has no " + std::string(key));
        identity[at++] = std::move(*text);
    }
    const std::string stem = identity[0] + '-' + identity[1] + '-' + identity[2];
    if (stem != package_stem(fn)) return no_record("is that of " + stem + ", not of " + std::string(fn));
    for (const auto key : builder_keys)
        if (const auto found = fields->find(key); found != fields->end()) fields->erase(found);
    fields->try_emplace("build_number", "0");
    fields->try_emplace("depends", "[]");
    fields->insert_or_assign("subdir", json_string(subdir));
    fields->insert_or_assign("md5", json_string(facts.md5));
    fields->insert_or_assign("sha256", json_string(facts.sha256));
    fields->insert_or_assign("size", std::to_string(facts.size));
    return ChannelPackage{.fn = std::string(fn),
                          .size = facts.size,
                          .mtime_ns = facts.mtime_ns,
                          .name = identity[0],
                          .record = std::move(*fields),
                          .run_exports = read_run_exports(run_exports_json)};
}

std::string write_index_cache(const ChannelPackages& packages) {
    std::string text(cache_header);
    text += '\n';
    for (const auto& [fn, package] : packages) {
        text += R"({"fn":)" + json_string(fn) + R"(,"name":)" + json_string(package.name);
        text += R"(,"size":)" + std::to_string(package.size);
        text += R"(,"mtime_ns":)" + std::to_string(package.mtime_ns) + R"(,"run_exports":)" + package.run_exports;
        text += R"(,"record":)";
        append_json(text, package.record);
        text += "}\n";
    }
    return text;
}

ChannelPackages read_index_cache(std::string_view text) {
    ChannelPackages packages;
    dom::parser parser;
    bool first = true;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (first && line != cache_header) return packages;
        if (!first) {
            if (auto package = read_cache_line(parser, line)) {
                std::string fn = package->fn;
                packages.insert_or_assign(std::move(fn), std::move(*package));
            }
        }
        first = false;
    }
    return packages;
}

} // namespace taipan
