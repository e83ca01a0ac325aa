// The configuration of an image on top of a base: what is not ours stays as the base has it, whatever it is.

#include <algorithm>
#include <map>

#include <simdjson.h>

#include "base/json_writer.hpp"
#include "image/image_config.hpp"

namespace taipan {

namespace {

namespace dom = simdjson::dom;

constexpr std::string_view usual_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The part of a base's configuration that goes on in ours, as JSON texts.
struct Inherited {
    std::map<std::string, std::string> config;
    std::vector<std::string> environment;
    std::map<std::string, std::string> labels;
    std::vector<std::string> history;
};

Result<void> read_base(const std::string& text, Inherited& base) {
    dom::parser parser;
    dom::element top;
    if (parser.parse(text).get(top) != simdjson::SUCCESS || !top.is_object()) {
        return make_error(ErrorCode::parse, "the base image's configuration is malformed");
    }
    dom::object config;
    if (top["config"].get(config) == simdjson::SUCCESS) {
        for (const auto& [key, value] : config) base.config[std::string(key)] = simdjson::minify(value);
        dom::array environment;
        if (config["Env"].get(environment) == simdjson::SUCCESS) {
            for (const dom::element item : environment) {
                std::string_view word;
                if (item.get(word) == simdjson::SUCCESS) base.environment.emplace_back(word);
            }
        }
        dom::object labels;
        if (config["Labels"].get(labels) == simdjson::SUCCESS) {
            for (const auto& [key, value] : labels) {
                std::string_view word;
                if (value.get(word) == simdjson::SUCCESS) base.labels[std::string(key)] = word;
            }
        }
    }
    dom::array history;
    if (top["history"].get(history) == simdjson::SUCCESS) {
        for (const dom::element entry : history) base.history.push_back(simdjson::minify(entry));
    }
    return {};
}

std::string value_of(const std::vector<std::string>& environment, const std::string& name) {
    for (const std::string& word : environment) {
        if (word.starts_with(name + '=')) return word.substr(name.size() + 1);
    }
    return {};
}

void set_variable(std::vector<std::string>& environment, const std::string& name, const std::string& value) {
    const std::string word = name + '=' + value;
    const auto known = std::find_if(environment.begin(), environment.end(),
                                    [&](const std::string& other) { return other.starts_with(name + '='); });
    if (known == environment.end())
        environment.push_back(word);
    else
        *known = word;
}

std::string list_json(const std::vector<std::string>& items) { return JsonWriter(0).value(items).take(); }
std::string text_json(const std::string& text) { return JsonWriter(0).value(text).take(); }

std::string labels_json(const std::map<std::string, std::string>& labels) {
    JsonWriter json(0);
    json.begin_object();
    for (const auto& [name, value] : labels) json.member(name, value);
    return json.end_object().take();
}

void put_over(Inherited& base, const ImageDescription& image) {
    auto& environment = base.environment;
    const std::string path = value_of(environment, "PATH");
    set_variable(environment, "PATH", image.prefix + "/bin:" + (path.empty() ? std::string(usual_path) : path));
    set_variable(environment, "CONDA_PREFIX", image.prefix);
    for (const auto& [name, value] : image.settings.environment) set_variable(environment, name, value);
    base.config["Env"] = list_json(environment);

    const ImageSettings& settings = image.settings;
    if (settings.entrypoint) {
        base.config["Entrypoint"] = list_json(*settings.entrypoint);
        base.config.erase("Cmd");
    }
    if (settings.command) base.config["Cmd"] = list_json(*settings.command);
    if (settings.user) base.config["User"] = text_json(*settings.user);
    if (settings.working_directory) base.config["WorkingDir"] = text_json(*settings.working_directory);
    for (const auto& [name, value] : settings.labels) base.labels[name] = value;
    if (!base.labels.empty()) base.config["Labels"] = labels_json(base.labels);
}

void write_layers(JsonWriter& json, const ImageDescription& image) {
    json.key("rootfs").begin_object().member("type", "layers").key("diff_ids").begin_array();
    if (image.base != nullptr) {
        for (const ImageLayer& layer : image.base->layers) json.value(oci_digest(layer.diff_id));
    }
    for (const ImageLayer& layer : image.layers) json.value(oci_digest(layer.diff_id));
    json.end_array().end_object();
}

} // namespace

Result<std::string> image_config_json(const ImageDescription& image) {
    Inherited base;
    if (image.base != nullptr) TAIPAN_CHECK(read_base(image.base->config_json, base));
    put_over(base, image);
    JsonWriter json;
    json.begin_object().member("created", image.created);
    json.member("architecture", image.platform.architecture);
    if (!image.platform.variant.empty()) json.member("variant", image.platform.variant);
    json.member("os", "linux");
    json.key("config").begin_object();
    for (const auto& [key, value] : base.config) json.key(key).raw(value);
    json.end_object();
    write_layers(json, image);
    json.key("history").begin_array();
    for (const std::string& entry : base.history) json.raw(entry);
    for (const ImageLayer& layer : image.layers) {
        json.begin_object().member("created", image.created).member("created_by", "taipan image: " + layer.made_of);
        json.end_object();
    }
    return json.end_array().end_object().take();
}

} // namespace taipan
