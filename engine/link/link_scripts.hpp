#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/record.hpp"

namespace taipan {

/// Scripts that a package brings along and that we run (conda-spec 5.1; post-unlink is not part of CEP 34).
enum class LinkScript { pre_link, post_link, pre_unlink };

/// `bin/.<name>-post-link.sh` and so on, relative to the prefix or package.
[[nodiscard]] std::string link_script_path(LinkScript script, const std::string& package_name);

struct LinkScriptContext {
    std::string prefix, root_prefix;                ///< absolute
    std::string package_dir;                        ///< of the extracted package; needed for pre-link only
    std::map<std::string, std::string> environment; ///< of the user
    /// What env_vars.d and conda-meta/state set (model of prefix/environment_variables.hpp); for post-link.
    std::map<std::string, std::string> prefix_variables;
    const std::atomic<bool>* stop = nullptr;
};

struct LinkScriptOutcome {
    bool ran = false;
    std::string messages;              ///< what it left in `.messages.txt`, for the user to read
    std::vector<std::string> warnings; ///< a failing pre-unlink script
    std::string output;                ///< stdout and stderr, for logs
};

/// Runs the package's script of that kind if there is one. A failing pre-link or post-link script is
/// ErrorCode::link_script_failed with the last lines of its output.
Result<LinkScriptOutcome> run_link_script(LinkScript script, const PackageRecord& package,
                                          const LinkScriptContext& context);

/// The environment inside an activated prefix: PATH, CONDA_PREFIX and so on, plus `prefix_variables`.
[[nodiscard]] std::map<std::string, std::string>
activated_environment(std::map<std::string, std::string> environment, const std::string& prefix,
                      const std::map<std::string, std::string>& prefix_variables);

/// Shell text that sources activate.d, then the file `$1` with the arguments after it, then deactivate.d in reverse,
/// and ends with the file's status. For `sh -c TEXT name FILE`, in an activated environment.
[[nodiscard]] std::string activated_script_text();

/// `text` as one word of a POSIX shell.
[[nodiscard]] std::string shell_quote(const std::string& text);

} // namespace taipan
