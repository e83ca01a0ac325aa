#include "repodata/patch_instructions.hpp"

#include <simdjson.h>

#include "model/record.hpp"

namespace taipan {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t newest_version = 1;
constexpr std::string_view revoked_dependency = R"("package_has_been_revoked")";

Error malformed(std::string_view what) {
    return make_error(ErrorCode::parse, "patch_instructions.json: " + std::string(what));
}

Result<void> read_records(dom::element root, const char* key, PatchInstructions& instructions) {
    dom::object records;
    if (root[key].error() == simdjson::NO_SUCH_FIELD) return {};
    if (root[key].get(records) != simdjson::SUCCESS) return malformed(std::string(key) + " is no object");
    for (const auto record : records) {
        dom::object changes;
        if (record.value.get(changes) != simdjson::SUCCESS) return malformed("a change is no object");
        auto& fields = instructions.records[std::string(record.key)];
        for (const auto change : changes)
            fields.insert_or_assign(std::string(change.key), simdjson::minify(change.value));
    }
    return {};
}

Result<void> read_names(dom::element root, const char* key, std::set<std::string, std::less<>>& names) {
    dom::array items;
    if (root[key].error() == simdjson::NO_SUCH_FIELD) return {};
    if (root[key].get(items) != simdjson::SUCCESS) return malformed(std::string(key) + " is no list");
    for (const auto item : items) {
        std::string_view text;
        if (item.get(text) != simdjson::SUCCESS) return malformed(std::string(key) + " holds more than file names");
        names.emplace(text);
    }
    return {};
}

/// The `.tar.bz2` name whose instructions count for a `.conda` too; empty for other files.
std::string older_twin(std::string_view fn) {
    return fn.ends_with(".conda") ? std::string(package_stem(fn)) + ".tar.bz2" : std::string();
}

void change(JsonFields& record, const JsonFields& changes) {
    for (const auto& [key, value] : changes) {
        if (value == "null")
            record.erase(key);
        else
            record.insert_or_assign(key, value);
    }
}

void revoke(JsonFields& record) {
    record.insert_or_assign("revoked", "true");
    std::string& depends = record["depends"];
    if (depends.size() < 2 || depends.back() != ']') depends = "[]";
    depends.insert(depends.size() - 1, (depends.size() > 2 ? "," : "") + std::string(revoked_dependency));
}

} // namespace

Result<PatchInstructions> read_patch_instructions(std::string_view json) {
    dom::parser parser;
    dom::element root;
    if (const auto code = parser.parse(json.data(), json.size()).get(root); code != simdjson::SUCCESS)
        return malformed(simdjson::error_message(code));
    if (!root.is_object()) return malformed("it is no object");
    std::int64_t version = newest_version;
    if (root["patch_instructions_version"].get(version) == simdjson::SUCCESS && version > newest_version)
        return malformed("version " + std::to_string(version) + " is not known");
    PatchInstructions instructions;
    TAIPAN_CHECK(read_records(root, "packages", instructions));
    TAIPAN_CHECK(read_records(root, "packages.conda", instructions));
    TAIPAN_CHECK(read_names(root, "remove", instructions.remove));
    TAIPAN_CHECK(read_names(root, "revoke", instructions.revoke));
    return instructions;
}

std::set<std::string> apply_patch_instructions(const PatchInstructions& instructions, ChannelPackages& packages) {
    std::set<std::string> removed;
    for (auto& [fn, package] : packages) {
        const std::string twin = older_twin(fn);
        for (const std::string_view named : {std::string_view(twin), std::string_view(fn)}) {
            if (named.empty()) continue;
            if (const auto found = instructions.records.find(named); found != instructions.records.end())
                change(package.record, found->second);
        }
        if (instructions.revoke.contains(fn) || instructions.revoke.contains(twin)) revoke(package.record);
        if (instructions.remove.contains(fn) || instructions.remove.contains(twin)) removed.insert(fn);
    }
    for (const auto& fn : removed) packages.erase(fn);
    return removed;
}

} // namespace taipan
