#include <algorithm>

#include "commands/transaction_command.hpp"
#include "model/match_spec.hpp"
#include "prefix/prefix_data.hpp"
#include "screen/package_json.hpp"

// `install`, `update` and `env update`: changes of an environment that exists.

namespace taipan::cli {

namespace {

class Install : public TransactionCommand {
public:
    Options options() override {
        Options options = spec_argument("packages, e.g. numpy=1.26 'scipy>=1.11'");
        append(options, file_options());
        append(options, solve_options());
        append(options, update_options());
        append(options,
               {
                   {"--force-reinstall",
                    &force_reinstall_,
                    {},
                    "link the named packages again even if nothing changes",
                    "Packages"},
                   {"--update-all,--all", &update_all_, {}, "update every other package, too", "Packages"},
                   {"--revision", &revision_, "N", "go to this state of `taipan list --revisions`", "Packages"},
               });
        append(options, link_options());
        append(options, base_options());
        return options;
    }

    [[nodiscard]] std::string usage_error() const override {
        if (revision_ && !(specs_.empty() && files_.files.empty())) {
            return "--revision says all that will be installed; name no packages beside it";
        }
        return TransactionCommand::usage_error();
    }

protected:
    [[nodiscard]] Action action() const override { return Action::install; }

    /// mamba goes to the environment that the file names.
    Result<void> prepare(Draft& draft) override {
        if (!as_mamba(draft.invocation.role()) || !common_.name.empty() || !common_.prefix.empty()) return {};
        for (const auto& file : draft.files) {
            if (!file.name.empty()) common_.name = file.name;
        }
        return {};
    }

    Result<bool> accept(Draft& draft) override {
        if (revision_) return true;
        const auto& install = draft.request.install;
        if (!install.specs.empty() || install.from_lock || force_reinstall_) return true;
        if (as_mamba(draft.invocation.role())) {
            if (!draft.config.json) draft.invocation.console.print("Nothing to do.\n");
            return false;
        }
        return make_error(ErrorCode::invalid_argument,
                          "too few arguments: name at least one package, or a file with -f");
    }
};

class Update final : public TransactionCommand {
public:
    Options options() override {
        Options options = spec_argument("names of installed packages");
        append(options, file_options());
        append(options, {{"-a,--all,--update-all", &update_all_, {}, "update every package", "Packages"},
                         {"--force-reinstall",
                          &force_reinstall_,
                          {},
                          "link the named packages again even if they are there",
                          "Packages"}});
        append(options, solve_options());
        append(options, update_options());
        append(options, link_options());
        append(options, base_options());
        return options;
    }

protected:
    [[nodiscard]] Action action() const override { return Action::update; }
    static Result<void> leave_out_missing(InstallRequest& install);
    static bool nothing_to_update(Draft& draft);
    static bool leave_out_programs(Draft& draft);

    Result<bool> accept(Draft& draft) override {
        auto& install = draft.request.install;
        if (leave_out_programs(draft)) return nothing_to_update(draft);
        if (as_mamba(draft.invocation.role()) && !install.from_lock && !update_all_ && !install.specs.empty()) {
            TAIPAN_CHECK(leave_out_missing(install));
            if (install.specs.empty()) return nothing_to_update(draft);
        }
        if (!install.specs.empty() || install.from_lock || update_all_) return true;
        return make_error(ErrorCode::invalid_argument, "no package names supplied: name at least one, or say --all");
    }
};

/// conda refuses to update what is not installed, mamba passes over it.
Result<void> Update::leave_out_missing(InstallRequest& install) {
    TAIPAN_TRY(const auto data, load_prefix(install.prefix, RecordDetail::identity));
    std::vector<std::string> there;
    for (const auto& text : install.specs) {
        TAIPAN_TRY(const auto spec, MatchSpec::parse(text));
        if (std::any_of(data.records.begin(), data.records.end(),
                        [&](const PrefixRecord& record) { return spec.matches_name(record.package.name); }))
            there.push_back(text);
    }
    install.specs = std::move(there);
    return {};
}

bool Update::nothing_to_update(Draft& draft) {
    const std::string message = "All requested packages already installed";
    PlanDocument document{nullptr, draft.request.install.prefix, message, draft.request.dry_run};
    document.as_mamba = true;
    Console& console = draft.invocation.console;
    if (draft.config.json)
        console.print(plan_json(document, draft.config.channel_settings));
    else if (!draft.config.quiet)
        console.print("\n# " + message + "\n\n");
    return false;
}

/// `conda update -n base conda` is in many Dockerfiles. The program that it means is this one, which no environment
/// has. True when nothing else is asked for.
bool Update::leave_out_programs(Draft& draft) {
    auto& specs = draft.request.install.specs;
    const auto& prefix = draft.request.install.prefix;
    if (draft.invocation.role() == Role::taipan || prefix != draft.config.root_prefix || specs.empty()) return false;
    const auto is_program = [&](const std::string& text) {
        const auto spec = MatchSpec::parse(text);
        const auto& name = spec ? spec->name() : text;
        if (name != "conda" && name != "mamba" && name != "micromamba") return false;
        const auto data = load_prefix(prefix, RecordDetail::identity);
        return !data || std::none_of(data->records.begin(), data->records.end(),
                                     [&](const PrefixRecord& record) { return record.package.name == name; });
    };
    const auto left =
        std::stable_partition(specs.begin(), specs.end(), [&](const auto& text) { return !is_program(text); });
    if (left == specs.end()) return false;
    for (auto spec = left; spec != specs.end(); ++spec)
        draft.invocation.console.print_error("note: " + *spec +
                                             " is taipan here, which is updated as it was installed\n");
    specs.erase(left, specs.end());
    return specs.empty() && !draft.request.install.update_all && !draft.request.install.from_lock;
}

class EnvUpdate final : public Install {
public:
    Options options() override {
        Options options = Install::options();
        options.front() = {"definition", &specs_, "FILE", "environment file, when -f is not given", "Packages"};
        return options;
    }

    Result<int> run(Invocation& invocation) override {
        if (files_.files.empty() && specs_.empty()) files_.files.push_back(default_file(invocation));
        for (auto& file : specs_) files_.files.push_back(std::move(file));
        specs_.clear();
        common_.yes = true; // as with conda's: the file is the consent
        return Install::run(invocation);
    }

protected:
    Result<void> prepare(Draft& draft) override {
        for (const auto& file : draft.files) {
            if (common_.name.empty() && common_.prefix.empty()) common_.name = file.name;
        }
        return {};
    }
    Result<bool> accept(Draft& draft) override {
        draft.request.empty_is_fine = true;
        // conda makes the environment when there is none; CI actions rely on it.
        const auto& prefix = draft.request.install.prefix;
        if (!as_mamba(draft.invocation.role()) && !is_environment(prefix) && is_empty_or_missing(prefix)) {
            draft.request.install.action = Action::create;
        }
        // As in conda and mamba, pruning makes the environment what the file says.
        draft.request.install.only_requested = draft.request.install.prune;
        return true;
    }
};

} // namespace

std::unique_ptr<Command> make_install() { return std::make_unique<Install>(); }
std::unique_ptr<Command> make_update() { return std::make_unique<Update>(); }
std::unique_ptr<Command> make_env_update() { return std::make_unique<EnvUpdate>(); }

} // namespace taipan::cli
