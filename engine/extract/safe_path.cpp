// Names come from whoever made the archive. Tar has no canonical form of a path ("./a", "a//b", "a/./b" and "a/"
// all occur in real packages), so a name is brought into one form first and then judged: what comes out is empty
// (the root) or satisfies is_safe_relative_path, and two spellings of one path compare equal afterwards.

#include "extract/safe_path.hpp"

#include <algorithm>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

Error bad_path(std::string_view raw, std::string_view why) {
    return make_error(ErrorCode::corrupt_package,
                      "the archive has a member whose path " + std::string(why) + ": " + printable(raw));
}

} // namespace

Result<void> clean_member_path(std::string_view raw, std::string& clean) {
    clean.clear();
    if (raw.empty()) return bad_path(raw, "is empty");
    if (raw.front() == '/') return bad_path(raw, "is absolute");
    if (raw.size() > longest_member_path) return bad_path(raw, "is too long");
    if (raw.find('\0') != std::string_view::npos) return bad_path(raw, "contains NUL");
    for (auto rest = raw; !rest.empty();) {
        const auto slash = rest.find('/');
        const auto component = rest.substr(0, slash);
        rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
        if (component.empty() || component == ".") continue;
        if (component == "..") return bad_path(raw, "contains \"..\"");
        if (!clean.empty()) clean += '/';
        clean += component;
    }
    return {};
}

bool link_stays_inside(std::string_view path, std::string_view target) {
    if (target.empty() || target.front() == '/') return false;
    auto room = std::count(path.begin(), path.end(), '/'); // directories between the link and the root
    bool down = false;
    for (auto rest = target; !rest.empty();) {
        const auto slash = rest.find('/');
        const auto component = rest.substr(0, slash);
        rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
        if (component.empty() || component == ".") continue;
        if (component != "..") {
            down = true; // where a ".." after this leads is for the file system to say
        } else if (down || --room < 0) {
            return false;
        }
    }
    return true;
}

std::string printable(std::string_view text) {
    constexpr std::size_t longest = 300;
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "'";
    for (const char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f || c == '\'' || c == '\\') {
            out += "\\x";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    out += text.size() > longest ? "...'" : "'";
    return out;
}

} // namespace taipan
