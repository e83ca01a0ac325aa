// Written here and not by libarchive, whose writer brings all formats that it knows along, with libraries that the
// program is otherwise without.

#include "cache/tar_header.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>

namespace taipan {

namespace {

constexpr std::size_t name_bytes = 100;
constexpr std::uint64_t largest_octal = (std::uint64_t{1} << 33U) - 1; ///< eleven digits

/// Fields of a ustar header: where they begin.
constexpr std::size_t mode_at = 100, owner_at = 108, group_at = 116, size_at = 124, time_at = 136, sum_at = 148,
                      kind_at = 156, target_at = 157, magic_at = 257;

void put(std::string& block, std::size_t place, std::string_view text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(place));
}

std::string block_of(std::string_view path, std::string_view target, char kind, std::uint64_t size, mode_t mode,
                     std::uint64_t seconds) {
    std::string block(tar_block_bytes, '\0');
    put(block, 0, path.substr(0, name_bytes));
    put(block, mode_at, fmt::format("{:07o}", mode & 07777U));
    put(block, owner_at, "0000000");
    put(block, group_at, "0000000");
    put(block, size_at, fmt::format("{:011o}", std::min(size, largest_octal)));
    put(block, time_at, fmt::format("{:011o}", std::min(seconds, largest_octal)));
    put(block, sum_at, "        ");
    block[kind_at] = kind;
    put(block, target_at, target.substr(0, name_bytes));
    put(block, magic_at, std::string_view("ustar\00000", 8));
    unsigned sum = 0;
    for (const char byte : block) sum += static_cast<unsigned char>(byte);
    put(block, sum_at, fmt::format("{:06o}", sum) + '\0');
    return block;
}

/// "<length of all of it> <key>=<value>\n"
std::string record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (length != rest + std::to_string(length).size()) length = rest + std::to_string(length).size();
    return fmt::format("{} {}={}\n", length, key, value);
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) { return static_cast<unsigned char>(letter) < 128; });
}

} // namespace

std::size_t tar_padding(std::uint64_t size) {
    return static_cast<std::size_t>((tar_block_bytes - size % tar_block_bytes) % tar_block_bytes);
}

std::string tar_header(const TarHeader& header) {
    const std::string path = header.kind == TarHeader::Kind::directory ? header.path + '/' : header.path;
    const auto seconds = static_cast<std::uint64_t>(std::max<time_t>(header.modified.tv_sec, 0));
    std::string names, records;
    if (path.size() > name_bytes) names += record("path", path);
    if (header.target.size() > name_bytes) names += record("linkpath", header.target);
    if (!is_ascii(names)) records = record("hdrcharset", "BINARY");
    records += names;
    if (header.size > largest_octal) records += record("size", std::to_string(header.size));
    const long part = header.modified.tv_sec < 0 ? 0 : header.modified.tv_nsec;
    if (part != 0 || seconds > largest_octal) records += record("mtime", fmt::format("{}.{:09}", seconds, part));
    std::string blocks;
    if (!records.empty()) {
        blocks = block_of("pax", {}, 'x', records.size(), 0644, 0) + records;
        blocks.append(tar_padding(records.size()), '\0');
    }
    return blocks + block_of(path, header.target, static_cast<char>(header.kind), header.size, header.mode, seconds);
}

} // namespace taipan
