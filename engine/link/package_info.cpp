// What a package says about its own files. The texts come from an archive that anybody may have made: every path is
// checked to stay inside the tree, and whatever breaks the format is corrupt_package, never a crash.

#include "link/package_info.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "link/legacy_package_info.hpp"
#include "link/split_json_array.hpp"

namespace taipan {

namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t long_text = 1 << 20, piece_size = 256 << 10;
constexpr std::size_t first_read = 8 << 10;
constexpr std::uint64_t member_limit = std::uint64_t{512} << 20; // bytes of one info/ member

Error malformed(std::string_view member, std::string_view why) {
    return make_error(ErrorCode::corrupt_package, "info/" + std::string(member) + " is malformed: " + std::string(why));
}

Error json_error(std::string_view member, simdjson::error_code code) {
    return malformed(member, simdjson::error_message(code));
}

std::optional<std::string> read_text(ondemand::value& value) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
    return std::string(text);
}

/// One member of an entry of paths.json. Unknown keys and nulls are skipped; false: a wrong type.
bool read_path_member(std::string_view key, ondemand::value& value, PathEntry& entry) {
    if (key == "no_link") {
        bool flag = false;
        if (value.get_bool().get(flag) == simdjson::SUCCESS) entry.no_link = flag;
        return true;
    }
    if (key == "size_in_bytes") {
        std::uint64_t size = 0;
        if (value.get_uint64().get(size) == simdjson::SUCCESS) entry.size = size;
        return true;
    }
    if (key != "_path" && key != "path_type" && key != "prefix_placeholder" && key != "file_mode" && key != "sha256") {
        return true;
    }
    bool null = false; // asked without a place for the answer, simdjson throws at what only begins like null
    if (value.is_null().get(null) == simdjson::SUCCESS && null) return true;
    auto text = read_text(value);
    if (!text) return false;
    if (key == "_path")
        entry.path = std::move(*text);
    else if (key == "prefix_placeholder")
        entry.placeholder = std::move(*text);
    else if (key == "sha256")
        entry.sha256 = std::move(*text);
    else if (key == "file_mode")
        entry.mode = *text == "binary" ? FileMode::binary : FileMode::text;
    else if (*text == "hardlink")
        entry.type = PathType::hardlink;
    else if (*text == "softlink")
        entry.type = PathType::softlink;
    else if (*text == "directory")
        entry.type = PathType::directory;
    else
        return false;
    return true;
}

Result<PathEntry> read_path(ondemand::value& item) {
    ondemand::object object;
    if (auto code = item.get_object().get(object)) return json_error("paths.json", code);
    PathEntry entry;
    for (auto field : object) {
        std::string_view key;
        ondemand::value value;
        if (auto code = field.unescaped_key().get(key)) return json_error("paths.json", code);
        if (auto code = field.value().get(value)) return json_error("paths.json", code);
        const std::string name(key); // reading the value may reuse the key's buffer
        if (!read_path_member(name, value, entry)) return malformed("paths.json", "unexpected value of " + name);
    }
    if (!is_safe_relative_path(entry.path)) {
        return malformed("paths.json", "'" + entry.path + "' is no path inside the package");
    }
    return entry;
}

