#include <algorithm>

#include <fmt/format.h>

#include "base/filesystem.hpp"
#include "condarc/config_file.hpp"
#include "condarc/config_place.hpp"
#include "condarc/config_show.hpp"
#include "condarc/config_values.hpp"
#include "config/config_keys.hpp"
#include "config/expand.hpp"
#include "requests/target_prefix.hpp"
#include "screen/text.hpp"

// `config list`, `get`, `set`, `append`, `prepend`, `remove`, `remove-key`, `sources` and `describe`, as micromamba has
// them. Called as mamba or micromamba, what is not there is told with exit code 0, as they do; as taipan it fails.

namespace taipan::cli {

namespace {

/// mamba's headings; `# #` and 52 columns.
std::string group_heading(KeyInfo::Category category) {
    std::string title(category_heading(category));
    if (category == KeyInfo::Category::channels) title = "Channels Configuration";
    if (category == KeyInfo::Category::basic) title = "Basic Configuration";
    if (category == KeyInfo::Category::linking) title = "Extract, Link & Install Configuration";
    if (category == KeyInfo::Category::output) title = "Output, Prompt and Flow Control Configuration";
    const std::string rule = "# " + std::string(54, '#') + '\n';
    return rule + fmt::format("# #{:^52}#\n", title) + rule + '\n';
}

std::string described(const KeyInfo& key) {
    std::string text = fmt::format("# {}\n", key.name);
    const auto wrapped = wrap_words(key.description, 0, 76);
    for (const auto line : split_words(wrapped, '\n')) text += fmt::format("#   {}\n", line);
    return text;
}

/// The keys that the words name, in order of the catalogue; an unknown one is an error.
Result<std::vector<const KeyInfo*>> named_keys(const std::vector<std::string>& words) {
    std::vector<const KeyInfo*> keys;
    for (const auto& word : words) {
        const auto* entry = find_config_key(word);
        const auto* info = entry == nullptr ? nullptr : find_key_info(entry->name);
        if (info == nullptr) {
            return make_error(ErrorCode::invalid_argument,
                              "there is no configuration key '" + word + "'; `taipan config describe` lists them");
        }
        if (std::find(keys.begin(), keys.end(), info) == keys.end()) keys.push_back(info);
    }
    std::sort(keys.begin(), keys.end()); // they lie in one table
    return keys;
}

/// mamba's word for a key, where it is another one than conda's.
std::string_view shown_name(const KeyInfo& key, Role role) {
    return as_mamba(role) && key.name == "subdir" ? "platform" : key.name;
}

/// What `-a` shows. Programs ask mamba in this way for its platform and root prefix, which conda tells by `info`.
bool is_shown_to(Role role, const KeyInfo& key) {
    return key.category != KeyInfo::Category::hidden ||
           (as_mamba(role) && (key.name == "subdir" || key.name == "root_prefix"));
}

/// What `list` and `describe` share.
class LookAtKeys : public Command {
protected:
    Options key_options() {
        const std::string group = "What to show";
        return {
            {"configs", &keys_, "KEY", "only these keys", group},
            {"-l,--long-descriptions", &descriptions_, {}, "with descriptions", group},
            {"-g,--groups", &groups_, {}, "under headings", group},
        };
    }
    [[nodiscard]] std::string heading(const KeyInfo& key, std::optional<KeyInfo::Category>& current) const {
        if (!groups_ || current == key.category) return {};
        current = key.category;
        return group_heading(key.category);
    }

