#include <algorithm>
#include <filesystem>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "commands/lock_hash.hpp"
#include "commands/lock_update.hpp"
#include "config/expand.hpp"
#include "config/yaml_value.hpp"
#include "flow/plan.hpp"
#include "model/match_spec.hpp"
#include "program/common_options.hpp"
#include "requests/request_files.hpp"
#include "screen/lock_text.hpp"
#include "screen/text.hpp"
#include "screen/watched_run.hpp"

// `lock`: solves environment files, for each platform by itself, and writes down what comes out. The result depends on
// the files, the channels and the platform, not on this machine: virtual packages have fixed versions (those that
// conda-lock takes), and neither pins nor default packages of the configuration count.

namespace taipan::cli {

namespace {

constexpr std::string_view main_category = "main", platform_mark = "{platform}";

/// The machine that packages are locked for (conda-lock's defaults).
std::map<std::string, std::string> assumed_machine(std::string_view subdir) {
    std::map<std::string, std::string> facts;
    if (subdir.starts_with("linux-")) facts = {{"__linux", "5.10"}, {"__glibc", "2.28"}, {"__cuda", "11.4"}};
    if (subdir.starts_with("osx-")) facts = {{"__osx", "11.0"}};
    if (subdir.starts_with("win-")) facts = {{"__win", "0"}, {"__cuda", "11.4"}};
    const std::string arch = subdir == "linux-64" || subdir == "osx-64" || subdir == "win-64"
                                 ? "x86_64"
                                 : std::string(subdir.substr(std::min(subdir.find('-') + 1, subdir.size())));
    if (!facts.empty()) facts.emplace("__archspec", arch);
    return facts;
}

/// What one platform is asked for.
struct PlatformRequest {
    std::vector<std::string> specs, channels;
    std::map<std::string, std::set<std::string>> categories; ///< by name
    std::map<std::string, std::string> machine;

    [[nodiscard]] HashedRequest hashed(const std::string& subdir) const {
        HashedRequest request{subdir, {}, specs, categories, machine};
        for (const auto& channel : channels) request.channels.push_back(without_credentials(channel));
        return request;
    }
};

class Lock final : public Command {
public:
    Options options() override {
        const std::string group = "Lock";
        Options options = {
            {"specs", &specs_, "SPEC", "packages to lock beside those of the files", group},
            {"-f,--file", &files_.files, "FILE", "environment.yml or list of specs; may be repeated", group},
            {"-p,--platform,--subdir", &platforms_, "SUBDIR",
             "a platform to lock for; may be repeated (default: `platforms:` of the files, or this machine's)", group},
            {"-o,--output,--lockfile", &output_, "FILE",
             "the file to write (default: conda-lock.yml); - is standard output", group},
            {"--explicit",
             &explicit_,
             {},
             "write an @EXPLICIT list for each platform (default: conda-{platform}.lock)",
             group},
            {"--category", &files_.categories, "NAME", "with --explicit: take this category, too; may be repeated",
             group},
            {"--update", &update_, "NAME", "keep what the lock file has, and update only this package; may be repeated",
             group},
            {"--check", &check_, {}, "only say whether the lock file is what its sources ask for now", group},
            {"--with-cuda", &cuda_, "VERSION", "assume this version of CUDA (default: 11.4)", group},
            {"--without-cuda", &without_cuda_, {}, "assume a machine without CUDA", group},
            {"--virtual-package", &virtual_packages_, "NAME=VERSION",
             "assume another version of this virtual package, e.g. __glibc=2.36; may be repeated", group},
            {"--virtual-package-spec", &virtual_spec_, "FILE", "assume the virtual packages of conda-lock's YAML file",
             group},
            {"--no-pip", &no_pip_, {}, "leave out `pip:` parts, which cannot be locked", group},
            {"-r,--root-prefix", &common_.root_prefix, "PATH", "where indexes are kept", group},
        };
        Options channels = common_.channel_options();
        std::erase_if(channels, [](const Option& option) { return option.names == "--platform,--subdir"; });
        append(options, std::move(channels));
        append(options, common_.output_options());
        append(options, common_.consent_options());
        append(options, common_.config_options());
        return options;
    }

