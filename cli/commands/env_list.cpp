#include "commands/env_list.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/filesystem.hpp"
#include "prefix/frozen.hpp"
#include "program/common_options.hpp"
#include "requests/known_environments.hpp"
#include "screen/installed_size.hpp"
#include "shell/init_plan.hpp"

namespace taipan::cli {

namespace {

class EnvList final : public Command {
public:
    Options options() override {
        Options options = common_.output_options();
        append(options,
               {{"-r,--root-prefix", &common_.root_prefix, "PATH", "where environments are kept", "Environment"}});
        append(options, {{"--size", &size_, {}, "how much each takes", "Environment"}});
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        make_installation_files(invocation, config);
        if (!config.json) {
            invocation.console.print(environments_text(invocation, config, size_));
            return exit_success;
        }
        JsonWriter json;
        json.begin_object();
        write_environments(json, invocation, config, size_);
        invocation.console.print(json.end_object().take() + "\n");
        return exit_success;
    }

private:
    CommonOptions common_;
    bool size_ = false;
};

} // namespace

namespace {

/// `2026-11-27T19:16:08.474191+00:00`: seconds since 1970 as Python writes a time that it holds in a double.
std::string iso_time(double time) {
    double seconds = 0;
    double microseconds = std::nearbyint(std::modf(time, &seconds) * 1e6);
    if (microseconds >= 1e6) {
        seconds += 1;
        microseconds = 0;
    }
    const auto whole = static_cast<std::time_t>(seconds);
    std::tm parts{};
    if (::gmtime_r(&whole, &parts) == nullptr) return {};
    auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                            parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    if (microseconds > 0) text += fmt::format(".{:06}", static_cast<int>(microseconds));
    return text + "+00:00";
}

/// When the environment was made and when it was changed last; null where it does not tell.
void write_times(JsonWriter& json, const std::string& prefix) {
    json.key("created");
    const auto created = read_file(prefix + "/conda-meta/created_at", 64);
    double time = 0;
    const auto [end, error] = created ? std::from_chars(created->data(), created->data() + created->size(), time)
                                      : std::from_chars_result{nullptr, std::errc::invalid_argument};
    if (error == std::errc() && time > 0 && time < 1e11)
        json.value(iso_time(time));
    else
        json.null();
    json.key("last_modified");
    struct stat status {};
    if (::stat((prefix + "/conda-meta/history").c_str(), &status) == 0)
        json.value(
            iso_time(static_cast<double>(status.st_mtim.tv_sec) + 1e-9 * static_cast<double>(status.st_mtim.tv_nsec)));
    else
        json.null();
}

} // namespace

namespace {

/// mamba's table: as wide as its widest name and path.
std::string mamba_table(const std::vector<ListedEnvironment>& environments, const std::string& active) {
    std::size_t name = 4, path = 4;
    for (const auto& environment : environments) {
        name = std::max(name, environment.name.size());
        path = std::max(path, environment.prefix.size());
    }
    std::string text = fmt::format("  {:<{}}  Active  {:<{}}\n", "Name", name, "Path", path);
    for (std::size_t i = 0; i < name + path + 14; ++i) text += "─";
    text += '\n';
    for (const auto& environment : environments) {
        const auto* mark = environment.prefix == active ? "*" : "";
        text += fmt::format("  {:<{}}  {:<6}  {:<{}}\n", environment.name, name, mark, environment.prefix, path);
    }
    return text;
}

} // namespace

std::string environments_text(const Invocation& invocation, const Config& config, bool sizes) {
    const auto active = invocation.variable("CONDA_PREFIX");
    if (as_mamba(invocation.role()) && !sizes)
        return mamba_table(known_environments(config, invocation.role()), active);
    std::string text = "\n# conda environments:\n#\n# * -> active\n# + -> frozen\n";
    for (const auto& environment : known_environments(config, invocation.role())) {
        const auto size = sizes ? environment_size(environment.prefix) : Result<std::uint64_t>(std::uint64_t{0});
        const auto column = sizes ? fmt::format(" {:>10}", size ? conda_bytes(*size) : "?") : std::string();
        const auto frozen = frozen_message(environment.prefix);
        const char mark = environment.prefix == active ? '*' : frozen && frozen->has_value() ? '+' : ' ';
        text += fmt::format("{:<22} {}{} {}\n", environment.name, mark, column, environment.prefix);
    }
    return text + "\n";
}

void write_environments(JsonWriter& json, const Invocation& invocation, const Config& config, bool sizes) {
    const auto active = invocation.variable("CONDA_PREFIX");
    const auto environments = known_environments(config, invocation.role());
    json.key("envs").begin_array();
    for (const auto& environment : environments) json.value(environment.prefix);
    json.end_array();
    json.key("envs_details").begin_object();
    for (const auto& environment : environments) {
        const auto frozen = frozen_message(environment.prefix);
        json.key(environment.prefix).begin_object().member("name", environment.name);
        write_times(json, environment.prefix);
        json.member("active", environment.prefix == active);
        json.member("base", environment.prefix == config.root_prefix);
        json.member("frozen", frozen && frozen->has_value());
        json.member("writable", ::access((environment.prefix + "/conda-meta/history").c_str(), W_OK) == 0);
        if (sizes) {
            const auto size = environment_size(environment.prefix);
            json.member("size", size ? *size : 0);
        }
        json.end_object();
    }
    json.end_object();
}

std::unique_ptr<Command> make_env_list() { return std::make_unique<EnvList>(); }

} // namespace taipan::cli
