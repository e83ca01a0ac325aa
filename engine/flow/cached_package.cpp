#include "flow/cached_package.hpp"

#include "link/check_extracted.hpp"
#include "model/channel.hpp"
#include "model/record_json.hpp"

namespace taipan {

PackageInfoTexts linker_texts(PackageInfo&& info) {
    PackageInfoTexts texts;
    texts.index_json = std::move(info.index_json);
    texts.paths_json = std::move(info.paths_json);
    texts.link_json = std::move(info.link_json);
    texts.files = std::move(info.files);
    texts.has_prefix = std::move(info.has_prefix);
    texts.no_link = std::move(info.no_link);
    texts.no_softlink = std::move(info.no_softlink);
    return texts;
}

Result<void> complete(CachedPackage& package, const PlannedPackage& planned) {
    auto index = parse_package_record(package.info.index_json);
    if (!index) return std::move(index).context("while reading info/index.json of " + package.record.fn).error();
    if (planned.from_url && !planned.complete) {
        package.record.depends = index->depends;
        package.record.constrains = index->constrains;
    }
    if (planned.from_url) {
        // conda-lock's files leave them out.
        if (package.record.constrains.empty()) package.record.constrains = index->constrains;
        package.record.build_number = index->build_number;
        // Of a file that lies in no channel only the package itself knows.
        const bool in_channel = is_known_subdir(std::string(base_name(parent_path(package.record.url))));
        if (!in_channel && !index->subdir.empty()) package.record.subdir = index->subdir;
    }
    package.record = merge_records(std::move(package.record), *index);
    return {};
}

Result<std::string> look_at_foreign(CachedPackage& package, const PlannedPackage& planned, const PackageCache& cache) {
    auto opened = open_directory(package.directory);
    if (!opened) return std::move(opened).error().message;
    package.fd = *std::move(opened);
    auto info = read_package_info(package.fd.get());
    if (!info) return std::move(info).error().message;
    package.info = *std::move(info);
    auto layout = parse_package_layout(package.info);
    if (!layout) return std::move(layout).error().message;
    if (layout->legacy) {
        if (auto found = detect_symlinks(*layout, package.fd.get()); !found) return std::move(found).error().message;
    }
    auto check = check_extracted(*layout, package.fd.get());
    if (!check.problem.empty()) return std::move(check.problem);
    package.contained = check.contained;
    TAIPAN_CHECK(complete(package, planned));
    cache.remember(package.directory, package.record,
                   {package.contained, {}, package.info.paths_json, package.info.link_json});
    return std::string();
}

} // namespace taipan
