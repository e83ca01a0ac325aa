#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/environment_file.hpp"
#include "config/yaml_value.hpp"

// What the readers of both kinds of lock file share.

namespace taipan {

/// Reads members of one YAML map; what is wrong is told with file and line. The value, the path and the context
/// outlive it.
class LockEntry {
public:
    LockEntry(const YamlValue& value, const std::string& path, const RequestFileContext& context)
        : value_(value), path_(path), context_(context) {}

    [[nodiscard]] const YamlValue& value() const { return value_; }
    /// The scalar of that name; empty when there is none.
    [[nodiscard]] std::string word(std::string_view key) const;
    /// A sequence of scalars; empty when there is none.
    [[nodiscard]] std::vector<std::string> words(std::string_view key) const;
    /// A number that is not negative; nullopt when there is none.
    [[nodiscard]] std::optional<std::uint64_t> number(std::string_view key) const;
    /// A hex digest of so many characters in lower case; empty when there is none. Another text is an error.
    Result<std::string> digest(std::string_view key, std::size_t length) const;
    [[nodiscard]] Error error(const std::string& what) const;

    /// A URL or path of the file as a URL: variables expanded, paths taken relative to the file.
    Result<std::string> location(std::string_view text) const;

private:
    const YamlValue& value_;
    const std::string& path_;
    const RequestFileContext& context_;
};

/// Adds a package to a file; the same one again is no error, another one of its name is.
Result<void> add_locked(LockedPackage package, const LockEntry& entry, RequestFile& file);

/// A list of names for a message: `a, b and c`; "none" when it is empty.
[[nodiscard]] std::string listed(const std::set<std::string>& names);

} // namespace taipan
