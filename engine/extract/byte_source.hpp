#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/byte_input.hpp"
#include "base/result.hpp"

namespace taipan {

/// Bytes that are pulled piece by piece. Decoders are sources that read another source, so that an archive
/// is a chain: input -> zstd or bzip2 -> tar.
class ByteSource {
public:
    ByteSource() = default;
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;
    virtual ~ByteSource() = default;

    /// The next piece, empty at the end. The view holds until the next call.
    virtual Result<std::string_view> next() = 0;
};

/// Hands out a text that is complete in memory, as one piece and without copying it.
class MemorySource final : public ByteSource {
public:
    /// `bytes` must outlive the source.
    explicit MemorySource(std::string_view bytes) : rest_(bytes) {}
    Result<std::string_view> next() override { return std::exchange(rest_, std::string_view{}); }

private:
    std::string_view rest_;
};

/// A range of an input, piece by piece. What was handed out is released.
class RangeSource final : public ByteSource {
public:
    /// `input` must outlive the source; the range lies inside of it.
    RangeSource(ByteInput& input, std::uint64_t offset, std::uint64_t size)
        : input_(input), next_(offset), released_(offset), end_(offset + size) {}
    Result<std::string_view> next() override {
        constexpr std::uint64_t piece = std::uint64_t{256} << 10U;
        constexpr std::uint64_t worth_releasing = std::uint64_t{4} << 20U;
        if (next_ - released_ >= worth_releasing) {
            input_.release(released_, next_ - released_);
            released_ = next_;
        }
        TAIPAN_TRY(const auto bytes, input_.read(next_, static_cast<std::size_t>(std::min(piece, end_ - next_))));
        next_ += bytes.size();
        return bytes;
    }

private:
    ByteInput& input_;
    std::uint64_t next_, released_, end_;
};

} // namespace taipan
