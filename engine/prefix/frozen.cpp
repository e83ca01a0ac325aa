// Files by which a person tells tools what not to do with an environment: `frozen` (CEP 22) and `pinned`.

#include "prefix/frozen.hpp"

#include <algorithm>

#include <simdjson.h>

#include "base/filesystem.hpp"

namespace taipan {

namespace {
constexpr std::uint64_t text_limit = std::uint64_t{1} << 20;

/// Each line that is not empty four blanks in.
std::string indented(const std::string& text) {
    std::string result;
    bool at_start = true;
    for (const char c : text) {
        if (at_start && c != '\n') result += "    ";
        result += c;
        at_start = c == '\n';
    }
    return result;
}
} // namespace

Result<std::optional<std::string>> frozen_message(const std::string& prefix) {
    const std::string path = prefix + "/conda-meta/frozen";
    if (!exists(path)) return std::optional<std::string>();
    TAIPAN_TRY(const std::string text, read_regular_file(path, text_limit));
    const simdjson::padded_string padded(text);
    simdjson::ondemand::parser parser;
    simdjson::ondemand::document document;
    std::string_view message;
    // The file's presence freezes; an empty or odd one only has nothing to say.
    if (parser.iterate(padded).get(document) == simdjson::SUCCESS &&
        document["message"].get_string().get(message) == simdjson::SUCCESS) {
        return std::optional<std::string>(std::string(message));
    }
    return std::optional<std::string>(std::string());
}

Result<void> require_not_frozen(const std::string& prefix) {
    TAIPAN_TRY(const std::optional<std::string> message, frozen_message(prefix));
    if (!message) return {};
    std::string text = "Cannot modify '" + prefix + "'. The environment is marked as frozen. ";
    if (!message->empty()) text += "Reason:\n\n" + indented(*message) + "\n\n";
    return make_error(ErrorCode::environment_frozen,
                      text + "You can bypass these protections with the `--override-frozen` flag, at your own risk.");
}

std::vector<std::string> parse_pinned(std::string_view text) {
    std::vector<std::string> specs;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t first = line.find_first_not_of(" \t\r");
        if (first == std::string_view::npos || line[first] == '#') continue;
        line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
        specs.emplace_back(line);
    }
    return specs;
}

Result<std::vector<std::string>> read_pinned(const std::string& prefix) {
    const std::string path = prefix + "/conda-meta/pinned";
    if (!exists(path)) return std::vector<std::string>{};
    TAIPAN_TRY(const std::string text, read_regular_file(path, text_limit));
    return parse_pinned(text);
}

} // namespace taipan
