#include <algorithm>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "config/yaml_value.hpp"
#include "flow/download_text.hpp"
#include "program/common_options.hpp"
#include "screen/watched_run.hpp"

// `notices`: what the owners of channels want to tell, from the notices.json beside a channel's subdirs. JSON is YAML,
// and a small file: no parser of its own is needed. A channel without the file has nothing to tell.

namespace taipan::cli {

namespace {

constexpr std::uint64_t size_limit = 1U << 20U;

struct Notice {
    std::string id, level, message, created_at, expires_at;
};

struct ChannelNotices {
    std::string channel;
    std::vector<Notice> notices;
};

std::string text_of(const YamlValue& map, std::string_view key) {
    const auto* value = map.find(key);
    return value != nullptr && value->is_scalar() ? value->text : std::string();
}

/// Text from a server: without what moves the cursor or changes colours.
std::string printable(std::string text) {
    std::erase_if(text, [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7f; });
    return text;
}

std::vector<Notice> parse_notices(std::string_view content, const std::string& url) {
    std::vector<Notice> notices;
    const auto document = parse_yaml(content, url);
    const auto* list = document ? document->find("notices") : nullptr;
    if (list == nullptr) return notices;
    for (const auto& item : list->items) {
        Notice notice{text_of(item, "id"), printable(text_of(item, "level")), printable(text_of(item, "message")),
                      printable(text_of(item, "created_at")), printable(text_of(item, "expires_at"))};
        if (notice.expires_at.empty()) notice.expires_at = printable(text_of(item, "expired_at"));
        if (notice.level.empty()) notice.level = "info";
        if (!notice.message.empty()) notices.push_back(std::move(notice));
    }
    return notices;
}

class Notices final : public Command {
public:
    Options options() override {
        Options options = common_.channel_options();
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        const auto names = request_channels(common_, config, {}, false);
        const auto channel_settings = config.channel_settings;
        const bool json = config.json, quiet = config.quiet;
        WatchedRun watched(invocation.console, true, config.verbosity);
        Session session(std::move(config), *watched.progress, watched.stop);
        std::vector<ChannelNotices> found;
        for (const auto& name : names) {
            TAIPAN_TRY(const auto channels, resolve_channel(name, channel_settings));
            for (const auto& channel : channels) {
                const auto url = channel.base_url + "/notices.json";
                auto content = load(session, channel.authenticated(url));
                if (!content && watched.stop.stop_requested()) return std::move(content).error();
                if (content) found.push_back({channel.name, parse_notices(*content, url)});
            }
        }
        std::erase_if(found, [](const auto& one) { return one.notices.empty(); });
        invocation.console.print(json ? document(found) : text(found, quiet));
        return exit_success;
    }

private:
    static Result<std::string> load(Session& session, const std::string& url) {
        if (const auto path = path_of_file_url(url); !path.empty()) return read_file(path, size_limit);
        return download_text(session, url, size_limit);
    }

    static std::string text(const std::vector<ChannelNotices>& channels, bool quiet) {
        std::string text;
        for (const auto& channel : channels) {
            text += "Channel \"" + channel.channel + "\" has the following notices:\n";
            for (const auto& notice : channel.notices) {
                text += "  [" + notice.level + "]" +
                        (notice.created_at.empty() ? std::string() : " -- " + notice.created_at) + "\n  " +
                        notice.message + "\n\n";
            }
        }
        return text.empty() && !quiet ? "no channel has notices\n" : text;
    }

    static std::string document(const std::vector<ChannelNotices>& channels) {
        JsonWriter json;
        json.begin_array();
        for (const auto& channel : channels) {
            for (const auto& notice : channel.notices) {
                json.begin_object();
                json.member("channel_name", channel.channel).member("created_at", notice.created_at);
                json.member("expired_at", notice.expires_at).member("id", notice.id);
                json.member("level", notice.level).member("message", notice.message);
                json.end_object();
            }
        }
        return json.end_array().take() + "\n";
    }

    CommonOptions common_;
};

} // namespace

std::unique_ptr<Command> make_notices() { return std::make_unique<Notices>(); }

} // namespace taipan::cli
