#include <algorithm>
#include <set>

#include "base/digest.hpp"
#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "cache/cache_contents.hpp"
#include "model/channel.hpp"
#include "model/match_spec.hpp"
#include "requests/wishes.hpp"
#include "screen/progress.hpp"

// `cache key`: a short name for what files ask of a cache, for a CI to keep the cache by. It is made of what decides
// which packages these are, and of nothing else: not of comments, order, layout, names of files and paths, nor of the
// machine. Of a lock file the packages count; of others the specs, and the channels in their order.

namespace taipan::cli {

namespace {

constexpr std::size_t key_digits = 16;

/// A package by its content, wherever it comes from: the file name, and a hash or else the URL.
std::string archive_identity(const std::string& fn, const std::string& hash, const std::string& url) {
    return "archive " + (hash.empty() ? without_credentials(url) : fn + ' ' + hash);
}

std::string spec_identity(const std::string& text, const ChannelSettings& settings) {
    const auto spec = MatchSpec::parse(text, settings);
    if (!spec) return "spec " + text;
    if (spec->url().empty()) return "spec " + spec->to_string();
    const std::string& hash = spec->sha256().empty() ? spec->md5() : spec->sha256();
    return archive_identity(percent_decode(base_name(spec->url())), hash, spec->url());
}

/// By its name where it has one, so that name and URL are the same; a path stays as it was written.
std::string channel_identity(const std::string& text, const ChannelSettings& settings) {
    const bool path = text.starts_with('.') || text.starts_with('/') || text.starts_with('~');
    return "channel " + (path ? text : canonical_channel_name(without_credentials(text), settings));
}

/// All that one wish asks for, as a text that is equal for equal wishes.
std::string identity(const Wish& wish, const Config& config) {
    const auto& settings = config.channel_settings;
    const InstallRequest& request = wish.request;
    std::set<std::string> parts;
    for (const auto& locked : request.locked) {
        const auto& record = locked.record;
        const std::string fn = record.fn.empty() ? percent_decode(base_name(locked.url)) : record.fn;
        parts.insert(archive_identity(fn, record.sha256.empty() ? record.md5 : record.sha256, locked.url));
    }
    for (const auto& spec : request.specs) parts.insert(spec_identity(spec, settings));
    const bool by_url =
        std::all_of(parts.begin(), parts.end(), [](const std::string& part) { return part.starts_with("archive "); });
    std::string text = "platform " + wish.subdir + '\n';
    if (request.no_deps) text += "no deps\n";
    for (const auto& part : parts) text += part + '\n';
    if (by_url) return text; // no channel is asked
    for (const auto& channel : request.channels) text += channel_identity(channel, settings) + '\n';
    return text;
}

class CacheKey final : public Command {
public:
    Options options() override {
        Options options = wishes_.options(common_);
        options.push_back({"--prefix", &prefix_, "TEXT", "put this before the key", "Key"});
        options.push_back({"-r,--root-prefix", &common_.root_prefix, "PATH", "where packages are kept", "Key"});
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (wishes_.empty()) return "name at least one file (-f) or package";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        const auto progress = make_progress(invocation.console, true, config.verbosity);
        const auto configured = std::exchange(config.channels, {});
        TAIPAN_TRY(auto wishes, wishes_.read(invocation, common_, config));
        for (auto& wish : wishes) {
            // What the machine is configured to counts only where nothing else says where packages come from.
            if (wish.request.channels.empty() && !wish.file.nodefaults) wish.request.channels = configured;
        }
        std::set<std::string> identities;
        for (const auto& wish : wishes) identities.insert(identity(wish, config));
        std::string all;
        for (const auto& text : identities) all += text + '\n';
        std::string platforms;
        for (const auto& platform : sorted_platforms(config)) platforms += platform + '-';
        const std::string key = prefix_ + "taipan" + std::to_string(cache_version) + '-' + platforms +
                                sha256_hex(all).substr(0, key_digits);
        invocation.console.print(config.json ? document(key, wishes, config) : key + "\n");
        return exit_success;
    }

private:
    [[nodiscard]] std::vector<std::string> sorted_platforms(const Config& config) const {
        auto platforms = wishes_.platforms(config);
        std::sort(platforms.begin(), platforms.end());
        return platforms;
    }

    [[nodiscard]] std::string document(const std::string& key, const std::vector<Wish>& wishes,
                                       const Config& config) const {
        JsonWriter json;
        json.begin_object().member("key", key).member("cache_version", cache_version);
        json.member("platforms", sorted_platforms(config)).key("files").begin_array();
        for (const auto& wish : wishes) {
            json.begin_object().member("file", wish.source).member("platform", wish.subdir);
            json.member("digest", sha256_hex(identity(wish, config))).end_object();
        }
        return json.end_array().member("success", true).end_object().take() + "\n";
    }

    CommonOptions common_;
    WishOptions wishes_;
    std::string prefix_;
};

} // namespace

std::unique_ptr<Command> make_cache_key() { return std::make_unique<CacheKey>(); }

} // namespace taipan::cli
