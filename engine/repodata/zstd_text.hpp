#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

/// Inflates a `.zst` file (one or several frames) as its bytes come.
class ZstdInflater {
public:
    /// Fails with ErrorCode::internal when there is no memory.
    static Result<ZstdInflater> create();
    ZstdInflater(ZstdInflater&&) noexcept;
    ZstdInflater& operator=(ZstdInflater&&) noexcept;
    ZstdInflater(const ZstdInflater&) = delete;
    ZstdInflater& operator=(const ZstdInflater&) = delete;
    ~ZstdInflater();

    /// Takes bytes from the front of `input` and returns how many it put into `output`; 0 when it needs more input.
    /// Fails with ErrorCode::parse when the bytes are damaged.
    Result<std::size_t> inflate(std::string_view& input, std::span<char> output);
    /// Fails with ErrorCode::parse unless the input may end here.
    [[nodiscard]] Result<void> finish() const;

private:
    struct Stream;
    explicit ZstdInflater(std::unique_ptr<Stream> stream);
    std::unique_ptr<Stream> stream_;
};

/// Inflates a whole `.zst` file held in memory. Fails with ErrorCode::parse when the bytes are damaged, truncated, or
/// would grow beyond `limit` bytes.
Result<std::string> decompress_zst(std::string_view bytes, std::uint64_t limit = std::uint64_t{8} << 30);

} // namespace taipan
