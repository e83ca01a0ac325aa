#include "commands/list_mamba.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/json_writer.hpp"

namespace taipan::cli {

namespace {

/// The name below the alias, else the URL.
std::string channel_of(const PackageRecord& record, const ChannelSettings& settings) {
    if (record.channel.empty()) return record.channel_name;
    const std::string_view url = record.channel, alias = settings.channel_alias;
    if (!alias.empty() && url.starts_with(alias) && url.size() > alias.size() + 1) {
        return std::string(url.substr(alias.size() + (alias.ends_with('/') ? 0 : 1)));
    }
    return record.channel;
}

std::string table_of(const std::vector<PackageRecord>& records, const ChannelSettings& settings) {
    std::vector<std::array<std::string, 4>> rows = {{"Name", "Version", "Build", "Channel"}};
    for (const auto& record : records)
        rows.push_back({record.name, record.version, record.build, channel_of(record, settings)});
    std::array<std::size_t, 4> width{};
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) text += fmt::format("  {:<{}}", row[i], width[i]);
        text += '\n';
        if (&row != &rows.front()) continue;
        for (std::size_t i = 0; i < width[0] + width[1] + width[2] + width[3] + 10; ++i) text += "─";
        text += '\n';
    }
    return text;
}

} // namespace

std::string mamba_list(const std::vector<PackageRecord>& records, const std::string& prefix, MambaList form,
                       ListHash hash, const ChannelSettings& settings) {
    std::string text = "List of packages in environment: \"" + prefix + "\"\n\n";
    if (form == MambaList::table) return text + table_of(records, settings);
    for (const auto& record : records) {
        if (form == MambaList::specs) {
            text += record.name + '=' + record.version + '=' + record.build;
        } else if (form == MambaList::canonical) {
            const auto channel = channel_of(record, settings);
            text += channel + '/' + record.subdir + "::" + record.dist_name();
        } else {
            text += record.url;
            if (hash == ListHash::md5) text += '#' + record.md5;
            if (hash == ListHash::sha256) text += '#' + record.sha256;
        }
        text += '\n';
    }
    return text;
}

std::string mamba_list_json(const std::vector<PackageRecord>& records, const ChannelSettings& settings) {
    JsonWriter json(4);
    json.begin_array();
    for (const auto& record : records) {
        json.begin_object();
        json.member("base_url", record.channel).member("build_number", record.build_number);
        json.member("build_string", record.build).member("channel", channel_of(record, settings));
        json.member("dist_name", record.dist_name());
        if (!record.md5.empty()) json.member("md5", record.md5);
        json.member("name", record.name).member("platform", record.subdir);
        if (!record.sha256.empty()) json.member("sha256", record.sha256);
        json.member("url", record.url).member("version", record.version);
        json.end_object();
    }
    return json.end_array().take() + "\n";
}

} // namespace taipan::cli
