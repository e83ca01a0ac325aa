// The outer layer of a .conda archive: a zip with three stored members.
//
// Problem: since nothing is deflated, a general zip library would only copy the bytes around; but offsets, sizes and
// names come from outside, may be 64 bits wide, and are written twice (central directory and local headers).
// Approach: find the end record from the back, walk the central directory, and hand out ranges of the archive.
// What must hold: no range leaves the archive, reaches into the central directory or overlaps another one, so that a
// small file cannot stand for a large one many times over; both places agree on name, method and size.

#include "extract/conda_zip.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>

#include <simdjson.h>

#include "extract/safe_path.hpp"

namespace taipan {

namespace {

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t central_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;
constexpr std::size_t local_size = 30, central_size = 46, end_size = 22, end64_size = 56, locator64_size = 20;
constexpr std::uint64_t unset16 = 0xffff, unset32 = 0xffffffff;
constexpr unsigned flag_encrypted = 1U << 0, flag_sizes_follow = 1U << 3, flag_hidden_directory = 1U << 13;
constexpr std::uint64_t most_members = 10000;
constexpr std::uint64_t largest_metadata = std::uint64_t{1} << 20;
constexpr std::uint64_t largest_directory = std::uint64_t{16} << 20;

Error corrupt(std::string what) {
    return make_error(ErrorCode::corrupt_package, "the .conda archive is damaged: " + std::move(what));
}

/// A little-endian number; the caller has checked that it lies inside.
template <class Integer> Integer number_at(std::string_view bytes, std::size_t offset) {
    static_assert(std::is_unsigned_v<Integer>);
    Integer value = 0;
    for (std::size_t i = sizeof(Integer); i-- > 0;) {
        value = static_cast<Integer>((value << 8) | static_cast<unsigned char>(bytes[offset + i]));
    }
    return value;
}
std::uint16_t u16(std::string_view bytes, std::size_t offset) { return number_at<std::uint16_t>(bytes, offset); }
std::uint32_t u32(std::string_view bytes, std::size_t offset) { return number_at<std::uint32_t>(bytes, offset); }
std::uint64_t u64(std::string_view bytes, std::size_t offset) { return number_at<std::uint64_t>(bytes, offset); }

/// Where the central directory lies.
struct Directory {
    std::uint64_t offset, size, entries;
};

/// One entry of the central directory.
struct Entry {
    std::string name;
    unsigned flags, method;
    std::uint64_t stored_size, plain_size, header;
};

/// Exactly this range of the archive.
Result<std::string> bytes_at(ByteInput& archive, std::uint64_t offset, std::uint64_t size) {
    TAIPAN_TRY(const auto bytes, archive.read(offset, static_cast<std::size_t>(size)));
    if (bytes.size() != size) return corrupt("it was cut off");
    return std::string(bytes);
}

/// The end record lies at the very end, before a comment of up to 65535 bytes. Its place in the archive's last bytes.
std::optional<std::size_t> find_end(std::string_view tail) {
    if (tail.size() < end_size) return std::nullopt;
    const std::size_t last = tail.size() - end_size;
    const std::size_t first = last - std::min<std::size_t>(last, 0xffff);
    for (std::size_t at = last + 1; at-- > first;) {
        if (tail[at] != 'P' || u32(tail, at) != end_signature) continue;
        if (at + end_size + u16(tail, at + 20) == tail.size()) return at;
    }
    return std::nullopt;
}

/// What a zip64 end record at `record` says; the record must end before `limit`.
Result<Directory> find_directory64(ByteInput& archive, std::uint64_t record, std::uint64_t limit) {
    if (limit < end64_size || record > limit - end64_size) return corrupt("its zip64 end record lies outside");
    TAIPAN_TRY(const auto end64, bytes_at(archive, record, end64_size));
    if (u32(end64, 0) != end64_signature) return corrupt("its zip64 end record is not where it should be");
    if (u32(end64, 16) != 0 || u32(end64, 20) != 0) return corrupt("it is split over several disks");
    return Directory{u64(end64, 48), u64(end64, 40), u64(end64, 32)};
}

Result<Directory> find_directory(ByteInput& archive) {
    const std::uint64_t tail_size = std::min<std::uint64_t>(archive.size(), 0xffff + end_size + locator64_size);
    const std::uint64_t tail_start = archive.size() - tail_size;
    TAIPAN_TRY(const auto tail, bytes_at(archive, tail_start, tail_size));
    const auto end = find_end(tail);
    if (!end) return corrupt("it has no end record, so it is no zip file or was cut off");
    Directory directory{u32(tail, *end + 16), u32(tail, *end + 12), u16(tail, *end + 10)};
    std::uint64_t limit = tail_start + *end;
    if (*end >= locator64_size && u32(tail, *end - locator64_size) == locator64_signature) {
        const auto record = u64(tail, *end - locator64_size + 8);
        TAIPAN_TRY(directory, find_directory64(archive, record, limit - locator64_size));
        limit = record;
    } else if (u16(tail, *end + 4) != 0 || u16(tail, *end + 6) != 0) {
        return corrupt("it is split over several disks");
    } else if (directory.entries == unset16 || directory.size == unset32 || directory.offset == unset32) {
        return corrupt("its zip64 end record is missing");
    }
    if (directory.offset > limit || directory.size > limit - directory.offset) {
        return corrupt("its central directory lies outside");
    }
    if (directory.entries > most_members || directory.size > largest_directory) {
        return corrupt("it has too many members");
    }
    return directory;
}

/// Replaces the 32-bit fields that say "see the zip64 field" by what stands there.
Result<void> read_zip64_field(std::string_view extra, Entry& entry) {
    const bool wants_plain = entry.plain_size == unset32, wants_stored = entry.stored_size == unset32;
    const bool wants_header = entry.header == unset32;
    if (!wants_plain && !wants_stored && !wants_header) return {};
    while (extra.size() >= 4) {
        const auto id = u16(extra, 0);
        const std::size_t length = u16(extra, 2);
        if (length > extra.size() - 4) break;
        auto field = extra.substr(4, length);
        extra.remove_prefix(4 + length);
        if (id != 1) continue;
        for (auto [wanted, value] :
             {std::pair{wants_plain, &entry.plain_size}, std::pair{wants_stored, &entry.stored_size},
              std::pair{wants_header, &entry.header}}) {
            if (!wanted) continue;
            if (field.size() < 8) return corrupt("a zip64 field is too short");
            *value = u64(field, 0);
            field.remove_prefix(8);
        }
        return {};
    }
    return corrupt("a zip64 field is missing");
}

/// Takes one entry off the front of the central directory.
Result<Entry> take_entry(std::string_view& directory) {
    if (directory.size() < central_size || u32(directory, 0) != central_signature) {
        return corrupt("its central directory is cut off or garbled");
    }
    const std::size_t name_size = u16(directory, 28), extra_size = u16(directory, 30);
    const std::size_t total = central_size + name_size + extra_size + u16(directory, 32);
    if (directory.size() < total) return corrupt("its central directory is cut off");
    Entry entry{std::string(directory.substr(central_size, name_size)),
                u16(directory, 8),
                u16(directory, 10),
                u32(directory, 20),
                u32(directory, 24),
                u32(directory, 42)};
    TAIPAN_CHECK(read_zip64_field(directory.substr(central_size + name_size, extra_size), entry));
    directory.remove_prefix(total);
    return entry;
}

/// Where the content of a member lies, after its local header has been compared with its entry. `limit` is where the
/// central directory starts.
Result<ByteRange> stored_content(ByteInput& archive, std::uint64_t limit, const Entry& entry) {
    const auto name = printable(entry.name);
    if ((entry.flags & (flag_encrypted | flag_hidden_directory)) != 0)
        return corrupt("member " + name + " is encrypted");
    if (entry.method != 0)
        return corrupt("member " + name + " is compressed; members of a .conda archive must be stored");
    if (entry.stored_size != entry.plain_size) return corrupt("the sizes of member " + name + " differ");
    if (limit < local_size || entry.header > limit - local_size) return corrupt("member " + name + " lies outside");
    TAIPAN_TRY(const auto header, bytes_at(archive, entry.header, local_size));
    if (u32(header, 0) != local_signature) return corrupt("member " + name + " is not where it should be");
    const unsigned flags = u16(header, 6);
    const std::size_t name_size = u16(header, 26), extra_size = u16(header, 28);
    const std::uint64_t start = entry.header + local_size + name_size + extra_size;
    if (start > limit || entry.stored_size > limit - start) return corrupt("member " + name + " lies outside");
    TAIPAN_TRY(const auto local_name, bytes_at(archive, entry.header + local_size, name_size));
    if ((flags & flag_encrypted) != 0 || u16(header, 8) != 0 || local_name != entry.name) {
        return corrupt("the two headers of member " + name + " contradict each other");
    }
    const std::uint64_t local_stored = u32(header, 18);
    if ((flags & flag_sizes_follow) == 0 && local_stored != unset32 && local_stored != entry.stored_size) {
        return corrupt("the two headers of member " + name + " contradict each other");
    }
    return ByteRange{start, entry.stored_size};
}

Result<void> check_metadata(std::string_view text) {
    simdjson::dom::parser parser;
    std::int64_t version = 0;
    if (parser.parse(text.data(), text.size())["conda_pkg_format_version"].get(version) != simdjson::SUCCESS) {
        return corrupt("its metadata.json names no format version");
    }
    if (version != 2) {
        return make_error(ErrorCode::corrupt_package, "the .conda archive has format version " +
                                                          std::to_string(version) + "; this program reads version 2");
    }
    return {};
}

/// Keeps the one member of a role.
Result<void> assign_once(std::optional<ByteRange>& role, const ZipMember& member) {
    if (role) return corrupt("it has a second " + printable(member.name));
    role = member.content;
    return {};
}

} // namespace

Result<std::vector<ZipMember>> list_stored_zip(ByteInput& archive) {
    TAIPAN_TRY(const auto directory, find_directory(archive));
    TAIPAN_TRY(const auto entries, bytes_at(archive, directory.offset, directory.size));
    std::string_view rest = entries;
    std::vector<ZipMember> members;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges; // from the local header to the end of the content
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        TAIPAN_TRY(auto entry, take_entry(rest));
        TAIPAN_TRY(const auto content, stored_content(archive, directory.offset, entry));
        members.push_back({std::move(entry.name), content});
        ranges.emplace_back(entry.header, content.offset + content.size);
    }
    std::sort(ranges.begin(), ranges.end());
    for (std::size_t i = 1; i < ranges.size(); ++i) {
        if (ranges[i].first < ranges[i - 1].second) return corrupt("members overlap");
    }
    return members;
}

