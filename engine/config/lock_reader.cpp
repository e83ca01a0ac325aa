#include "config/lock_reader.hpp"

#include <algorithm>
#include <charconv>

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "model/channel.hpp"

namespace taipan {

std::string LockEntry::word(std::string_view key) const {
    const auto* const found = value_.find(key);
    return found != nullptr && found->is_scalar() ? found->text : std::string();
}

std::vector<std::string> LockEntry::words(std::string_view key) const {
    std::vector<std::string> texts;
    const auto* const found = value_.find(key);
    if (found == nullptr) return texts;
    for (const auto& item : found->items) {
        if (item.is_scalar()) texts.push_back(item.text);
    }
    return texts;
}

std::optional<std::uint64_t> LockEntry::number(std::string_view key) const {
    const std::string text = word(key);
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Result<std::string> LockEntry::digest(std::string_view key, std::size_t length) const {
    std::string text = word(key);
    const auto is_hex = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    if (text.empty()) return text;
    if (text.size() != length || !std::all_of(text.begin(), text.end(), is_hex)) {
        return error("'" + text + "' is no " + std::string(key) + " digest");
    }
    for (char& c : text) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

Error LockEntry::error(const std::string& what) const {
    return make_error(ErrorCode::parse, path_ + ", line " + std::to_string(value_.line) + ": " + what);
}

Result<std::string> LockEntry::location(std::string_view text) const {
    std::string place = expand_variables(text, context_.environment);
    if (place.find("://") != std::string::npos) return place;
    if (place.starts_with('/')) return file_url_of_path(place);
    if (context_.base_directory.empty()) {
        return error("'" + std::string(text) + "' is relative to the lock file, which was not read from a directory");
    }
    return file_url_of_path(absolute_path(place, context_.base_directory));
}

Result<void> add_locked(LockedPackage package, const LockEntry& entry, RequestFile& file) {
    const auto known = std::find_if(file.locked.begin(), file.locked.end(), [&](const LockedPackage& other) {
        return other.record.name == package.record.name;
    });
    if (known == file.locked.end()) {
        file.locked.push_back(std::move(package));
        return {};
    }
    if (known->url == package.url) return {};
    return entry.error("the package '" + package.record.name + "' is there twice, as " +
                       without_credentials(known->url) + " and as " + without_credentials(package.url));
}

std::string listed(const std::set<std::string>& names) {
    if (names.empty()) return "none";
    std::string text;
    std::size_t left = names.size();
    for (const auto& name : names) {
        text += name;
        --left;
        if (left > 0) text += left == 1 ? " and " : ", ";
    }
    return text;
}

} // namespace taipan
