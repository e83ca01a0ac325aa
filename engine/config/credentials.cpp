// Logins that other programs keep: files of three formats, all of which say "for this host, or what lies below this
// URL, use that". None of it is ever written anywhere else: a credential goes into ChannelAuth, and from there into
// request lines only.

#include "config/credentials.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include <dirent.h>
#include <yaml-cpp/binary.h>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "config/yaml_value.hpp"
#include "model/url.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t file_limit = std::uint64_t{1} << 20U;
constexpr std::string_view token_suffix = ".token";

std::string strip(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return std::string(text);
}

std::string base64(std::string_view text) {
    return YAML::EncodeBase64(reinterpret_cast<const unsigned char*>(text.data()), // NOLINT: bytes are bytes
                              text.size());
}

std::optional<std::string> from_base64(std::string_view text) {
    const std::string stripped = strip(text);
    if (stripped.size() % 4 != 0) return std::nullopt;
    const auto bytes = YAML::DecodeBase64(stripped); // none where there is something else in it
    if (bytes.empty() && !stripped.empty()) return std::nullopt;
    return std::string(bytes.begin(), bytes.end());
}

/// As user and password stand in a URL.
std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) {
            result += c;
        } else {
            result += '%';
            result += digits[byte >> 4U];
            result += digits[byte & 15U];
        }
    }
    return result;
}

std::string text_of(const YamlValue& entry, std::string_view key) {
    const YamlValue* value = entry.find(key);
    return value != nullptr && value->is_scalar() ? value->text : std::string();
}

/// One entry of mamba's file.
std::optional<StoredCredential> mamba_entry(const std::string& place, const YamlValue& entry) {
    const std::string type = text_of(entry, "type");
    if (type == "BasicHTTPAuthentication") {
        const auto password = from_base64(text_of(entry, "password"));
        if (!password) return std::nullopt;
        return StoredCredential{place, StoredCredential::Kind::basic, text_of(entry, "user"), *password};
    }
    const bool bearer = type == "BearerToken";
    const std::string token = text_of(entry, "token");
    if (token.empty() || !(bearer || type == "CondaToken")) return std::nullopt;
    return StoredCredential{
        place, bearer ? StoredCredential::Kind::bearer : StoredCredential::Kind::conda_token, {}, token};
}

/// One entry of rattler's file.
std::optional<StoredCredential> rattler_entry(const std::string& place, const YamlValue& entry) {
    if (const YamlValue* basic = entry.find("BasicHTTP")) {
        return StoredCredential{place, StoredCredential::Kind::basic, text_of(*basic, "username"),
                                text_of(*basic, "password")};
    }
    if (const auto token = text_of(entry, "BearerToken"); !token.empty()) {
        return StoredCredential{place, StoredCredential::Kind::bearer, {}, token};
    }
    if (const auto token = text_of(entry, "CondaToken"); !token.empty()) {
        return StoredCredential{place, StoredCredential::Kind::conda_token, {}, token};
    }
    return std::nullopt;
}

using ReadEntry = std::optional<StoredCredential> (*)(const std::string& place, const YamlValue& entry);

/// A JSON file that maps places to entries.
void read_logins(const std::string& path, ReadEntry read, std::vector<StoredCredential>& into,
                 std::vector<std::string>& warnings) {
    if (path.empty() || !exists(path)) return;
    const auto text = read_file(path, file_limit);
    const auto document = text ? parse_yaml(*text, path) : Result<YamlValue>(text.error());
    if (!document || !(document->is_map() || document->is_null())) {
        warnings.push_back("the logins in " + path + " cannot be read; they are not used");
        return;
    }
    for (const auto& [place, entry] : document->members) {
        if (auto credential = read(place, entry))
            into.push_back(std::move(*credential));
        else
            warnings.push_back("the login for " + place + " in " + path + " is of an unknown kind; it is not used");
    }
}

/// anaconda-client's: one file a server, named after its URL. Tokens for `api.` are for `conda.` too, as with conda.
void read_token_files(const std::string& directory, std::vector<StoredCredential>& into) {
    struct Closer {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    const std::unique_ptr<DIR, Closer> stream(::opendir(directory.c_str()));
    if (!stream) return;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (!name.ends_with(token_suffix)) continue;
        const auto text = read_file(directory + '/' + std::string(name), file_limit);
        const std::string token = text ? strip(*text) : std::string();
        if (token.empty()) continue;
        std::string place = place_of_login(percent_decode(name.substr(0, name.size() - token_suffix.size())));
        into.push_back({place, StoredCredential::Kind::conda_token, {}, token});
        if (place.starts_with("api.")) {
            into.push_back({"conda." + place.substr(4), StoredCredential::Kind::conda_token, {}, token});
        }
    }
}