/// Appends to `paths` what one document lists.
Result<void> parse_paths(std::string_view text, std::vector<PathEntry>& paths) {
    const simdjson::padded_string padded(text);
    ondemand::parser parser;
    ondemand::document document;
    ondemand::object top;
    if (auto code = parser.iterate(padded).get(document)) return json_error("paths.json", code);
    if (auto code = document.get_object().get(top)) return json_error("paths.json", code);
    bool found = false;
    for (auto field : top) {
        std::string_view key;
        ondemand::value value;
        if (auto code = field.unescaped_key().get(key)) return json_error("paths.json", code);
        if (auto code = field.value().get(value)) return json_error("paths.json", code);
        if (key == "paths_version") {
            std::int64_t version = 0;
            if (value.get_int64().get(version) != simdjson::SUCCESS || version != 1) {
                return malformed("paths.json", "its paths_version is not 1, the only one that is known");
            }
        } else if (key == "paths") {
            ondemand::array items;
            if (auto code = value.get_array().get(items)) return json_error("paths.json", code);
            found = true;
            for (auto item : items) {
                ondemand::value element;
                if (auto code = item.get(element)) return json_error("paths.json", code);
                TAIPAN_TRY(PathEntry entry, read_path(element));
                paths.push_back(std::move(entry));
            }
        }
    }
    if (!found) return malformed("paths.json", "it has no list of paths");
    return {};
}

/// The parser needs several times the memory of its text, so a long one is given to it in pieces.
Result<std::vector<PathEntry>> parse_paths_json(const std::string& text) {
    std::vector<PathEntry> paths;
    std::optional<SplitJsonArray> split;
    if (text.size() > long_text) split = split_json_array(text, "paths", piece_size);
    if (!split) {
        TAIPAN_CHECK(parse_paths(text, paths));
        return paths;
    }
    TAIPAN_CHECK(parse_paths(split->rest, paths));
    for (const std::string_view piece : split->pieces) {
        TAIPAN_CHECK(parse_paths("{\"paths\":[" + std::string(piece) + "]}", paths));
    }
    return paths;
}

Noarch noarch_of(std::string_view text) {
    if (text == "python") return Noarch::python;
    return text == "generic" ? Noarch::generic : Noarch::none;
}

/// `"python"`, `"generic"` or, in very old packages, `true`, which means generic.
Noarch read_noarch(ondemand::value& value) {
    bool flag = false;
    if (value.get_bool().get(flag) == simdjson::SUCCESS) return flag ? Noarch::generic : Noarch::none;
    std::string_view text;
    return value.get_string().get(text) == simdjson::SUCCESS ? noarch_of(text) : Noarch::none;
}

Result<void> read_link_noarch(ondemand::value& value, PackageLayout& layout) {
    ondemand::object noarch;
    if (value.get_object().get(noarch) != simdjson::SUCCESS) return {};
    for (auto field : noarch) {
        std::string_view key;
        ondemand::value member;
        if (auto code = field.unescaped_key().get(key)) return json_error("link.json", code);
        if (auto code = field.value().get(member)) return json_error("link.json", code);
        if (key == "type") {
            layout.noarch = read_noarch(member);
        } else if (key == "entry_points") {
            ondemand::array items;
            if (member.get_array().get(items) != simdjson::SUCCESS) continue; // null: there are none
            for (auto item : items) {
                std::string_view text;
                if (auto code = item.get_string().get(text)) return json_error("link.json", code);
                TAIPAN_TRY(EntryPoint entry_point, parse_entry_point(text));
                layout.entry_points.push_back(std::move(entry_point));
            }
        }
    }
    return {};
}

Result<void> parse_link_json(const std::string& text, PackageLayout& layout) {
    const simdjson::padded_string padded(text);
    ondemand::parser parser;
    ondemand::document document;
    ondemand::object top;
    if (auto code = parser.iterate(padded).get(document)) return json_error("link.json", code);
    if (auto code = document.get_object().get(top)) return json_error("link.json", code);
    for (auto field : top) {
        std::string_view key;
        ondemand::value value;
        if (auto code = field.unescaped_key().get(key)) return json_error("link.json", code);
        if (auto code = field.value().get(value)) return json_error("link.json", code);
        if (key == "package_metadata_version") {
            std::int64_t version = 0;
            if (value.get_int64().get(version) != simdjson::SUCCESS || version != 1) {
                return malformed("link.json", "its package_metadata_version is not 1, the only one that is known");
            }
        } else if (key == "noarch") {
            TAIPAN_CHECK(read_link_noarch(value, layout));
        }
    }
    return {};
}

