// The problem: users, records and histories name one channel in many ways (`conda-forge`, its URL with or without
// platform, token or password, a path), and everything that compares channels needs one name (conda-spec 7.1, 7.2).
//
// The approach: any input becomes scheme, location and name. The location is the host, the directory of a local
// channel, or what the configuration says a named channel lies below; the name is the rest. From these follow the base
// URL and the canonical name: that of the multichannel it belongs to, or its own name if the configuration leads from
// there back to the channel, or else its URL.
//
// What must hold: credentials are taken out first and live in ChannelAuth only. Nothing here touches the disk.

#include "model/channel.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <optional>

#include "model/record.hpp"
#include "model/url.hpp"

namespace taipan {

namespace {

constexpr std::array<std::string_view, 19> known_subdirs = {
    "noarch",        "linux-32",      "linux-64",    "linux-aarch64", "linux-armv6l",     "linux-armv7l", "linux-ppc64",
    "linux-ppc64le", "linux-riscv64", "linux-s390x", "osx-64",        "osx-arm64",        "win-32",       "win-64",
    "win-arm64",     "freebsd-64",    "zos-z",       "wasi-wasm32",   "emscripten-wasm32"};

std::string join(std::string_view a, std::string_view b) {
    std::string result(a);
    if (!a.empty() && !b.empty() && !a.ends_with('/')) result += '/';
    return result += b;
}

std::string_view strip_slashes(std::string_view text) {
    while (text.starts_with('/')) text.remove_prefix(1);
    while (text.ends_with('/')) text.remove_suffix(1);
    return text;
}

/// Whether `text` is `prefix` or continues it after a `/`; if so, `rest` becomes what follows.
bool below(std::string_view text, std::string_view prefix, std::string_view& rest) {
    if (!text.starts_with(prefix)) return false;
    if (text.size() > prefix.size() && !prefix.empty() && text[prefix.size()] != '/') return false;
    rest = strip_slashes(text.substr(prefix.size()));
    return true;
}

/// Takes a known subdir off the end.
std::string take_subdir(std::string_view& text) {
    const auto slash = text.rfind('/');
    if (slash == std::string_view::npos || !is_known_subdir(text.substr(slash + 1))) return {};
    std::string subdir(text.substr(slash + 1));
    text = text.substr(0, slash);
    return subdir;
}

bool is_path(std::string_view text) {
    return text.starts_with('/') || text.starts_with('~') || text.starts_with("./") || text.starts_with("..") ||
           text == ".";
}

/// A channel in the three parts from which its names follow.
struct Place {
    std::string scheme;
    std::string location; // host[:port][/path], or the directory of a file channel
    std::string name;
};

/// A channel the configuration knows by name, with the credentials of its URL.
struct NamedPlace {
    Place place;
    ChannelAuth auth;
    std::string base_url; // of location: without the name
};

Error bad_channel(std::string_view text, const char* why) {
    return make_error(ErrorCode::invalid_argument, "'" + without_credentials(text, true) + "' is no channel: " + why);
}

/// Works on one set of settings.
class Resolver {
public:
    explicit Resolver(const ChannelSettings& settings) : settings_(settings) {
        if (auto alias = split_url(settings.channel_alias)) {
            alias_.place = {alias->scheme, alias->host + alias->path, ""};
            alias_.base_url = alias->text();
            alias_.auth = auth_of(*alias);
        }
        for (const auto& [name, url] : settings.custom_channels) add_custom(name, url);
        if (!settings.custom_multichannels.contains("defaults"))
            add_multichannel("defaults", settings.default_channels);
        for (const auto& [name, members] : settings.custom_multichannels) add_multichannel(name, members);
        std::stable_sort(named_.begin(), named_.end(), [](const NamedPlace& a, const NamedPlace& b) {
            return a.place.name.size() > b.place.name.size();
        });
    }

    [[nodiscard]] const std::vector<std::string>* members_of(std::string_view name) const {
        if (const auto found = settings_.custom_multichannels.find(std::string(name));
            found != settings_.custom_multichannels.end())
            return &found->second;
        return name == "defaults" ? &settings_.default_channels : nullptr;
    }

    Result<Channel> resolve(std::string_view text) const {
        if (auto url = split_url(text)) return from_url(text, std::move(*url));
        if (is_path(text)) {
            auto url = split_url(file_url_of_path(absolute(text)));
            if (url) return from_url(text, std::move(*url));
        }
        return from_name(text);
    }

    [[nodiscard]] std::string canonical_name(const Place& place) const {
        for (const auto& [multichannel, name] : member_names_)
            if (name == place.name) return multichannel;
        std::string_view rest;
        for (const NamedPlace& known : named_)
            if (below(place.name, known.place.name, rest)) return place.name;
        if (place.location == alias_.place.location && !place.name.empty()) return place.name;
        return place.scheme + "://" + join(place.location, place.name);
    }

private:
    static ChannelAuth auth_of(const Url& url) { return {url.user_password, url.token, url.token_offset(), {}}; }

