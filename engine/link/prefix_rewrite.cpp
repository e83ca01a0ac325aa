// Problem: compiled packages carry the prefix they were built in, a long placeholder, inside scripts and binaries.
// It must become the real prefix without disturbing anything else.
// Approach: memmem for the placeholder in each encoding. Text is rebuilt around the hits. A binary is changed in place:
// a hit starts a run that ends at the next NUL of the encoding's width; inside the run every occurrence shrinks to
// the new prefix, the tail moves up and the space that is won is filled with NULs after the run's own NUL.
// What must hold: a binary keeps its size, bytes outside runs keep their place, a hit without NUL is left alone.

#include "link/prefix_rewrite.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

struct Encoding {
    std::size_t width; ///< bytes of one code unit, and of its NUL
    bool big_endian;
};
constexpr std::array<Encoding, 5> encodings{{{1, false}, {2, false}, {2, true}, {4, false}, {4, true}}};

/// Code points of UTF-8; nullopt when it is not valid.
std::optional<std::vector<std::uint32_t>> code_points(std::string_view text) {
    std::vector<std::uint32_t> points;
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<std::uint8_t>(text[at]);
        const std::size_t length = lead < 0x80          ? 1
                                   : (lead >> 5U) == 6  ? 2
                                   : (lead >> 4U) == 14 ? 3
                                   : (lead >> 3U) == 30 ? 4
                                                        : 0;
        if (length == 0 || at + length > text.size()) return std::nullopt;
        std::uint32_t point = length == 1 ? lead : lead & (0xffU >> (length + 1));
        for (std::size_t i = 1; i < length; ++i) {
            const auto next = static_cast<std::uint8_t>(text[at + i]);
            if ((next & 0xc0U) != 0x80) return std::nullopt;
            point = (point << 6U) | (next & 0x3fU);
        }
        points.push_back(point);
        at += length;
    }
    return points;
}

void append_unit(std::string& out, std::uint32_t unit, Encoding encoding) {
    for (std::size_t i = 0; i < encoding.width; ++i) {
        const std::size_t shift = 8 * (encoding.big_endian ? encoding.width - 1 - i : i);
        out.push_back(static_cast<char>((unit >> shift) & 0xffU));
    }
}

/// UTF-8 text in another encoding; nullopt when the text is not valid UTF-8 (then only raw bytes can match).
std::optional<std::string> encode(std::string_view text, Encoding encoding) {
    if (encoding.width == 1) return std::string(text);
    const auto points = code_points(text);
    if (!points) return std::nullopt;
    std::string out;
    for (std::uint32_t point : *points) {
        if (encoding.width == 2 && point >= 0x10000) {
            append_unit(out, 0xd800U + ((point - 0x10000U) >> 10U), encoding);
            append_unit(out, 0xdc00U + ((point - 0x10000U) & 0x3ffU), encoding);
        } else {
            append_unit(out, point, encoding);
        }
    }
    return out;
}

/// glibc's memmem is fastest, by far, up to 256 bytes: the start of a longer needle (a placeholder in UTF-16 or UTF-32)
/// finds the places where the rest is compared.
constexpr std::size_t probe_size = 252;

std::size_t find(std::string_view content, std::string_view needle, std::size_t from) {
    const std::string_view probe = needle.substr(0, probe_size);
    const std::string_view rest = needle.substr(probe.size());
    while (from < content.size()) {
        const void* hit = ::memmem(content.data() + from, content.size() - from, probe.data(), probe.size());
        if (hit == nullptr) break;
        const auto at = static_cast<std::size_t>(static_cast<const char*>(hit) - content.data());
        if (content.substr(at + probe.size(), rest.size()) == rest) return at;
        from = at + 1;
    }
    return std::string_view::npos;
}

bool replace_all(std::string& content, std::string_view from, std::string_view to) {
    std::size_t hit = find(content, from, 0);
    if (hit == std::string::npos) return false;
    std::string out;
    out.reserve(content.size());
    std::size_t at = 0;
    for (; hit != std::string::npos; hit = find(content, from, at)) {
        out.append(content, at, hit - at).append(to);
        at = hit + from.size();
    }
    out.append(content, at);
    content = std::move(out);
    return true;
}

/// Start of the NUL that ends the run which begins at `begin`; npos when there is none before the end.
std::size_t find_terminator(std::string_view content, std::size_t begin, std::size_t width) {
    if (width == 1) return content.find('\0', begin);
    constexpr std::array<char, 4> zeros{};
    for (std::size_t at = begin; at + width <= content.size(); at += width) {
        if (std::memcmp(content.data() + at, zeros.data(), width) == 0) return at;
    }
    return std::string_view::npos;
}

