// URLs of channels and packages. Secrets are what matters here: `user:password@` before the host and `/t/<token>`
// behind it. conda takes a token to be letters, digits and `-`; here it is the whole path segment after `/t/`, so that
// no part of an unusual token stays in the URL. Local paths may have a directory named `t` and never have tokens.

#include "model/url.hpp"

#include <algorithm>

#include "model/channel.hpp"

namespace taipan {

namespace {

constexpr std::string_view file_scheme = "file://";

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Length of `scheme` in `scheme://`; 0 when the text has none.
std::size_t scheme_length(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && (is_alnum(text[length]) || text[length] == '+' || text[length] == '-')) ++length;
    return text.substr(length).starts_with("://") ? length : 0;
}

struct TokenPlace {
    std::size_t begin; // of `/t/`
    std::size_t end;   // of the token
};

/// Where `/t/<token>` stands in a path.
std::optional<TokenPlace> find_token(std::string_view path) {
    const auto begin = path.find("/t/");
    if (begin == std::string_view::npos) return std::nullopt;
    return TokenPlace{begin, std::min(path.find_first_of("/?#", begin + 3), path.size())};
}

} // namespace

std::optional<Url> split_url(std::string_view text) {
    const std::size_t length = scheme_length(text);
    if (length == 0) return std::nullopt;
    Url url;
    url.scheme = lower(text.substr(0, length));
    text.remove_prefix(length + 3);
    text = text.substr(0, text.find_first_of("?#"));
    std::string_view authority = text.substr(0, text.find('/'));
    std::string_view path = text.substr(authority.size());
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        url.user_password = authority.substr(0, at);
        authority.remove_prefix(at + 1);
    }
    url.host = lower(authority);
    if (url.scheme == "file" && url.host == "localhost") url.host.clear();
    while (path.ends_with('/')) path.remove_suffix(1);
    url.path = path;
    if (url.scheme == "file") return url;
    // A token may be the last thing, its slash stripped: `/t/` and nothing more.
    if (const auto token = find_token(path)) {
        url.token = path.substr(token->begin + 3, token->end - token->begin - 3);
        url.token_path_offset = token->begin;
        url.path.erase(token->begin, token->end - token->begin);
    }
    return url;
}

std::string without_credentials(std::string_view url, bool mask_token) {
    std::string result(url);
    const std::size_t length = scheme_length(url);
    if (lower(url.substr(0, length)) == "file") return result;
    if (length == 0 && (url.starts_with('/') || url.starts_with('.') || url.starts_with('~'))) return result;
    const std::size_t authority = length == 0 ? 0 : length + 3;
    if (length != 0) {
        const std::size_t end = std::min(result.find_first_of("/?#", authority), result.size());
        const auto at = std::string_view(result).substr(0, end).rfind('@');
        if (at != std::string_view::npos && at >= authority) result.erase(authority, at + 1 - authority);
    }
    if (const auto token = find_token(std::string_view(result).substr(authority)))
        result.replace(authority + token->begin, token->end - token->begin, mask_token ? "/t/<TOKEN>" : "");
    return result;
}

std::string percent_decode(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape =
            text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
        if (escape) {
            result += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            result += text[i];
        }
    }
    return result;
}

std::string path_as_url(std::string_view path) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    result.reserve(path.size());
    for (char c : path) {
        if (is_alnum(c) || std::string_view("!'()*-._/:~+,=@$&;").find(c) != std::string_view::npos) {
            result += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        result += '%';
        result += digits[byte >> 4];
        result += digits[byte & 15];
    }
    return result;
}

std::string path_of_file_url(std::string_view url) {
    const auto parts = split_url(url);
    if (!parts || parts->scheme != "file" || !parts->host.empty()) return {};
    std::string path = parts->path.empty() ? "/" : percent_decode(parts->path);
    return path.find('\0') == std::string::npos ? path : std::string();
}

std::string file_url_of_path(std::string_view absolute_path) {
    return std::string(file_scheme) + path_as_url(absolute_path);
}

} // namespace taipan
