// Written here and not by libarchive, whose writer brings all formats that it knows along, with libraries that the
// program is otherwise without. Nothing depends on the machine: no owner names, no access times, no sparse files, one
// spelling of each header.

#include "base/tar_header.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace taipan {

namespace {

constexpr std::size_t name_bytes = 100, prefix_bytes = 155;
constexpr std::uint64_t largest_octal = (std::uint64_t{1} << 33U) - 1; ///< eleven digits

/// Fields of a ustar header: where they begin.
constexpr std::size_t mode_at = 100, owner_at = 108, group_at = 116, size_at = 124, time_at = 136, sum_at = 148,
                      kind_at = 156, target_at = 157, magic_at = 257, device_major_at = 329, device_minor_at = 337,
                      prefix_at = 345;

void put(std::string& block, std::size_t place, std::string_view text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(place));
}

/// Where a path is cut into ustar's prefix and name (the slash); 0: not at all; nullopt: it does not fit.
std::optional<std::size_t> cut_of(std::string_view path) {
    if (path.size() <= name_bytes) return 0;
    for (std::size_t at = path.find('/'); at <= prefix_bytes; at = path.find('/', at + 1)) {
        const std::size_t rest = path.size() - at - 1;
        if (at > 0 && rest > 0 && rest <= name_bytes) return at;
    }
    return std::nullopt;
}

struct Fields {
    std::string_view path, target;
    char kind = '0';
    std::uint64_t size = 0, seconds = 0;
    mode_t mode = 0;
};

std::string block_of(const Fields& fields) {
    std::string block(tar_block_bytes, '\0');
    if (const std::size_t cut = cut_of(fields.path).value_or(0); cut > 0) {
        put(block, prefix_at, fields.path.substr(0, cut));
        put(block, 0, fields.path.substr(cut + 1));
    } else {
        put(block, 0, fields.path.substr(0, name_bytes)); // what does not fit stands in a pax header
    }
    put(block, mode_at, fmt::format("{:07o}", fields.mode & 07777U));
    for (const std::size_t zero_at : {owner_at, group_at, device_major_at, device_minor_at})
        put(block, zero_at, "0000000");
    put(block, size_at, fmt::format("{:011o}", std::min(fields.size, largest_octal)));
    put(block, time_at, fmt::format("{:011o}", std::min(fields.seconds, largest_octal)));
    put(block, sum_at, "        ");
    block[kind_at] = fields.kind;
    put(block, target_at, fields.target.substr(0, name_bytes));
    put(block, magic_at, std::string_view("ustar\00000", 8));
    unsigned sum = 0;
    for (const char byte : block) sum += static_cast<unsigned char>(byte);
    put(block, sum_at, fmt::format("{:06o}", sum) + '\0');
    return block;
}

/// `<length> <key>=<value>\n`, where the length counts itself.
std::string record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (length != rest + std::to_string(length).size()) length = rest + std::to_string(length).size();
    return fmt::format("{} {}={}\n", length, key, value);
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) { return static_cast<unsigned char>(letter) < 128; });
}

/// Whether each lead byte has its continuation bytes: enough to tell UTF-8 from names in another encoding.
bool is_utf8(std::string_view text) {
    int expected = 0;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        const bool continues = (byte & 0xC0U) == 0x80U;
        if (continues != (expected > 0)) return false;
        if (continues)
            --expected;
        else if (byte >= 0x80U)
            expected = byte >= 0xF8U ? -1 : byte >= 0xF0U ? 3 : byte >= 0xE0U ? 2 : 1;
        if (expected < 0) return false;
    }
    return expected == 0;
}

/// What a ustar header cannot say.
std::string records_of(const TarHeader& header, const Fields& fields) {
    std::string names, records;
    if (!cut_of(fields.path) || !is_ascii(fields.path)) names += record("path", fields.path);
    if (fields.target.size() > name_bytes || !is_ascii(fields.target)) names += record("linkpath", fields.target);
    if (!is_utf8(names)) records = record("hdrcharset", "BINARY"); // the values are UTF-8 otherwise
    records += names;
    if (fields.size > largest_octal) records += record("size", std::to_string(fields.size));
    const long part = header.modified.tv_sec < 0 ? 0 : header.modified.tv_nsec;
    if (part != 0 || fields.seconds > largest_octal)
        records += record("mtime", fmt::format("{}.{:09}", fields.seconds, part));
    return records;
}

} // namespace

std::size_t tar_padding(std::uint64_t size) {
    return static_cast<std::size_t>((tar_block_bytes - size % tar_block_bytes) % tar_block_bytes);
}

std::string tar_end() {
    std::string zeros;
    zeros.resize(2 * tar_block_bytes);
    return zeros;
}

std::string tar_header(const TarHeader& header) {
    const std::string path = header.kind == TarHeader::Kind::directory ? header.path + '/' : header.path;
    Fields fields;
    fields.path = path;
    if (header.kind == TarHeader::Kind::symlink) fields.target = header.target;
    fields.kind = static_cast<char>(header.kind);
    fields.size = header.kind == TarHeader::Kind::file ? header.size : 0;
    fields.seconds = static_cast<std::uint64_t>(std::max<time_t>(header.modified.tv_sec, 0));
    fields.mode = header.mode;
    const std::string records = records_of(header, fields);
    if (records.empty()) return block_of(fields);
    const std::string shown = "PaxHeaders/" + header.path.substr(header.path.rfind('/') + 1).substr(0, 80);
    Fields extended;
    extended.path = shown;
    extended.kind = 'x';
    extended.size = records.size();
    extended.seconds = fields.seconds;
    extended.mode = 0644;
    return block_of(extended) + records + std::string(tar_padding(records.size()), '\0') + block_of(fields);
}

} // namespace taipan
