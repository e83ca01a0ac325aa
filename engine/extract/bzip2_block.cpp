// One block of a bzip2 stream, decoded by libbz2 as if it were a stream of its own.
//
// What must hold: a block is accepted only if its last bit is the last of the packed ones and its checksum fits. libbz2
// looks for the end record right behind the block, so a block of one piece is certain when it says "end of stream". A
// longer one is handed out before that, but libbz2 gives out nothing before it has read a block to its end, byte by
// byte as it needs them: how much input it took shows where the block ended.

#include "extract/bzip2_block.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include <bzlib.h>

#include "extract/bzip2_marks.hpp"

namespace taipan {

namespace {

constexpr std::size_t header_size = 4;
constexpr std::size_t end_record_size = 10; ///< 48 bits of magic number, 32 of checksum

std::uint8_t byte_at(std::string_view bytes, std::uint64_t at) {
    return at < bytes.size() ? static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(at)]) : std::uint8_t{0};
}

std::uint64_t load_big_endian(const char* from) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    return __builtin_bswap64(word);
}

/// Copies bytes that start in the midst of a byte.
void copy_shifted(std::string_view bytes, std::uint64_t begin, std::uint64_t count, char* to) {
    const auto from = static_cast<std::size_t>(begin / 8);
    const auto shift = static_cast<unsigned>(begin % 8);
    std::size_t i = 0;
    for (; i + 8 <= count && from + i + 9 <= bytes.size(); i += 8) {
        auto word = load_big_endian(bytes.data() + from + i) << shift;
        word |= static_cast<std::uint64_t>(byte_at(bytes, from + i + 8)) >> (8 - shift);
        word = __builtin_bswap64(word);
        std::memcpy(to + i, &word, sizeof word);
    }
    for (; i < count; ++i) {
        const auto high = static_cast<unsigned>(byte_at(bytes, from + i)) << shift;
        const auto low = static_cast<unsigned>(byte_at(bytes, from + i + 1)) >> (8 - shift);
        to[i] = static_cast<char>((high | low) & 0xffU);
    }
}

/// Writes whole bytes at a bit offset; the bits from there on are zero.
void put_bits(std::string& to, std::uint64_t bit, std::uint64_t value, unsigned bytes) {
    const auto shift = static_cast<unsigned>(bit % 8);
    for (auto at = static_cast<std::size_t>(bit / 8); bytes-- > 0; ++at) {
        const auto byte = static_cast<unsigned>((value >> (8 * bytes)) & 0xffU);
        to[at] = static_cast<char>(static_cast<unsigned char>(to[at]) | (byte >> shift));
        if (shift > 0) to[at + 1] = static_cast<char>((byte << (8 - shift)) & 0xffU);
    }
}

} // namespace

std::uint32_t bits_at(std::string_view bytes, std::uint64_t bit, unsigned count) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 5; ++i) value = value << 8U | byte_at(bytes, bit / 8 + i);
    value >>= 40 - bit % 8 - count;
    return static_cast<std::uint32_t>(value & ((std::uint64_t{1} << count) - 1));
}

void pack_block(std::string_view bytes, std::uint64_t begin, std::uint64_t end, char level, std::string& stream) {
    const auto bits = end - begin;
    const auto whole = static_cast<std::size_t>((bits + 7) / 8);
    stream.resize(header_size + whole + end_record_size + 1);
    const std::array<char, header_size> header{'B', 'Z', 'h', level};
    std::memcpy(stream.data(), header.data(), header_size);
    copy_shifted(bytes, begin, whole, stream.data() + header_size);
    if (const auto used = static_cast<unsigned>(bits % 8); used != 0) {
        auto& last = stream[header_size + whole - 1];
        last = static_cast<char>(static_cast<unsigned char>(last) & (0xff00U >> used));
    }
    std::fill(stream.begin() + static_cast<std::ptrdiff_t>(header_size + whole), stream.end(), '\0');
    const auto checksum = bits_at(bytes, begin + bzip2_magic_bits, 32);
    const auto at = header_size * 8 + bits;
    put_bits(stream, at, bzip2_end_magic, 6);
    put_bits(stream, at + bzip2_magic_bits, checksum, 4); // of a stream of one block
    stream.resize(static_cast<std::size_t>((at + end_record_size * 8 + 7) / 8));
}

