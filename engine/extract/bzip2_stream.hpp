#pragma once

#include <memory>
#include <string_view>

#include "base/crew.hpp"
#include "base/result.hpp"
#include "extract/byte_source.hpp"

namespace taipan {

/// Decodes bzip2, any number of streams in a row, block by block: idle workers of a `TaskRunner` decode blocks ahead of
/// the reader. The result does not depend on whether they do.
class Bzip2Stream final : public ByteSource {
public:
    Bzip2Stream();
    ~Bzip2Stream() override;

    /// Starts a new decoding of `input`, which must outlive the reading of it. `helpers` may be null.
    Result<void> start(ByteSource& input, TaskRunner* helpers = nullptr);
    /// The next decoded piece; corrupt_package when the data is damaged or ends inside a stream.
    Result<std::string_view> next() override;
    /// Ends a decoding, also in the midst of it: no helper is at it any more, and most of its memory is given back.
    void stop();

private:
    class Decoding;
    struct Kept;
    std::unique_ptr<Kept> kept_;
    std::unique_ptr<Decoding> decoding_;
};

} // namespace taipan
