#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>
#include <bzlib.h>
#include <zstd.h>

namespace taipan::test {

/// A tar archive made in memory by libarchive, member by member.
class TarBuilder {
public:
    enum class Format { ustar, gnu, pax };
    explicit TarBuilder(Format format = Format::pax) : format_(format) {}

    TarBuilder& file(std::string path, std::string content, unsigned mode = 0644, std::int64_t mtime = 1600000000);
    TarBuilder& directory(std::string path);
    TarBuilder& symlink(std::string path, std::string target);
    TarBuilder& hardlink(std::string path, std::string target);
    TarBuilder& fifo(std::string path);
    /// A file whose content is `content` behind a hole of `hole` bytes and before another one (pax only).
    TarBuilder& sparse(std::string path, std::int64_t hole, std::string content);
    /// The two files that every package has.
    TarBuilder& index(std::string_view text = R"({"name": "demo"})");
    [[nodiscard]] std::string build() const;

private:
    struct Member {
        std::string path, text, link;
        unsigned type = 0, mode = 0644;
        std::int64_t mtime = 1600000000, hole = 0;
    };
    Format format_;
    std::vector<Member> members_;
};

/// One member for `zip_of`; the oddities are for archives that must be refused.
struct ZipPart {
    std::string name, content;
    bool zip64 = false;       ///< sizes and offset in zip64 fields
    std::uint16_t method = 0; ///< 8 claims deflate
    std::uint16_t flags = 0;
    std::string local_name = {};    ///< in the local header, if it shall differ
    std::int64_t claim_offset = -1; ///< offset in the central directory instead of the true one
    std::int64_t claim_size = -1;   ///< both sizes in the central directory instead of the true one
};

namespace detail {

inline void require(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(what);
}

inline la_ssize_t append(archive*, void* out, const void* bytes, size_t size) {
    static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

template <class Integer> void put(std::string& out, Integer value) {
    for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}
inline void put16(std::string& out, std::uint64_t value) { put(out, static_cast<std::uint16_t>(value)); }
inline void put32(std::string& out, std::uint64_t value) { put(out, static_cast<std::uint32_t>(value)); }
inline void put64(std::string& out, std::uint64_t value) { put(out, value); }

} // namespace detail

inline TarBuilder& TarBuilder::file(std::string path, std::string content, unsigned mode, std::int64_t mtime) {
    members_.push_back({std::move(path), std::move(content), {}, S_IFREG, mode, mtime, 0});
    return *this;
}
inline TarBuilder& TarBuilder::directory(std::string path) {
    members_.push_back({std::move(path), {}, {}, S_IFDIR, 0755, 1600000000, 0});
    return *this;
}
inline TarBuilder& TarBuilder::symlink(std::string path, std::string target) {
    members_.push_back({std::move(path), {}, std::move(target), S_IFLNK, 0777, 1600000000, 0});
    return *this;
}
inline TarBuilder& TarBuilder::hardlink(std::string path, std::string target) {
    members_.push_back({std::move(path), {}, std::move(target), S_IFREG, 0644, 1600000000, 0});
    return *this;
}
inline TarBuilder& TarBuilder::fifo(std::string path) {
    members_.push_back({std::move(path), {}, {}, S_IFIFO, 0644, 1600000000, 0});
    return *this;
}
inline TarBuilder& TarBuilder::sparse(std::string path, std::int64_t hole, std::string content) {
    members_.push_back({std::move(path), std::move(content), {}, S_IFREG, 0644, 1600000000, hole});
    return *this;
}
inline TarBuilder& TarBuilder::index(std::string_view text) {
    return file("info/index.json", std::string(text)).file("info/paths.json", R"({"paths_version": 1, "paths": []})");
}

inline std::string TarBuilder::build() const {
    std::string out;
    const std::unique_ptr<archive, void (*)(archive*)> writer(archive_write_new(),
                                                              [](archive* handle) { archive_write_free(handle); });
    auto* const handle = writer.get();
    detail::require(format_ == Format::ustar ? archive_write_set_format_ustar(handle) == ARCHIVE_OK
                    : format_ == Format::gnu ? archive_write_set_format_gnutar(handle) == ARCHIVE_OK
                                             : archive_write_set_format_pax(handle) == ARCHIVE_OK,
                    "tar format");
    detail::require(archive_write_open(handle, &out, nullptr, detail::append, nullptr) == ARCHIVE_OK,
                    "archive_write_open");
    for (const auto& member : members_) {
        const std::unique_ptr<archive_entry, void (*)(archive_entry*)> owner(
            archive_entry_new(), [](archive_entry* entry) { archive_entry_free(entry); });
        auto* const entry = owner.get();
        archive_entry_copy_pathname(entry, member.path.c_str());
        archive_entry_set_filetype(entry, member.type);
        archive_entry_set_perm(entry, member.mode);
        archive_entry_set_mtime(entry, member.mtime, 0);
        if (member.type == S_IFLNK)
            archive_entry_copy_symlink(entry, member.link.c_str());
        else if (!member.link.empty())
            archive_entry_copy_hardlink(entry, member.link.c_str());
        std::string text = member.text;
        if (member.hole > 0) {
            const auto filled = static_cast<la_int64_t>(text.size());
            text = std::string(static_cast<std::size_t>(member.hole), '\0') + text;
            text.resize(text.size() + static_cast<std::size_t>(member.hole));
            archive_entry_set_size(entry, static_cast<la_int64_t>(text.size())); // before the next line counts
            archive_entry_sparse_add_entry(entry, member.hole, filled);
        }
        archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
        detail::require(archive_write_header(handle, entry) >= ARCHIVE_WARN, "archive_write_header");
        if (!text.empty())
            detail::require(archive_write_data(handle, text.data(), text.size()) >= 0, "archive_write_data");
    }
    detail::require(archive_write_close(handle) == ARCHIVE_OK, "archive_write_close");
    return out;
}

/// A `window_log` forces that window, however small the text.
inline std::string zstd_of(std::string_view bytes, int level = 3, int window_log = 0, bool checksum = true) {
    const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, checksum ? 1 : 0);
    if (window_log != 0) ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, window_log);
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    // As a stream, so that the frame does not name its size and the window stays as it was asked for.
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer target{out.data(), out.size(), 0};
    if (window_log == 0) {
        const auto size = ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
        detail::require(ZSTD_isError(size) == 0, "ZSTD_compress2");
        out.resize(size);
        return out;
    }
    detail::require(ZSTD_compressStream2(context.get(), &target, &in, ZSTD_e_flush) == 0, "ZSTD_compressStream2");
    out.resize(out.size() + 64);
    target.dst = out.data();
    target.size = out.size();
    detail::require(ZSTD_compressStream2(context.get(), &target, &in, ZSTD_e_end) == 0, "ZSTD_compressStream2");
    out.resize(target.pos);
    return out;
}

