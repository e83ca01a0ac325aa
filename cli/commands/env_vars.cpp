#include <algorithm>

#include "base/json_writer.hpp"
#include "commands/transaction_command.hpp"
#include "config/expand.hpp"
#include "prefix/environment_variables.hpp"
#include "prefix/prefix_data.hpp"
#include "requests/target_prefix.hpp"
#include "shell/activation_state.hpp"

// `env config vars list|set|unset`: the variables that an environment sets when it is activated, in conda-meta/state.

namespace taipan::cli {

namespace {

class EnvironmentVariables : public Command {
public:
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        TAIPAN_CHECK(require_environment(prefix));
        TAIPAN_TRY(auto variables, state_variables(prefix));
        return work(invocation, config, prefix, std::move(variables));
    }

protected:
    using Variables = OrderedVariables;
    virtual Result<int> work(Invocation& invocation, const Config& config, const std::string& prefix,
                             Variables variables) = 0;

    Options shared_options() {
        Options options = common_.prefix_options();
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    static Result<int> write(Invocation& invocation, const Config& config, const std::string& prefix,
                             const Variables& variables) {
        TAIPAN_CHECK(require_writable(prefix));
        TAIPAN_CHECK(write_state_variables(prefix, variables));
        if (config.json) {
            JsonWriter json;
            json.begin_object().member("success", true);
            invocation.console.print(json.end_object().take() + "\n");
        } else if (prefix == invocation.variable("CONDA_PREFIX")) {
            invocation.console.print("To make your changes take effect please reactivate your environment\n");
        }
        return exit_success;
    }

    /// mamba's names are in upper case, however they are written.
    static std::string stored_name(const Invocation& invocation, const std::string& word) {
        std::string name(trimmed(word));
        if (as_mamba(invocation.role())) {
            std::transform(name.begin(), name.end(), name.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
        }
        return name;
    }
    static bool is_reserved(const std::string& name) { return name == "PATH"; }

    CommonOptions common_;
    std::vector<std::string> words_;
};

class ListVariables final : public EnvironmentVariables {
public:
    Options options() override { return shared_options(); }

protected:
    Result<int> work(Invocation& invocation, const Config& config, const std::string&, Variables variables) override {
        std::erase_if(variables, [](const auto& one) { return one.second == unset_marker; });
        if (config.json) {
            JsonWriter json;
            const bool of_mamba = as_mamba(invocation.role());
            json.begin_object();
            if (of_mamba) json.key("env_vars").begin_object();
            for (const auto& [name, value] : variables) json.member(name, value);
            if (of_mamba) json.end_object();
            invocation.console.print(json.end_object().take() + "\n");
            return exit_success;
        }
        if (variables.empty() && as_mamba(invocation.role()))
            invocation.console.print("No environment variables set.\n");
        for (const auto& [name, value] : variables) invocation.console.print(name + " = " + value + "\n");
        return exit_success;
    }
};

class SetVariables final : public EnvironmentVariables {
public:
    Options options() override {
        Options options = {{"vars", &words_, "NAME=VALUE", "variables to set", "Variables"}};
        append(options, shared_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (words_.empty()) return "say what to set, as NAME=VALUE";
        for (const auto& word : words_) {
            const auto name = std::string(trimmed(word.substr(0, word.find('='))));
            if (word.find('=') == std::string::npos) return "'" + word + "' has no value; write it as NAME=VALUE";
            if (!is_variable_name(name)) return "'" + name + "' cannot be the name of a variable";
        }
        return common_.usage_error();
    }

protected:
    Result<int> work(Invocation& invocation, const Config& config, const std::string& prefix,
                     Variables variables) override {
        for (const auto& word : words_) {
            const auto mark = word.find('=');
            const auto name = stored_name(invocation, word.substr(0, mark));
            if (is_reserved(name)) {
                invocation.console.print_error("WARNING: the environment variable " + name +
                                               " is reserved: it is recorded, and activation ignores it\n");
            }
            set_variable(variables, name, std::string(trimmed(word.substr(mark + 1))));
        }
        return write(invocation, config, prefix, variables);
    }
};

class UnsetVariables final : public EnvironmentVariables {
public:
    Options options() override {
        Options options = {{"vars", &words_, "NAME", "variables to unset", "Variables"}};
        append(options, shared_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        return words_.empty() ? "say which variables to unset" : common_.usage_error();
    }

protected:
    /// The name stays, marked, as conda has it: the next deactivation must know that it was set. As mamba it goes, and
    /// only what packages bring is marked.
    Result<int> work(Invocation& invocation, const Config& config, const std::string& prefix,
                     Variables variables) override {
        TAIPAN_TRY(const auto all, prefix_variables(prefix, false)); // packages bring some
        for (const auto& word : words_) {
            const auto name = stored_name(invocation, word);
            const auto same_name = [&](const auto& one) { return one.first == name; };
            const bool was_set = std::any_of(variables.begin(), variables.end(), same_name);
            const bool goes = is_reserved(name) || as_mamba(invocation.role());
            if (goes) std::erase_if(variables, same_name);
            const bool brought = all.count(name) != 0 && !was_set;
            if (brought || (was_set && !goes)) set_variable(variables, name, unset_marker);
        }
        return write(invocation, config, prefix, variables);
    }
};

} // namespace

std::unique_ptr<Command> make_vars_list() { return std::make_unique<ListVariables>(); }
std::unique_ptr<Command> make_vars_set() { return std::make_unique<SetVariables>(); }
std::unique_ptr<Command> make_vars_unset() { return std::make_unique<UnsetVariables>(); }

} // namespace taipan::cli
