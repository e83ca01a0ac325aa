// bzip2 data that is damaged or made up. libbz2 itself is the judge: whatever it accepts must come out, byte for byte,
// whether helpers decode blocks or not, and whatever it refuses must be refused.
//
// What must never happen: a crash, memory without bound, or another result than libbz2's.

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "extract/bzip2_stream.hpp"
#include "fuzz/fuzz_target.hpp"
#include "unit/extract/bzip2_samples.hpp"
#include "unit/extract/helper_threads.hpp"

using namespace taipan;
using namespace taipan::test;

namespace {

/// Hands out pieces of odd sizes.
class Pieces final : public ByteSource {
public:
    explicit Pieces(std::string_view bytes) : rest_(bytes) {}
    Result<std::string_view> next() override {
        size_ = size_ * 5 % 8191 + 1;
        const auto piece = rest_.substr(0, size_);
        rest_.remove_prefix(piece.size());
        return piece;
    }

private:
    std::string_view rest_;
    std::size_t size_ = 3;
};

std::optional<std::string> decoded(Bzip2Stream& stream, std::string_view bytes, TaskRunner* helpers) {
    Pieces source(bytes);
    std::string plain;
    auto started = stream.start(source, helpers);
    while (started) {
        const auto piece = stream.next();
        if (!piece && piece.error().code != ErrorCode::corrupt_package) std::abort();
        if (!piece) return std::nullopt;
        if (piece->empty()) return plain;
        plain += *piece;
    }
    return std::nullopt;
}

void require(bool ok, const char* what) {
    if (ok) return;
    std::fprintf(stderr, "bzip2_fuzz: %s\n", what);
    std::abort();
}

} // namespace

std::vector<std::string> fuzz_seeds() {
    const auto marks = text_with_false_marks(3000, true);
    return {
        bzip2_stream_of("a few words, a few more words") + bzip2_stream_of(""),
        bzip2_stream_of(marks) + bzip2_stream_of(marks, 9) + std::string(100, '\0'),
        bzip2_stream_of(noise_of(600)) + bzip2_stream_of(std::string(300'000, 'r'), 3),
        bzip2_stream_of(text_with_false_marks(120'000, false)),
    };
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static HelperThreads helpers(2);
    static Bzip2Stream stream;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto expected = plain_by_libbz2(bytes);
    require(decoded(stream, bytes, nullptr) == expected, "another result than libbz2's");
    require(decoded(stream, bytes, &helpers) == expected, "another result with helpers");
    stream.stop();
    return 0;
}
