#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "condarc/condarc_edit.hpp"

namespace taipan::cli {

/// One configuration file being changed by conda's rules. Errors are ErrorCode::invalid_argument; `error_name` then is
/// conda's name for the last one.
class ConfigFile {
public:
    /// Reads `path`; a file that is not there is empty.
    static Result<ConfigFile> read(std::string path);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const YamlValue& content() const { return text_.content(); }
    [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
    [[nodiscard]] std::string_view error_name() const { return error_name_; }

    /// The value of a key, `map.member` too; null when there is none. An unknown key is a warning.
    [[nodiscard]] YamlValue get(const std::string& key);
    /// Gives a single value or the member of a map.
    Result<void> set(const std::string& key, const std::string& text);
    /// Adds to a list, or moves to its beginning or end what is there.
    Result<void> add(const std::string& key, const std::string& item, bool in_front);
    /// Takes every such item out of a list.
    Result<void> remove(const std::string& key, const std::string& item);
    Result<void> remove_key(const std::string& key);
    /// Takes over every key of a YAML text.
    Result<void> merge(const std::string& yaml);
    /// Writes the file if it has changed; where it is a link, what that leads to.
    Result<void> write() const;

private:
    ConfigFile(std::string path, CondarcText text)
        : path_(std::move(path)), text_(std::move(text)), original_(text_.text()) {}
    Error fail(std::string_view name, const std::string& message);

    std::string path_;
    CondarcText text_;
    std::string original_;
    std::vector<std::string> warnings_;
    std::string_view error_name_;
};

} // namespace taipan::cli
