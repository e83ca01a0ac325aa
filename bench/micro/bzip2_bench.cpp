// Decoding bzip2: what one core does with the stream of a .tar.bz2. Bytes are those that come out.

#include <cstdint>
#include <string>

#include <benchmark/benchmark.h>
#include <bzlib.h>

#include "extract/bzip2_stream.hpp"

namespace {

/// Text that compresses about as well as source code: words from a small vocabulary.
std::string text(std::size_t size) {
    std::string result;
    result.reserve(size + 16);
    std::uint32_t random = 1;
    while (result.size() < size) {
        random = random * 1664525U + 1013904223U;
        result += "word" + std::to_string((random >> 16U) % 5000U) + ((random >> 30U) == 0 ? "\n" : " ");
    }
    return result;
}

std::string compressed(std::string plain) {
    std::string result(plain.size() + plain.size() / 100 + 600, '\0');
    auto size = static_cast<unsigned int>(result.size());
    const int code =
        BZ2_bzBuffToBuffCompress(result.data(), &size, plain.data(), static_cast<unsigned int>(plain.size()), 9, 0, 0);
    result.resize(code == BZ_OK ? size : 0);
    return result;
}

void bzip2_stream(benchmark::State& state) {
    const std::string archive = compressed(text(static_cast<std::size_t>(state.range(0))));
    taipan::Bzip2Stream stream;
    std::int64_t bytes = 0;
    for (auto _ : state) {
        taipan::MemorySource source(archive);
        auto started = stream.start(source);
        while (started) {
            const auto piece = stream.next();
            if (!piece) return state.SkipWithError(piece.error().message.c_str());
            if (piece->empty()) break;
            bytes += static_cast<std::int64_t>(piece->size());
        }
    }
    state.SetBytesProcessed(bytes);
}

} // namespace

BENCHMARK(bzip2_stream)->Arg(8 << 20)->Unit(benchmark::kMillisecond);
// The decoding of single blocks (engine/extract, in parallel) belongs here too.