/// libbz2 allocates its state and the block's array anew for each stream; both are kept here.
struct Bzip2BlockDecoder::Library {
    struct Kept {
        void* memory = nullptr;
        std::size_t size = 0;
        bool used = false;
    };
    bz_stream stream{};
    bool open = false;
    std::array<Kept, 2> kept;

    Library() = default;
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    ~Library() {
        close();
        for (auto& each : kept) std::free(each.memory); // NOLINT(cppcoreguidelines-no-malloc)
    }
    void close() {
        if (std::exchange(open, false)) BZ2_bzDecompressEnd(&stream); // fails only for a stream that is not open
    }
    bool begin(std::string_view input) {
        close();
        stream = bz_stream{};
        stream.bzalloc = &Library::allocate;
        stream.bzfree = &Library::release;
        stream.opaque = this;
        if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) return false;
        open = true;
        stream.next_in = const_cast<char*>(input.data()); // libbz2 does not write to it
        stream.avail_in = static_cast<unsigned>(input.size());
        return true;
    }
    int decode(char* output, std::size_t room) {
        stream.next_out = output;
        stream.avail_out = static_cast<unsigned>(std::min<std::size_t>(room, std::numeric_limits<unsigned>::max()));
        return BZ2_bzDecompress(&stream);
    }

    static void* allocate(void* self, int count, int item) noexcept {
        const auto size = static_cast<std::size_t>(count) * static_cast<std::size_t>(item);
        auto& slots = static_cast<Library*>(self)->kept;
        Kept* chosen = nullptr; // the smallest that is large enough, or else one to make larger
        for (auto& each : slots) {
            if (each.used) continue;
            const bool better =
                chosen == nullptr || (each.size >= size && (chosen->size < size || each.size < chosen->size));
            if (better) chosen = &each;
        }
        if (chosen == nullptr) return nullptr; // it never has more than two
        if (chosen->size < size) {
            std::free(chosen->memory);          // NOLINT(cppcoreguidelines-no-malloc)
            chosen->memory = std::malloc(size); // NOLINT(cppcoreguidelines-no-malloc)
            chosen->size = chosen->memory == nullptr ? 0 : size;
        }
        chosen->used = chosen->memory != nullptr;
        return chosen->memory;
    }
    static void release(void* self, void* memory) noexcept {
        for (auto& each : static_cast<Library*>(self)->kept) {
            if (each.memory == memory && memory != nullptr) each.used = false;
        }
    }
};

Bzip2BlockDecoder::Bzip2BlockDecoder() : library_(std::make_unique<Library>()) {}
Bzip2BlockDecoder::~Bzip2BlockDecoder() = default;

Result<void> Bzip2BlockDecoder::start(std::string_view stream) {
    if (!library_->begin(stream)) return make_error(ErrorCode::internal, "no memory for a bzip2 decoder");
    size_ = stream.size();
    first_ = true;
    return {};
}

Result<Bzip2BlockDecoder::Piece> Bzip2BlockDecoder::next(char* output, std::size_t room) {
    auto& stream = library_->stream;
    const int code = library_->decode(output, room);
    if (code == BZ_MEM_ERROR) return make_error(ErrorCode::internal, "no memory for a bzip2 decoder");
    const auto size = room - stream.avail_out;
    const bool first = std::exchange(first_, false);
    if (code == BZ_STREAM_END) return Piece{size, stream.avail_in == 0 ? Outcome::finished : Outcome::refused};
    const bool full = code == BZ_OK && stream.avail_out == 0; // else it is damaged, or wants more input
    // After the block's last bit, which may lie in the same byte as the first one of the end record.
    const bool right_end = !first || stream.avail_in == end_record_size;
    return Piece{size, full && right_end ? Outcome::more : Outcome::refused};
}

Result<std::optional<std::size_t>> Bzip2BlockDecoder::find_end(std::string_view stream) {
    if (!library_->begin(stream)) return make_error(ErrorCode::internal, "no memory for a bzip2 decoder");
    char first_byte = 0;
    const int code = library_->decode(&first_byte, 1);
    if (code == BZ_MEM_ERROR) return make_error(ErrorCode::internal, "no memory for a bzip2 decoder");
    if (code != BZ_OK || library_->stream.avail_out > 0) return std::optional<std::size_t>();
    return std::optional(stream.size() - library_->stream.avail_in);
}

} // namespace taipan
