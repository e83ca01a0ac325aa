#include "screen/list_fields.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "prefix/prefix_data.hpp"
#include "screen/installed_size.hpp"

// `list --fields`: columns by conda's names of a record's members.

namespace taipan::cli {

namespace {

std::string joined(const std::vector<std::string>& items) { return fmt::format("{}", fmt::join(items, ", ")); }

struct Field {
    std::string_view name, title;
    std::string (*text)(const PackageRecord&); ///< null for those that need the environment
};

const std::array<Field, 24> fields = {{
    {"name", "Name", [](const PackageRecord& r) { return r.name; }},
    {"version", "Version", [](const PackageRecord& r) { return r.version; }},
    {"build", "Build", [](const PackageRecord& r) { return r.build; }},
    {"build_number", "Build number", [](const PackageRecord& r) { return std::to_string(r.build_number); }},
    {"channel", "Channel URL", [](const PackageRecord& r) { return r.channel + '/' + r.subdir; }},
    {"channel_name", "Channel", [](const PackageRecord& r) { return r.channel_name; }},
    {"constrains", "Constraints", [](const PackageRecord& r) { return joined(r.constrains); }},
    {"depends", "Dependencies", [](const PackageRecord& r) { return joined(r.depends); }},
    {"dist_str", "Dist", [](const PackageRecord& r) { return r.dist_string(); }},
    {"arch", "Arch", [](const PackageRecord& r) { return r.arch; }},
    {"features", "Features", [](const PackageRecord& r) { return r.features; }},
    {"fn", "Filename", [](const PackageRecord& r) { return r.fn; }},
    {"license", "License", [](const PackageRecord& r) { return r.license; }},
    {"license_family", "License family", [](const PackageRecord& r) { return r.license_family; }},
    {"md5", "MD5", [](const PackageRecord& r) { return r.md5; }},
    {"noarch", "Noarch",
     [](const PackageRecord& r) {
         return std::string(r.noarch == Noarch::python ? "python" : r.noarch == Noarch::none ? "" : "generic");
     }},
    {"requested_spec", "Requested", nullptr},
    {"requested_specs", "Requested", nullptr},
    {"sha256", "SHA256", [](const PackageRecord& r) { return r.sha256; }},
    {"size", "Size", nullptr},
    {"subdir", "Subdir", [](const PackageRecord& r) { return r.subdir; }},
    {"timestamp", "Timestamp",
     [](const PackageRecord& r) { // seconds, as conda shows them
         return r.timestamp ? fmt::format("{:.1f}", static_cast<double>(*r.timestamp) / 1000) : std::string();
     }},
    {"track_features", "Track features", [](const PackageRecord& r) { return r.track_features; }},
    {"url", "URL", [](const PackageRecord& r) { return r.url; }},
}};

const Field* find_field(std::string_view name) {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
    return found == fields.end() ? nullptr : &*found;
}

Result<std::string> field_text(const Field& field, const PackageRecord& record, const std::string& prefix) {
    if (field.text != nullptr) return field.text(record);
    if (record.fn.empty()) return std::string(); // of pip
    if (field.name == "size") {
        TAIPAN_TRY(const auto size, installed_size(prefix, record));
        return conda_bytes(size);
    }
    TAIPAN_TRY(const auto full, load_prefix_record(prefix, record.dist_name()));
    return joined(full.requested_specs);
}

} // namespace

std::string_view list_field_title(std::string_view field) {
    const auto* found = find_field(field);
    return found == nullptr ? std::string_view() : found->title;
}

std::string list_field_names() {
    std::vector<std::string> names;
    for (const auto& field : fields) names.emplace_back(field.name);
    std::sort(names.begin(), names.end());
    return fmt::format("{}", fmt::join(names, ","));
}

Result<std::string> list_fields_text(const std::vector<PackageRecord>& records, const std::string& prefix,
                                     const std::vector<std::string>& names, const std::string& size_line) {
    std::vector<std::vector<std::string>> rows(1);
    for (const auto& name : names) rows.front().emplace_back(list_field_title(name));
    rows.front().front().insert(0, "# ");
    for (const auto& record : records) {
        rows.emplace_back();
        for (const auto& name : names) {
            TAIPAN_TRY(rows.back().emplace_back(), field_text(*find_field(name), record, prefix));
        }
    }
    // As in the usual table, names stand below the title's text and the usual columns are wide.
    std::vector<std::size_t> widths(names.size(), 0);
    const bool usual = names.size() >= 4 && names[0] == "name" && names[1] == "version" && names[2] == "build";
    if (usual) widths[0] = 25, widths[1] = 15, widths[2] = 15;
    for (const auto& row : rows) {
        const std::size_t mark = &row == &rows.front() ? 0 : 2; // of `# ` before the first title
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size() + (i == 0 ? mark : 0));
        }
    }
    std::string text = "# packages in environment at " + prefix + ":\n" + size_line + "#\n";
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

} // namespace taipan::cli
