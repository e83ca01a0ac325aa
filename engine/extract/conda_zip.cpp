// The outer layer of a .conda archive: a zip with three stored members.
//
// Problem: since nothing is deflated, a general zip library would only copy the bytes around; but offsets, sizes and
// names come from outside, may be 64 bits wide, and are written twice (central directory and local headers).
// Approach: find the end record from the back, walk the central directory, and hand out views into the archive.
// What must hold: no view leaves the archive, reaches into the central directory or overlaps another one, so that a
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
    std::string_view name;
    unsigned flags, method;
    std::uint64_t stored_size, plain_size, header;
};

/// The end record lies at the very end, before a comment of up to 65535 bytes.
std::optional<std::size_t> find_end(std::string_view archive) {
    if (archive.size() < end_size) return std::nullopt;
    const std::size_t last = archive.size() - end_size;
    const std::size_t first = last - std::min<std::size_t>(last, 0xffff);
    for (std::size_t at = last + 1; at-- > first;) {
        if (archive[at] != 'P' || u32(archive, at) != end_signature) continue;
        if (at + end_size + u16(archive, at + 20) == archive.size()) return at;
    }
    return std::nullopt;
}

Result<Directory> find_directory(std::string_view archive) {
    const auto end = find_end(archive);
    if (!end) return corrupt("it has no end record, so it is no zip file or was cut off");
    Directory directory{u32(archive, *end + 16), u32(archive, *end + 12), u16(archive, *end + 10)};
    std::uint64_t limit = *end;
    if (*end >= locator64_size && u32(archive, *end - locator64_size) == locator64_signature) {
        const auto record = u64(archive, *end - locator64_size + 8);
        limit = *end - locator64_size;
        if (limit < end64_size || record > limit - end64_size) return corrupt("its zip64 end record lies outside");
        const auto at = static_cast<std::size_t>(record);
        if (u32(archive, at) != end64_signature) return corrupt("its zip64 end record is not where it should be");
        if (u32(archive, at + 16) != 0 || u32(archive, at + 20) != 0) return corrupt("it is split over several disks");
        directory = Directory{u64(archive, at + 48), u64(archive, at + 40), u64(archive, at + 32)};
        limit = record;
    } else if (u16(archive, *end + 4) != 0 || u16(archive, *end + 6) != 0) {
        return corrupt("it is split over several disks");
    } else if (directory.entries == unset16 || directory.size == unset32 || directory.offset == unset32) {
        return corrupt("its zip64 end record is missing");
    }
    if (directory.offset > limit || directory.size > limit - directory.offset) {
        return corrupt("its central directory lies outside");
    }
    if (directory.entries > most_members) return corrupt("it has too many members");
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
    Entry entry{directory.substr(central_size, name_size),
                u16(directory, 8),
                u16(directory, 10),
                u32(directory, 20),
                u32(directory, 24),
                u32(directory, 42)};
    TAIPAN_CHECK(read_zip64_field(directory.substr(central_size + name_size, extra_size), entry));
    directory.remove_prefix(total);
    return entry;
}

/// The bytes of a member, after its local header has been compared with its entry. `limit` is where the central
/// directory starts.
Result<std::string_view> stored_content(std::string_view archive, std::uint64_t limit, const Entry& entry) {
    const auto name = printable(entry.name);
    if ((entry.flags & (flag_encrypted | flag_hidden_directory)) != 0)
        return corrupt("member " + name + " is encrypted");
    if (entry.method != 0)
        return corrupt("member " + name + " is compressed; members of a .conda archive must be stored");
    if (entry.stored_size != entry.plain_size) return corrupt("the sizes of member " + name + " differ");
    if (limit < local_size || entry.header > limit - local_size) return corrupt("member " + name + " lies outside");
    const auto at = static_cast<std::size_t>(entry.header);
    if (u32(archive, at) != local_signature) return corrupt("member " + name + " is not where it should be");
    const unsigned flags = u16(archive, at + 6);
    const std::size_t name_size = u16(archive, at + 26), extra_size = u16(archive, at + 28);
    const std::uint64_t start = entry.header + local_size + name_size + extra_size;
    if (start > limit || entry.stored_size > limit - start) return corrupt("member " + name + " lies outside");
    if ((flags & flag_encrypted) != 0 || u16(archive, at + 8) != 0 ||
        archive.substr(at + local_size, name_size) != entry.name) {
        return corrupt("the two headers of member " + name + " contradict each other");
    }
    const std::uint64_t local_stored = u32(archive, at + 18);
    if ((flags & flag_sizes_follow) == 0 && local_stored != unset32 && local_stored != entry.stored_size) {
        return corrupt("the two headers of member " + name + " contradict each other");
    }
    return archive.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(entry.stored_size));
}

Result<void> check_metadata(std::string_view text) {
    if (text.size() > (std::size_t{1} << 20)) return corrupt("its metadata.json is unreasonably large");
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
Result<void> assign_once(std::optional<std::string_view>& role, const ZipMember& member) {
    if (role) return corrupt("it has a second " + printable(member.name));
    role = member.content;
    return {};
}

} // namespace

Result<std::vector<ZipMember>> list_stored_zip(std::string_view archive) {
    TAIPAN_TRY(const auto directory, find_directory(archive));
    auto rest = archive.substr(static_cast<std::size_t>(directory.offset), static_cast<std::size_t>(directory.size));
    std::vector<ZipMember> members;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges; // from the local header to the end of the content
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        TAIPAN_TRY(const auto entry, take_entry(rest));
        TAIPAN_TRY(const auto content, stored_content(archive, directory.offset, entry));
        members.push_back({entry.name, content});
        const auto end = static_cast<std::uint64_t>(content.data() - archive.data()) + content.size();
        ranges.emplace_back(entry.header, end);
    }
    std::sort(ranges.begin(), ranges.end());
    for (std::size_t i = 1; i < ranges.size(); ++i) {
        if (ranges[i].first < ranges[i - 1].second) return corrupt("members overlap");
    }
    return members;
}

Result<CondaArchive> open_conda_archive(std::string_view archive) {
    TAIPAN_TRY(const auto members, list_stored_zip(archive));
    std::optional<std::string_view> metadata, package, info;
    for (const auto& member : members) {
        const bool is_payload = member.name.ends_with(".tar.zst") && member.name.find('/') == std::string_view::npos;
        if (member.name == "metadata.json")
            TAIPAN_CHECK(assign_once(metadata, member));
        else if (is_payload && member.name.starts_with("pkg-"))
            TAIPAN_CHECK(assign_once(package, member));
        else if (is_payload && member.name.starts_with("info-"))
            TAIPAN_CHECK(assign_once(info, member));
    }
    if (!metadata) return corrupt("it has no metadata.json");
    if (!package) return corrupt("it has no pkg-*.tar.zst");
    if (!info) return corrupt("it has no info-*.tar.zst");
    TAIPAN_CHECK(check_metadata(*metadata));
    return CondaArchive{*package, *info};
}

} // namespace taipan
