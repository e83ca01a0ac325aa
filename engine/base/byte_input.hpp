#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/result.hpp"

namespace taipan {

/// Bytes of a known number that are read by position: in memory, in a file, or still on their way.
class ByteInput {
public:
    ByteInput() = default;
    ByteInput(const ByteInput&) = delete;
    ByteInput& operator=(const ByteInput&) = delete;
    virtual ~ByteInput() = default;

    [[nodiscard]] virtual std::uint64_t size() const = 0;
    /// Up to `count` bytes from `offset` on; fewer only where the input ends. Waits for bytes that have not arrived.
    /// The view holds until the next call.
    virtual Result<std::string_view> read(std::uint64_t offset, std::size_t count) = 0;
    /// The reader is done with these bytes and will not ask for them again: their space may be given back.
    virtual void release(std::uint64_t offset, std::uint64_t count) {
        static_cast<void>(offset);
        static_cast<void>(count);
    }
};

/// Bytes in memory; they must outlive the input.
class MemoryInput final : public ByteInput {
public:
    explicit MemoryInput(std::string_view bytes) : bytes_(bytes) {}
    [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
    Result<std::string_view> read(std::uint64_t offset, std::size_t count) override {
        return offset < bytes_.size() ? bytes_.substr(static_cast<std::size_t>(offset), count) : std::string_view();
    }

private:
    std::string_view bytes_;
};

/// A file, read with pread into one buffer that is used again: mapping it would count as memory of ours, and a page
/// fault costs more than copying a page.
class FileInput final : public ByteInput {
public:
    /// `fd` is borrowed. `size` bytes of it are used. `consumed`: the file is open for writing and nobody else's, and
    /// loses what is released, so that an archive and its content never fill the disk at the same time.
    FileInput(int fd, std::uint64_t size, bool consumed = false) : fd_(fd), size_(size), consumed_(consumed) {}
    [[nodiscard]] std::uint64_t size() const override { return size_; }
    /// Fewer bytes than asked for also where the file turns out to be shorter.
    Result<std::string_view> read(std::uint64_t offset, std::size_t count) override;
    void release(std::uint64_t offset, std::uint64_t count) override;

private:
    int fd_;
    std::uint64_t size_;
    bool consumed_;
    std::vector<char> buffer_;
};

/// Digests another input in passing: what is read in order is not read a second time for it.
class DigestingInput final : public ByteInput {
public:
    /// `input` must outlive this. MD5 only where it is asked for: it takes twice as long as SHA-256.
    DigestingInput(ByteInput& input, bool with_md5);
    [[nodiscard]] std::uint64_t size() const override { return input_.size(); }
    Result<std::string_view> read(std::uint64_t offset, std::size_t count) override;
    /// Passed on as far as the bytes are digested; the others are still needed.
    void release(std::uint64_t offset, std::uint64_t count) override;

    struct Digests {
        std::string sha256;
        std::string md5; ///< empty unless asked for
    };
    /// Reads what was not read yet. Once only.
    Result<Digests> finish();

private:
    Result<void> catch_up(std::uint64_t offset);
    void take(std::uint64_t offset, std::string_view bytes);

    ByteInput& input_;
    Digest sha256_, md5_;
    bool with_md5_;
    std::uint64_t digested_ = 0; ///< so many bytes from the start on
};

} // namespace taipan
