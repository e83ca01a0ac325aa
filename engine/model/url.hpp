#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace taipan {

/// A URL taken apart, as far as channels and packages need it. Query and fragment are dropped.
struct Url {
    std::string scheme;                ///< lower case
    std::string user_password;         ///< `user:password`, percent-encoded as given
    std::string host;                  ///< lower case, with `:port` if there is one; empty for most `file://` URLs
    std::string path;                  ///< percent-encoded, starts with `/` unless empty, no trailing slash, no token
    std::string token;                 ///< of `/t/<token>`; never looked for in `file://` URLs
    std::size_t token_path_offset = 0; ///< where in `path` the token stood

    /// The URL without credentials.
    [[nodiscard]] std::string text() const { return scheme + "://" + host + path; }
    /// Where in text() the token stood.
    [[nodiscard]] std::size_t token_offset() const { return scheme.size() + 3 + host.size() + token_path_offset; }
};

/// nullopt when the text has no `scheme://`.
[[nodiscard]] std::optional<Url> split_url(std::string_view text);
/// A path as it stands in a URL: percent-encoded where needed, slashes kept.
[[nodiscard]] std::string path_as_url(std::string_view path);

} // namespace taipan
