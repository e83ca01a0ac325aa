#include "config/config_keys.hpp"

#include <charconv>
#include <cstddef>
#include <type_traits>

#include "config/expand.hpp"
#include "config/key_catalogue.hpp"

// One table says what can be configured, under which names, where it goes and of which type it is. Everything else
// about keys (files, variables, checks of type and words) is generic code that walks the table.

namespace taipan {

namespace {

using Strings = std::vector<std::string>;
using Map = std::map<std::string, std::string>;
using ListMap = std::map<std::string, std::vector<std::string>>;

template <class... Handlers> struct Overloaded : Handlers... { using Handlers::operator()...; };

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

Result<void> set_channel_priority(Config& config, const YamlValue& value) {
    const auto word = lower(value.text);
    const auto flag = parse_boolean(word);
    if (word == "strict")
        config.channel_priority = ChannelPriority::strict;
    else if (word == "flexible" || flag == true)
        config.channel_priority = ChannelPriority::flexible;
    else if (word == "disabled" || flag == false)
        config.channel_priority = ChannelPriority::disabled;
    else
        return make_error(ErrorCode::parse, "must be strict, flexible or disabled, not '" + value.text + "'");
    return {};
}

Result<void> set_ssl_verify(Config& config, const YamlValue& value) {
    if (!value.is_scalar()) return make_error(ErrorCode::parse, "must be true, false or the path of a CA bundle");
    const auto flag = parse_boolean(value.text);
    const auto word = lower(value.text);
    if (flag || word == "<system>" || word == "truststore")
        config.ssl_verify = flag.value_or(true) ? "true" : "false";
    else if (word == "<false>")
        config.ssl_verify = "false";
    else
        config.ssl_verify = expand_home(value.text, config.home);
    return {};
}

/// mamba's file of trusted certificates; an ssl_verify that switches verification off is stronger.
Result<void> set_ca_path(Config& config, const YamlValue& value) {
    if (!value.is_scalar()) return make_error(ErrorCode::parse, "must be the path of a CA bundle");
    if (!value.text.empty() && config.ssl_verify == "true") config.ssl_verify = expand_home(value.text, config.home);
    return {};
}

Result<void> set_auto_activate(Config& config, const YamlValue& value) {
    const auto flag = value.is_scalar() ? parse_boolean(value.text) : std::nullopt;
    if (!flag) return make_error(ErrorCode::parse, "must be true or false");
    config.auto_activate = *flag;
    return {};
}

Result<void> set_direct(Config& config, const YamlValue& value) {
    const auto flag = value.is_scalar() ? parse_boolean(value.text) : std::nullopt;
    if (!flag) return make_error(ErrorCode::parse, "must be true or false");
    config.direct = *flag;
    return {};
}

/// mamba's `-1` means as many as there are cores; ours is 0.
Result<void> set_worker_threads(Config& config, const YamlValue& value) {
    int number = 0;
    const auto [end, error] = std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
    if (error != std::errc() || end != value.text.data() + value.text.size()) {
        return make_error(ErrorCode::parse, "must be a whole number, not '" + value.text + "'");
    }
    config.worker_threads = number > 0 ? number : 0;
    return {};
}

const std::vector<ConfigKey> keys = {
    // channels
    {"channels", "channel", [](Config& c) -> Strings& { return c.channels; }},
    {"default_channels", {}, [](Config& c) -> Strings& { return c.channel_settings.default_channels; }},
    {"channel_alias", {}, [](Config& c) -> std::string& { return c.channel_settings.channel_alias; }},
    {"custom_channels", {}, [](Config& c) -> Map& { return c.channel_settings.custom_channels; }},
    {"custom_multichannels", {}, [](Config& c) -> ListMap& { return c.channel_settings.custom_multichannels; }},
    {"mirrored_channels", {}, [](Config& c) -> ListMap& { return c.mirrored_channels; }},
    {"channel_priority", {}, set_channel_priority},
    {"subdir", "platform", [](Config& c) -> std::string& { return c.subdir; }},
    // index
    {"offline", {}, [](Config& c) -> bool& { return c.offline; }},
    {"use_index_cache", {}, [](Config& c) -> bool& { return c.use_index_cache; }},
    {"local_repodata_ttl", {}, [](Config& c) -> int& { return c.local_repodata_ttl; }},
    {"use_only_tar_bz2", {}, [](Config& c) -> bool& { return c.use_only_tar_bz2; }},
    {"repodata_use_zst", {}, [](Config& c) -> bool& { return c.repodata_use_zst; }},
    {"repodata_use_shards", "use_sharded_repodata", [](Config& c) -> bool& { return c.repodata_use_shards; }},
    // network
    {"ssl_verify", "verify_ssl", set_ssl_verify},
    {"cacert_path", {}, set_ca_path},
    {"client_ssl_cert", "client_cert", [](Config& c) -> std::string& { return c.client_ssl_cert; }},
    {"client_ssl_cert_key", "client_cert_key", [](Config& c) -> std::string& { return c.client_ssl_cert_key; }},
    {"proxy_servers", {}, [](Config& c) -> Map& { return c.proxy_servers; }},
    {"remote_connect_timeout_secs", {}, [](Config& c) -> double& { return c.remote_connect_timeout_seconds; }},
    {"remote_read_timeout_secs", {}, [](Config& c) -> double& { return c.remote_read_timeout_seconds; }},
    {"remote_max_retries", {}, [](Config& c) -> int& { return c.remote_max_retries; }},
    {"remote_backoff_factor", {}, [](Config& c) -> double& { return c.remote_backoff_factor; }},
    {"fetch_threads", "download_threads", [](Config& c) -> int& { return c.fetch_threads; }},
    {"extract_threads", {}, set_worker_threads},
    // places
    {"envs_dirs", "envs_path", [](Config& c) -> Strings& { return c.envs_dirs; }, {}, ':'},
    {"direct", {}, set_direct},
    {"pkgs_dirs", {}, [](Config& c) -> Strings& { return c.pkgs_dirs; }},
    // output and questions
    {"always_yes", "yes", [](Config& c) -> bool& { return c.always_yes; }},
    {"json", {}, [](Config& c) -> bool& { return c.json; }},
    {"quiet", {}, [](Config& c) -> bool& { return c.quiet; }},
    {"verbosity", "verbose", [](Config& c) -> int& { return c.verbosity; }},
    {"show_channel_urls", {}, [](Config& c) -> bool& { return c.show_channel_urls; }},
    // linking
    {"always_copy", "copy", [](Config& c) -> bool& { return c.always_copy; }},
    {"always_softlink", "softlink", [](Config& c) -> bool& { return c.always_softlink; }},
    {"allow_softlinks", {}, [](Config& c) -> bool& { return c.allow_softlinks; }},
    {"slim", {}, [](Config& c) -> Strings& { return c.slim; }},
    {"slim_exclude", {}, [](Config& c) -> Strings& { return c.slim_exclude; }},
    {"slim_keep", {}, [](Config& c) -> Strings& { return c.slim_keep; }},
    {"compile_pyc", {}, [](Config& c) -> bool& { return c.compile_pyc; }},
    {"skip_run_link_scripts", {}, [](Config& c) -> bool& { return c.skip_run_link_scripts; }},
    {"path_conflict", {}, [](Config& c) -> std::string& { return c.path_conflict; }, "clobber warn prevent"},
    {"safety_checks", {}, [](Config& c) -> std::string& { return c.safety_checks; }, "disabled warn enabled"},
    {"extra_safety_checks", {}, [](Config& c) -> bool& { return c.extra_safety_checks; }},
    {"rollback_enabled", {}, [](Config& c) -> bool& { return c.rollback_enabled; }},
    {"register_envs", {}, [](Config& c) -> bool& { return c.register_envs; }},
    {"protect_frozen_envs", {}, [](Config& c) -> bool& { return c.protect_frozen_envs; }},
    // solving
    {"add_pip_as_python_dependency", {}, [](Config& c) -> bool& { return c.add_pip_as_python_dependency; }},
    {"prefix_data_interoperability", "pip_interop_enabled",
     [](Config& c) -> bool& { return c.prefix_data_interoperability; }},
    {"pinned_packages", {}, [](Config& c) -> Strings& { return c.pinned_packages; }, {}, '&'},
    {"create_default_packages", {}, [](Config& c) -> Strings& { return c.create_default_packages; }},
    {"aggressive_update_packages", {}, [](Config& c) -> Strings& { return c.aggressive_update_packages; }},
    {"disallowed_packages", "disallow", [](Config& c) -> Strings& { return c.disallowed_packages; }, {}, '&'},
    {"track_features", {}, [](Config& c) -> Strings& { return c.track_features; }},
    {"override_virtual_packages", "virtual_packages", [](Config& c) -> Map& { return c.override_virtual_packages; }},
    // shells
    {"changeps1", {}, [](Config& c) -> bool& { return c.changeps1; }},
    {"env_prompt", {}, [](Config& c) -> std::string& { return c.env_prompt; }},
    {"auto_activate", "auto_activate_base", set_auto_activate},
    {"auto_stack", {}, [](Config& c) -> int& { return c.auto_stack; }},
    {"default_activation_env", {}, [](Config& c) -> std::string& { return c.default_activation_env; }},
    {"envvars_force_uppercase", {}, [](Config& c) -> bool& { return c.envvars_force_uppercase; }},
    // keys of conda and mamba that mean nothing here
    {"add_anaconda_token", "add_binstar_token"},
    {"allow_conda_downgrades"},
    {"allow_cycles"},
    {"allow_downgrade"},
    {"allow_non_channel_urls"},
    {"allow_uninstall"},
    {"allowlist_channels", "whitelist_channels"},
    {"always_notify"},
    {"anaconda_token"},
    {"anaconda_upload", "binstar_upload"},
    {"auth"},
    {"auto_update_conda", "self_update"},
    {"bld_path"},
    {"channel_settings"},
    {"clobber"},
    {"conda_build", "conda-build"},
    {"console"},
    {"croot"},
    {"debug"},
    {"default_python"},
    {"default_threads"},
    {"denylist_channels"},
    {"deps_modifier"},
    {"dev"},
    {"download_only"},
    {"dry_run"},
    {"enable_private_envs"},
    {"env_vars"},
    {"environment_specifier", "env_spec"},
    {"error_upload_url"},
    {"exclude_newer"},
    {"exclude_newer_package"},
    {"execute_threads"},
    {"experimental"},
    {"experimental_repodata_parsing"},
    {"experimental_sat_error_message"},
    {"export_platforms", "extra_platforms"},
    {"fetch_progress"},
    {"file"},
    {"force"},
    {"force_32bit"},
    {"force_reinstall"},
    {"force_remove"},
    {"freeze_installed"},
    {"ignore_pinned"},
    {"json_console"},
    {"list_fields"},
    {"local_build_root"},
    {"lock_timeout"},
    {"log_backtrace"},
    {"log_level"},
    {"log_pattern"},
    {"max_parallel_downloads"},
    {"migrated_channel_aliases"},
    {"migrated_custom_channels"},
    {"no_env"},
    {"no_lock"},
    {"no_plugins"},
    {"no_progress_bars"},
    {"no_py_pin"},
    {"no_rc"},
    {"non_admin_enabled"},
    {"notify_outdated_conda"},
    {"number_channel_notices"},
    {"only_dependencies"},
    {"order_solver_request"},
    {"override_channels_enabled"},
    {"plugins"},
    {"preview"},
    {"quiet_progress"},
    {"repodata_fns"},
    {"repodata_has_zst"},
    {"repodata_shards_threads"},
    {"repodata_shards_ttl"},
    {"repodata_threads"},
    {"report_errors"},
    {"reporters"},
    {"restore_free_channel"},
    {"root_dir"},
    {"root_prefix"},
    {"sat_solver"},
    {"separate_format_cache"},
    {"shell_completion"},
    {"shortcuts"},
    {"shortcuts_only"},
    {"show_anaconda_channel_warnings"},
    {"show_channel_notices"},
    {"signing_metadata_url_base"},
    {"solver", "experimental_solver"},
    {"solver_ignore_timestamps"},
    {"ssl_no_revoke"},
    {"subdirs"},
    {"target_prefix_override"},
    {"trace"},
    {"trusted_channels"},
    {"unsatisfiable_hints"},
    {"unsatisfiable_hints_check_depth"},
    {"update_modifier"},
    {"use_local"},
    {"use_lockfiles"},
    {"use_target_prefix_fallback"},
    {"use_uv", {}, [](Config& c) -> bool& { return c.use_uv; }},
    {"user_agent"},
    {"verify_artifacts"},
    {"verify_threads"},
};

Error expected(std::string_view what, const YamlValue& value) {
    std::string text = "must be " + std::string(what);
    if (value.is_scalar()) text += ", not '" + value.text + "'";
    return make_error(ErrorCode::parse, std::move(text));
}

template <class Number> Result<void> read_number(const YamlValue& value, Number& target, std::string_view what) {
    const char* end = value.text.data() + value.text.size();
    Number number{};
    const auto [stop, error] = std::from_chars(value.text.data(), end, number);
    if (!value.is_scalar() || error != std::errc() || stop != end) return expected(what, value);
    target = number;
    return {};
}

Result<Strings> read_strings(const YamlValue& value) {
    if (value.is_scalar()) return Strings{value.text};
    if (!value.is_sequence()) return expected("a list", value);
    Strings items;
    for (const auto& item : value.items) {
        if (!item.is_scalar()) return expected("a list of words", item);
        items.push_back(item.text);
    }
    return items;
}

bool has_word(std::string_view words, std::string_view word) {
    for (const auto& one : split_list(words, ' ')) {
        if (one == word) return true;
    }
    return false;
}

Result<void> store(const ConfigKey& key, const YamlValue& value, Config& config) {
    return std::visit(Overloaded{
                          [](std::monostate) -> Result<void> { return {}; },
                          [&](Result<void> (*set)(Config&, const YamlValue&)) { return set(config, value); },
                          [&](bool& (*field)(Config&)) -> Result<void> {
                              const auto flag = value.is_scalar() ? parse_boolean(value.text) : std::nullopt;
                              if (!flag) return expected("true or false", value);
                              field(config) = *flag;
                              return {};
                          },
                          [&](int& (*field)(Config&)) { return read_number(value, field(config), "a whole number"); },
                          [&](double& (*field)(Config&)) { return read_number(value, field(config), "a number"); },
                          [&](std::string& (*field)(Config&)) -> Result<void> {
                              if (!value.is_scalar()) return expected("one word", value);
                              if (!key.choices.empty() && !has_word(key.choices, value.text)) {
                                  return expected("one of: " + std::string(key.choices), value);
                              }
                              field(config) = value.text;
                              return {};
                          },
                          [&](Strings& (*field)(Config&)) -> Result<void> {
                              TAIPAN_TRY(field(config), read_strings(value));
                              return {};
                          },
                          [&](Map& (*field)(Config&)) -> Result<void> {
                              if (!value.is_map()) return expected("'name: value' lines", value);
                              for (const auto& [name, item] : value.members) {
                                  if (!item.is_scalar()) return expected("'name: value' lines", item);
                                  field(config)[name] = item.text;
                              }
                              return {};
                          },
                          [&](ListMap& (*field)(Config&)) -> Result<void> {
                              if (!value.is_map()) return expected("'name: list' lines", value);
                              for (const auto& [name, item] : value.members) {
                                  TAIPAN_TRY(field(config)[name], read_strings(item));
                              }
                              return {};
                          },
                      },
                      key.field);
}

} // namespace

const std::vector<ConfigKey>& config_keys() { return keys; }

const ConfigKey* find_config_key(std::string_view name) {
    for (const auto& key : keys) {
        if (key.name == name || (!key.alias.empty() && key.alias == name)) return &key;
    }
    return nullptr;
}

bool is_list_key(const ConfigKey& key) {
    if (std::holds_alternative<Strings& (*)(Config&)>(key.field)) return true;
    const auto* info = std::holds_alternative<std::monostate>(key.field) ? find_key_info(key.name) : nullptr;
    return info != nullptr && info->shape == KeyInfo::Shape::sequence;
}

Result<void> apply_config_value(const ConfigKey& key, const YamlValue& value, Config& config) {
    if (value.is_null()) return {};
    auto stored = store(key, value, config);
    if (!stored) stored.error().message = "configuration key '" + std::string(key.name) + "' " + stored.error().message;
    return stored;
}

std::optional<bool> parse_boolean(std::string_view text) {
    const auto word = lower(trimmed(text));
    if (word == "true" || word == "yes" || word == "on" || word == "1" || word == "y") return true;
    if (word == "false" || word == "no" || word == "off" || word == "0" || word == "n") return false;
    return std::nullopt;
}

} // namespace taipan
