#include "commands/list_mamba.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>
#include <sys/utsname.h>

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

std::string heading(const std::string& prefix) { return "List of packages in environment: \"" + prefix + "\"\n\n"; }

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

/// What Python calls this machine, e.g. `linux-x86_64`: mamba's platform of what pip installed.
std::string python_platform() {
    utsname machine{};
    if (::uname(&machine) != 0) return "pypi";
    std::string platform(machine.sysname);
    std::transform(platform.begin(), platform.end(), platform.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return platform + '-' + machine.machine;
}

} // namespace

std::string mamba_list(const std::vector<PackageRecord>& records, const std::string& prefix, MambaList form,
                       ListHash hash, const ChannelSettings& settings) {
    std::string text = heading(prefix);
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
        const bool from_pip = record.channel_name == "pypi" && record.fn.empty();
        json.begin_object();
        json.member("base_url", from_pip ? "https://pypi.org/" : record.channel);
        json.member("build_number", record.build_number);
        json.member("build_string", record.build).member("channel", channel_of(record, settings));
        json.member("dist_name", record.dist_name());
        json.member("md5", record.md5).member("name", record.name);
        json.member("platform", from_pip ? python_platform() : record.subdir).member("sha256", record.sha256);
        json.member("url", record.url).member("version", record.version);
        json.end_object();
    }
    return json.end_array().take() + "\n";
}

std::string mamba_revisions(const std::vector<HistoryBlock>& blocks, const std::string& prefix, bool as_json) {
    JsonWriter json(4);
    json.begin_array();
    std::string text = heading(prefix);
    int number = 0;
    for (const auto& block : blocks) {
        if (block.removed.empty() && block.added.empty()) continue;
        json.begin_object().member("date", block.date).member("install", block.added);
        json.member("remove", block.removed).member("rev", number).end_object();
        text += block.date + " (rev " + std::to_string(number) + ")\n";
        for (const auto& dist : block.removed) text += '-' + dist + '\n';
        for (const auto& dist : block.added) text += '+' + dist + '\n';
        text += '\n';
        ++number;
    }
    return as_json ? json.end_array().take() + "\n" : text;
}

} // namespace taipan::cli