    CommonOptions common_;
    std::vector<std::string> keys_;
    bool descriptions_ = false, groups_ = false;
};

class ConfigDescribe final : public LookAtKeys {
public:
    Options options() override { return key_options(); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto keys, named_keys(keys_));
        if (keys_.empty()) {
            for (const auto& key : key_catalogue()) keys.push_back(&key);
        }
        std::optional<KeyInfo::Category> category;
        for (const auto* key : keys) invocation.console.print(heading(*key, category) + described(*key));
        return exit_success;
    }
};

class ConfigList final : public LookAtKeys {
public:
    Options options() override {
        const std::string group = "What to show";
        Options options = key_options();
        append(options, {{"-d,--descriptions", &descriptions_, {}, {}, group},
                         {"-s,--sources", &sources_, {}, "where each value comes from", group},
                         {"-a,--all", &all_, {}, "keys that nothing sets, too", group}});
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.general_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        role_ = invocation.role();
        std::vector<std::string> warnings;
        TAIPAN_TRY(layers_, load_config_sources(settings_request(invocation, common_), config.root_prefix, config.home,
                                                warnings));
        add_command_line();
        TAIPAN_TRY(auto keys, named_keys(keys_));
        for (const auto& key : key_catalogue()) {
            if (keys_.empty() && (all_ ? is_shown_to(role_, key) : is_set(key))) keys.push_back(&key);
        }
        if (config.json) {
            std::sort(keys.begin(), keys.end(),
                      [&](const auto* a, const auto* b) { return shown_name(*a, role_) < shown_name(*b, role_); });
            invocation.console.print(json(keys, config));
            return exit_success;
        }
        std::optional<KeyInfo::Category> category;
        std::string text;
        for (const auto* key : keys) {
            if (!text.empty() && (descriptions_ || groups_)) text += '\n';
            text += heading(*key, category);
            if (descriptions_) text += described(*key);
            text += lines(*key, config);
        }
        invocation.console.print(text);
        return exit_success;
    }

private:
    void add_command_line() {
        ConfigSource source{"CLI", {}};
        const auto add = [&](const char* key, std::optional<bool> flag) {
            if (flag) source.values[key] = {plain_value(*flag ? "true" : "false"), RcFlag::none, {}};
        };
        add("json", common_.json);
        add("quiet", common_.quiet);
        add("offline", common_.offline);
        add("always_yes", common_.yes);
        if (!source.values.empty()) layers_.push_back(std::move(source));
    }
    [[nodiscard]] bool is_set(const KeyInfo& key) const {
        return std::any_of(layers_.begin(), layers_.end(),
                           [&](const ConfigSource& source) { return source.values.count(std::string(key.name)) != 0; });
    }
    [[nodiscard]] static std::string source_name(const ConfigSource& source, const KeyInfo& key, const Config& config) {
        if (const auto mark = source.name.find("_* variables"); mark != std::string::npos) {
            std::string name = source.name.substr(0, mark + 1);
            for (const char c : key.name)
                name.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
            return name;
        }
        if (!config.home.empty() && source.name.starts_with(config.home + '/')) {
            return '~' + source.name.substr(config.home.size());
        }
        return source.name;
    }
    /// The layers that set the key, the strongest first; with `item` those that have it.
    [[nodiscard]] std::string origin(const KeyInfo& key, const Config& config, const std::string* item) const {
        if (!sources_) return {};
        std::string text;
        for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
            const auto found = layer->values.find(std::string(key.name));
            if (found == layer->values.end()) continue;
            const auto& value = found->second.value;
            const bool has = item == nullptr || value.find(*item) != nullptr ||
                             std::any_of(value.items.begin(), value.items.end(),
                                         [&](const YamlValue& one) { return one.text == *item; });
            if (!has) continue;
            text += (text.empty() ? "'" : " > '") + source_name(*layer, key, config) + "'";
            if (item != nullptr) break;
        }
        return "  # " + (text.empty() ? "'default'" : text);
    }
    [[nodiscard]] std::string lines(const KeyInfo& key, const Config& config) const {
        const auto value = effective_value(key, config, layers_);
        std::string text = std::string(shown_name(key, role_)) + ':';
        if (value.is_sequence() && !value.items.empty()) {
            for (const auto& item : value.items) {
                text += "\n  - " + yaml_block(item, 4) + origin(key, config, &item.text);
            }
        } else if (value.is_map() && !value.members.empty()) {
            for (const auto& [name, member] : value.members) {
                const auto inner = yaml_block(member, 4);
                text += "\n  " + name + (inner.starts_with('\n') ? ":" : ": ") + inner + origin(key, config, &name);
            }
        } else {
            const auto inner = value.is_null() ? "~" : yaml_block(value, 2);
            text += ' ' + inner + origin(key, config, nullptr);
        }
        return without_credentials_in_text(text) + '\n';
    }
    [[nodiscard]] std::string json(const std::vector<const KeyInfo*>& keys, const Config& config) const {
        JsonWriter json(4);
        json.begin_object();
        for (const auto* key : keys) {
            json.key(shown_name(*key, role_));
            write_value(json, effective_value(*key, config, layers_));
        }
        return json.end_object().take() + "\n";
    }

    std::vector<ConfigSource> layers_;
    Role role_ = Role::taipan;
    bool sources_ = false, all_ = false;
};

class ConfigSources final : public Command {
public:
    Options options() override {
        Options options = common_.prefix_options();
        append(options, common_.output_options());
        append(options, common_.general_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        Console& console = invocation.console;
        if (common_.no_rc) {
            console.print("Configuration files disabled by --no-rc flag\n");
            return exit_success;
        }
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        if (!common_.name.empty() || !common_.prefix.empty()) {
            TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
            TAIPAN_TRY(config, load_settings(invocation, common_, prefix));
        }
        std::string text = "Configuration files (by precedence order):\n";
        for (auto file = config.sources.rbegin(); file != config.sources.rend(); ++file) {
            const bool below = !config.home.empty() && file->starts_with(config.home + '/');
            text += (below ? '~' + file->substr(config.home.size()) : *file) + '\n';
        }
        console.print(text);
        return exit_success;
    }

private:
    CommonOptions common_;
};

/// A command about one file.
class OneConfigFile : public Command {
public:
    Options options() override {
        const std::string group = "Which file";
        Options options = {{"words", &words_, {}, {}, group},
                           {"--system", &place_.system, {}, "the file of the installation", group},
                           {"--env", &place_.env, {}, "the file of the active environment", group},
                           {"--file", &place_.file, "FILE", "this file", group}};
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (place_.given(common_) > 1) return "--system, --env, --file, -n and -p exclude each other";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }
    [[nodiscard]] std::string_view error_name(ErrorCode code) const override {
        return code == ErrorCode::invalid_argument ? error_name_ : std::string_view();
    }
    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto place, resolve_config_place(place_, invocation, common_));
        TAIPAN_TRY(auto file, ConfigFile::read(place.path));
        auto done = work(invocation, file);
        error_name_ = file.error_name();
        for (const auto& warning : file.warnings()) invocation.console.print_error(warning + '\n');
        return done;
    }

