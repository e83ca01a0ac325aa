#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// What a channel's place in the list means (conda-spec 7.7).
enum class ChannelPriority { strict, flexible, disabled };

/// The settings that turn a channel's name into URLs (conda-spec 7.1); plain data, conda's defaults.
struct ChannelSettings {
    std::string channel_alias = "https://conda.anaconda.org";
    std::vector<std::string> default_channels = {"https://repo.anaconda.com/pkgs/main",
                                                 "https://repo.anaconda.com/pkgs/r"};
    std::map<std::string, std::string> custom_channels = {{"pkgs/pro", "https://repo.anaconda.com"}};
    std::map<std::string, std::vector<std::string>> custom_multichannels;
    std::string working_directory; ///< relative paths are made absolute against it
    std::string home;              ///< for `~/`
};

/// Credentials of a channel; kept apart from every URL that is shown or stored.
struct ChannelAuth {
    std::string user_password;    ///< `user:password` as in the URL, percent-encoded
    std::string token;            ///< of `/t/<token>/`
    std::size_t token_offset = 0; ///< where in the channel's base URL `/t/<token>` stands
    std::string bearer;           ///< token for the Authorization header; never part of a URL
    [[nodiscard]] bool empty() const { return user_password.empty() && token.empty() && bearer.empty(); }
};

/// One place that has packages: a base URL below which subdirs lie.
struct Channel {
    std::string base_url; ///< without credentials, trailing slash and subdir
    std::string name;     ///< canonical name (conda-spec 7.2)
    std::string subdir;   ///< when the input named one (`conda-forge/linux-64`), else empty
    ChannelAuth auth;

    /// `url` with this channel's credentials put in: for the request line only. A URL that does not lie below
    /// `base_url` is returned as it is, so that no other host ever sees them.
    [[nodiscard]] std::string authenticated(std::string_view url) const;
    /// The bearer token for `url`; empty when that does not lie below `base_url`.
    [[nodiscard]] std::string bearer_for(std::string_view url) const;
};

/// Resolves what the user wrote (name, URL, path, `defaults`) into one or several channels, in order.
/// Fails with ErrorCode::invalid_argument.
Result<std::vector<Channel>> resolve_channel(std::string_view text, const ChannelSettings& settings);

/// Canonical name of a channel given as name or URL, possibly with subdir or token.
[[nodiscard]] std::string canonical_channel_name(std::string_view text, const ChannelSettings& settings);

/// What a spec's `channel::` means: the name or URL that records are compared with, and the subdir if it names one.
struct ChannelReference {
    std::string
        name; ///< canonical, or the URL of what lies outside of channel_alias; globs and `^regex$` stay as they are
    std::string subdir;
};
[[nodiscard]] ChannelReference channel_reference(std::string_view text, const ChannelSettings& settings);

/// The channel's name without its location, by which `name::pkg` finds a channel given as URL: `distr` for
/// `file:///srv/distr`, `pkgs/main` for `https://repo.anaconda.com/pkgs/main`.
[[nodiscard]] std::string bare_channel_name(std::string_view base_url);

/// The URL with user:password removed and `/t/<token>` removed (`mask` false) or masked as `/t/<TOKEN>`.
[[nodiscard]] std::string without_credentials(std::string_view url, bool mask_token = false);

/// The same for every URL inside a text, such as a command line; tokens are masked.
[[nodiscard]] std::string without_credentials_in_text(std::string_view text);

/// Percent-decoding, as needed for `file://` URLs and file names.
[[nodiscard]] std::string percent_decode(std::string_view text);
/// `file:///a%20b` -> `/a b`; empty when it is no file URL.
[[nodiscard]] std::string path_of_file_url(std::string_view url);
[[nodiscard]] std::string file_url_of_path(std::string_view absolute_path);

[[nodiscard]] bool is_known_subdir(std::string_view text);
/// The subdir of the machine this binary was built for, e.g. `linux-64`.
[[nodiscard]] std::string_view native_subdir();

} // namespace taipan
