#include "shell/init_plan.hpp"

#include <cerrno>
#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "shell/shell_text.hpp"

// What `init` changes: a block in the shell's rc file, a link in <root>/condabin (which the hook puts on PATH), and as
// conda also the scripts that people source by path. Files that a package has put there are left alone.

namespace taipan::cli {

namespace {

std::string value_or(const std::map<std::string, std::string>& environment, const std::string& name,
                     const std::string& otherwise) {
    const auto found = environment.find(name);
    return found == environment.end() || found->second.empty() ? otherwise : found->second;
}

std::string user_rc_file(const InitRequest& request) {
    const std::string& home = request.home;
    const auto config = value_or(request.environment, "XDG_CONFIG_HOME", home + "/.config");
    const std::string& name = request.hook.shell.name;
    switch (request.hook.shell.kind) {
    case ShellKind::posix:
        if (name == "bash") return home + "/.bashrc";
        if (name == "zsh") return value_or(request.environment, "ZDOTDIR", home) + "/.zshrc";
        if (name == "ksh") return home + "/.kshrc";
        if (name == "mksh") return home + "/.mkshrc";
        return home + "/.profile";
    case ShellKind::csh: return home + (name == "csh" ? "/.cshrc" : "/.tcshrc");
    case ShellKind::fish: return config + "/fish/config.fish";
    case ShellKind::xonsh: return home + "/.xonshrc";
    case ShellKind::powershell: return config + "/powershell/profile.ps1";
    case ShellKind::nushell: return config + "/nushell/config.nu";
    }
    return {};
}

std::string system_rc_file(const InitRequest& request) {
    const std::string name(role_name(request.hook.role));
    switch (request.hook.shell.kind) {
    case ShellKind::posix: return "/etc/profile.d/" + name + ".sh";
    case ShellKind::csh: return "/etc/profile.d/" + name + ".csh";
    case ShellKind::fish: return "/etc/fish/conf.d/" + name + ".fish";
    case ShellKind::xonsh: return "/etc/xonsh/rc.d/" + name + ".xsh";
    case ShellKind::powershell: return "/opt/microsoft/powershell/7/profile.ps1";
    case ShellKind::nushell: return "/usr/local/share/nushell/vendor/autoload/" + name + ".nu";
    }
    return {};
}

/// `. <root>/etc/profile.d/conda.sh` and `source <root>/bin/activate NAME` are in many scripts.
void add_conda_scripts(HookRequest hook, std::vector<InitStep>& steps) {
    const std::string root = hook.root_prefix;
    hook.shell = {ShellKind::posix, "posix"};
    hook.activate.clear();
    const auto script = shell_quoted(root + "/etc/profile.d/conda.sh");
    steps.push_back({InitStep::Kind::file, root + "/etc/profile.d/conda.sh", hook_text(hook), 0644, false});
    steps.push_back({InitStep::Kind::file, root + "/bin/activate",
                     "# To be sourced.\n\\. " + script + " || return $?\nconda activate \"$@\"\n", 0644, false});
    steps.push_back({InitStep::Kind::file, root + "/bin/deactivate",
                     "# To be sourced.\n\\. " + script + " || return $?\nconda deactivate\n", 0644, false});
}

/// mamba's root prefix is an environment from then on, which `list` and others can work with, and scripts source
/// `<root>/etc/profile.d/mamba.sh` and its like of other shells.
void add_mamba_files(HookRequest hook, std::vector<InitStep>& steps) {
    const std::string root = hook.root_prefix;
    steps.push_back({InitStep::Kind::file, root + "/conda-meta/history", {}, 0644, false});
    hook.activate.clear();
    const auto add = [&](const char* path) {
        steps.push_back({InitStep::Kind::file, root + path, hook_text(hook), 0644, true});
    };
    switch (hook.shell.kind) {
    case ShellKind::posix: return add("/etc/profile.d/mamba.sh");
    case ShellKind::csh: return add("/etc/profile.d/mamba.csh");
    case ShellKind::fish: return add("/etc/fish/conf.d/mamba.fish");
    case ShellKind::xonsh: return add("/etc/profile.d/mamba.xsh");
    case ShellKind::powershell: // mamba keeps theirs in <root>/condabin, for itself
    case ShellKind::nushell: return;
    }
}

InitStep program_link(const HookRequest& hook) {
    return {InitStep::Kind::link, hook.root_prefix + "/condabin/" + std::string(role_name(hook.role)), hook.executable,
            0755, true};
}

/// The file itself when `path` is a link: people keep their rc files elsewhere.
std::string resolved(const std::string& path) {
    char* real = ::realpath(path.c_str(), nullptr);
    std::string text = real == nullptr ? path : real;
    std::free(real); // NOLINT: realpath allocates with malloc
    return text;
}

Result<void> write_keeping_mode(const std::string& path, const std::string& text, mode_t mode) {
    struct stat status {};
    const bool there = ::stat(path.c_str(), &status) == 0;
    TAIPAN_CHECK(make_directories(std::string(parent_path(path))));
    TAIPAN_CHECK(write_file_atomic(path, text, there ? status.st_mode & 07777U : mode));
    if (!there) return {};
    if (::chmod(path.c_str(), status.st_mode & 07777U) != 0) return system_error(errno, "cannot set the mode of", path);
    // Only root can and need give it back to whom it belongs to.
    if (::geteuid() == 0 && ::chown(path.c_str(), status.st_uid, status.st_gid) != 0) {
        return system_error(errno, "cannot set the owner of", path);
    }
    return {};
}

Result<InitChange> apply_block(const InitStep& step, const BlockMarks& marks, bool reverse, bool dry_run) {
    const auto path = resolved(step.path);
    std::string old;
    if (exists(path)) {
        TAIPAN_TRY(old, read_file(path, std::uint64_t{16} << 20));
    }
    auto text = reverse ? without_block(old, marks) : with_block(old, marks, step.content);
    if (!text) return std::move(text).context("in " + path).error();
    if (*text == old) return InitChange::none;
    if (!dry_run) TAIPAN_CHECK(write_keeping_mode(path, *text, step.mode));
    return InitChange::modified;
}

Result<InitChange> apply_file(const InitStep& step, bool reverse, bool dry_run) {
    const bool there = exists(step.path);
    const auto old = there ? read_file(step.path, std::uint64_t{16} << 20) : Result<std::string>(std::string());
    const bool ours = there && old && *old == step.content;
    if (reverse && step.content.empty()) return InitChange::none; // nothing of ours is in it
    if (reverse ? !ours : (ours || (there && !step.replaces))) return InitChange::none;
    if (dry_run) return InitChange::modified;
    if (reverse) {
        if (::unlink(step.path.c_str()) != 0) return system_error(errno, "cannot remove", step.path);
    } else {
        TAIPAN_CHECK(write_keeping_mode(step.path, step.content, step.mode));
    }
    return InitChange::modified;
}

Result<InitChange> apply_link(const InitStep& step, bool reverse, bool dry_run) {
    struct stat status {};
    const bool there = ::lstat(step.path.c_str(), &status) == 0;
    std::string target(there && S_ISLNK(status.st_mode) ? static_cast<std::size_t>(status.st_size) + 1 : 0, '\0');
    const auto length = target.empty() ? -1 : ::readlink(step.path.c_str(), target.data(), target.size());
    target.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    // The program may lie there itself, and another tool's file is not ours to replace.
    const bool ours = !target.empty() && target == step.content;
    const bool foreign = there && !S_ISLNK(status.st_mode);
    if (reverse ? !ours : (ours || foreign || step.path == step.content)) return InitChange::none;
    if (dry_run) return InitChange::modified;
    TAIPAN_CHECK(make_directories(std::string(parent_path(step.path))));
    if (there && ::unlink(step.path.c_str()) != 0) return system_error(errno, "cannot remove", step.path);
    if (!reverse && ::symlink(step.content.c_str(), step.path.c_str()) != 0) {
        return system_error(errno, "cannot create", step.path);
    }
    return InitChange::modified;
}

} // namespace

std::vector<InitStep> plan_init(const InitRequest& request) {
    std::vector<InitStep> steps;
    const auto& hook = request.hook;
    steps.push_back(program_link(hook));
    if (hook.role == Role::conda && !request.condabin_only) add_conda_scripts(hook, steps);
    if (as_mamba(hook.role) && !request.condabin_only) add_mamba_files(hook, steps);
    if (hook.shell.kind == ShellKind::csh && !request.condabin_only) {
        steps.push_back({InitStep::Kind::file, dispatcher_path(hook), dispatcher_text(hook), 0644, true});
    }
    const auto block = request.condabin_only ? path_block_text(hook) : block_text(hook);
    if (request.user) steps.push_back({InitStep::Kind::block, user_rc_file(request), block, 0644, true});
    if (request.system) steps.push_back({InitStep::Kind::block, system_rc_file(request), block, 0644, true});
    return steps;
}

void make_installation_files(const Invocation& invocation, const Config& config) {
    const HookRequest hook = {{ShellKind::posix, "posix"},
                              invocation.role(),
                              invocation.executable,
                              config.root_prefix,
                              true,
                              config.changeps1,
                              {}};
    if (hook.role != Role::conda && hook.role != Role::mamba) return;
    const std::string history = hook.root_prefix + "/conda-meta/history";
    const std::string script = hook.root_prefix + "/etc/profile.d/" + std::string(role_name(hook.role)) + ".sh";
    if (exists(history) && exists(script)) return;
    std::vector<InitStep> steps;
    if (hook.role == Role::conda) {
        steps.push_back({InitStep::Kind::file, history, {}, 0644, false});
        add_conda_scripts(hook, steps);
    } else {
        add_mamba_files(hook, steps);
    }
    steps.push_back(program_link(hook));
    for (const auto& step : steps) {
        if (!apply_init(step, {}, false, false)) return; // the command that needs it will say so
    }
}

Result<InitChange> apply_init(const InitStep& step, const BlockMarks& marks, bool reverse, bool dry_run) {
    switch (step.kind) {
    case InitStep::Kind::block: return apply_block(step, marks, reverse, dry_run);
    case InitStep::Kind::file: return apply_file(step, reverse, dry_run);
    case InitStep::Kind::link: return apply_link(step, reverse, dry_run);
    }
    return InitChange::none;
}

} // namespace taipan::cli
