#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "config/locked_package.hpp"
#include "config/yaml_value.hpp"

namespace taipan {

/// What `-f/--file` was given, as plain data: an environment.yml (conda-spec 9.1), a list of specs, an `@EXPLICIT` list
/// of package URLs (9.2), or what was chosen of a lock file (9.5, 9.6).
struct RequestFile {
    enum class Kind { environment, specs, explicit_urls, lock };
    Kind kind = Kind::specs;
    std::string path;                                           ///< as given by the caller
    std::string name, prefix;                                   ///< of environment.yml; empty when not given
    std::vector<std::string> channels;                          ///< variables expanded, without `nodefaults`
    bool nodefaults = false;                                    ///< configured channels are not to be added
    std::vector<std::string> dependencies;                      ///< match specs; for explicit_urls `<url>#<hash>`
    std::vector<LockedPackage> locked;                          ///< of a lock file
    std::vector<std::string> pip;                               ///< requirement lines for pip
    bool pip_no_deps = false;                                   ///< they are all that pip is to install
    std::vector<std::pair<std::string, std::string>> variables; ///< for conda-meta/state
    std::vector<std::string> platforms;                         ///< of environment.yml: those it is meant for
    std::string category;                                       ///< of environment.yml, for lock files
    std::string platform;                                       ///< of a `# platform:` line; empty when not given
    std::vector<std::string> warnings;                          ///< unknown sections and the like
};

/// What a request file's text is read against.
struct RequestFileContext {
    std::map<std::string, std::string> environment; ///< for `$VAR` in channels and explicit paths
    std::string home, working_directory;
    std::string subdir;                       ///< target platform
    std::string base_directory = {};          ///< of the file; empty when it is none (a URL, standard input)
    std::vector<std::string> categories = {}; ///< of a conda-lock file; empty: `main`
    std::string lock_environment = {};        ///< of a pixi.lock; empty: `default`
    bool comment_selectors = false;           ///< lines of environment.yml can end in `# [linux]`
};

/// Reads text of any kind. The content decides what it is, and only where that leaves it open the name does.
/// Errors are ErrorCode::parse and name the file and what is wrong in it.
Result<RequestFile> parse_request_file(std::string_view text, const std::string& path,
                                       const RequestFileContext& context);
/// The same for a file on disk.
Result<RequestFile> read_request_file(const std::string& path, const RequestFileContext& context);

/// Reads environment.yml.
Result<RequestFile> parse_environment_document(const YamlValue& document, const std::string& path,
                                               const RequestFileContext& context);
/// The same from its text.
Result<RequestFile> parse_environment_yaml(std::string_view text, const std::string& path,
                                           const RequestFileContext& context);
/// Reads a list of specs or an `@EXPLICIT` list.
Result<RequestFile> parse_spec_file(std::string_view text, const std::string& path, const RequestFileContext& context);

/// Whether a selector word (`unix`, `linux`, `osx`, `win`) holds for a subdir; false for other words.
[[nodiscard]] bool selector_holds(std::string_view selector, std::string_view subdir);

} // namespace taipan
