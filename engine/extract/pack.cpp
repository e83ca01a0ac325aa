// From a tree to a package archive. What must hold: the same tree gives the same bytes, whatever the order in which the
// file system lists it, and whoever owns it; and nothing half-written is ever seen under the archive's name. A `.conda`
// is a zip of stored members; the sizes in front of a member are filled in when it is complete.

#include "extract/pack.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/filesystem.hpp"
#include "extract/compressor.hpp"
#include "extract/extract.hpp"
#include "extract/tar_writer.hpp"

namespace taipan {

namespace {

namespace fs = std::filesystem;

constexpr int zstd_level = 19, bzip2_level = 9;
constexpr std::string_view added_by_installers = "info/repodata_record.json";

/// A file that takes its name when it is complete, and goes when it is not.
class OutputFile final : public ByteSink {
public:
    static Result<std::unique_ptr<OutputFile>> create(const std::string& path) {
        auto file = std::make_unique<OutputFile>();
        file->path_ = path;
        file->temporary_ = std::string(parent_path(path)) + "/.taipan-pack-" + std::to_string(::getpid()) + '-' +
                           std::string(base_name(path));
        file->fd_ = UniqueFd(::open(file->temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
        if (!file->fd_) return system_error(errno, "cannot create", path);
        return file;
    }
    ~OutputFile() override {
        if (!temporary_.empty()) ::unlink(temporary_.c_str());
    }

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] std::uint32_t crc() const { return crc_; }
    void begin_crc() { crc_ = static_cast<std::uint32_t>(::crc32(0, nullptr, 0)); }

    Result<void> write(std::string_view bytes) override {
        crc_ = static_cast<std::uint32_t>(
            ::crc32_z(crc_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
        TAIPAN_CHECK(write_at(size_, bytes));
        size_ += bytes.size();
        return {};
    }
    Result<void> write_at(std::uint64_t offset, std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return system_error(errno, "cannot write", path_);
            bytes.remove_prefix(static_cast<std::size_t>(count));
            offset += static_cast<std::uint64_t>(count);
        }
        return {};
    }
    Result<void> commit() {
        if (::rename(temporary_.c_str(), path_.c_str()) != 0) return system_error(errno, "cannot write", path_);
        temporary_.clear();
        return {};
    }

private:
    std::string path_, temporary_;
    UniqueFd fd_;
    std::uint64_t size_ = 0;
    std::uint32_t crc_ = 0;
};

/// A zip archive of stored members, with zip64 sizes throughout, as the reference writer of `.conda` has them.
class StoredZip {
public:
    explicit StoredZip(OutputFile& file) : file_(file) {}

    Result<void> begin(const std::string& name) {
        members_.push_back({name, file_.size(), 0, 0});
        std::string head;
        put(head, 0x04034b50, 4);
        common(head, 0, 0);
        put(head, name.size(), 2);
        put(head, 20, 2);
        head += name;
        put(head, 1, 2);
        put(head, 16, 2);
        put(head, 0, 16);
        TAIPAN_CHECK(file_.write(head));
        start_ = file_.size();
        file_.begin_crc();
        return {};
    }

    Result<void> end() {
        Member& member = members_.back();
        member.size = file_.size() - start_;
        member.crc = file_.crc();
        std::string crc, sizes;
        put(crc, member.crc, 4);
        put(sizes, member.size, 8);
        put(sizes, member.size, 8);
        TAIPAN_CHECK(file_.write_at(member.offset + 14, crc));
        return file_.write_at(start_ - 16, sizes);
    }

    Result<void> finish() {
        const std::uint64_t begin = file_.size();
        std::string text;
        for (const Member& member : members_) {
            put(text, 0x02014b50, 4);
            put(text, 0x032d, 2); // made on Unix
            common(text, member.crc, 0);
            put(text, member.name.size(), 2);
            put(text, 28, 2);
            put(text, 0, 2 + 2 + 2); // comment, disk, internal attributes
            put(text, 0100644ULL << 16U, 4);
            put(text, 0xffffffff, 4);
            text += member.name;
            put(text, 1, 2);
            put(text, 24, 2);
            put(text, member.size, 8);
            put(text, member.size, 8);
            put(text, member.offset, 8);
        }
        const std::uint64_t size = text.size();
        put(text, 0x06064b50, 4);
        put(text, 44, 8);
        put(text, 0x032d, 2);
        put(text, 45, 2);
        put(text, 0, 8); // disks
        put(text, members_.size(), 8);
        put(text, members_.size(), 8);
        put(text, size, 8);
        put(text, begin, 8);
        put(text, 0x07064b50, 4);
        put(text, 0, 4);
        put(text, begin + size, 8);
        put(text, 1, 4);
        put(text, 0x06054b50, 4);
        put(text, 0, 4);
        put(text, members_.size(), 2);
        put(text, members_.size(), 2);
        put(text, 0xffffffff, 4);
        put(text, 0xffffffff, 4);
        put(text, 0, 2);
        return file_.write(text);
    }

private:
    struct Member {
        std::string name;
        std::uint64_t offset, size;
        std::uint32_t crc;
    };

    /// Little-endian; wider than eight bytes means zeros.
    static void put(std::string& text, std::uint64_t value, std::size_t width) {
        for (std::size_t i = 0; i < width; ++i) text += static_cast<char>(i < 8 ? (value >> (8 * i)) & 0xffU : 0);
    }
    /// From the version on to the sizes: stored, at the earliest time that zip knows.
    static void common(std::string& text, std::uint32_t crc, std::uint64_t flags) {
        put(text, 45, 2);
        put(text, flags, 2);
        put(text, 0, 2);
        put(text, 0x00210000, 4);
        put(text, crc, 4);
        put(text, 0xffffffff, 4);
        put(text, 0xffffffff, 4);
    }

    OutputFile& file_;
    std::vector<Member> members_;
    std::uint64_t start_ = 0;
};

bool is_info(const std::string& path) { return path.starts_with("info/"); }

/// All files and symlinks, and the directories that have nothing in them; sorted, info/ first.
Result<std::vector<std::string>> members_of(const std::string& directory) {
    std::vector<std::string> paths;
    std::error_code error;
    const fs::path top(directory);
    fs::recursive_directory_iterator entry(top, error), end;
    for (; !error && entry != end; entry.increment(error)) {
        const bool is_directory = entry->is_directory() && !entry->is_symlink();
        if (is_directory && !fs::is_empty(entry->path(), error)) continue;
        std::string path = entry->path().lexically_relative(top).generic_string();
        if (path != added_by_installers) paths.push_back(std::move(path));
    }
    if (error) return make_error(ErrorCode::io, "cannot read the tree " + directory + ": " + error.message());
    std::sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
        return std::pair(!is_info(a), std::string_view(a)) < std::pair(!is_info(b), std::string_view(b));
    });
    return paths;
}

class Packer {
public:
    Packer(const std::string& directory, const PackOptions& options) : directory_(directory), options_(options) {}

