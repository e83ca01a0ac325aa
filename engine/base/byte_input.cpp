#include "base/byte_input.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::size_t piece_size = std::size_t{256} << 10U;
/// A reader that leaves so much out (headers, a small member) is followed; what a larger jump leaves out comes last.
constexpr std::uint64_t largest_gap = std::uint64_t{4} << 20U;

} // namespace

Result<std::string_view> FileInput::read(std::uint64_t offset, std::size_t count) {
    if (offset >= size_) return std::string_view();
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset));
    if (buffer_.size() < count) buffer_.resize(count);
    std::size_t filled = 0;
    while (filled < count) {
        const ssize_t got = ::pread(fd_, buffer_.data() + filled, count - filled, static_cast<off_t>(offset + filled));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", "the package archive");
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    return std::string_view(buffer_.data(), filled);
}

void FileInput::release(std::uint64_t offset, std::uint64_t count) {
#ifdef FALLOC_FL_PUNCH_HOLE
    // Where the file system cannot do it the space comes back a little later, with the file.
    if (consumed_ && count > 0) {
        static_cast<void>(::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                                      static_cast<off_t>(count)));
    }
#endif
}

DigestingInput::DigestingInput(ByteInput& input, bool with_md5)
    : input_(input), sha256_(Digest::Kind::sha256), md5_(Digest::Kind::md5), with_md5_(with_md5) {}

void DigestingInput::take(std::uint64_t offset, std::string_view bytes) {
    if (offset > digested_ || offset + bytes.size() <= digested_) return;
    const auto fresh = bytes.substr(static_cast<std::size_t>(digested_ - offset));
    sha256_.update(fresh);
    if (with_md5_) md5_.update(fresh);
    digested_ += fresh.size();
}

Result<void> DigestingInput::catch_up(std::uint64_t offset) {
    while (digested_ < offset) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece_size, offset - digested_));
        TAIPAN_TRY(const auto bytes, input_.read(digested_, count));
        if (bytes.empty()) return {}; // shorter than it said; the digest will tell
        take(digested_, bytes);
    }
    return {};
}

Result<std::string_view> DigestingInput::read(std::uint64_t offset, std::size_t count) {
    if (offset > digested_ && offset - digested_ <= largest_gap) TAIPAN_CHECK(catch_up(offset));
    TAIPAN_TRY(const auto bytes, input_.read(offset, count));
    take(offset, bytes);
    return bytes;
}

void DigestingInput::release(std::uint64_t offset, std::uint64_t count) {
    if (offset < digested_) input_.release(offset, std::min(count, digested_ - offset));
}

Result<DigestingInput::Digests> DigestingInput::finish() {
    TAIPAN_CHECK(catch_up(input_.size()));
    return Digests{sha256_.finish_hex(), with_md5_ ? md5_.finish_hex() : std::string()};
}

} // namespace taipan