Result<std::optional<ZipMember>> zip_member_at(ByteInput& archive, std::uint64_t offset) {
    if (offset > archive.size() || archive.size() - offset < local_size) return std::optional<ZipMember>();
    TAIPAN_TRY(const auto header, bytes_at(archive, offset, local_size));
    const std::uint64_t size = u32(header, 18);
    const bool plain = u32(header, 0) == local_signature && u16(header, 8) == 0 && size == u32(header, 22) &&
                       size != unset32 && (u16(header, 6) & (flag_encrypted | flag_sizes_follow)) == 0;
    if (!plain) return std::optional<ZipMember>();
    const std::size_t name_size = u16(header, 26), extra_size = u16(header, 28);
    const std::uint64_t start = offset + local_size + name_size + extra_size;
    if (start > archive.size() || size > archive.size() - start) return std::optional<ZipMember>();
    TAIPAN_TRY(auto name, bytes_at(archive, offset + local_size, name_size));
    return std::optional(ZipMember{std::move(name), {start, size}});
}

CondaMember conda_member(std::string_view name) {
    if (name == "metadata.json") return CondaMember::metadata;
    if (!name.ends_with(".tar.zst") || name.find('/') != std::string_view::npos) return CondaMember::other;
    if (name.starts_with("pkg-")) return CondaMember::package;
    return name.starts_with("info-") ? CondaMember::info : CondaMember::other;
}

Result<CondaArchive> open_conda_archive(ByteInput& archive) {
    TAIPAN_TRY(const auto members, list_stored_zip(archive));
    std::optional<ByteRange> metadata, package, info;
    for (const auto& member : members) {
        switch (conda_member(member.name)) {
        case CondaMember::metadata: TAIPAN_CHECK(assign_once(metadata, member)); break;
        case CondaMember::package: TAIPAN_CHECK(assign_once(package, member)); break;
        case CondaMember::info: TAIPAN_CHECK(assign_once(info, member)); break;
        case CondaMember::other: break;
        }
    }
    if (!package) return corrupt("it has no pkg-*.tar.zst");
    if (!info) return corrupt("it has no info-*.tar.zst");
    // As conda and mamba we do without it; but when it is there, its version counts.
    if (metadata) {
        if (metadata->size > largest_metadata) return corrupt("its metadata.json is unreasonably large");
        TAIPAN_TRY(const auto text, bytes_at(archive, metadata->offset, metadata->size));
        TAIPAN_CHECK(check_metadata(text));
    }
    return CondaArchive{*package, *info};
}

} // namespace taipan
