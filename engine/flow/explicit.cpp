#include "flow/explicit.hpp"

#include "base/filesystem.hpp"
#include "model/channel.hpp"

namespace taipan {

Result<std::optional<PackageRecord>> record_of_url_spec(const MatchSpec& spec, const Config& config) {
    if (spec.url().empty()) return std::optional<PackageRecord>();
    PackageRecord record;
    record.url = without_credentials(spec.url());
    const std::string filename = percent_decode(base_name(record.url));
    const auto parts = split_package_filename(filename);
    if (!parts) {
        return make_error(ErrorCode::invalid_argument,
                          record.url + " does not end in <name>-<version>-<build>.conda or .tar.bz2");
    }
    record.fn = filename;
    record.name = parts->name;
    record.version = parts->version;
    record.build = parts->build;
    record.md5 = spec.md5();
    record.sha256 = spec.sha256();
    const std::string directory(parent_path(record.url));
    const std::string subdir(base_name(directory));
    const bool in_channel = is_known_subdir(subdir);
    record.channel = in_channel ? std::string(parent_path(directory)) : directory;
    record.subdir = in_channel ? subdir : config.subdir;
    record.channel_name = canonical_channel_name(record.channel, config.channel_settings);
    return std::optional(std::move(record));
}

} // namespace taipan
