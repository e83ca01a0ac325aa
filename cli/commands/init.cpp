#include <algorithm>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "program/common_options.hpp"
#include "shell/init_plan.hpp"

// `init` (conda's words) and `shell init`, `shell deinit`, `shell reinit` (mamba's): the same work on the shells'
// files.

namespace taipan::cli {

namespace {

const std::string init_group = "What to do";

class InitBase : public Command {
public:
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

protected:
    Options init_options() {
        Options options = {
            {"-d,--dry-run", &common_.dry_run, {}, "show what would be changed, and change nothing", init_group},
            {"-r,--root-prefix", &common_.root_prefix, "PATH",
             "where environments and packages are kept (MAMBA_ROOT_PREFIX)", "Environment"},
        };
        append(options, common_.config_options());
        append(options, common_.output_options());
        append(options, {{"-y,--yes", &common_.yes, {}, {}, "Output"}});
        return options;
    }

    Result<int> apply(Invocation& invocation, const std::vector<Shell>& shells, bool reverse) {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        std::vector<std::pair<std::string, InitChange>> changes;
        for (const auto& shell : shells) {
            request_.hook = {
                shell, invocation.role(), invocation.executable, config.root_prefix, true, config.changeps1, {}};
            request_.home = config.home;
            request_.environment = config.environment;
            const auto marks = block_marks(shell.kind, block_word(invocation.role()));
            for (const auto& step : plan_init(request_)) {
                const bool seen = std::any_of(changes.begin(), changes.end(),
                                              [&](const auto& one) { return one.first == step.path; });
                if (seen) continue;
                TAIPAN_TRY(const auto change, apply_init(step, marks, reverse, common_.dry_run));
                changes.emplace_back(step.path, change);
                if (config.verbosity > 0 && change == InitChange::modified && !config.json) {
                    invocation.console.print(step.path + (reverse ? " loses:\n" : " gets:\n") + step.content + "\n");
                }
            }
        }
        report(invocation, config, changes);
        return exit_success;
    }

    CommonOptions common_;
    InitRequest request_;

private:
    void report(Invocation& invocation, const Config& config,
                const std::vector<std::pair<std::string, InitChange>>& changes) const {
        if (config.json) {
            JsonWriter json;
            json.begin_object().member("success", true).member("dry_run", common_.dry_run);
            json.key("modified").begin_array();
            for (const auto& [path, change] : changes) {
                if (change == InitChange::modified) json.value(path);
            }
            invocation.console.print(json.end_array().end_object().take() + "\n");
            return;
        }
        bool modified = false;
        for (const auto& [path, change] : changes) {
            modified = modified || change == InitChange::modified;
            invocation.console.print((change == InitChange::modified ? "modified      " : "no change     ") + path +
                                     "\n");
        }
        invocation.console.print(modified
                                     ? "\n==> For changes to take effect, close and re-open your current shell. <==\n\n"
                                     : "No action taken.\n");
    }
};

class Init final : public InitBase {
public:
    Options options() override {
        Options options = {
            {"shells", &shells_, "SHELL", "the shells to set up; the one that this is called from when left out",
             init_group},
            {"--all", &all_, {}, "set up every shell that there is support for", init_group},
            {"--user", &request_.user, {}, "set up the current user (the default)", init_group},
            {"--no-user", &request_.user, {}, "leave the current user alone", init_group, false},
            {"--system", &request_.system, {}, "set up all users of this machine", init_group},
            {"--condabin",
             &request_.condabin_only,
             {},
             "only put the command on PATH, without the shell's function",
             init_group},
            {"--reverse", &reverse_, {}, "undo what init did", init_group},
            {"--install", &ignored_, {}, {}, init_group},
            {"--dev", &ignored_, {}, {}, init_group},
        };
        append(options, init_options());
        return options;
    }

    Result<int> run(Invocation& invocation) override {
        if (all_) shells_ = {"bash", "fish", "tcsh", "xonsh", "zsh", "powershell"}; // conda's list
        std::vector<Shell> shells;
        for (const auto& name : shells_) {
            TAIPAN_TRY(auto shell, find_shell(name));
            shells.push_back(std::move(shell));
        }
        if (shells.empty()) {
            // conda sets up bash whatever shell there is.
            auto shell = invocation.role() == Role::conda ? find_shell("bash") : guess_shell(invocation.environment);
            if (!shell) shell = find_shell("bash");
            shells.push_back(*std::move(shell));
        }
        return apply(invocation, shells, reverse_);
    }

private:
    std::vector<std::string> shells_;
    bool all_ = false, reverse_ = false, ignored_ = false;
};

class ShellInit final : public InitBase {
public:
    explicit ShellInit(bool reverse) : reverse_(reverse) {}
    Options options() override {
        Options options = {
            {"-s,--shell", &shell_, "SHELL", "the shell to set up; else the one that this is called from", init_group},
            {"root_prefix", &common_.root_prefix, "ROOT_PREFIX", "the same as -r", "Environment"},
            {"-p,--prefix", &common_.root_prefix, "PATH", {}, "Environment"}, // mamba 1
        };
        append(options, init_options());
        return options;
    }
    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto shell, shell_.empty() ? guess_shell(invocation.environment) : find_shell(shell_));
        return apply(invocation, {std::move(shell)}, reverse_);
    }

private:
    bool reverse_;
    std::string shell_;
};

/// Writes the blocks that there are anew, for a program that has moved.
class ShellReinit final : public InitBase {
public:
    Options options() override { return init_options(); }
    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        std::vector<Shell> shells;
        for (const auto name : shell_names()) {
            TAIPAN_TRY(auto shell, find_shell(name));
            request_.hook = {shell, invocation.role(), invocation.executable, config.root_prefix, true, true, {}};
            request_.home = config.home;
            request_.environment = config.environment;
            const auto file = plan_init(request_).back().path;
            const auto content = read_file(file, std::uint64_t{16} << 20);
            const auto marks = block_marks(shell.kind, block_word(invocation.role()));
            if (content && content->find(marks.begin) != std::string::npos) shells.push_back(std::move(shell));
        }
        return apply(invocation, shells, false);
    }
};

} // namespace

std::unique_ptr<Command> make_init() { return std::make_unique<Init>(); }
std::unique_ptr<Command> make_shell_init() { return std::make_unique<ShellInit>(false); }
std::unique_ptr<Command> make_shell_deinit() { return std::make_unique<ShellInit>(true); }
std::unique_ptr<Command> make_shell_reinit() { return std::make_unique<ShellReinit>(); }

} // namespace taipan::cli
