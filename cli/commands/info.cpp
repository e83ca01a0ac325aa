#include <algorithm>
#include <cstdlib>

#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/filesystem.hpp"
#include "commands/env_list.hpp"
#include "commands/info_mamba.hpp"
#include "prefix/prefix_data.hpp"
#include "program/common_options.hpp"
#include "requests/target_prefix.hpp"
#include "shell/init_plan.hpp"
#include "solve/virtual_packages.hpp"

// `info`: what bug reports and programs ask for, under conda's keys.

namespace taipan::cli {

namespace {

std::string user_agent() {
    utsname system{};
    if (::uname(&system) != 0) return "taipan/" TAIPAN_VERSION;
    return fmt::format("taipan/" TAIPAN_VERSION " {}/{} {}", system.sysname, system.release, system.machine);
}

class Info final : public Command {
public:
    Options options() override {
        const std::string group = "What to show";
        Options options = {
            {"-e,--envs", &environments_, {}, "the environments", group},
            {"--base", &base_, {}, "the root prefix", group},
            {"-s,--system", &system_, {}, "variables that matter, and where the program is", group},
            {"--unsafe-channels", &channels_, {}, "the URLs of the channels, without tokens and passwords", group},
            {"--size", &size_, {}, "with --envs: how much each takes", group},
            {"-a,--all", &all_, {}, "everything", group},
        };
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        append(options, {{"--offline", &common_.offline, {}, {}, "Output"}});
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        return size_ && !environments_ ? "--size goes with --envs" : common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        make_installation_files(invocation, config);
        if (as_mamba(invocation.role()) && (base_ || !(environments_ || system_)))
            return run_as_mamba(invocation, config);
        if (channels_)
            invocation.console.print(channels_text(config));
        else if (base_ && !config.json)
            invocation.console.print(config.root_prefix + "\n");
        else if (environments_ && !config.json)
            invocation.console.print(environments_text(invocation, config, size_));
        else if (system_ && !config.json)
            invocation.console.print(system_text(invocation));
        else if (config.json)
            invocation.console.print(base_           ? base_json(config)
                                     : environments_ ? environments_json(invocation, config)
                                                     : json(invocation, config));
        else
            invocation.console.print(text(invocation, config) + (all_ ? environments_text(invocation, config) : ""));
        return exit_success;
    }

private:
    Result<int> run_as_mamba(Invocation& invocation, const Config& config) {
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        invocation.console.print(mamba_info(invocation, config, prefix, base_ ? MambaInfo::base : MambaInfo::all));
        return exit_success;
    }

    static std::string system_text(const Invocation& invocation) {
        std::string text = "taipan location: " + invocation.executable + "\n\n";
        for (const auto& [name, value] : shown_variables(invocation)) {
            text += name + ": " + (value.empty() ? "<not set>" : value) + '\n';
        }
        return text;
    }

