#include <algorithm>
#include <cctype>
#include <iostream>
#include <iterator>

#include <fmt/format.h>

#include "base/filesystem.hpp"
#include "condarc/config_file.hpp"
#include "condarc/config_place.hpp"
#include "condarc/config_show.hpp"
#include "condarc/config_values.hpp"
#include "config/config_keys.hpp"
#include "program/errors.hpp"
#include "program/help.hpp"
#include "screen/text.hpp"

// `config` with conda's flags: what holds (--show), where it comes from (--show-sources), what keys mean (--describe),
// and changes to one file. mamba's subcommands are in config_subcommands.cpp.

namespace taipan::cli {

namespace {

/// What is in a file, as the command line that would put it there.
std::string get_lines(const std::string& key, const YamlValue& value) {
    if (value.is_map()) {
        std::string text;
        for (const auto& [name, member] : value.members) text += get_lines(key + '.' + name, member);
        return text;
    }
    if (!value.is_sequence()) return value.is_null() ? "" : "--set " + key + ' ' + python_text(value) + '\n';
    std::string text;
    for (std::size_t i = value.items.size(); i-- > 0;) { // --add prepends, so the last one comes first
        text += "--add " + key + " '" + python_text(value.items[i]) + '\'';
        if (key == "channels" && i + 1 == value.items.size())
            text += "   # lowest priority";
        else if (key == "channels" && i == 0)
            text += "   # highest priority";
        text += '\n';
    }
    return text;
}

class ConfigCommand final : public Command {
public:
    Options options() override {
        const std::string look = "What to show", change = "What to change", where = "Which file";
        Options options = {
            {"keys", &keys_, "KEY", "for --show, --describe and --get: only these", look},
            {"--show", &show_, {}, "what holds, of all layers together", look},
            {"--show-sources,--sources", &sources_, {}, "what each layer says", look},
            {"--describe", &describe_, {}, "what keys mean, with their defaults", look},
            {"--validate", &validate_, {}, "read every layer, and fail when one is wrong", look},
            {"--get", &get_, {}, "what is in the file", look},
            {"--set", &set_, "KEY VALUE", "give a key, or `map.member`, a value", change},
            {"--prepend,--add", &prepend_, "KEY VALUE", "put a value in front of a list", change},
            {"--append", &append_, "KEY VALUE", "put a value at the end of a list", change},
            {"--remove", &remove_, "KEY VALUE", "take a value out of a list", change},
            {"--remove-key", &remove_key_, "KEY", "take a key out", change},
            {"--stdin", &stdin_, {}, "take over the YAML that comes from standard input", change},
            {"--write-default", &write_default_, {}, "write every key and its default, as comments", change},
            {"--system", &place_.system, {}, "the file of the installation", where},
            {"--env", &place_.env, {}, "the file of the active environment", where},
            {"--file", &place_.file, "FILE", "this file", where},
            {"-f,--force", &force_, {}, {}, where},
        };
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        const auto one = [](std::initializer_list<bool> flags) { return std::count(flags.begin(), flags.end(), true); };
        if (one({show_, sources_, describe_, validate_, write_default_}) > 1) {
            return "--show, --show-sources, --describe, --validate and --write-default exclude each other";
        }
        if (one({get_, !set_.empty(), !prepend_.empty(), !append_.empty(), !remove_.empty(), !remove_key_.empty(),
                 stdin_}) > 1) {
            return "--get, --set, --add, --append, --remove, --remove-key and --stdin exclude each other";
        }
        if (!keys_.empty() && !show_ && !describe_ && !get_) {
            return "unexpected argument " + keys_.front() + "; see `taipan config --help`";
        }
        if (place_.given(common_) > 1) return "--system, --env, --file, -n and -p exclude each other";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }
    [[nodiscard]] std::string_view error_name(ErrorCode code) const override {
        return code == ErrorCode::invalid_argument ? error_name_ : std::string_view();
    }

    Result<int> run(Invocation& invocation) override {
        if (show_ || sources_ || describe_ || validate_) return look(invocation);
        if (asks_nothing() && invocation.role() != Role::conda) {
            if (!common_.quiet.value_or(false)) {
                invocation.console.print("Configuration of " + std::string(role_name(invocation.role())) + "\n\n" +
                                         overview_text("config"));
            }
            return exit_success;
        }
        return change(invocation);
    }

private:
    [[nodiscard]] bool asks_nothing() const {
        return !write_default_ && !get_ && !stdin_ && set_.empty() && prepend_.empty() && append_.empty() &&
               remove_.empty() && remove_key_.empty();
    }

    Result<int> look(Invocation& invocation) {
        Console& console = invocation.console;
        if (!place_.file.empty() && (show_ || describe_)) common_.rc_files = {place_.file};
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto sources, layers(invocation, config));
        if (validate_) return exit_success;
        if (sources_) {
            console.print(config.json ? shown_sources_json(sources) : shown_sources(sources));
            return exit_success;
        }
        std::vector<const KeyInfo*> keys;
        std::string unknown;
        for (const auto& word : keys_) {
            const auto* entry = find_config_key(word);
            const auto* info = entry == nullptr ? nullptr : find_key_info(entry->name);
            if (info == nullptr)
                unknown += "\n  - " + word;
            else if (std::find(keys.begin(), keys.end(), info) == keys.end())
                keys.push_back(info);
        }
        if (!unknown.empty()) return invalid_parameters(console, config.json, unknown);
        if (describe_) {
            print_descriptions(console, keys, config.json);
            return exit_success;
        }
        if (keys.empty()) keys = all_keys(invocation.role());
        std::sort(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
        console.print(config.json ? shown_keys_json(keys, config, sources) : shown_keys(keys, config, sources));
        return exit_success;
    }

