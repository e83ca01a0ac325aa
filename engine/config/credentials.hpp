#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/channel.hpp"

namespace taipan {

/// What is known of a server or channel from an earlier login.
struct StoredCredential {
    enum class Kind { conda_token, basic, bearer };
    std::string place; ///< `host[:port][/path]`; `*.host` for all below it
    Kind kind = Kind::conda_token;
    std::string user;   ///< of basic
    std::string secret; ///< token or password
};

/// The file in which mamba and micromamba keep logins, and we with them.
[[nodiscard]] std::string login_file(const std::string& home);

/// Reads what conda (anaconda-client's token files), mamba (authentication.json) and rattler (credentials.json) keep
/// for this user; the first one to know a place wins, mamba's first. What cannot be read becomes a warning that names
/// the file and no content.
[[nodiscard]] std::vector<StoredCredential> load_credentials(const std::map<std::string, std::string>& environment,
                                                             const std::string& home,
                                                             std::vector<std::string>& warnings);

/// The credential for a URL: of the longest place that the URL lies in; null when there is none. Only https and http.
[[nodiscard]] const StoredCredential* find_credential(const std::vector<StoredCredential>& credentials,
                                                      std::string_view url);

/// Gives a channel the stored credential of its URL, unless the URL came with one of its own.
void add_stored_credential(Channel& channel, const std::vector<StoredCredential>& credentials);

/// `https://user@host:8443/channel/` -> `host:8443/channel`, the key of a login.
[[nodiscard]] std::string place_of_login(std::string_view host_or_url);

/// Puts a credential into the login file, in the place of one for the same place. The file is for its owner only.
Result<void> store_credential(const std::string& file, const StoredCredential& credential);
/// Takes one out; false when there was none.
Result<bool> forget_credential(const std::string& file, std::string_view place);

} // namespace taipan
