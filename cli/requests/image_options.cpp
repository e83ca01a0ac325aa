#include "requests/image_options.hpp"

#include <charconv>

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "config/yaml_value.hpp"
#include "screen/text.hpp"

namespace taipan::cli {

namespace {

Error invalid(std::string message) { return make_error(ErrorCode::invalid_argument, std::move(message)); }

/// `["python", "-m", "app"]`, or words between blanks.
Result<std::vector<std::string>> words_of(const std::string& option, const std::string& text) {
    std::vector<std::string> words;
    if (!text.starts_with('[')) {
        for (const auto word : split_words(text)) words.emplace_back(word);
        return words;
    }
    const auto list = parse_yaml(text, option);
    bool flat = list && list->is_sequence();
    if (flat) {
        for (const YamlValue& item : list->items) {
            flat = flat && item.is_scalar();
            words.push_back(item.text);
        }
    }
    if (flat) return words;
    return invalid(option + " must be words or a JSON list of strings, not '" + text + "'");
}

Result<std::vector<std::pair<std::string, std::string>>> pairs_of(const std::string& option,
                                                                  const std::vector<std::string>& texts) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const std::string& text : texts) {
        const std::size_t sign = text.find('=');
        if (sign == std::string::npos || sign == 0) return invalid(option + " must be NAME=VALUE, not '" + text + "'");
        pairs.emplace_back(text.substr(0, sign), text.substr(sign + 1));
    }
    return pairs;
}

template <class Number> Result<Number> number_of(const std::string& name, const std::string& text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && stop == end && number >= Number{0}) return number;
    return invalid(name + " must be a number, not '" + text + "'");
}

bool is_tag(const std::string& text) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/@+";
    return !text.empty() && text.find_first_not_of(allowed) == std::string::npos;
}

} // namespace

Options ImageOptions::options() {
    const std::string image = "Image", run = "Containers of the image";
    return {
        {"-o,--output", &output, "PATH",
         "where the image goes: an OCI layout, or a tar archive (docker load) if it ends in .tar", image},
        {"-p,--prefix", &prefix, "PATH", "where the environment lies in the image (default: /opt/env)", image},
        {"--base", &base, "LAYOUT", "put it upon this image: an OCI layout, as a directory or tar archive", image},
        {"--tag", &tag, "NAME", "what the image is called in the layout (default: latest)", image},
        {"--compression", &compression, "HOW", "of the layers: zstd (the default), gzip or none", image},
        {"--max-layers", &most_layers, "N", "at most so many layers, with those of the base (default: 100)", image},
        {"--entrypoint", &entrypoint, "WORDS", "program to run: words, or a JSON list of strings", run},
        {"--cmd", &command, "WORDS", "its default arguments: words, or a JSON list of strings", run},
        {"--env", &environment, "NAME=VALUE", "set a variable; may be repeated", run},
        {"--user", &user, "USER", "run as this user", run},
        {"--workdir", &working_directory, "PATH", "run in this directory", run},
        {"--label", &labels, "NAME=VALUE", "say this of the image; may be repeated", run},
    };
}

Result<ImageRequest> ImageOptions::request(const Config& config, const std::string& source_date_epoch) const {
    ImageRequest request;
    const auto here = [&](const std::string& path) {
        return absolute_path(expand_home(path, config.home), config.working_directory);
    };
    if (!prefix.starts_with('/')) return invalid("--prefix is a path in the image and begins with a slash");
    request.prefix = absolute_path(prefix, "/");
    if (request.prefix == "/") return invalid("--prefix cannot be the root directory of the image");
    if (request.prefix.find(':') != std::string::npos || request.prefix.find(' ') != std::string::npos) {
        return invalid("--prefix cannot have a colon or blank in it: it becomes a part of PATH and of scripts");
    }
    request.output = here(output);
    request.archive = output.ends_with(".tar");
    if (!base.empty()) request.base = here(base);
    if (!is_tag(tag)) return invalid("--tag is a name as in app or app:1.0, not '" + tag + "'");
    request.tag = tag;
    request.compression = compression;
    if (!most_layers.empty()) {
        TAIPAN_TRY(request.most_layers, number_of<std::size_t>("--max-layers", most_layers));
        if (request.most_layers > layer_limit) {
            return invalid("--max-layers can be " + std::to_string(layer_limit) +
                           " at most: more layers cannot be put "
                           "over each other");
        }
    }
    if (!source_date_epoch.empty()) {
        TAIPAN_TRY(request.source_date_epoch, number_of<std::int64_t>("SOURCE_DATE_EPOCH", source_date_epoch));
    }
    if (entrypoint) {
        TAIPAN_TRY(request.entrypoint, words_of("--entrypoint", *entrypoint));
    }
    if (command) {
        TAIPAN_TRY(request.command, words_of("--cmd", *command));
    }
    TAIPAN_TRY(request.environment, pairs_of("--env", environment));
    TAIPAN_TRY(request.labels, pairs_of("--label", labels));
    request.user = user;
    request.working_directory = working_directory;
    return request;
}

} // namespace taipan::cli