inline std::string bzip2_of(std::string_view bytes) {
    std::string out(bytes.size() + bytes.size() / 50 + 1024, '\0');
    auto size = static_cast<unsigned>(out.size());
    detail::require(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(bytes.data()),
                                             static_cast<unsigned>(bytes.size()), 1, 0, 0) == BZ_OK,
                    "BZ2_bzBuffToBuffCompress");
    out.resize(size);
    return out;
}

inline std::string zip_of(const std::vector<ZipPart>& parts, bool zip64_end = false, std::string_view comment = {}) {
    std::string out, directory;
    for (const auto& part : parts) {
        const auto offset = part.claim_offset >= 0 ? static_cast<std::uint64_t>(part.claim_offset) : out.size();
        const auto size = part.claim_size >= 0 ? static_cast<std::uint64_t>(part.claim_size) : part.content.size();
        const auto& local_name = part.local_name.empty() ? part.name : part.local_name;
        detail::put32(out, 0x04034b50);
        detail::put16(out, part.zip64 ? 45 : 20);
        detail::put16(out, part.flags);
        detail::put16(out, part.method);
        detail::put32(out, 0), detail::put32(out, 0); // time, CRC
        detail::put32(out, part.zip64 ? 0xffffffff : part.content.size());
        detail::put32(out, part.zip64 ? 0xffffffff : part.content.size());
        detail::put16(out, local_name.size());
        detail::put16(out, part.zip64 ? 20 : 0);
        out += local_name;
        if (part.zip64)
            detail::put16(out, 1), detail::put16(out, 16), detail::put64(out, part.content.size()),
                detail::put64(out, part.content.size());
        out += part.content;

        detail::put32(directory, 0x02014b50);
        detail::put16(directory, 45), detail::put16(directory, 45);
        detail::put16(directory, part.flags);
        detail::put16(directory, part.method);
        detail::put32(directory, 0), detail::put32(directory, 0);
        detail::put32(directory, part.zip64 ? 0xffffffff : size);
        detail::put32(directory, part.zip64 ? 0xffffffff : size);
        detail::put16(directory, part.name.size());
        detail::put16(directory, part.zip64 ? 28 : 0);
        detail::put16(directory, 0), detail::put16(directory, 0), detail::put16(directory, 0),
            detail::put32(directory, 0);
        detail::put32(directory, part.zip64 ? 0xffffffff : offset);
        directory += part.name;
        if (part.zip64)
            detail::put16(directory, 1), detail::put16(directory, 24), detail::put64(directory, size),
                detail::put64(directory, size), detail::put64(directory, offset);
    }
    const auto start = out.size();
    out += directory;
    if (zip64_end) {
        const auto record = out.size();
        detail::put32(out, 0x06064b50), detail::put64(out, 44), detail::put16(out, 45), detail::put16(out, 45),
            detail::put32(out, 0), detail::put32(out, 0);
        detail::put64(out, parts.size()), detail::put64(out, parts.size()), detail::put64(out, directory.size()),
            detail::put64(out, start);
        detail::put32(out, 0x07064b50), detail::put32(out, 0), detail::put64(out, record), detail::put32(out, 1);
    }
    detail::put32(out, 0x06054b50), detail::put16(out, 0), detail::put16(out, 0);
    detail::put16(out, zip64_end ? 0xffff : parts.size()), detail::put16(out, zip64_end ? 0xffff : parts.size());
    detail::put32(out, zip64_end ? 0xffffffff : directory.size()), detail::put32(out, zip64_end ? 0xffffffff : start);
    detail::put16(out, comment.size());
    out += comment;
    return out;
}

/// A .conda archive of these two tars.
inline std::string conda_of(std::string_view package_tar, std::string_view info_tar) {
    return zip_of({{"metadata.json", R"({"conda_pkg_format_version": 2})"},
                   {"pkg-demo-1.0-0.tar.zst", zstd_of(package_tar)},
                   {"info-demo-1.0-0.tar.zst", zstd_of(info_tar)}});
}

} // namespace taipan::test
