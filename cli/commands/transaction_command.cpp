#include "commands/transaction_command.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>

#include <sys/stat.h>

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "link/slim.hpp"
#include "model/match_spec.hpp"
#include "prefix/prefix_data.hpp"
#include "program/errors.hpp"
#include "screen/print_config.hpp"

namespace taipan::cli {

namespace {

bool asks_for(const std::vector<std::string>& specs, std::string_view name) {
    return std::any_of(specs.begin(), specs.end(), [&](const std::string& text) {
        const auto spec = MatchSpec::parse(text);
        return spec && spec->name() == name;
    });
}

} // namespace

Options TransactionCommand::base_options() {
    Options options = common_.prefix_options();
    append(options, common_.channel_options());
    append(options, common_.output_options());
    append(options, recording_.options());
    append(options, common_.consent_options());
    append(options, common_.config_options());
    append(options, {{"--print-config-only", &print_config_, {}, {}, "Output"}});
    return options;
}

Options TransactionCommand::file_options() {
    Options options = files_.options();
    append(options, {{"--use-uv", &use_uv_, {}, "install what is listed for pip with uv", "Packages"}});
    return options;
}

Options TransactionCommand::solve_options() {
    const std::string group = "Packages";
    return {
        {"--no-deps", &no_deps_, {}, "install exactly the named packages, whatever they need", group},
        {"--only-deps,--deps-only", &only_deps_, {}, "install what the named packages need, not themselves", group},
        {"--no-pin", &no_pin_, {}, "ignore pinned packages", group},
    };
}

Options TransactionCommand::update_options() {
    const std::string group = "Packages";
    return {
        {"--freeze-installed,--no-update-deps,--no-update-dependencies",
         &freeze_installed_,
         {},
         "change no other installed package, or fail",
         group},
        {"--update-deps,--update-dependencies", &update_deps_, {}, "update what the named packages need, too", group},
        {"-S,--satisfied-skip-solve", &skip_if_satisfied_, {}, "do nothing if what is installed fits already", group},
        {"--update-specs", &update_specs_, {}, "update the named packages (the default)", group},
        {"--prune", &prune_, {}, "remove packages that nothing asked for", group},
    };
}

Options TransactionCommand::link_options() {
    const std::string group = "Packages";
    Option slim{"--slim", &slim_, "GROUPS",
                "leave out what running programs do not need: static, headers, docs, tests, build (the default), pyc, "
                "conda-meta",
                group};
    slim.implied_value = "default";
    return {
        slim,
        {"--slim-exclude", &slim_exclude_, "GLOB", "leave out these paths, too; may be repeated", group},
        {"--slim-keep", &slim_keep_, "GLOB", "do not leave out these paths; may be repeated", group},
        {"--download-only", &download_only_, {}, "only bring the packages into the cache", group},
        {"--direct,--no-cache",
         &direct_,
         {},
         "unpack packages straight into the environment, keep nothing in a cache",
         group},
        {"--no-direct", &direct_, {}, "fail if no package cache can be written", group, false},
        {"--reproducible",
         &reproducible_,
         {},
         "the same packages give the same tree, bit for bit (as with SOURCE_DATE_EPOCH)",
         group},
        {"--copy,--always-copy", &copy_, {}, "copy files, do not link them to the cache", group},
        {"--no-always-copy", &copy_, {}, {}, group, false},
        {"--allow-softlinks", &allow_softlinks_, {}, "link symbolically where hard links are not possible", group},
        {"--no-allow-softlinks", &allow_softlinks_, {}, {}, group, false},
        {"--always-softlink", &always_softlink_, {}, "link symbolically to the cache", group},
        {"--no-always-softlink", &always_softlink_, {}, {}, group, false},
        {"--clobber", &clobber_, {}, "let packages overwrite files of others without a word", group},
        {"--safety-checks", &safety_checks_, "WORD", "disabled, warn or enabled: check packages before linking", group},
        {"--extra-safety-checks", &extra_safety_checks_, {}, "compute the hash of every linked file", group},
        {"--no-extra-safety-checks", &extra_safety_checks_, {}, {}, group, false},
        {"--pyc", &pyc_, {}, "compile Python files (the default)", group},
        {"--no-pyc", &pyc_, {}, "do not compile Python files", group, false},
        {"--skip-run-link-scripts",
         &skip_link_scripts_,
         {},
         "do not run link scripts of packages, only name them",
         group},
        {"--run-link-scripts", &skip_link_scripts_, {}, {}, group, false},
    };
}

Options TransactionCommand::spec_argument(std::string help) {
    return {{"specs", &specs_, "SPEC", std::move(help), "Packages"}};
}

std::string TransactionCommand::usage_error() const {
    if (direct_.value_or(false) && download_only_) {
        return "--direct and --download-only exclude each other: there would be nothing to download into";
    }
    return common_.usage_error();
}

std::string_view TransactionCommand::error_name(ErrorCode code) const {
    if (pip_failed_ && code != ErrorCode::cancelled) return "CondaEnvException";
    if (action() == Action::remove && code == ErrorCode::package_not_found) return "PackagesNotFoundInPrefixError";
    return {};
}

/// What one file adds to the request.
void TransactionCommand::take_file(Draft& draft, RequestFile& file, std::vector<std::string>& channels) {
    auto& request = draft.request;
    auto& install = request.install;
    install.specs.insert(install.specs.end(), file.dependencies.begin(), file.dependencies.end());
    install.locked.insert(install.locked.end(), file.locked.begin(), file.locked.end());
    install.from_lock = install.from_lock || file.kind == RequestFile::Kind::lock;
    channels.insert(channels.end(), file.channels.begin(), file.channels.end());
    request.notes.insert(request.notes.end(), file.warnings.begin(), file.warnings.end());
    if (!common_.no_env || !as_mamba(draft.invocation.role())) // mamba's --no-env leaves them out
        request.variables.insert(request.variables.end(), file.variables.begin(), file.variables.end());
    if (file.pip.empty()) return;
    PipPart part;
    part.lines = file.pip;
    part.no_deps = file.pip_no_deps;
    const bool is_file = file.path.find("://") == std::string::npos && file.path != "standard input";
    part.directory = is_file ? std::string(parent_path(absolute_path(expand_home(file.path, draft.config.home),
                                                                     draft.config.working_directory)))
                             : draft.config.working_directory;
    request.pip.parts.push_back(std::move(part));
}

/// What installs the `pip:` parts has to be in the environment itself.
void TransactionCommand::add_pip_package(Draft& draft) const {
    auto& request = draft.request;
    auto& specs = request.install.specs;
    if (request.pip.empty()) return;
    // As with micromamba: who asks for uv in the file wants it to be used.
    request.pip.use_uv = use_uv_ || draft.config.use_uv || asks_for(specs, "uv");
    const bool by_url = request.install.from_lock ||
                        std::any_of(draft.files.begin(), draft.files.end(),
                                    [](const auto& f) { return f.kind == RequestFile::Kind::explicit_urls; });
    const std::string name = request.pip.use_uv ? "uv" : "pip";
    if (by_url || asks_for(specs, name)) return;
    request.notes.emplace_back("the file has a 'pip:' part, but '" + name +
                               "' is not among its dependencies; it is added");
    specs.insert(specs.begin(), name);
}

Result<void> TransactionCommand::fill_request(Draft& draft) {
    auto& request = draft.request;
    auto& install = request.install;
    // mamba passes over empty words, which scripts give it: setup-micromamba for arguments that nobody set.
    if (as_mamba(draft.invocation.role())) std::erase(specs_, "");
    install.specs = specs_;
    std::vector<std::string> channels;
    bool nodefaults = false;
    for (auto& file : draft.files) {
        take_file(draft, file, channels);
        nodefaults = nodefaults || file.nodefaults;
    }
    if (install.from_lock && !specs_.empty()) {
        return make_error(ErrorCode::invalid_argument,
                          "a lock file says all that will be installed; name no packages beside it");
    }
    add_pip_package(draft);
    install.action = action();
    install.channels = request_channels(common_, draft.config, channels, nodefaults);
    install.command_line = draft.invocation.command_line();
    if (revision_) {
        std::size_t number = 0;
        const char* const end = revision_->data() + revision_->size();
        const auto [stop, error] = std::from_chars(revision_->data(), end, number);
        if (error != std::errc() || stop != end) {
            return make_error(ErrorCode::invalid_argument, "--revision takes a number, not '" + *revision_ + "'");
        }
        install.revision = number;
    }
    install.python_brings_pip = draft.invocation.role() != Role::conda;
    install.no_deps = no_deps_;
    install.only_deps = only_deps_;
    install.freeze_installed = freeze_installed_;
    install.force_reinstall = force_reinstall_;
    install.update_all = update_all_;
    install.prune = prune_;
    install.update_deps = update_deps_;
    install.skip_if_satisfied = skip_if_satisfied_;
    install.no_pin = no_pin_;
    install.no_default_packages = no_default_packages_;
    request.dry_run = common_.dry_run;
    request.recording = recording_;
    request.download_only = download_only_;
    return {};
}

/// SOURCE_DATE_EPOCH asks for the same tree at any time, as it does with other tools.
Result<void> TransactionCommand::apply_to_config(const Invocation& invocation, Config& config) const {
    const std::string epoch = invocation.variable("SOURCE_DATE_EPOCH");
    config.reproducible = reproducible_ || !epoch.empty();
    if (!epoch.empty()) {
        std::int64_t seconds = 0;
        const char* const end = epoch.data() + epoch.size();
        const auto [stop, error] = std::from_chars(epoch.data(), end, seconds);
        if (error != std::errc() || stop != end || seconds < 0) {
            return make_error(ErrorCode::invalid_argument,
                              "SOURCE_DATE_EPOCH must be a number of seconds, not '" + epoch + "'");
        }
        config.source_date_epoch = seconds;
    }
    // What is created from here on has the same mode for everybody.
    if (config.reproducible) static_cast<void>(::umask(022));

    if (copy_) config.always_copy = *copy_;
    if (allow_softlinks_) config.allow_softlinks = *allow_softlinks_;
    if (always_softlink_) config.always_softlink = *always_softlink_;
    if (clobber_) config.path_conflict = "clobber";
    if (safety_checks_) TAIPAN_CHECK(set_config_key(config, "safety_checks", *safety_checks_));
    if (extra_safety_checks_) config.extra_safety_checks = *extra_safety_checks_;
    if (pyc_) config.compile_pyc = *pyc_;
    if (skip_link_scripts_) config.skip_run_link_scripts = *skip_link_scripts_;
    if (direct_) config.direct = direct_;
    if (!slim_.empty()) config.slim = split_list(slim_, ',');
    config.slim_exclude.insert(config.slim_exclude.end(), slim_exclude_.begin(), slim_exclude_.end());
    config.slim_keep.insert(config.slim_keep.end(), slim_keep_.begin(), slim_keep_.end());
    TAIPAN_TRY(const SlimRules slim, SlimRules::make(config.slim, config.slim_exclude, config.slim_keep));
    if (slim.has("pyc")) config.compile_pyc = false;
    return {};
}

Result<void> TransactionCommand::open_base(Draft& draft) const {
    auto& install = draft.request.install;
    const bool goes_in = install.action == Action::install || install.action == Action::update;
    if (!goes_in || is_environment(install.prefix)) return {};
    const bool of_mamba = as_mamba(draft.invocation.role()) && is_directory(install.prefix + "/conda-meta");
    if (install.prefix != draft.config.root_prefix && !of_mamba) return {};
    if (draft.request.dry_run || draft.request.download_only) return {};
    TAIPAN_CHECK(require_writable(install.prefix));
    return create_environment(install.prefix, static_cast<double>(std::time(nullptr)));
}

Result<int> TransactionCommand::show_understood(Draft& draft) {
    const auto& install = draft.request.install;
    const bool is_base = install.prefix == draft.config.root_prefix;
    if (install.action != Action::create && !is_base && !is_directory(install.prefix + "/conda-meta")) {
        TAIPAN_CHECK(require_environment(install.prefix));
    }
    UnderstoodRequest understood{install.action, install.prefix, common_.name, {}, install.specs, install.channels};
    bool is_list = false;
    for (const auto& file : draft.files) {
        if (understood.file_name.empty()) understood.file_name = file.name;
        // mamba tells of the first list of URLs and of nothing beside it.
        if (file.kind != RequestFile::Kind::explicit_urls || is_list) continue;
        understood.specs = file.dependencies;
        is_list = true;
    }
    draft.invocation.console.print(understood_config(draft.config, understood));
    return exit_success;
}

Result<int> TransactionCommand::run(Invocation& invocation) {
    Draft draft{invocation, {}, {}, {}};
    TAIPAN_TRY(draft.config, load_settings_for_output(invocation, common_, json_));
    TAIPAN_TRY(draft.files, read_request_files(files_, draft.config));
    if (as_mamba(invocation.role())) { // a name has to be one, whether it is used or not
        for (const auto& file : draft.files)
            if (!file.name.empty()) TAIPAN_CHECK(validate_environment_name(file.name, invocation.role()));
    }
    TAIPAN_CHECK(prepare(draft));
    TAIPAN_TRY(const std::string prefix,
               resolve_target(invocation, common_, draft.config, without_target(invocation.role())));
    TAIPAN_TRY(draft.config, load_settings_for_prefix(invocation, common_, prefix, std::move(draft.config)));
    TAIPAN_CHECK(apply_to_config(invocation, draft.config));
    draft.request.install.prefix = prefix;
    TAIPAN_CHECK(fill_request(draft));
    if (print_config_) return show_understood(draft);
    TAIPAN_TRY(const bool go_on, accept(draft));
    if (go_on) TAIPAN_CHECK(open_base(draft));
    if (!go_on) return exit_success;
    if (!draft.request.dry_run && !draft.request.download_only) TAIPAN_CHECK(require_writable(prefix));
    TransactionOutcome outcome;
    auto done = run_transaction(invocation, std::move(draft.config), draft.request, outcome);
    pip_failed_ = outcome.pip_failed;
    if (!done) {
        if (done.error().code == ErrorCode::package_not_found) add_prefix(done.error(), prefix);
        return std::move(done).error();
    }
    return outcome.exit_code;
}

} // namespace taipan::cli
