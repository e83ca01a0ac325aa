// Decoding bzip2: finding blocks, decoding one, and the stream of a .tar.bz2 with and without a second core's help.
// Bytes are those that come out; of the search for blocks, those that go in.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "extract/bzip2_block.hpp"
#include "extract/bzip2_marks.hpp"
#include "extract/bzip2_stream.hpp"
#include "unit/extract/bzip2_samples.hpp"
#include "unit/extract/helper_threads.hpp"

namespace {

using namespace taipan;

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

void bzip2_marks(benchmark::State& state) {
    const std::string archive = test::bzip2_stream_of(text(std::size_t{8} << 20), 9);
    for (auto _ : state) {
        std::vector<Bzip2Mark> marks;
        Bzip2MarkFinder().scan(archive, marks);
        benchmark::DoNotOptimize(marks.data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(archive.size()));
}

void bzip2_block(benchmark::State& state) {
    const std::string archive = test::bzip2_stream_of(text(std::size_t{1} << 20), 9);
    std::vector<Bzip2Mark> marks;
    Bzip2MarkFinder().scan(archive, marks);
    Bzip2BlockDecoder decoder;
    std::string packed;
    std::string output(std::size_t{1} << 20, '\0');
    std::int64_t bytes = 0;
    for (auto _ : state) {
        pack_block(archive, marks.at(0).bit, marks.at(1).bit, '9', packed);
        if (!decoder.start(packed)) return state.SkipWithError("no memory");
        const auto piece = decoder.next(output.data(), output.size());
        if (!piece || piece->outcome != Bzip2BlockDecoder::Outcome::finished) return state.SkipWithError("no block");
        bytes += static_cast<std::int64_t>(piece->size);
    }
    state.SetBytesProcessed(bytes);
}

/// The argument is the number of helpers.
void bzip2_stream(benchmark::State& state) {
    const std::string archive = test::bzip2_stream_of(text(std::size_t{32} << 20), 9);
    std::unique_ptr<test::HelperThreads> helpers;
    if (state.range(0) > 0) helpers = std::make_unique<test::HelperThreads>(static_cast<int>(state.range(0)));
    Bzip2Stream stream;
    std::int64_t bytes = 0;
    for (auto _ : state) {
        MemorySource source(archive);
        auto started = stream.start(source, helpers.get());
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

BENCHMARK(bzip2_marks)->Unit(benchmark::kMicrosecond);
BENCHMARK(bzip2_block)->Unit(benchmark::kMillisecond);
BENCHMARK(bzip2_stream)->Arg(0)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);