std::string variable(const std::map<std::string, std::string>& environment, const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

/// `example.com/a` covers `example.com/a/b`, `*.example.com` covers `x.example.com` and all below it.
bool covers(std::string_view place, std::string_view target) {
    if (place.starts_with("*.")) {
        const std::string_view host = target.substr(0, target.find('/'));
        return host.ends_with(place.substr(1));
    }
    return target.starts_with(place) && (target.size() == place.size() || target[place.size()] == '/');
}

void write_value(JsonWriter& json, const YamlValue& value) {
    if (value.is_map()) {
        json.begin_object();
        for (const auto& [key, member] : value.members) {
            json.key(key);
            write_value(json, member);
        }
        json.end_object();
    } else if (value.is_sequence()) {
        json.begin_array();
        for (const auto& item : value.items) write_value(json, item);
        json.end_array();
    } else if (value.is_null()) {
        json.null();
    } else {
        json.value(value.text);
    }
}

/// Reads the login file, without the entry of that place.
Result<YamlValue> logins_without(const std::string& file, std::string_view place, bool& had_one) {
    YamlValue logins;
    if (exists(file)) {
        TAIPAN_TRY(const std::string text, read_file(file, file_limit));
        TAIPAN_TRY(logins, parse_yaml(text, file));
    }
    logins.kind = YamlValue::Kind::map;
    had_one = std::erase_if(logins.members, [&](const auto& member) { return member.first == place; }) > 0;
    return logins;
}

Result<void> write_logins(const std::string& file, const YamlValue& logins) {
    TAIPAN_CHECK(make_directories(std::string(parent_path(file)), 0700));
    JsonWriter json(4);
    write_value(json, logins);
    return write_file_atomic(file, json.take() + "\n", 0600);
}

YamlValue scalar(std::string text) {
    YamlValue value;
    value.kind = YamlValue::Kind::scalar;
    value.text = std::move(text);
    return value;
}

} // namespace

std::string login_file(const std::string& home) { return home + "/.mamba/auth/authentication.json"; }

std::string place_of_login(std::string_view host_or_url) {
    const std::string text = strip(host_or_url);
    const auto url = split_url(text.find("://") == std::string::npos ? "https://" + text : text);
    return url ? url->host + url->path : text;
}

std::vector<StoredCredential> load_credentials(const std::map<std::string, std::string>& environment,
                                               const std::string& home, std::vector<std::string>& warnings) {
    std::vector<StoredCredential> found;
    if (home.empty()) return found;
    read_logins(login_file(home), mamba_entry, found, warnings);
    const std::string rattler = variable(environment, "RATTLER_AUTH_FILE");
    read_logins(rattler.empty() ? home + "/.rattler/credentials.json" : rattler, rattler_entry, found, warnings);
    const std::string binstar = variable(environment, "BINSTAR_CONFIG_DIR");
    const std::string xdg = variable(environment, "XDG_CONFIG_HOME");
    if (!binstar.empty()) {
        read_token_files(binstar + "/data", found);
    } else {
        read_token_files((xdg.empty() ? home + "/.config" : xdg) + "/binstar", found);
        read_token_files(home + "/.local/share/binstar", found);
    }
    read_token_files(home + "/.continuum/anaconda-client/tokens", found);
    return found;
}

const StoredCredential* find_credential(const std::vector<StoredCredential>& credentials, std::string_view url) {
    const auto parts = split_url(url);
    if (!parts || !parts->scheme.starts_with("http")) return nullptr;
    const std::string target = parts->host + parts->path;
    const StoredCredential* best = nullptr;
    for (const auto& credential : credentials) {
        if (credential.place.empty() || !covers(credential.place, target)) continue;
        if (best == nullptr || credential.place.size() > best->place.size()) best = &credential;
    }
    return best;
}

void add_stored_credential(Channel& channel, const std::vector<StoredCredential>& credentials) {
    if (!channel.auth.empty()) return;
    const auto* credential = find_credential(credentials, channel.base_url);
    if (credential == nullptr) return;
    switch (credential->kind) {
    case StoredCredential::Kind::basic:
        channel.auth.user_password = percent_encode(credential->user) + ':' + percent_encode(credential->secret);
        break;
    case StoredCredential::Kind::bearer: channel.auth.bearer = credential->secret; break;
    case StoredCredential::Kind::conda_token: {
        const auto url = split_url(channel.base_url);
        channel.auth.token = percent_encode(credential->secret);
        channel.auth.token_offset = url->scheme.size() + 3 + url->host.size();
        break;
    }
    }
}

Result<void> store_credential(const std::string& file, const StoredCredential& credential) {
    bool had_one = false;
    TAIPAN_TRY(YamlValue logins, logins_without(file, credential.place, had_one));
    YamlValue entry;
    entry.kind = YamlValue::Kind::map;
    const bool basic = credential.kind == StoredCredential::Kind::basic;
    const bool bearer = credential.kind == StoredCredential::Kind::bearer;
    if (basic) {
        entry.members.emplace_back("password", scalar(base64(credential.secret)));
    } else {
        entry.members.emplace_back("token", scalar(credential.secret));
    }
    entry.members.emplace_back("type", scalar(basic    ? "BasicHTTPAuthentication"
                                              : bearer ? "BearerToken"
                                                       : "CondaToken"));
    if (basic) entry.members.emplace_back("user", scalar(credential.user));
    logins.members.emplace_back(credential.place, std::move(entry));
    return write_logins(file, logins);
}

Result<bool> forget_credential(const std::string& file, std::string_view place) {
    bool had_one = false;
    TAIPAN_TRY(const YamlValue logins, logins_without(file, place, had_one));
    if (had_one) TAIPAN_CHECK(write_logins(file, logins));
    return had_one;
}

} // namespace taipan