    [[nodiscard]] std::string usage_error() const override {
        if (cuda_ && without_cuda_) return "--with-cuda and --without-cuda exclude each other";
        if (!update_.empty() && (check_ || explicit_))
            return "--update changes conda-lock.yml, and goes with neither "
                   "--check nor --explicit";
        if (check_ && explicit_) return "--check is about conda-lock.yml; --explicit is not for it";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return json_; }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(config_, load_settings_for_output(invocation, common_, json_));
        if (files_.files.empty() && specs_.empty()) files_.files.push_back(default_file(invocation));
        TAIPAN_CHECK(choose_platforms());
        TAIPAN_CHECK(note_sources());
        std::vector<PlatformRequest> requests;
        for (const auto& subdir : platforms_) {
            TAIPAN_TRY(auto request, read_request(subdir));
            requests.push_back(std::move(request));
        }
        if (check_) return check(invocation, requests);
        TAIPAN_TRY(const auto document, solve(invocation, requests));
        TAIPAN_CHECK(write(invocation, document));
        return exit_success;
    }

private:
    Result<std::vector<RequestFile>> read_files(const std::string& subdir) const {
        Config config = config_;
        config.subdir = subdir;
        RequestFileOptions options = files_;
        options.categories.clear();
        options.comment_selectors = true;
        TAIPAN_TRY(auto files, read_request_files(options, config));
        for (const auto& file : files) {
            if (file.kind == RequestFile::Kind::lock || file.kind == RequestFile::Kind::explicit_urls) {
                return make_error(ErrorCode::invalid_argument,
                                  file.path + " is locked already; name the file that says what is wanted");
            }
        }
        return files;
    }

    /// From the command line, else from the files, else this machine's. Sorted, since the file is.
    Result<void> choose_platforms() {
        if (platforms_.empty()) {
            TAIPAN_TRY(const auto files, read_files(config_.subdir));
            for (const auto& file : files)
                platforms_.insert(platforms_.end(), file.platforms.begin(), file.platforms.end());
        }
        if (platforms_.empty()) platforms_.push_back(config_.subdir);
        std::sort(platforms_.begin(), platforms_.end());
        platforms_.erase(std::unique(platforms_.begin(), platforms_.end()), platforms_.end());
        for (const auto& subdir : platforms_) {
            if (is_known_subdir(subdir) && subdir != "noarch") continue;
            return make_error(ErrorCode::invalid_argument,
                              "unknown platform '" + subdir + "'; write it as in linux-64 or osx-arm64");
        }
        return {};
    }

    [[nodiscard]] std::string absolute(const std::string& path) const {
        return absolute_path(expand_home(path, config_.home), config_.working_directory);
    }
    [[nodiscard]] std::string output() const {
        if (!output_.empty()) return output_;
        return explicit_ ? "conda-{platform}.lock" : "conda-lock.yml";
    }

    /// Relative to the lock file, as conda-lock has them.
    Result<void> note_sources() {
        const std::filesystem::path directory(output() == "-" ? config_.working_directory
                                                              : std::string(parent_path(absolute(output()))));
        for (const auto& word : files_.files) {
            const bool is_path = word != "-" && word.find("://") == std::string::npos;
            sources_.push_back(is_path ? std::filesystem::path(absolute(word)).lexically_relative(directory).string()
                                       : without_credentials(word));
        }
        return {};
    }

    /// The machine to lock for: what conda-lock assumes, then the configuration, the environment, and the options.
    Result<std::map<std::string, std::string>> machine_of(const std::string& subdir) const {
        auto machine = assumed_machine(subdir);
        for (const auto& [name, version] : config_.override_virtual_packages)
            machine[name.starts_with("__") ? name : "__" + name] = version;
        constexpr std::string_view override_mark = "CONDA_OVERRIDE_";
        for (const auto& [variable, version] : config_.environment) {
            if (!variable.starts_with(override_mark)) continue;
            std::string name = "__" + variable.substr(override_mark.size());
            for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            machine[name] = version;
        }
        TAIPAN_CHECK(read_virtual_spec(subdir, machine));
        if (cuda_ && machine.contains("__cuda")) machine["__cuda"] = *cuda_;
        if (without_cuda_) machine["__cuda"] = "";
        for (const auto& text : virtual_packages_) {
            const std::size_t sign = text.find('=');
            if (!text.starts_with("__") || sign == std::string::npos) {
                return make_error(ErrorCode::invalid_argument,
                                  "--virtual-package takes a name and a version as in __glibc=2.36, not '" + text +
                                      "'");
            }
            machine[text.substr(0, sign)] = text.substr(sign + 1);
        }
        return machine;
    }

