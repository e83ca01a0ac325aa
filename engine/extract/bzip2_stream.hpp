#pragma once

#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "extract/byte_source.hpp"

namespace taipan {

/// Decodes bzip2, any number of streams in a row, on the calling thread.
class Bzip2Stream final : public ByteSource {
public:
    Bzip2Stream();
    ~Bzip2Stream() override;

    /// Starts a new decoding of `input`, which must outlive the reading of it.
    Result<void> start(ByteSource& input);
    /// The next decoded piece; corrupt_package when the data is damaged or ends inside a stream.
    Result<std::string_view> next() override;

private:
    struct Decoder;
    Result<bool> begin_stream();
    Result<void> decode();

    std::unique_ptr<Decoder> decoder_;
    ByteSource* input_ = nullptr;
    std::string_view pending_; ///< input that the decoder has not taken yet
    bool input_ended_ = false;
    bool any_stream_ = false;
};

} // namespace taipan
