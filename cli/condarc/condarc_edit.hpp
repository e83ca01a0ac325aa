#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/yaml_value.hpp"

namespace taipan::cli {

/// A scalar that is text, whatever it looks like.
[[nodiscard]] YamlValue text_value(std::string_view text);
/// A scalar that is written as it is: `true`, `3`.
[[nodiscard]] YamlValue plain_value(std::string_view text);
/// True when both are the same data, wherever they stand.
[[nodiscard]] bool same_value(const YamlValue& a, const YamlValue& b);

/// The value as YAML in block style, indented by two blanks a level; a sequence or map begins with a line end.
[[nodiscard]] std::string yaml_block(const YamlValue& value, int indent = 0);

/// A configuration file that is changed key by key. What is not changed stays as it was written, comments included.
class CondarcText {
public:
    /// Fails with ErrorCode::parse when the text is no YAML map.
    static Result<CondarcText> parse(std::string text, std::string path);

    [[nodiscard]] const YamlValue& content() const { return content_; }
    [[nodiscard]] const std::string& text() const { return text_; }
    /// Gives a key of the top level another value; nullopt takes it out.
    Result<void> put(const std::string& key, const std::optional<YamlValue>& value);

private:
    CondarcText(std::string text, std::string path, YamlValue content)
        : text_(std::move(text)), path_(std::move(path)), content_(std::move(content)) {}

    std::string text_, path_;
    YamlValue content_; ///< a map
};

} // namespace taipan::cli
