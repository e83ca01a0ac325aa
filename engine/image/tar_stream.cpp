#include "image/tar_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace taipan {

namespace {

std::uint64_t size_of(const TarItem& item) { return item.kind == TarItem::Kind::file ? item.size : 0; }

} // namespace

std::string layer_tar_header(const TarItem& item) {
    TarHeader header;
    header.kind = item.kind;
    header.path = item.path;
    header.target = item.target;
    header.size = item.size;
    header.mode = item.mode;
    header.modified.tv_sec = item.modified;
    return tar_header(header);
}

/// The next member's header becomes pending, behind the padding of the one before.
Result<void> TarStream::advance() {
    pending_.assign(tar_padding(size_of(item_)), '\0');
    offset_ = 0;
    TAIPAN_TRY(auto next, next_());
    if (!next) {
        item_ = {};
        ended_ = true;
        pending_ += tar_end();
        return {};
    }
    item_ = std::move(*next);
    pending_ += layer_tar_header(item_);
    unread_ = 0;
    if (item_.kind == TarItem::Kind::file) {
        if (item_.fd)
            unread_ = item_.size;
        else
            pending_ += item_.bytes;
    }
    return {};
}

Result<std::size_t> TarStream::read_file(char* space, std::size_t count) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, unread_));
    while (true) {
        const ssize_t got = ::read(item_.fd.get(), space, wanted);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", item_.path);
        if (got == 0) {
            return make_error(ErrorCode::corrupt_package, item_.path + " became shorter while it was read");
        }
        unread_ -= static_cast<std::uint64_t>(got);
        return static_cast<std::size_t>(got);
    }
}

Result<std::string> TarStream::read(std::size_t size) {
    std::string piece(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        if (offset_ < pending_.size()) {
            const std::size_t count = std::min(pending_.size() - offset_, size - filled);
            std::memcpy(piece.data() + filled, pending_.data() + offset_, count);
            offset_ += count;
            filled += count;
        } else if (unread_ > 0) {
            TAIPAN_TRY(const std::size_t count, read_file(piece.data() + filled, size - filled));
            filled += count;
        } else if (ended_) {
            break;
        } else {
            TAIPAN_CHECK(advance());
        }
    }
    piece.resize(filled);
    return piece;
}

} // namespace taipan
