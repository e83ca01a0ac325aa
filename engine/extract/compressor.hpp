#pragma once

#include <memory>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

/// Where bytes go, piece by piece.
class ByteSink {
public:
    ByteSink() = default;
    ByteSink(const ByteSink&) = delete;
    ByteSink& operator=(const ByteSink&) = delete;
    virtual ~ByteSink() = default;
    virtual Result<void> write(std::string_view bytes) = 0;
};

/// Compresses what is written to it into another sink; `finish` writes the rest.
class Compressor : public ByteSink {
public:
    virtual Result<void> finish() = 0;
};

/// One zstd frame with a checksum.
Result<std::unique_ptr<Compressor>> zstd_compressor(ByteSink& out, int level);
/// One bzip2 stream; level 1 to 9.
Result<std::unique_ptr<Compressor>> bzip2_compressor(ByteSink& out, int level);

} // namespace taipan
