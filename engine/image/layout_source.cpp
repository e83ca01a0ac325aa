// A layout comes from somebody else: digests are checked, sizes are bounded, and no name in it is used as a path unless
// it is `blobs/sha256/` and 64 hex digits.

#include "image/layout_source.hpp"

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::size_t block = 512;
constexpr std::uint64_t largest_document = std::uint64_t{16} << 20U;

std::string field(const std::array<char, block>& header, std::size_t at, std::size_t size) {
    const std::string_view text(header.data() + at, size);
    return std::string(text.substr(0, text.find('\0')));
}

/// Octal, or base 256 when the first bit is set (GNU). nullopt: neither.
std::optional<std::uint64_t> number(const std::array<char, block>& header, std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    if ((static_cast<unsigned char>(header.at(at)) & 0x80U) != 0) {
        for (std::size_t i = size - 7; i < size; ++i)
            value = value << 8U | static_cast<unsigned char>(header.at(at + i));
        return value;
    }
    bool any = false;
    for (std::size_t i = 0; i < size; ++i) {
        const char digit = header.at(at + i);
        if (digit == '\0' || digit == ' ') {
            if (any) break;
            continue;
        }
        if (digit < '0' || digit > '7') return std::nullopt;
        value = value * 8 + static_cast<std::uint64_t>(digit - '0');
        any = true;
    }
    return value;
}

Result<std::string> read_at(int fd, std::uint64_t offset, std::uint64_t size, const std::string& path) {
    if (size > largest_document) return make_error(ErrorCode::parse, path + " has a document larger than 16 MiB");
    std::string bytes(size, '\0');
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const ssize_t count =
            ::pread(fd, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(offset + filled));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error(errno, "cannot read", path);
        if (count == 0) return make_error(ErrorCode::parse, path + " ends too early");
        filled += static_cast<std::size_t>(count);
    }
    return bytes;
}

bool is_oci_digest(std::string_view text) {
    constexpr std::string_view head = "sha256:";
    return text.starts_with(head) && text.size() == head.size() + 64 &&
           text.substr(head.size()).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

} // namespace

Result<LayoutSource> LayoutSource::open(const std::string& path) {
    LayoutSource source;
    source.path_ = path;
    if (!exists(path)) return make_error(ErrorCode::invalid_argument, "the base image " + path + " does not exist");
    source.archive_ = !is_directory(path);
    if (source.archive_) TAIPAN_CHECK(source.list_archive());
    const bool layout = source.archive_
                            ? source.members_.contains("oci-layout") && source.members_.contains("index.json")
                            : exists(path + "/oci-layout") && exists(path + "/index.json");
    if (layout) return source;
    return make_error(ErrorCode::parse, path + " is no OCI image layout (it has no oci-layout and index.json); " +
                                            "`skopeo copy docker://NAME oci:DIRECTORY` makes one of an image");
}

Result<void> LayoutSource::list_archive() {
    const UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return system_error(errno, "cannot open", path_);
    std::uint64_t offset = 0;
    while (true) {
        std::array<char, block> header{};
        const ssize_t count = ::pread(fd.get(), header.data(), header.size(), static_cast<off_t>(offset));
        if (count < 0) return system_error(errno, "cannot read", path_);
        if (static_cast<std::size_t>(count) < block || header[0] == '\0') return {};
        const auto size = number(header, 124, 12);
        if (!size || *size > std::uint64_t{1} << 50U) {
            return make_error(ErrorCode::parse, path_ + " is neither a directory nor a tar archive");
        }
        const std::string prefix = field(header, 257, 5) == "ustar" ? field(header, 345, 155) : std::string();
        std::string name = (prefix.empty() ? "" : prefix + '/') + field(header, 0, 100);
        while (name.starts_with("./")) name.erase(0, 2);
        const char type = header[156];
        offset += block;
        if (type == '0' || type == '\0') members_[name] = {offset, *size};
        offset += (*size + block - 1) / block * block;
    }
}

Result<std::string> LayoutSource::read_member(const std::string& name) const {
    const std::string file = archive_ ? path_ : path_ + '/' + name;
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return system_error(errno, "cannot open", file);
    if (archive_) {
        const auto member = members_.find(name);
        if (member == members_.end()) return make_error(ErrorCode::parse, path_ + " has no " + name);
        return read_at(fd.get(), member->second.offset, member->second.size, path_);
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return system_error(errno, "cannot read", file);
    return read_at(fd.get(), 0, static_cast<std::uint64_t>(status.st_size), file);
}

Result<std::string> LayoutSource::read_index() const { return read_member("index.json"); }

Result<ImageBlob> LayoutSource::find(std::string_view digest) const {
    if (!is_oci_digest(digest)) {
        return make_error(ErrorCode::parse,
                          path_ + " uses the digest '" + std::string(digest) + "', which is no sha256");
    }
    ImageBlob blob;
    blob.sha256 = digest.substr(7);
    blob.foreign = true;
    const std::string name = blob_path(blob.sha256);
    if (archive_) {
        const auto member = members_.find(name);
        if (member == members_.end()) return make_error(ErrorCode::parse, path_ + " has no " + name);
        blob.file = path_;
        blob.offset = member->second.offset;
        blob.size = member->second.size;
        return blob;
    }
    blob.file = path_ + '/' + name;
    blob.whole_file = true;
    struct stat status {};
    if (::stat(blob.file.c_str(), &status) != 0) return system_error(errno, "cannot read", blob.file);
    blob.size = static_cast<std::uint64_t>(status.st_size);
    return blob;
}

Result<std::string> LayoutSource::read(std::string_view digest) const {
    TAIPAN_TRY(const ImageBlob blob, find(digest));
    TAIPAN_TRY(auto bytes, read_member(blob_path(blob.sha256)));
    if (sha256_hex(bytes) == blob.sha256) return bytes;
    return make_error(ErrorCode::checksum_mismatch, path_ + ": the blob " + std::string(digest) +
                                                        " has another content than its name says; get the image again");
}

} // namespace taipan
