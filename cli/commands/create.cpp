#include <ctime>

#include <sys/stat.h>
#include <unistd.h>

#include "commands/transaction_command.hpp"
#include "prefix/prefix_data.hpp"

// `create` and `env create`: a new environment from specs or files. An environment that is there already is replaced
// when that is wanted; any other directory with something in it is left alone.

namespace taipan::cli {

namespace {

class Create : public TransactionCommand {
public:
    Options options() override {
        Options options = spec_argument("packages, e.g. python=3.11 'numpy>=1.26'");
        append(options, file_options());
        append(options, {{"--clone", &clone_, "ENV",
                          "copy this environment (name, or path with a /): its packages, and its files of no package",
                          "Packages"}});
        append(options, solve_options());
        append(options, {{"--no-default-packages",
                          &no_default_packages_,
                          {},
                          "leave out create_default_packages of the configuration",
                          "Packages"}});
        append(options, link_options());
        append(options, base_options());
        return options;
    }

    [[nodiscard]] std::string usage_error() const override {
        if (clone_ && !files_.files.empty()) return "--file and --clone exclude each other";
        if (clone_ && !specs_.empty()) return "--clone says all that will be installed; name no packages beside it";
        return TransactionCommand::usage_error();
    }

protected:
    [[nodiscard]] Action action() const override { return Action::create; }
    [[nodiscard]] WithoutTarget without_target(Role /*role*/) const override { return WithoutTarget::fail; }

    Result<void> prepare(Draft& draft) override {
        if (!common_.name.empty() || !common_.prefix.empty()) return {};
        for (const auto& file : draft.files) { // of several names the first, as with mamba
            if (common_.name.empty()) common_.name = file.name;
        }
        for (const auto& file : draft.files) {
            if (common_.name.empty() && !file.prefix.empty()) common_.prefix = file.prefix;
        }
        const bool makes_none = common_.dry_run || download_only_;
        if (common_.name.empty() && common_.prefix.empty() && makes_none && draft.files.empty()) {
            const auto temporary = draft.invocation.variable("TMPDIR"); // as with conda, nothing needs a name then
            common_.prefix = (temporary.empty() ? "/tmp" : temporary) + "/taipan-unused/unused-env-name";
        }
        return {};
    }

    /// Whether the environment may be made in a directory that has something in it. conda asks.
    [[nodiscard]] virtual Result<bool> fills_directories(Draft& draft) const {
        if (as_mamba(draft.invocation.role())) return draft.request.install.prefix == draft.config.root_prefix;
        if (draft.invocation.role() != Role::conda) return false;
        if (draft.config.always_yes) return true;
        Console& console = draft.invocation.console;
        console.print("WARNING: A directory already exists at the target location '" + draft.request.install.prefix +
                      "'\nbut it is not a conda environment.\n");
        return console.confirm("Continue creating environment?", false);
    }

    Result<bool> accept(Draft& draft) override {
        const std::string& prefix = draft.request.install.prefix;
        if (clone_) {
            TAIPAN_TRY(draft.request.install.clone_of, source_of_clone(draft));
        }
        // mamba's images begin with `create -n base` in a root prefix that is none yet.
        const bool first_base = as_mamba(draft.invocation.role()) && !is_environment(prefix);
        if (prefix == draft.config.root_prefix && common_.prefix.empty() && !first_base) {
            return make_error(ErrorCode::invalid_argument,
                              "'base' and 'root' name the root prefix and cannot be the name of a new environment");
        }
        if (!is_environment(prefix)) {
            if (is_empty_or_missing(prefix)) return true;
            const bool makes_none = draft.request.dry_run || draft.request.download_only;
            if (first_base && prefix == draft.config.root_prefix && makes_none) {
                draft.request.install.action = Action::install; // what would come into an empty one
                return true;
            }
            if (makes_none) return not_an_environment(prefix);
            TAIPAN_TRY(const bool fills, fills_directories(draft));
            if (fills) {
                // Programs put files of their own there first. They stay: packages come into an environment that is
                // there, so that undoing takes out packages and nothing else.
                TAIPAN_CHECK(require_writable(prefix));
                filled_ = prefix;
                TAIPAN_CHECK(create_environment(prefix, static_cast<double>(std::time(nullptr))));
                draft.request.install.action = Action::install;
                return true;
            }
            return not_an_environment(prefix);
        }
        if (draft.request.dry_run && draft.invocation.role() == Role::conda) {
            return make_error(ErrorCode::invalid_argument,
                              "Cannot `create --dry-run` with an existing conda environment");
        }
        draft.request.install.replace_existing = true;
        if (draft.request.dry_run || draft.request.download_only || draft.config.always_yes) return true;
        if (draft.config.json) {
            return make_error(ErrorCode::environment_exists,
                              "prefix already exists: " + prefix + "; say -y to have it removed and made anew");
        }
        Console& console = draft.invocation.console;
        console.print("WARNING: an environment exists already at '" + prefix +
                      "'.\nEverything in it will be removed, and it will be made anew.\n");
        TAIPAN_TRY(const bool yes, console.confirm("Remove it?", false));
        if (!yes) console.print_error("\nCondaSystemExit: Exiting.\n\n");
        return yes;
    }