Result<void> parse_index_noarch(const std::string& text, PackageLayout& layout) {
    const simdjson::padded_string padded(text);
    ondemand::parser parser;
    ondemand::document document;
    ondemand::object top;
    if (auto code = parser.iterate(padded).get(document)) return json_error("index.json", code);
    if (auto code = document.get_object().get(top)) return json_error("index.json", code);
    ondemand::value value;
    if (top.find_field_unordered("noarch").get(value) == simdjson::SUCCESS) layout.noarch = read_noarch(value);
    return {};
}

/// Content of a member, or an empty text when there is none. A short read is the end of a file; what is no regular
/// file gives no text that could be parsed.
Result<std::string> read_member(int package_dir_fd, const char* path) {
    const UniqueFd fd(::openat(package_dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) {
        if (errno == ENOENT) return std::string();
        return system_error(errno, "cannot open", path);
    }
    std::string content;
    std::size_t filled = 0;
    std::size_t room = first_read;
    while (true) {
        content.resize(room);
        const ssize_t got = ::read(fd.get(), content.data() + filled, room - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", path);
        filled += static_cast<std::size_t>(got);
        if (filled < room) break;
        struct stat status {};
        if (::fstat(fd.get(), &status) != 0) return system_error(errno, "cannot stat", path);
        if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) > member_limit) {
            return make_error(ErrorCode::corrupt_package, std::string(path) + " is no file of an acceptable size");
        }
        room = std::max(static_cast<std::size_t>(status.st_size) + 1, room * 2);
    }
    content.resize(filled);
    return content;
}

} // namespace

Result<PackageInfoTexts> read_package_info(int package_dir_fd) {
    PackageInfoTexts texts;
    TAIPAN_TRY(texts.index_json, read_member(package_dir_fd, "info/index.json"));
    if (texts.index_json.empty()) {
        return make_error(ErrorCode::corrupt_package, "the extracted package has no info/index.json");
    }
    TAIPAN_TRY(texts.paths_json, read_member(package_dir_fd, "info/paths.json"));
    TAIPAN_TRY(texts.link_json, read_member(package_dir_fd, "info/link.json"));
    if (texts.link_json.empty() && texts.index_json.find("\"noarch\"") != std::string::npos) { // its older name
        TAIPAN_TRY(texts.link_json, read_member(package_dir_fd, "info/package_metadata.json"));
    }
    if (!texts.paths_json.empty()) return texts;
    TAIPAN_TRY(texts.files, read_member(package_dir_fd, "info/files"));
    TAIPAN_TRY(texts.has_prefix, read_member(package_dir_fd, "info/has_prefix"));
    TAIPAN_TRY(texts.no_link, read_member(package_dir_fd, "info/no_link"));
    TAIPAN_TRY(texts.no_softlink, read_member(package_dir_fd, "info/no_softlink"));
    return texts;
}

Result<PackageLayout> parse_package_layout(const PackageInfoTexts& texts) {
    PackageLayout layout;
    TAIPAN_CHECK(parse_index_noarch(texts.index_json, layout));
    if (!texts.link_json.empty()) TAIPAN_CHECK(parse_link_json(texts.link_json, layout));
    layout.legacy = texts.paths_json.empty();
    if (layout.legacy) {
        TAIPAN_TRY(layout.paths, parse_legacy_paths(texts));
    } else {
        TAIPAN_TRY(layout.paths, parse_paths_json(texts.paths_json));
    }
    return layout;
}

Result<PackageLayout> load_package_layout(int package_dir_fd) {
    TAIPAN_TRY(const PackageInfoTexts texts, read_package_info(package_dir_fd));
    TAIPAN_TRY(PackageLayout layout, parse_package_layout(texts));
    if (layout.legacy) TAIPAN_CHECK(detect_symlinks(layout, package_dir_fd));
    return layout;
}

} // namespace taipan
