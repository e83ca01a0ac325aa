#include "flow/plan_channels.hpp"

#include <algorithm>

namespace taipan {

Result<std::vector<Channel>> channels_of_request(const std::vector<std::string>& names,
                                                 const std::vector<MatchSpec>& specs, const Config& config) {
    std::vector<Channel> channels;
    const auto add = [&](const std::string& text) -> Result<void> {
        TAIPAN_TRY(auto resolved, resolve_channel(text, config.channel_settings));
        for (auto& channel : resolved) {
            add_stored_credential(channel, config.credentials);
            const bool known = std::any_of(channels.begin(), channels.end(), [&](const Channel& other) {
                return other.base_url == channel.base_url && (other.subdir.empty() || other.subdir == channel.subdir);
            });
            if (!known) channels.push_back(std::move(channel));
        }
        return {};
    };
    for (const auto& name : names) TAIPAN_CHECK(add(name));
    for (const auto& spec : specs) {
        const std::string& name = spec.channel();
        if (name.empty() || name.find('*') != std::string::npos) continue;
        const bool listed =
            std::any_of(channels.begin(), channels.end(), [&](const Channel& channel) { return channel.name == name; });
        if (!listed) TAIPAN_CHECK(add(name));
    }
    return channels;
}

namespace {

/// The same place on a mirror, whose URL may bring credentials of its own.
TransferSource source_on_mirror(const std::string& mirror, std::string_view rest, const Config& config) {
    const auto resolved = resolve_channel(mirror, config.channel_settings);
    if (!resolved || resolved->size() != 1) return {mirror + std::string(rest)};
    Channel place = resolved->front();
    add_stored_credential(place, config.credentials);
    return {place.authenticated(place.base_url + std::string(rest)), place.auth.bearer};
}

} // namespace

std::vector<TransferSource> sources_of(const Channel& channel, std::string_view url, const Config& config) {
    std::vector<TransferSource> sources;
    const auto mirrors = config.mirrored_channels.find(channel.name);
    if (mirrors != config.mirrored_channels.end() && url.starts_with(channel.base_url)) {
        const std::string_view rest = url.substr(channel.base_url.size());
        for (std::string_view mirror : mirrors->second) {
            while (mirror.ends_with('/')) mirror.remove_suffix(1);
            sources.push_back(source_on_mirror(std::string(mirror), rest, config));
        }
    }
    if (sources.empty()) sources.emplace_back(channel.authenticated(url), channel.bearer_for(url));
    return sources;
}

std::vector<TransferSource> sources_of_package(const std::vector<Channel>& channels, const std::string& url,
                                               const Config& config) {
    for (const auto& channel : channels) {
        if (url.starts_with(channel.base_url + '/')) return sources_of(channel, url, config);
    }
    auto own = resolve_channel(url, config.channel_settings);
    if (!own || own->size() != 1) return {TransferSource(url)};
    add_stored_credential(own->front(), config.credentials);
    return sources_of(own->front(), url, config);
}

Error no_channels_error() {
    return make_error(ErrorCode::no_channels,
                      "No channels are configured: say where packages come from, for instance with `-c conda-forge`, "
                      "or put `channels: [conda-forge]` into ~/.condarc");
}

} // namespace taipan