    void add_custom(const std::string& name, const std::string& base) {
        auto url = split_url(base);
        if (!url) return;
        named_.push_back({{url->scheme, url->host + url->path, name}, auth_of(*url), url->text()});
    }

    void add_multichannel(const std::string& multichannel, const std::vector<std::string>& members) {
        for (const std::string& member : members) {
            auto url = split_url(member);
            if (!url) { // a bare name
                if (!settings_.custom_multichannels.contains(member) && member != "defaults")
                    member_names_.emplace_back(multichannel, strip_slashes(member));
                continue;
            }
            std::string_view rest;
            const std::string whole = url->host + url->path;
            if (!alias_.place.location.empty() && below(whole, alias_.place.location, rest)) {
                member_names_.emplace_back(multichannel, rest);
            } else if (url->scheme == "file") {
                const auto slash = url->path.rfind('/');
                member_names_.emplace_back(multichannel, percent_decode(url->path.substr(slash + 1)));
            } else {
                const std::string name(strip_slashes(url->path));
                member_names_.emplace_back(multichannel, name);
                const ChannelAuth auth = auth_of(*url);
                named_.push_back({{url->scheme, url->host, name}, auth, url->scheme + "://" + url->host});
            }
        }
    }

    [[nodiscard]] std::string absolute(std::string_view text) const {
        std::string path(text);
        if (text == "~" || text.starts_with("~/"))
            path = settings_.home + path.substr(1);
        else if (!text.starts_with('/'))
            path = settings_.working_directory + '/' + path;
        path = std::filesystem::path(path).lexically_normal().string();
        while (path.size() > 1 && path.ends_with('/')) path.pop_back();
        return path;
    }

