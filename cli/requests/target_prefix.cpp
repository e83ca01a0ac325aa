#include "requests/target_prefix.hpp"

#include <dirent.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "flow/interrupted.hpp"
#include "program/fault_point.hpp"
#include "shell/init_plan.hpp"

namespace taipan::cli {

namespace {

std::string nearest_existing(std::string path) {
    while (path.size() > 1 && !exists(path)) path = std::string(parent_path(path));
    return path.empty() ? "/" : path;
}

bool can_be_written(const std::string& path) { return ::access(nearest_existing(path).c_str(), W_OK | X_OK) == 0; }

std::string prefix_of_name(const std::string& name, const Config& config) {
    for (const auto& directory : config.envs_dirs) {
        if (auto path = directory + '/' + name; is_directory(path)) return path;
    }
    for (const auto& directory : config.envs_dirs) {
        if (can_be_written(directory)) return directory + '/' + name;
    }
    return config.envs_dirs.front() + '/' + name;
}

/// Shows what the engine has to say where no progress is shown.
class NoteSink final : public EventSink {
public:
    NoteSink(Console& console, bool quiet) : console_(console), quiet_(quiet) {}
    void begin(Stage, std::string_view, std::uint64_t) override {}
    void advance(Stage, std::string_view, std::uint64_t) override {}
    void end(Stage, std::string_view, bool) override {}
    void note(Severity severity, std::string_view text) override {
        if (severity == Severity::warning) console_.print_error("warning: ");
        if (severity == Severity::warning || (severity == Severity::info && !quiet_)) {
            console_.print_error(std::string(text) + '\n');
        }
    }

private:
    Console& console_;
    bool quiet_;
};

Result<std::string> named_target(const Invocation& invocation, const CommonOptions& options, const Config& config,
                                 WithoutTarget otherwise) {
    if (!options.name.empty()) {
        if (options.name == "base" || options.name == "root") return config.root_prefix;
        TAIPAN_CHECK(validate_environment_name(options.name, invocation.role()));
        return prefix_of_name(options.name, config);
    }
    if (!options.prefix.empty()) {
        auto path = absolute_path(expand_home(options.prefix, config.home), config.working_directory);
        if (path.find(':') != std::string::npos) {
            return make_error(ErrorCode::invalid_argument,
                              "the path '" + path +
                                  "' has a ':' in it, which cannot be part of PATH; choose another one");
        }
        return path;
    }
    const auto active = otherwise == WithoutTarget::fail ? std::string() : invocation.variable("CONDA_PREFIX");
    if (as_mamba(invocation.role())) {
        for (const auto& target : {invocation.variable("MAMBA_TARGET_PREFIX"), active}) {
            if (target.empty()) continue;
            // mamba takes what has no slash for a name here.
            return target.find('/') == std::string::npos ? config.root_prefix + "/envs/" + target
                                                         : absolute_path(target, config.working_directory);
        }
    }
    if (!active.empty()) return absolute_path(active, config.working_directory);
    if (otherwise == WithoutTarget::active_or_root) return config.root_prefix;
    auto error = make_error(ErrorCode::invalid_argument, "say which environment is meant, with -n NAME or -p PATH");
    error.details = R"({"missing_argument": "prefix"})";
    return error;
}

} // namespace

Result<void> validate_environment_name(std::string_view name, Role role) {
    if (name.empty() || name == "." || name == "..") {
        return make_error(ErrorCode::invalid_argument, "'" + std::string(name) + "' is no name for an environment");
    }
    if (const auto at = name.find_first_of(as_mamba(role) ? "/:#" : "/ :#"); at != std::string_view::npos) {
        return make_error(ErrorCode::invalid_argument, "the environment name '" + std::string(name) + "' has a '" +
                                                           std::string(1, name[at]) +
                                                           "' in it, which names cannot; use -p for a path");
    }
    return {};
}

Result<std::string> resolve_target(const Invocation& invocation, const CommonOptions& options, const Config& config,
                                   WithoutTarget otherwise) {
    TAIPAN_TRY(auto prefix, named_target(invocation, options, config, otherwise));
    if (prefix == config.root_prefix && !options.dry_run) make_installation_files(invocation, config);
    NoteSink sink(invocation.console, config.quiet);
    TAIPAN_CHECK(repair_interrupted(prefix, config, sink, 0, fault_point_of(invocation)));
    return prefix;
}

std::string environment_name(const std::string& prefix, const Config& config) {
    if (prefix == config.root_prefix) return "base";
    for (const auto& directory : config.envs_dirs) {
        if (parent_path(prefix) == directory) return std::string(base_name(prefix));
    }
    return {};
}

std::string selecting_words(const std::string& prefix, const Config& config) {
    const auto name = environment_name(prefix, config);
    return name.empty() ? "-p " + prefix : "-n " + name;
}

bool is_empty_or_missing(const std::string& path) {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return !exists(path);
    bool empty = true;
    while (const dirent* entry = ::readdir(directory)) {
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") empty = false;
    }
    static_cast<void>(::closedir(directory));
    return empty;
}

Result<void> require_writable(const std::string& prefix) {
    if (can_be_written(prefix)) return {};
    return make_error(ErrorCode::not_writable, "cannot write to " + nearest_existing(prefix) + ", so the environment " +
                                                   prefix +
                                                   " cannot be made or changed; choose another place with -p or -r, or "
                                                   "ask for the permission");
}

} // namespace taipan::cli