    /// The variables that conda shows: its own, those of certificates and proxies, and search paths. No credentials.
    static std::map<std::string, std::string> shown_variables(const Invocation& invocation) {
        std::map<std::string, std::string> shown;
        for (const auto* name : {"CIO_TEST", "CURL_CA_BUNDLE", "LD_PRELOAD", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"}) {
            shown[name] = invocation.variable(name);
        }
        for (const auto& [name, value] : invocation.environment) {
            const bool ours = name.starts_with("CONDA") || name.starts_with("MAMBA") || name.starts_with("PYTHON");
            const bool path = name.ends_with("PATH") || name.ends_with("_proxy") || name.ends_with("_PROXY");
            const bool proxy = name.ends_with("_proxy") || name.ends_with("_PROXY");
            if (ours || path) shown[name] = proxy && !value.empty() ? "<set>" : without_credentials_in_text(value);
        }
        for (auto& [name, value] : shown) {
            if (name.find("TOKEN") != std::string::npos || name.find("PASSWORD") != std::string::npos)
                value = "<hidden>";
        }
        return shown;
    }

    static std::string text(const Invocation& invocation, const Config& config) {
        const auto active = invocation.variable("CONDA_PREFIX");
        std::string out = "\n";
        const auto line = [&](std::string_view label, std::vector<std::string> values) {
            if (values.empty()) values.emplace_back();
            out += fmt::format("{:>23} : {}\n", label, values.front());
            for (std::size_t i = 1; i < values.size(); ++i) out += fmt::format("{:>23}   {}\n", "", values[i]);
        };
        line("active environment", {active.empty() ? "None" : environment_name(active, config)});
        if (!active.empty()) line("active env location", {active});
        const bool as_conda = invocation.role() == Role::conda;
        const auto level = invocation.variable("CONDA_SHLVL");
        if (!as_conda || !level.empty()) line("shell level", {level.empty() ? "0" : level});
        if (as_conda) line("user config file", {config.home + "/.condarc"});
        line("populated config files", config.sources);
        if (as_conda) {
            line("conda version", {std::string(followed_conda_version)});
            line("conda-build version", {"not installed"});
            line("python version", {"None"});
            line("solver", {"libmamba (default)"});
        }
        line("taipan version", {TAIPAN_VERSION});
        auto virtual_packages = shown_virtual_packages(config);
        if (as_conda) {
            virtual_packages.push_back("__conda=" + std::string(followed_conda_version) + "=0");
            std::sort(virtual_packages.begin(), virtual_packages.end());
        }
        line("virtual packages", std::move(virtual_packages));
        line("base environment", {config.root_prefix + (::access(config.root_prefix.c_str(), W_OK) == 0 ? "  (writable)"
                                                        : is_environment(config.root_prefix) ? "  (read only)"
                                                                                             : "")});
        if (as_conda) {
            line("conda av data dir", {config.root_prefix + "/etc/conda"});
            line("conda av metadata url", {"None"});
        }
        line("channel URLs", shown_channel_urls(config));
        line("package cache", config.pkgs_dirs);
        if (as_conda) line("notices cache", {config.home + "/.cache/conda/notices"});
        line("envs directories", config.envs_dirs);
        if (as_conda) line("temporary directory", {temporary_directory(invocation)});
        line("platform", {config.subdir});
        line("user-agent", {user_agent()});
        line("UID:GID", {fmt::format("{}:{}", ::getuid(), ::getgid())});
        if (as_conda) line("netrc file", {exists(config.home + "/.netrc") ? config.home + "/.netrc" : "None"});
        line("offline mode", {config.offline ? "True" : "False"});
        return out + "\n";
    }

    static std::string temporary_directory(const Invocation& invocation) {
        const auto directory = invocation.variable("TMPDIR");
        return directory.empty() ? "/tmp" : directory;
    }

    /// The URLs of the configured channels, one a line.
    static std::string channels_text(const Config& config) {
        if (config.json) {
            JsonWriter json;
            json.begin_object().member("channels", bare_channel_urls(config));
            return json.end_object().take() + "\n";
        }
        std::string text;
        for (const auto& url : bare_channel_urls(config)) text += url + '\n';
        return text;
    }
    static std::vector<std::string> bare_channel_urls(const Config& config) {
        std::vector<std::string> urls;
        for (const auto& word : config.channels) {
            const auto channels = resolve_channel(word, config.channel_settings);
            if (!channels) continue;
            for (const auto& channel : *channels) urls.push_back(without_credentials(channel.base_url));
        }
        return urls;
    }

    static void member_or_null(JsonWriter& json, std::string_view key, const std::string& value) {
        json.key(key);
        if (value.empty())
            json.null();
        else
            json.value(value);
    }

    static std::string base_json(const Config& config) {
        JsonWriter json;
        json.begin_object().member("root_prefix", config.root_prefix);
        return json.end_object().take() + "\n";
    }

    static std::string environments_json(const Invocation& invocation, const Config& config) {
        JsonWriter json;
        json.begin_object();
        write_environments(json, invocation, config);
        return json.end_object().take() + "\n";
    }

    static std::string json(const Invocation& invocation, const Config& config) {
        const auto active = invocation.variable("CONDA_PREFIX");
        JsonWriter json;
        json.begin_object();
        json.member("GID", ::getgid()).member("UID", ::getuid());
        member_or_null(json, "active_prefix", active);
        member_or_null(json, "active_prefix_name", active.empty() ? "" : environment_name(active, config));
        json.member("av_data_dir", config.root_prefix + "/etc/conda");
        json.key("av_metadata_url_base").null();
        json.member("channels", shown_channel_urls(config));
        json.member("conda_build_version", "not installed");
        json.member("conda_env_version", followed_conda_version);
        json.member("conda_location", invocation.executable);
        json.member("conda_prefix", config.root_prefix);
        const auto level = invocation.variable("CONDA_SHLVL");
        json.member("conda_shlvl", level.empty() ? -1 : std::atoi(level.c_str())); // conda: -1 when never activated
        json.member("conda_version", followed_conda_version);
        json.member("config_files", config.sources);
        json.member("default_prefix", active.empty() ? config.root_prefix : active);
        json.key("env_vars").begin_object();
        for (const auto& [name, value] : shown_variables(invocation)) {
            json.member(name, value.empty() ? std::string("<not set>") : value);
        }
        json.end_object();
        write_environments(json, invocation, config);
        json.member("envs_dirs", config.envs_dirs);
        const auto netrc = config.home + "/.netrc";
        member_or_null(json, "netrc_file", exists(netrc) ? netrc : std::string());
        json.member("notices_cache_dir", config.home + "/.cache/conda/notices");
        json.member("offline", config.offline);
        json.member("pkgs_dirs", config.pkgs_dirs);
        json.member("platform", config.subdir);
        json.key("python_version").null(); // no Python runs this
        json.key("requests_version").null();
        json.member("rc_path", config.home + "/.condarc");
        json.member("root_prefix", config.root_prefix);
        json.member("root_writable", ::access(config.root_prefix.c_str(), W_OK) == 0);
        json.key("site_dirs").begin_array().end_array();
        json.key("solver").begin_object();
        json.member("default", true).member("name", "libmamba").member("user_agent", "solver/libsolv");
        json.end_object();
        json.member("sys.executable", invocation.executable).member("sys.prefix", config.root_prefix);
        json.member("sys.version", "taipan " TAIPAN_VERSION);
        json.member("sys_rc_path", config.root_prefix + "/.condarc");
        json.member("tmp_dir", temporary_directory(invocation));
        json.member("taipan_version", TAIPAN_VERSION);
        json.member("user_agent", user_agent());
        json.member("user_rc_path", config.home + "/.condarc");
        json.key("virtual_pkgs").begin_array();
        bool conda_told = false; // they are sorted by name
        for (const auto& package : detect_virtual_packages(config.subdir, config.environment)) {
            if (invocation.role() == Role::conda && package.name > "__conda" && !conda_told) {
                json.value(std::vector<std::string>{"__conda", std::string(followed_conda_version), "0"});
                conda_told = true;
            }
            json.value(std::vector<std::string>{package.name, package.version, package.build});
        }
        json.end_array();
        return json.end_object().take() + "\n";
    }

    CommonOptions common_;
    bool environments_ = false, base_ = false, all_ = false, system_ = false, size_ = false;
    bool channels_ = false;
};

} // namespace

std::unique_ptr<Command> make_info() { return std::make_unique<Info>(); }

} // namespace taipan::cli
