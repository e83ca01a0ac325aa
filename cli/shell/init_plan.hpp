#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "config/config.hpp"
#include "program/command.hpp"
#include "shell/rc_file.hpp"
#include "shell/shell_hook.hpp"

namespace taipan::cli {

/// One file that `init` looks after.
struct InitStep {
    enum class Kind {
        block, ///< a block in an rc file
        file,  ///< a file of our own
        link,  ///< a symbolic link to the program
    };
    Kind kind = Kind::block;
    std::string path;
    std::string content; ///< the block or file; the target of a link
    mode_t mode = 0644;
    bool replaces = true; ///< false: what is there already is left alone
};

enum class InitChange { none, modified };

/// Where and for whom.
struct InitRequest {
    HookRequest hook;
    std::string home;
    std::map<std::string, std::string> environment;
    bool user = true, system = false, condabin_only = false;
};

/// What makes the command known to the shell of `request`, in the order in which it is done.
[[nodiscard]] std::vector<InitStep> plan_init(const InitRequest& request);

/// The root prefix of an installation of conda or mamba is an environment from the beginning, `base`, and scripts source
/// files in it without having called `init`: `. "$(conda info --base)/etc/profile.d/conda.sh"`. Makes what is missing of
/// that; where it cannot be written, there is none. Nothing under other names than conda and mamba.
void make_installation_files(const Invocation& invocation, const Config& config);

/// Does one step, or its reverse; with `dry_run` only says what would change. Files of users keep their mode, and a
/// link to one stays a link.
Result<InitChange> apply_init(const InitStep& step, const BlockMarks& marks, bool reverse, bool dry_run);

} // namespace taipan::cli