    /// What conda calls an ArgumentError, with the exit code of one.
    static Result<int> invalid_parameters(Console& console, bool json, const std::string& list) {
        const auto error = make_error(ErrorCode::invalid_argument, "Invalid configuration parameters: " + list);
        if (json)
            console.print(error_json(error, "ArgumentError"));
        else
            console.print_error(error_text(error, "ArgumentError"));
        return exit_usage;
    }

    /// All layers, with what the command line says as the last one.
    Result<std::vector<ConfigSource>> layers(const Invocation& invocation, const Config& config) const {
        std::vector<std::string> warnings;
        const auto request = settings_request(invocation, common_);
        TAIPAN_TRY(auto sources, load_config_sources(request, config.root_prefix, config.home, warnings));
        ConfigSource command_line{"cmd_line", {}};
        if (common_.json) command_line.values["json"] = {plain_value("true"), RcFlag::none, {}};
        if (common_.quiet) command_line.values["quiet"] = {plain_value("true"), RcFlag::none, {}};
        if (common_.verbose > 0) {
            command_line.values["verbosity"] = {plain_value(std::to_string(common_.verbose)), RcFlag::none, {}};
        }
        if (!command_line.values.empty()) sources.push_back(std::move(command_line));
        return sources;
    }

    /// Those that the program has which we are called as.
    static std::vector<const KeyInfo*> all_keys(Role role) {
        std::vector<const KeyInfo*> keys;
        for (const auto& key : key_catalogue()) {
            if (role == Role::conda && key.category == KeyInfo::Category::mamba) continue;
            keys.push_back(&key);
        }
        return keys;
    }

    static void print_descriptions(Console& console, std::vector<const KeyInfo*> keys, bool json) {
        if (json && keys.empty()) {
            for (const auto& key : key_catalogue()) {
                if (key.category != KeyInfo::Category::hidden) keys.push_back(&key);
            }
            std::sort(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
        }
        if (json) {
            console.print(described_keys_json(keys));
        } else if (keys.empty()) {
            console.print(described_all());
        } else {
            for (const auto* key : keys) console.print(described_key(*key));
        }
    }

    Result<int> change(Invocation& invocation) {
        TAIPAN_TRY(const auto place, resolve_config_place(place_, invocation, common_));
        if (write_default_) return write_default(place.path);
        TAIPAN_TRY(auto file, ConfigFile::read(place.path));
        YamlValue found;
        auto changed = apply(file, found);
        error_name_ = file.error_name();
        if (!place.json) {
            for (const auto& warning : file.warnings()) invocation.console.print_error(warning + '\n');
        }
        TAIPAN_CHECK(std::move(changed));
        if (!get_) TAIPAN_CHECK(file.write());
        if (place.json) {
            JsonWriter json;
            json.begin_object().member("success", true).member("rc_path", place.path);
            json.member("warnings", file.warnings());
            json.key("get");
            found.kind = YamlValue::Kind::map;
            write_value(json, found);
            invocation.console.print(json.end_object().take() + "\n");
        } else {
            for (const auto& [key, value] : found.members) invocation.console.print(get_lines(key, value));
        }
        return exit_success;
    }

    Result<void> apply(ConfigFile& file, YamlValue& found) {
        if (get_) {
            auto keys = keys_;
            for (const auto& [key, value] : file.content().members) {
                if (keys_.empty()) keys.push_back(key);
            }
            if (keys_.empty()) std::sort(keys.begin(), keys.end());
            for (const auto& key : keys) {
                auto value = file.get(key);
                if (!value.is_null()) found.members.emplace_back(key, std::move(value));
            }
        }
        if (stdin_) {
            const std::string text{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
            TAIPAN_CHECK(file.merge(text));
        }
        for (const auto& [key, item] : prepend_) TAIPAN_CHECK(file.add(key, item, true));
        for (const auto& [key, item] : append_) TAIPAN_CHECK(file.add(key, item, false));
        for (const auto& [key, item] : set_) TAIPAN_CHECK(file.set(key, item));
        for (const auto& [key, item] : remove_) TAIPAN_CHECK(file.remove(key, item));
        for (const auto& key : remove_key_) TAIPAN_CHECK(file.remove_key(key));
        return {};
    }

    static Result<int> write_default(const std::string& path) {
        if (exists(path)) {
            TAIPAN_TRY(const auto text, read_file(path, 16U << 20U));
            const auto written = [](unsigned char c) { return std::isspace(c) == 0; };
            if (std::any_of(text.begin(), text.end(), written)) {
                return make_error(ErrorCode::internal,
                                  "The file '" + path +
                                      "' already contains configuration information.\n"
                                      "Remove the file to proceed.\n"
                                      "Use `conda config --describe` to display default configuration.");
            }
        }
        TAIPAN_CHECK(write_file_atomic(path, described_all()));
        return exit_success;
    }

    CommonOptions common_;
    ConfigPlace place_;
    std::vector<std::string> keys_, remove_key_;
    std::vector<std::pair<std::string, std::string>> set_, prepend_, append_, remove_;
    bool show_ = false, sources_ = false, describe_ = false, validate_ = false, write_default_ = false, get_ = false;
    bool stdin_ = false, force_ = false;
    std::string_view error_name_;
};

} // namespace

std::unique_ptr<Command> make_config() { return std::make_unique<ConfigCommand>(); }

} // namespace taipan::cli