    Result<std::uint64_t> write_tar(const std::vector<std::string>& paths, Compressor& out) {
        TarWriter tar(out);
        for (const auto& path : paths) TAIPAN_CHECK(add(path, tar).context("while packing " + path));
        TAIPAN_CHECK(tar.finish());
        TAIPAN_CHECK(out.finish());
        return paths.size();
    }

private:
    Result<void> add(const std::string& path, TarWriter& tar) const {
        const std::string full = directory_ + '/' + path;
        struct stat status {};
        if (::lstat(full.c_str(), &status) != 0) return system_error(errno, "cannot read", full);
        TarEntry entry{path, status.st_mode, 0, status.st_mtime, {}};
        if (options_.source_epoch) entry.modified = std::min(entry.modified, *options_.source_epoch);
        if (S_ISLNK(status.st_mode)) {
            std::error_code error;
            entry.target = fs::read_symlink(full, error).string();
            entry.mode = S_IFLNK | 0777;
            if (error) return make_error(ErrorCode::io, "cannot read the link " + full + ": " + error.message());
            return tar.begin(entry);
        }
        if (S_ISDIR(status.st_mode)) return tar.begin(entry);
        if (!S_ISREG(status.st_mode)) {
            return make_error(ErrorCode::invalid_argument, full + " is neither a file nor a link nor a directory");
        }
        const UniqueFd fd(::open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (!fd) return system_error(errno, "cannot read", full);
        entry.size = static_cast<std::uint64_t>(status.st_size);
        TAIPAN_CHECK(tar.begin(entry));
        std::vector<char> buffer(256 << 10);
        for (std::uint64_t left = entry.size; left > 0;) {
            const ssize_t count = ::read(fd.get(), buffer.data(), std::min<std::uint64_t>(buffer.size(), left));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return system_error(errno, "cannot read", full);
            if (count == 0) return make_error(ErrorCode::io, full + " shrank while it was packed");
            TAIPAN_CHECK(tar.content({buffer.data(), static_cast<std::size_t>(count)}));
            left -= static_cast<std::uint64_t>(count);
        }
        return {};
    }

    const std::string& directory_;
    const PackOptions& options_;
};

} // namespace

Result<PackedPackage> pack_package(const std::string& directory, const std::string& archive,
                                   const PackOptions& options) {
    const auto format = archive_format(archive);
    if (!format) {
        return make_error(ErrorCode::invalid_argument,
                          archive + " is no name of a package; it has to end in .conda or .tar.bz2");
    }
    if (!exists(directory + "/info/index.json")) {
        return make_error(ErrorCode::invalid_argument,
                          directory + " has no info/index.json, so it is not the content of a package");
    }
    TAIPAN_TRY(const auto paths, members_of(directory));
    TAIPAN_TRY(const auto file, OutputFile::create(archive));
    Packer packer(directory, options);
    if (*format == ArchiveFormat::tar_bz2) {
        TAIPAN_TRY(const auto compressor, bzip2_compressor(*file, options.level.value_or(bzip2_level)));
        TAIPAN_TRY(const auto count, packer.write_tar(paths, *compressor));
        static_cast<void>(count);
    } else {
        const std::string stem(base_name(archive.substr(0, archive.size() - std::string_view(".conda").size())));
        const auto payload = std::find_if_not(paths.begin(), paths.end(), is_info);
        StoredZip zip(*file);
        TAIPAN_CHECK(zip.begin("metadata.json"));
        TAIPAN_CHECK(file->write(R"({"conda_pkg_format_version": 2})"));
        TAIPAN_CHECK(zip.end());
        const std::pair<std::string, std::vector<std::string>> parts[] = {{"pkg-", {payload, paths.end()}},
                                                                          {"info-", {paths.begin(), payload}}};
        for (const auto& [kind, members] : parts) {
            TAIPAN_CHECK(zip.begin(kind + stem + ".tar.zst"));
            TAIPAN_TRY(const auto compressor, zstd_compressor(*file, options.level.value_or(zstd_level)));
            TAIPAN_TRY(const auto count, packer.write_tar(members, *compressor));
            static_cast<void>(count);
            TAIPAN_CHECK(zip.end());
        }
        TAIPAN_CHECK(zip.finish());
    }
    const std::uint64_t size = file->size();
    TAIPAN_CHECK(file->commit());
    return PackedPackage{paths.size(), size};
}

} // namespace taipan
