// The bzip2 half of a .tar.bz2 archive.
//
// Problem: old packages are bzip2, often several streams in a row (parallel compressors write one stream a
// block), and a file that stops early must not look complete.
// Approach: libbz2 directly instead of a filter of libarchive, so that the end of the data is ours to check and
// a decoder that works on blocks in parallel can take this place behind the same ByteSource.
// What must hold: the input may end only between streams and after at least one of them; bytes after the last
// stream are an error unless they are zeros (padding of tapes and of some mirrors).

#include "extract/bzip2_stream.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>

#include <bzlib.h>

namespace taipan {

namespace {

constexpr std::size_t output_size = std::size_t{256} << 10;

Error corrupt(std::string what) {
    return make_error(ErrorCode::corrupt_package, "bzip2 data is damaged: " + std::move(what));
}

Error bzip2_error(int code) {
    switch (code) {
    case BZ_MEM_ERROR: return make_error(ErrorCode::internal, "no memory for a bzip2 decoder");
    case BZ_DATA_ERROR: return corrupt("a checksum or a block is wrong");
    case BZ_DATA_ERROR_MAGIC: return corrupt("it does not start like bzip2");
    default: return make_error(ErrorCode::internal, "libbz2 failed with code " + std::to_string(code));
    }
}

} // namespace

struct Bzip2Stream::Decoder {
    bz_stream stream{};
    bool open = false;
    std::unique_ptr<char[]> output = std::make_unique_for_overwrite<char[]>(output_size);

    Decoder() = default;
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    ~Decoder() { close(); }
    void close() {
        if (std::exchange(open, false)) BZ2_bzDecompressEnd(&stream); // fails only for a stream that is not open
    }
};

Bzip2Stream::Bzip2Stream() : decoder_(std::make_unique<Decoder>()) {}
Bzip2Stream::~Bzip2Stream() = default;

Result<void> Bzip2Stream::start(ByteSource& input) {
    decoder_->close();
    input_ = &input;
    pending_ = {};
    input_ended_ = any_stream_ = false;
    return {};
}

/// Opens a decoder for the stream that begins here; false at the end of the input.
Result<bool> Bzip2Stream::begin_stream() {
    while (true) {
        if (any_stream_) {
            const auto padding = std::min(pending_.find_first_not_of('\0'), pending_.size());
            pending_.remove_prefix(padding);
        }
        if (!pending_.empty()) break;
        if (input_ended_) {
            if (!any_stream_) return corrupt("it is empty");
            return false;
        }
        TAIPAN_TRY(pending_, input_->next());
        input_ended_ = pending_.empty();
    }
    auto& stream = decoder_->stream;
    stream = bz_stream{};
    if (const int code = BZ2_bzDecompressInit(&stream, 0, 0); code != BZ_OK) return bzip2_error(code);
    decoder_->open = true;
    return true;
}

/// One step: from pending input into what is left of the output buffer.
Result<void> Bzip2Stream::decode() {
    auto& stream = decoder_->stream;
    const auto offered =
        static_cast<unsigned>(std::min<std::size_t>(pending_.size(), std::numeric_limits<unsigned>::max()));
    stream.next_in = const_cast<char*>(pending_.data()); // libbz2 does not write to it
    stream.avail_in = offered;
    const auto room = stream.avail_out;
    const int code = BZ2_bzDecompress(&stream);
    const auto taken = offered - stream.avail_in;
    pending_.remove_prefix(taken);
    if (code == BZ_STREAM_END) {
        decoder_->close();
        any_stream_ = true;
        return {};
    }
    if (code != BZ_OK) return bzip2_error(code);
    if (input_ended_ && taken == 0 && stream.avail_out == room) return corrupt("it ends inside a stream");
    return {};
}

Result<std::string_view> Bzip2Stream::next() {
    auto& stream = decoder_->stream;
    std::size_t filled = 0;
    while (filled < output_size) {
        if (!decoder_->open) {
            TAIPAN_TRY(const bool more, begin_stream());
            if (!more) break;
        }
        if (pending_.empty() && !input_ended_) {
            TAIPAN_TRY(pending_, input_->next());
            input_ended_ = pending_.empty();
        }
        stream.next_out = decoder_->output.get() + filled;
        stream.avail_out = static_cast<unsigned>(output_size - filled);
        TAIPAN_CHECK(decode());
        filled = output_size - stream.avail_out;
    }
    return std::string_view(decoder_->output.get(), filled);
}

} // namespace taipan
