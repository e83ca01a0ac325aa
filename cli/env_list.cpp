#include "env_list.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include "common_options.hpp"
#include "installed_size.hpp"
#include "prefix/frozen.hpp"
#include "prefix/registry.hpp"

namespace taipan::cli {

namespace {

std::vector<ListedEnvironment> environments_of(const Config& config) {
    return list_environments(config.home, config.root_prefix, config.envs_dirs);
}

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
        if (!config.json) {
            invocation.console.print(environments_text(invocation, config, size_));
            return exit_success;
        }
        JsonWriter json;
        json.begin_object();
        write_environments(json, invocation, config);
        invocation.console.print(json.end_object().take() + "\n");
        return exit_success;
    }

private:
    CommonOptions common_;
    bool size_ = false;
};

} // namespace

std::string environments_text(const Invocation& invocation, const Config& config, bool sizes) {
    const auto active = invocation.variable("CONDA_PREFIX");
    std::string text = "\n# conda environments:\n#\n";
    for (const auto& environment : environments_of(config)) {
        const auto size = sizes ? environment_size(environment.prefix) : Result<std::uint64_t>(std::uint64_t{0});
        const auto column = sizes ? fmt::format("{:>9} ", size ? conda_bytes(*size) : "?") : std::string();
        text += fmt::format("{:<22} {} {}{}\n", environment.name, environment.prefix == active ? '*' : ' ', column,
                            environment.prefix);
    }
    return text + "\n";
}

void write_environments(JsonWriter& json, const Invocation& invocation, const Config& config) {
    const auto active = invocation.variable("CONDA_PREFIX");
    const auto environments = environments_of(config);
    json.key("envs").begin_array();
    for (const auto& environment : environments) json.value(environment.prefix);
    json.end_array();
    json.key("envs_details").begin_object();
    for (const auto& environment : environments) {
        const auto frozen = frozen_message(environment.prefix);
        json.key(environment.prefix).begin_object();
        json.member("active", environment.prefix == active);
        json.member("base", environment.prefix == config.root_prefix);
        json.member("frozen", frozen && frozen->has_value());
        json.member("name", environment.name);
        json.member("writable", ::access((environment.prefix + "/conda-meta/history").c_str(), W_OK) == 0);
        json.end_object();
    }
    json.end_object();
}

std::unique_ptr<Command> make_env_list() { return std::make_unique<EnvList>(); }

} // namespace taipan::cli
