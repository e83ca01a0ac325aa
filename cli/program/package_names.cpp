#include "program/package_names.hpp"

#include <algorithm>

#include "base/filesystem.hpp"
#include "repodata/cache_state.hpp"
#include "repodata/index_file.hpp"
#include "repodata/subdir_index.hpp"

namespace taipan::cli {

namespace {

/// What is parsed in the time that a person does not notice.
constexpr std::uint64_t readable_at_once = std::uint64_t{8} << 20;

bool add_mapped(const std::string& path, std::string_view beginning, std::vector<std::string>& names) {
    const auto file = repodata::IndexFile::open(path);
    if (!file) return false;
    for (auto at = file->lower_bound(beginning); at < file->name_count(); ++at) {
        const auto name = file->name(at);
        if (!name.starts_with(beginning)) break;
        names.emplace_back(name);
    }
    return true;
}

void add_parsed(const std::string& path, const Channel& channel, const std::string& subdir, std::string_view beginning,
                std::vector<std::string>& names) {
    const auto text = read_file(path, readable_at_once);
    if (!text) return;
    const auto index = SubdirIndex::parse(*text, channel, subdir);
    if (!index) return;
    for (const auto name : index->names_with_prefix(beginning)) names.emplace_back(name);
}

} // namespace

std::vector<std::string> index_names(const Config& config, std::string_view beginning) {
    std::vector<std::string> names;
    for (const auto& text : config.channels) {
        const auto channels = resolve_channel(text, config.channel_settings);
        if (!channels) continue;
        for (const auto& channel : *channels) {
            for (const auto& subdir : {config.subdir, std::string("noarch")}) {
                const auto key = repodata_cache_key(channel.base_url + '/' + subdir);
                for (const auto& directory : config.pkgs_dirs) {
                    const auto paths = repodata_cache_paths(directory + "/cache", key);
                    if (!exists(paths.json) && !exists(paths.index)) continue;
                    if (!add_mapped(paths.index, beginning, names)) {
                        add_parsed(paths.json, channel, subdir, beginning, names);
                    }
                    break;
                }
            }
        }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

} // namespace taipan::cli