protected:
    virtual Result<int> work(Invocation& invocation, ConfigFile& file) = 0;

    /// What mamba tells on stdout and takes for success.
    static int told(Invocation& invocation, std::string_view message) {
        const bool success = as_mamba(invocation.role());
        if (success)
            invocation.console.print(message);
        else
            invocation.console.print_error(message);
        return success ? exit_success : exit_failure;
    }
    static constexpr std::string_view not_present = "Key is not present in file\n";

    CommonOptions common_;
    ConfigPlace place_;
    std::vector<std::string> words_;
    std::string_view error_name_;
};

class ConfigGet final : public OneConfigFile {
    Result<int> work(Invocation& invocation, ConfigFile& file) override {
        if (words_.size() != 1) return make_error(ErrorCode::invalid_argument, "name one key");
        const auto* value = file.content().find(words_.front());
        if (value == nullptr) return told(invocation, not_present);
        const auto text = yaml_block(*value, 2);
        invocation.console.print(
            without_credentials_in_text(words_.front() + (text.starts_with('\n') ? ":" : ": ") + text) + '\n');
        return exit_success;
    }
};

class ConfigSet final : public OneConfigFile {
    Result<int> work(Invocation& invocation, ConfigFile& file) override {
        const auto* key =
            words_.empty() ? nullptr : find_config_key(words_.front().substr(0, words_.front().find('.')));
        if (key == nullptr || words_.size() != 2) {
            return told(invocation, "Key is invalid or more than one key was received\n");
        }
        TAIPAN_CHECK(file.set(words_[0], words_[1]));
        TAIPAN_CHECK(file.write());
        return exit_success;
    }
};

class ConfigAdd final : public OneConfigFile {
public:
    explicit ConfigAdd(bool in_front) : in_front_(in_front) {}
    [[nodiscard]] std::string usage_error() const override {
        if (words_.empty() || words_.size() % 2 != 0) return "give a key and what to add to it";
        return OneConfigFile::usage_error();
    }

private:
    Result<int> work(Invocation&, ConfigFile& file) override {
        for (std::size_t i = 0; i < words_.size(); i += 2) {
            auto items = split_list(words_[i + 1], ',');
            if (in_front_) std::reverse(items.begin(), items.end());
            for (const auto& item : items) TAIPAN_CHECK(file.add(words_[i], item, in_front_));
        }
        TAIPAN_CHECK(file.write());
        return exit_success;
    }
    bool in_front_;
};

class ConfigRemove final : public OneConfigFile {
    Result<int> work(Invocation& invocation, ConfigFile& file) override {
        if (words_.size() > 2) return told(invocation, "Only one value can be removed at a time\n");
        if (words_.size() < 2) return make_error(ErrorCode::invalid_argument, "give a key and what to take out of it");
        if (const auto* list = file.content().find(words_[0]);
            list == nullptr || std::none_of(list->items.begin(), list->items.end(),
                                            [&](const YamlValue& item) { return item.text == words_[1]; })) {
            return told(invocation, not_present);
        }
        TAIPAN_CHECK(file.remove(words_[0], words_[1]));
        if (file.content().find(words_[0])->items.empty()) TAIPAN_CHECK(file.remove_key(words_[0]));
        TAIPAN_CHECK(file.write());
        return exit_success;
    }
};

class ConfigRemoveKey final : public OneConfigFile {
    Result<int> work(Invocation& invocation, ConfigFile& file) override {
        if (words_.size() != 1) return make_error(ErrorCode::invalid_argument, "name one key");
        if (!file.remove_key(words_.front())) return told(invocation, not_present);
        TAIPAN_CHECK(file.write());
        return exit_success;
    }
};

} // namespace

std::unique_ptr<Command> make_config_list() { return std::make_unique<ConfigList>(); }
std::unique_ptr<Command> make_config_describe() { return std::make_unique<ConfigDescribe>(); }
std::unique_ptr<Command> make_config_sources() { return std::make_unique<ConfigSources>(); }
std::unique_ptr<Command> make_config_get() { return std::make_unique<ConfigGet>(); }
std::unique_ptr<Command> make_config_set() { return std::make_unique<ConfigSet>(); }
std::unique_ptr<Command> make_config_append() { return std::make_unique<ConfigAdd>(false); }
std::unique_ptr<Command> make_config_prepend() { return std::make_unique<ConfigAdd>(true); }
std::unique_ptr<Command> make_config_remove() { return std::make_unique<ConfigRemove>(); }
std::unique_ptr<Command> make_config_remove_key() { return std::make_unique<ConfigRemoveKey>(); }

} // namespace taipan::cli
