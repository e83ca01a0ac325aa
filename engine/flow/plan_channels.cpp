#include "flow/plan_channels.hpp"

#include <algorithm>

namespace taipan {

Result<std::vector<Channel>> channels_of_request(const std::vector<std::string>& names,
                                                 const std::vector<MatchSpec>& specs, const Config& config) {
    std::vector<Channel> channels;
    const auto add = [&](const std::string& text) -> Result<void> {
        TAIPAN_TRY(auto resolved, resolve_channel(text, config.channel_settings));
        for (auto& channel : resolved) {
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

Error no_channels_error() {
    return make_error(ErrorCode::no_channels,
                      "No channels are configured: say where packages come from, for instance with `-c conda-forge`, "
                      "or put `channels: [conda-forge]` into ~/.condarc");
}

} // namespace taipan
