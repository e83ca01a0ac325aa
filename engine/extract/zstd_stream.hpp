#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "extract/byte_source.hpp"

namespace taipan {

/// Decodes zstd: any number of frames in a row, windows up to 2^31. The context and the buffer are kept for the next
/// stream, because creating them costs more than decoding a small package.
class ZstdStream final : public ByteSource {
public:
    ZstdStream();
    ~ZstdStream() override;

    /// Starts a new stream over `input`, which must outlive the reading of it.
    Result<void> start(ByteSource& input);
    /// The next decoded piece; corrupt_package when the stream is damaged or ends inside a frame.
    Result<std::string_view> next() override;

private:
    struct Decoder;
    Result<std::string_view> peek(std::size_t count);
    void take(std::size_t count);
    Result<void> skip(std::uint64_t count);
    Result<bool> begin_frame(bool may_move);
    Result<std::size_t> decode_step();

    std::unique_ptr<Decoder> decoder_;
    ByteSource* input_ = nullptr;
    std::string carried_;      ///< input that came in pieces and is wanted in one
    std::string_view pending_; ///< input behind it that the decoder has not taken yet
    bool input_ended_ = false;
    bool inside_frame_ = false;
    bool any_frame_ = false;
};

} // namespace taipan