    /// The directory with other files that has been made an environment; empty when there is none.
    std::string filled_;

private:
    static Error not_an_environment(const std::string& prefix) {
        return make_error(ErrorCode::not_an_environment,
                          "The target directory exists, but it is not a conda environment.\n  target directory: " +
                              prefix + "\nChoose another path, or move what is there out of the way.");
    }

    /// What --clone names, found and repaired as any environment that is opened.
    [[nodiscard]] Result<std::string> source_of_clone(const Draft& draft) const {
        CommonOptions options = common_;
        const bool is_path = clone_->find('/') != std::string::npos;
        options.name = is_path ? std::string() : *clone_;
        options.prefix = is_path ? *clone_ : std::string();
        TAIPAN_TRY(auto source, resolve_target(draft.invocation, options, draft.config, WithoutTarget::fail));
        TAIPAN_CHECK(require_environment(source));
        return source;
    }

    std::optional<std::string> clone_; ///< name or path of the environment to copy
};

class EnvCreate final : public Create {
public:
    Options options() override {
        Options options = Create::options();
        options.front() = {"definition", &specs_, "FILE", "environment file, when -f is not given", "Packages"};
        std::erase_if(options, [](const Option& option) { return option.names == "--clone"; });
        append(options, {{"--force", &common_.yes, {}, {}, "Output"}});
        return options;
    }

    Result<int> run(Invocation& invocation) override {
        if (!as_mamba(invocation.role())) { // to conda words are files, to mamba packages, and neither asks for nothing
            if (files_.files.empty() && specs_.empty()) files_.files.push_back(default_file(invocation));
            for (auto& file : specs_) files_.files.push_back(std::move(file));
            specs_.clear();
        }
        auto done = Create::run(invocation);
        if (!done && !filled_.empty()) take_back();
        return done;
    }

protected:
    [[nodiscard]] Result<bool> fills_directories(Draft& /*draft*/) const override { return true; }

    /// As with conda's, the file is the consent; but an environment is replaced only when that was said.
    Result<bool> accept(Draft& draft) override {
        const bool replace = draft.config.always_yes || draft.request.dry_run || draft.request.download_only;
        if (!replace && is_environment(draft.request.install.prefix)) {
            return make_error(ErrorCode::environment_exists,
                              "prefix already exists: " + draft.request.install.prefix +
                                  "; say -y to have it removed and made anew, or use `taipan env update`");
        }
        draft.config.always_yes = true;
        return Create::accept(draft);
    }

private:
    /// The directory is what it was when nothing has come into it: an environment with a history is left for the user.
    /// What cannot be removed is an empty environment, which does no harm.
    void take_back() const {
        const std::string records = filled_ + "/conda-meta";
        struct stat history {};
        if (::stat((records + "/history").c_str(), &history) != 0 || history.st_size > 0) return;
        for (const auto* name : {"/history", "/created_at"}) ::unlink((records + name).c_str());
        ::rmdir(records.c_str()); // fails when the user has files there
    }
};

} // namespace

std::unique_ptr<Command> make_create() { return std::make_unique<Create>(); }
std::unique_ptr<Command> make_env_create() { return std::make_unique<EnvCreate>(); }

} // namespace taipan::cli