    /// Location and name of a URL without subdir; where the configuration knows credentials, those too.
    Place place_of(const Url& url, ChannelAuth& auth) const {
        std::string_view rest;
        if (url.scheme == "file") {
            const std::string path = percent_decode(url.path);
            const auto slash = path.rfind('/');
            if (slash == std::string::npos) return {url.scheme, "/", ""};
            return {url.scheme, slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
        }
        const std::string whole = url.host + url.path;
        auto known = [&](const NamedPlace& named, const std::string& prefix) {
            if (!below(whole, prefix, rest)) return false;
            if (auth.empty()) auth = named.auth;
            return true;
        };
        for (const NamedPlace& named : named_)
            if (known(named, join(named.place.location, named.place.name)))
                return {url.scheme, named.place.location, join(named.place.name, percent_decode(rest))};
        if (!alias_.place.location.empty() && !url.path.empty() && known(alias_, alias_.place.location))
            return {url.scheme, alias_.place.location, percent_decode(rest)};
        // Servers of the Anaconda family put all their channels below /conda.
        if (below(url.path, "/conda", rest) && !rest.empty())
            return {url.scheme, url.host + "/conda", percent_decode(rest)};
        return {url.scheme, url.host, percent_decode(strip_slashes(url.path))};
    }

    Result<Channel> from_url(std::string_view text, Url url) const {
        if (url.host.empty() && url.scheme != "file") return bad_channel(text, "its URL has no host");
        std::string_view path = url.path;
        if (has_package_extension(path)) path = path.substr(0, path.rfind('/'));
        Channel channel;
        channel.subdir = take_subdir(path);
        url.path = std::string(path.substr(0, path.find_last_not_of('/') + 1));
        if (url.scheme == "file") url.path = path_as_url(percent_decode(url.path));
        channel.auth = auth_of(url);
        const Place place = place_of(url, channel.auth);
        channel.name = canonical_name(place);
        channel.base_url = url.text();
        return channel;
    }

    Result<Channel> from_name(std::string_view text) const {
        std::string_view name = strip_slashes(text);
        if (name.empty()) return bad_channel(text, "it is empty");
        for (char c : name)
            if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f')
                return bad_channel(text, "it has a blank or a control character");
        Channel channel;
        channel.subdir = take_subdir(name);
        std::string_view rest;
        const NamedPlace* lies_in = &alias_;
        for (const NamedPlace& named : named_)
            if (below(name, named.place.name, rest)) {
                lies_in = &named;
                break;
            }
        if (lies_in->base_url.empty()) return bad_channel(text, "channel_alias is no URL");
        const Place place{lies_in->place.scheme, lies_in->place.location, std::string(name)};
        channel.name = canonical_name(place);
        channel.base_url = join(lies_in->base_url, name);
        channel.auth = lies_in->auth;
        return channel;
    }

    const ChannelSettings& settings_;
    NamedPlace alias_;
    std::vector<NamedPlace> named_;                                 // longest name first
    std::vector<std::pair<std::string, std::string>> member_names_; // multichannel, name of a member
};

Result<void> resolve_into(std::string_view text, const Resolver& resolver, int depth, std::vector<Channel>& out) {
    if (depth > 8) return bad_channel(text, "its multichannels contain each other");
    std::string_view name = strip_slashes(text);
    const std::string subdir = take_subdir(name);
    const auto* members = resolver.members_of(name);
    if (members == nullptr) {
        TAIPAN_TRY(Channel channel, resolver.resolve(text));
        out.push_back(std::move(channel));
        return {};
    }
    const std::size_t before = out.size();
    for (const std::string& member : *members) {
        if (member == name) { // a multichannel of one, named as its member
            TAIPAN_TRY(Channel channel, resolver.resolve(member));
            out.push_back(std::move(channel));
        } else {
            TAIPAN_CHECK(resolve_into(member, resolver, depth + 1, out));
        }
    }
    if (!subdir.empty())
        for (std::size_t i = before; i < out.size(); ++i) out[i].subdir = subdir;
    return {};
}

} // namespace

std::string Channel::authenticated(std::string_view url) const {
    if (auth.empty()) return std::string(url);
    std::string_view rest;
    if (!below(url, base_url, rest)) return std::string(url);
    std::string result(url);
    if (!auth.token.empty()) result.insert(std::min(auth.token_offset, result.size()), "/t/" + auth.token);
    const auto host = result.find("://");
    if (!auth.user_password.empty() && host != std::string::npos) result.insert(host + 3, auth.user_password + '@');
    return result;
}

std::string Channel::bearer_for(std::string_view url) const {
    std::string_view rest;
    return below(url, base_url, rest) ? auth.bearer : std::string();
}

Result<std::vector<Channel>> resolve_channel(std::string_view text, const ChannelSettings& settings) {
    std::vector<Channel> channels;
    TAIPAN_CHECK(resolve_into(text, Resolver(settings), 0, channels));
    return channels;
}

std::string canonical_channel_name(std::string_view text, const ChannelSettings& settings) {
    if (text.empty() || text == "<unknown>" || text == "None") return "<unknown>";
    const Resolver resolver(settings);
    std::string_view name = strip_slashes(text);
    take_subdir(name);
    if (resolver.members_of(name) != nullptr) return std::string(name);
    auto channel = resolver.resolve(text);
    return channel ? std::move(channel->name) : without_credentials(text);
}

ChannelReference channel_reference(std::string_view text, const ChannelSettings& settings) {
    ChannelReference reference;
    const auto url = split_url(text);
    if (!url && text.find('*') != std::string_view::npos) {
        if (!text.starts_with('^')) reference.subdir = take_subdir(text);
        reference.name = text;
        return reference;
    }
    const Resolver resolver(settings);
    std::string_view name = strip_slashes(text);
    reference.subdir = take_subdir(name);
    if (resolver.members_of(name) != nullptr) {
        reference.name = name;
        return reference;
    }
    auto channel = resolver.resolve(text);
    if (!channel) {
        reference.name = without_credentials(name);
        return reference;
    }
    const auto base = split_url(channel->base_url);
    const auto alias = split_url(settings.channel_alias);
    std::string_view rest;
    // conda prints and compares what lies elsewhere by its URL, even if it was given by a configured name.
    const bool below_alias = base && alias && below(base->host + base->path, alias->host + alias->path, rest);
    const bool keep_url = !below_alias && (url || resolver.members_of(channel->name) == nullptr);
    reference.name = keep_url ? channel->base_url : channel->name;
    reference.subdir = channel->subdir;
    return reference;
}

std::string bare_channel_name(std::string_view base_url) {
    const auto url = split_url(base_url);
    if (!url) return std::string(base_url);
    std::string_view rest;
    if (url->scheme == "file") return percent_decode(url->path.substr(url->path.rfind('/') + 1));
    if (below(url->path, "/conda", rest) && !rest.empty()) return percent_decode(rest);
    return percent_decode(strip_slashes(url->path));
}

bool is_known_subdir(std::string_view text) {
    return std::find(known_subdirs.begin(), known_subdirs.end(), text) != known_subdirs.end();
}

std::string_view native_subdir() {
#if defined(__APPLE__) && defined(__aarch64__)
    return "osx-arm64";
#elif defined(__APPLE__)
    return "osx-64";
#elif defined(__x86_64__)
    return "linux-64";
#elif defined(__aarch64__)
    return "linux-aarch64";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
    return "linux-ppc64le";
#elif defined(__s390x__)
    return "linux-s390x";
#elif defined(__riscv) && __riscv_xlen == 64
    return "linux-riscv64";
#elif defined(__i386__)
    return "linux-32";
#else
#error "conda has no name for this platform"
#endif
}

std::string without_credentials_in_text(std::string_view text) {
    std::string clean;
    while (true) {
        const std::size_t scheme_end = text.find("://");
        if (scheme_end == std::string_view::npos) return clean.append(text);
        std::size_t start = scheme_end;
        while (start > 0 && std::isalnum(static_cast<unsigned char>(text[start - 1])) != 0) --start;
        const std::size_t end = std::min(text.find_first_of(" \t\n\"'`,;<>", scheme_end), text.size());
        clean.append(text.substr(0, start)).append(without_credentials(text.substr(start, end - start), true));
        text.remove_prefix(end);
    }
}

} // namespace taipan