    /// `subdirs: {linux-64: {packages: {__glibc: 2.17}}}`: replaces what would be assumed.
    Result<void> read_virtual_spec(const std::string& subdir, std::map<std::string, std::string>& machine) const {
        if (!virtual_spec_) return {};
        TAIPAN_TRY(const auto text, read_file(absolute(*virtual_spec_)));
        TAIPAN_TRY(const auto document, parse_yaml(text, *virtual_spec_));
        const auto* const subdirs = document.find("subdirs");
        const auto* const mine = subdirs == nullptr ? nullptr : subdirs->find(subdir);
        const auto* const packages = mine == nullptr ? nullptr : mine->find("packages");
        if (packages == nullptr || !packages->is_map()) return {};
        for (auto& [name, version] : machine) version.clear();
        for (const auto& [name, version] : packages->members) {
            // __archspec has the interesting part in its build: "1 x86_64".
            const std::string value(trimmed(version.text));
            const std::size_t blank = value.rfind(' ');
            machine[name] = blank == std::string::npos ? value : value.substr(blank + 1);
        }
        return {};
    }

    Result<PlatformRequest> read_request(const std::string& subdir) {
        PlatformRequest request;
        TAIPAN_TRY(request.machine, machine_of(subdir));
        TAIPAN_TRY(const auto files, read_files(subdir));
        std::vector<std::string> channels;
        bool nodefaults = false;
        for (const auto& file : files) {
            if (!file.pip.empty() && !no_pip_) {
                return make_error(ErrorCode::invalid_argument,
                                  file.path + " has a 'pip:' part, which cannot be locked without asking PyPI; say "
                                              "--no-pip to leave it out, or find conda packages for it");
            }
            const std::string category = file.category.empty() ? std::string(main_category) : file.category;
            TAIPAN_CHECK(add_specs(file.dependencies, category, request));
            channels.insert(channels.end(), file.channels.begin(), file.channels.end());
            nodefaults = nodefaults || file.nodefaults;
            if (subdir == platforms_.front())
                warnings_.insert(warnings_.end(), file.warnings.begin(), file.warnings.end());
        }
        TAIPAN_CHECK(add_specs(specs_, std::string(main_category), request));
        request.channels = request_channels(common_, config_, channels, nodefaults);
        return request;
    }

    Result<void> add_specs(const std::vector<std::string>& specs, const std::string& category,
                           PlatformRequest& request) const {
        for (const auto& text : specs) {
            TAIPAN_TRY(const auto spec, MatchSpec::parse(text, config_.channel_settings));
            if (!spec.url().empty()) {
                return make_error(ErrorCode::invalid_argument, text + " is a URL and so locked already; name the "
                                                                      "package and its channel instead");
            }
            request.specs.push_back(text);
            request.categories[spec.name()].insert(category);
        }
        return {};
    }

    Result<LockDocument> solve(Invocation& invocation, const std::vector<PlatformRequest>& requests) {
        WatchedRun watched(invocation.console, config_.quiet, config_.verbosity);
        for (const auto& text : warnings_) watched.progress->note(Severity::warning, text);
        LockDocument document;
        document.sources = sources_;
        for (std::size_t i = 0; i < requests.size(); ++i) {
            auto locked = solve_platform(platforms_[i], requests[i], invocation, *watched.progress, watched.stop);
            if (!locked) {
                watched.progress->finish();
                return std::move(locked).context("while locking for " + platforms_[i]).error();
            }
            document.platforms.push_back(std::move(*locked));
            for (const auto& channel : requests[i].channels) {
                const std::string shown = without_credentials(channel);
                if (std::find(document.channels.begin(), document.channels.end(), shown) == document.channels.end())
                    document.channels.push_back(shown);
            }
        }
        watched.progress->finish();
        return document;
    }

    Result<LockedPlatform> solve_platform(const std::string& subdir, const PlatformRequest& request,
                                          Invocation& invocation, Progress& progress, StopSource& stop) const {
        Config config = config_;
        config.subdir = subdir;
        config.override_virtual_packages = request.machine;
        Session session(std::move(config), progress, stop);
        InstallRequest wish;
        wish.action = Action::create;
        wish.prefix = session.config().pkgs_dirs.front() + "/.taipan-lock"; // never made
        wish.specs = request.specs;
        wish.channels = request.channels;
        wish.command_line = invocation.command_line();
        wish.no_pin = true;
        wish.no_default_packages = true;
        LockedPlatform locked;
        locked.subdir = subdir;
        TAIPAN_TRY(locked.content_hash, content_hash(request.hashed(subdir), config_.channel_settings));
        TAIPAN_TRY(locked.packages, update_.empty() ? solved(session, wish, progress) : updated(session, wish));
        locked.categories = categories_of(locked.packages, request.categories);
        return locked;
    }

    static Result<std::vector<PackageRecord>> solved(Session& session, const InstallRequest& wish, Progress& progress) {
        TAIPAN_TRY(const auto plan, make_plan(session, wish));
        for (const auto& text : plan.warnings) progress.note(Severity::warning, text);
        std::vector<PackageRecord> records;
        for (const auto& package : plan.link) records.push_back(package.record);
        return records;
    }