/// Replaces every aligned occurrence in the run [begin, end), whose NUL starts at `end`.
void rewrite_run(std::string& content, std::size_t begin, std::size_t end, std::string_view from, std::string_view to,
                 std::size_t width) {
    std::size_t read = begin;
    std::size_t write = begin;
    char* const bytes = content.data();
    const auto move_up = [&](std::size_t until) {
        std::memmove(bytes + write, bytes + read, until - read);
        write += until - read;
        read = until;
    };
    std::size_t search = begin;
    while (true) {
        const std::size_t hit = find(std::string_view(content).substr(0, end), from, search);
        if (hit == std::string::npos) break;
        if ((hit - begin) % width != 0) {
            search = hit + 1;
            continue;
        }
        move_up(hit);
        std::memcpy(bytes + write, to.data(), to.size());
        write += to.size();
        read += from.size();
        search = read;
    }
    move_up(end);
    std::memset(bytes + write, 0, end - write);
}

Result<bool> rewrite_binary(std::string& content, std::string_view from, std::string_view to, std::size_t width) {
    bool changed = false;
    for (std::size_t hit = find(content, from, 0); hit != std::string::npos;) {
        const std::size_t end = find_terminator(content, hit + from.size(), width);
        if (end == std::string::npos) {
            if (width == 1) break; // no NUL follows this hit, so none follows a later one
            hit = find(content, from, hit + 1);
            continue;
        }
        if (to.size() > from.size()) {
            return make_error(ErrorCode::prefix_too_long,
                              "the environment's path is " + std::to_string(to.size() / width) +
                                  " bytes long, but this package's binaries leave room for " +
                                  std::to_string(from.size() / width) + "; choose a shorter path");
        }
        rewrite_run(content, hit, end, from, to, width);
        changed = true;
        hit = find(content, from, end + width);
    }
    return changed;
}

std::string escape_blanks(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == ' ') out.push_back('\\');
        out.push_back(c);
    }
    return out;
}

/// `#!<placeholder>` in the first line; blanks of the prefix are escaped there, which marks them for
/// `shorten_shebang`.
bool rewrite_shebang(std::string& content, std::string_view placeholder, std::string_view new_prefix) {
    const std::size_t line_end = std::min(content.find('\n'), content.size());
    const std::string needle = "#!" + std::string(placeholder);
    const std::size_t hit = find(std::string_view(content).substr(0, line_end), needle, 0);
    if (hit == std::string::npos) return false;
    content.replace(hit, needle.size(), "#!" + escape_blanks(new_prefix));
    return true;
}

/// A first line that the kernel would cut off, or split at a blank, is turned into one that finds the program by PATH.
bool shorten_shebang(std::string& content, Platform platform) {
    if (!content.starts_with("#!")) return false;
    const std::size_t line_end = std::min(content.find('\n'), content.size());
    const std::string_view line = std::string_view(content).substr(0, line_end);
    const std::size_t path_begin = line.find_first_not_of(' ', 2);
    if (path_begin == std::string_view::npos || line[path_begin] != '/') return false;
    std::size_t path_end = path_begin;
    while (path_end < line.size() && line[path_end] != '\r' && line[path_end] != '\t') {
        if (line[path_end] == ' ' && line[path_end - 1] != '\\') break;
        ++path_end;
    }
    const std::string_view path = line.substr(path_begin, path_end - path_begin);
    const bool blank_in_directory = parent_path(path).find("\\ ") != std::string_view::npos;
    if (line.size() <= shebang_limit(platform) && !blank_in_directory) return false;
    const std::string replacement =
        "#!/usr/bin/env " + std::string(base_name(path)) + std::string(line.substr(path_end));
    if (replacement == line) return false;
    content.replace(0, line_end, replacement);
    return true;
}

} // namespace

Result<bool> rewrite_prefix(std::string& content, std::string_view placeholder, std::string_view new_prefix,
                            FileMode mode, Platform platform) {
    const bool text = mode == FileMode::text;
    if (placeholder.empty() || (!text && platform == Platform::windows)) return false;
    std::string replacement(new_prefix);
    if (platform == Platform::windows) std::replace(replacement.begin(), replacement.end(), '\\', '/');
    bool changed = false;
    if (placeholder != replacement) {
        if (text && platform != Platform::windows) changed = rewrite_shebang(content, placeholder, replacement);
        for (const Encoding encoding : encodings) {
            const auto from = encode(placeholder, encoding);
            const auto to = encode(replacement, encoding);
            if (!from || !to) continue;
            if (text) {
                changed = replace_all(content, *from, *to) || changed;
            } else {
                TAIPAN_TRY(const bool hit, rewrite_binary(content, *from, *to, encoding.width));
                changed = changed || hit;
            }
        }
    }
    if (text && platform != Platform::windows) changed = shorten_shebang(content, platform) || changed;
    return changed;
}

} // namespace taipan
