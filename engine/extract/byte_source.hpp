#pragma once

#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace taipan {

/// Bytes that are pulled piece by piece. Decoders are sources that read another source, so that an archive
/// is a chain: memory (later: a spool that still fills) -> zstd or bzip2 -> tar.
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

} // namespace taipan