    /// What the lock file has, with the packages of --update made new.
    Result<std::vector<PackageRecord>> updated(Session& session, InstallRequest wish) const {
        const Config& config = session.config();
        TAIPAN_TRY(const auto text, read_file(absolute(output())));
        TAIPAN_TRY(const auto locked, locked_records(text, output(),
                                                     {config.environment, config.home, config.working_directory,
                                                      config.subdir, std::string(parent_path(absolute(output())))}));
        const auto requests = std::exchange(wish.specs, update_);
        return updated_lock(session, locked, std::move(wish), requests);
    }

    Result<void> write(Invocation& invocation, const LockDocument& document) const {
        std::vector<std::pair<std::string, std::string>> files;
        if (explicit_) {
            std::set<std::string> categories(files_.categories.begin(), files_.categories.end());
            categories.emplace(main_category);
            std::string name = output();
            if (document.platforms.size() > 1 && name != "-" && name.find(platform_mark) == std::string::npos) {
                return make_error(ErrorCode::invalid_argument,
                                  "--explicit makes a file for each platform, so the name after -o needs {platform}");
            }
            for (const auto& platform : document.platforms) {
                std::string path = name;
                if (const auto at = path.find(platform_mark); at != std::string::npos)
                    path.replace(at, platform_mark.size(), platform.subdir);
                files.emplace_back(std::move(path), explicit_lock_text(platform, categories));
            }
        } else {
            files.emplace_back(output(), conda_lock_text(document));
        }
        for (const auto& [path, text] : files) {
            if (path == "-")
                invocation.console.print(text);
            else if (!common_.dry_run)
                TAIPAN_CHECK(write_file_atomic(absolute(path), text));
        }
        report(invocation, document, files);
        return {};
    }

    void report(Invocation& invocation, const LockDocument& document,
                const std::vector<std::pair<std::string, std::string>>& files) const {
        if (json_ && files.front().first != "-") {
            JsonWriter json;
            json.begin_object().member("dry_run", common_.dry_run).key("lockfiles").begin_array();
            for (const auto& [path, text] : files) json.value(absolute(path));
            json.end_array().key("platforms").begin_object();
            for (const auto& platform : document.platforms) json.member(platform.subdir, platform.packages.size());
            invocation.console.print(json.end_object().member("success", true).end_object().take() + "\n");
        } else if (!config_.quiet && files.front().first != "-") {
            std::string text;
            for (const auto& platform : document.platforms)
                text += platform.subdir + ": " + counted(platform.packages.size(), "package") + '\n';
            for (const auto& [path, content] : files)
                text += (common_.dry_run ? "Not written (--dry-run): " : "Written: ") + path + '\n';
            invocation.console.print(text);
        }
    }

    /// Whether the hashes in the lock file are those of what is asked for now.
    Result<int> check(Invocation& invocation, const std::vector<PlatformRequest>& requests) const {
        TAIPAN_TRY(const auto text, read_file(absolute(output())));
        TAIPAN_TRY(const auto document, parse_yaml(text, output()));
        const auto* const metadata = document.find("metadata");
        const auto* const hashes = metadata == nullptr ? nullptr : metadata->find("content_hash");
        for (std::size_t i = 0; i < requests.size(); ++i) {
            const auto* const known = hashes == nullptr ? nullptr : hashes->find(platforms_[i]);
            TAIPAN_TRY(const auto wanted, content_hash(requests[i].hashed(platforms_[i]), config_.channel_settings));
            if (known != nullptr && known->text == wanted) continue;
            return make_error(ErrorCode::invalid_argument,
                              output() + " is not what its sources ask for now on " + platforms_[i] +
                                  (known == nullptr ? " (it is not locked for it)" : "") + "; run `taipan lock` again");
        }
        if (json_)
            invocation.console.print("{\n  \"success\": true\n}\n");
        else if (!config_.quiet)
            invocation.console.print(output() + " is up to date.\n");
        return exit_success;
    }

    CommonOptions common_;
    Config config_;
    RequestFileOptions files_;
    std::vector<std::string> specs_, platforms_, sources_, warnings_;
    std::string output_;
    std::optional<std::string> cuda_, virtual_spec_;
    std::vector<std::string> virtual_packages_, update_;
    bool explicit_ = false, check_ = false, without_cuda_ = false, no_pip_ = false, json_ = false;
};

} // namespace

std::unique_ptr<Command> make_lock() { return std::make_unique<Lock>(); }

} // namespace taipan::cli
