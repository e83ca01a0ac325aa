#include "extract/tar_writer.hpp"

#include <sys/stat.h>

#include "base/tar_header.hpp"

namespace taipan {

namespace {

constexpr std::size_t record_bytes = 10240; ///< what tar programs end an archive at

TarHeader header_of(const TarEntry& entry) {
    TarHeader header;
    header.kind = S_ISDIR(entry.mode)   ? TarHeader::Kind::directory
                  : S_ISLNK(entry.mode) ? TarHeader::Kind::symlink
                                        : TarHeader::Kind::file;
    header.path = entry.path;
    header.target = entry.target;
    header.size = entry.size;
    header.mode = entry.mode;
    header.modified.tv_sec = entry.modified;
    return header;
}

} // namespace

Result<void> TarWriter::write(std::string_view bytes) {
    written_ += bytes.size();
    return out_.write(bytes);
}

Result<void> TarWriter::begin(const TarEntry& entry) {
    const TarHeader header = header_of(entry);
    left_ = header.kind == TarHeader::Kind::file ? entry.size : 0;
    return write(tar_header(header));
}

Result<void> TarWriter::content(std::string_view bytes) {
    if (bytes.size() > left_) return make_error(ErrorCode::io, "a file grew while it was packed");
    TAIPAN_CHECK(write(bytes));
    left_ -= bytes.size();
    return left_ == 0 ? write(std::string(tar_padding(written_), '\0')) : Result<void>();
}

Result<void> TarWriter::finish() {
    if (left_ != 0) return make_error(ErrorCode::io, "a file shrank while it was packed");
    TAIPAN_CHECK(write(tar_end()));
    return write(std::string((record_bytes - written_ % record_bytes) % record_bytes, '\0'));
}

} // namespace taipan
