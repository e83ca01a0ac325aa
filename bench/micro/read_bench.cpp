// Reading a .conda archive from memory, without writing anything: zip, zstd, tar. Bytes are those of the files'
// content, items are the files.

#include <cstdint>
#include <string>

#include <benchmark/benchmark.h>

#include "extract/archive_builder.hpp" // of the unit tests
#include "extract/conda_zip.hpp"
#include "extract/tar_reader.hpp"
#include "extract/zstd_stream.hpp"

namespace taipan {

namespace {

/// Content that compresses about as well as source code.
std::string content(std::uint32_t seed, std::size_t size) {
    std::string result;
    result.reserve(size + 16);
    for (std::uint32_t random = seed; result.size() < size;) {
        random = random * 1664525U + 1013904223U;
        result += "word" + std::to_string((random >> 16U) % 5000U) + ((random >> 30U) == 0 ? "\n" : " ");
    }
    return result;
}

std::string package(std::int64_t files, std::size_t size) {
    test::TarBuilder tar;
    for (std::int64_t i = 0; i < files; ++i) {
        tar.file("lib/part" + std::to_string(i / 20) + "/module" + std::to_string(i) + ".py",
                 content(static_cast<std::uint32_t>(i), size));
    }
    return test::conda_of(tar.build(), test::TarBuilder().index().build());
}

struct Amount {
    std::int64_t files = 0, bytes = 0;
};

Result<Amount> read_package(ByteInput& archive, ZstdStream& zstd) {
    TAIPAN_TRY(const CondaArchive parts, open_conda_archive(archive));
    RangeSource source(archive, parts.package.offset, parts.package.size);
    TAIPAN_CHECK(zstd.start(source));
    TAIPAN_TRY(TarReader tar, TarReader::open(zstd));
    Amount amount;
    TarMember member;
    while (true) {
        TAIPAN_TRY(const bool more, tar.next(member));
        if (!more) return amount;
        ++amount.files;
        for (TarPiece piece;;) {
            TAIPAN_TRY(const bool some, tar.next_piece(piece));
            if (!some) break;
            amount.bytes += static_cast<std::int64_t>(piece.bytes.size());
        }
    }
}

void read_conda(benchmark::State& state) {
    const std::string archive = package(state.range(0), static_cast<std::size_t>(state.range(1)));
    ZstdStream zstd;
    Amount sum;
    for (auto _ : state) {
        MemoryInput input(archive);
        const auto amount = read_package(input, zstd);
        if (!amount) return state.SkipWithError(amount.error().message.c_str());
        sum.files += amount->files;
        sum.bytes += amount->bytes;
    }
    state.SetItemsProcessed(sum.files);
    state.SetBytesProcessed(sum.bytes);
}

BENCHMARK(read_conda)
    ->ArgNames({"files", "size"})
    ->Args({2000, 4 << 10})
    ->Args({4, 4 << 20})
    ->Unit(benchmark::kMillisecond);

} // namespace

} // namespace taipan
