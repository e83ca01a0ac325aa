// The bzip2 half of a .tar.bz2 archive.
//
// Problem: one core decodes some 30 MB/s of bzip2, so a large old package is what everything else waits for. Its blocks
// are independent, but nothing says where they begin: not aligned to bytes, only marked by 48 bits that compressed data
// may contain too. Packages may be several streams in a row (parallel compressors write one stream a block), and one
// that stops early must not look complete. Approach: the reader scans for marks ahead of what it has to deliver, and
// takes what lies between two of them for a block. Helpers decode these on speculation; the reader goes through them in
// order, and knows for certain where the next block or end record has to be, because it knows where the last one ended.
// Guesses that turn out wrong are thrown away, and where a block was cut short by a false mark, the decoder itself
// tells where it ends. What must hold: what comes out is what a decoder without helpers makes of the same bytes, in the
// same order; every block's and every stream's checksum is compared; the input may end only between streams and after
// at least one of them; bytes after the last stream are an error unless they are zeros (padding of tapes and of some
// mirrors); memory is bounded by `most_ahead` and `largest_block`, whatever the archive says.

#include "extract/bzip2_stream.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "extract/bzip2_block.hpp"
#include "extract/bzip2_marks.hpp"

namespace taipan {

namespace {

/// Takes the plain bytes of a block of 900,000 bytes, unless it has long runs.
constexpr std::size_t output_size = std::size_t{1} << 20;
/// No compressor makes a block of more than 1.1 MB.
constexpr std::size_t largest_block = std::size_t{5} << 20;
/// So much is read ahead while there are blocks to decode.
constexpr std::size_t read_ahead = std::size_t{4} << 20;
/// Blocks that are decoded or being decoded and not delivered.
constexpr std::size_t most_ahead = 12;
constexpr std::size_t header_size = 4;
constexpr std::uint64_t end_record_bits = 80;
constexpr std::uint32_t header_text = 0x425a68; ///< "BZh"

Error corrupt(std::string what) {
    return make_error(ErrorCode::corrupt_package, "bzip2 data is damaged: " + std::move(what));
}
Error cut_off() { return corrupt("it ends inside a stream"); }
Error wrong_block() { return corrupt("a checksum or a block is wrong"); }

using Output = std::unique_ptr<char[]>;
using Outcome = Bzip2BlockDecoder::Outcome;

/// What lies between two marks, perhaps a block.
struct Block {
    enum class State { waiting, taken, decoded };
    std::uint64_t begin = 0, end = 0; ///< bits
    char level = '9';
    State state = State::waiting; ///< guarded by the decoding's mutex; the rest belongs to who took it
    std::string packed;
    std::unique_ptr<Bzip2BlockDecoder> decoder; ///< while there is more to come out of it
    Output output;
    std::size_t size = 0;
    Outcome outcome = Outcome::refused;
    std::optional<Error> error; ///< of the machine, not of the data
};
using BlockPtr = std::shared_ptr<Block>;

BlockPtr make_block(std::uint64_t begin, std::uint64_t end, char level) {
    auto block = std::make_shared<Block>();
    block->begin = begin;
    block->end = end;
    block->level = level;
    return block;
}

struct Mark {
    Bzip2Mark place;
    BlockPtr block; ///< once the next mark is known, unless it is an end record's
};

} // namespace

/// What is used again by the next decoding and, guarded by the mutex, by the next block.
struct Bzip2Stream::Kept {
    std::mutex mutex;
    std::vector<std::unique_ptr<Bzip2BlockDecoder>> decoders;
    std::vector<Output> outputs;
    std::vector<std::string> texts;

    template <class T, class Make> T take(std::vector<T>& from, Make make) {
        {
            const std::scoped_lock guard(mutex);
            if (!from.empty()) {
                T last = std::move(from.back());
                from.pop_back();
                return last;
            }
        }
        return make();
    }
    template <class T> void put_back(std::vector<T>& to, T& value) {
        const std::scoped_lock guard(mutex);
        to.push_back(std::move(value));
    }
    void shrink() {
        const std::scoped_lock guard(mutex);
        decoders.resize(std::min<std::size_t>(decoders.size(), 1));
        outputs.resize(std::min<std::size_t>(outputs.size(), 1));
        texts.clear();
    }
};

/// One archive. The owner's thread calls `next`; helpers only call `help_once`.
class Bzip2Stream::Decoding {
public:
    Decoding(Kept& kept, ByteSource& input, TaskRunner* helpers)
        : kept_(kept), input_(input), alone_(helpers == nullptr), crew_(helpers, [this] { return help_once(); }) {}

    Result<std::string_view> next();

private:
    [[nodiscard]] std::uint64_t window_end() const { return window_begin_ + window_.size(); }
    [[nodiscard]] std::uint32_t peek(std::uint64_t bit, unsigned count) const {
        return bits_at(window_, bit - window_begin_ * 8, count);
    }
    Result<void> read_more();
    Result<bool> have_bits(std::uint64_t bit);
    void note_marks();
    void drop_until(std::uint64_t bit);
    Result<void> read_ahead_of_block();

    Result<bool> begin_stream();
    Result<void> end_stream();
    Result<BlockPtr> block_here();
    Result<BlockPtr> block_by_its_own_end();
    Result<std::string_view> deliver(const BlockPtr& block);
    void release(Block& block);

    [[nodiscard]] char level_at(std::uint64_t begin) const;
    BlockPtr take_waiting();
    bool help_once();
    void wait_for(Block& block);
    void decode(Block& block);
    Result<void> try_decode(Block& block);

    Kept& kept_;
    ByteSource& input_;
    const bool alone_;

    std::mutex mutex_; ///< guards window_ and marks_ (written by the owner only) and the state of blocks
    std::condition_variable decoded_;
    std::string window_; ///< compressed bytes from a little before `position_` on
    std::uint64_t window_begin_ = 0;
    std::deque<Mark> marks_;
    std::size_t ahead_ = 0; ///< blocks taken or decoded, not delivered

    Bzip2MarkFinder finder_;
    std::vector<Bzip2Mark> found_;
    bool input_ended_ = false;

    std::uint64_t position_ = 0; ///< bit that comes next
    bool inside_stream_ = false;
    bool any_stream_ = false;
    char level_ = '9';
    std::uint32_t checksum_ = 0; ///< of the stream so far
    BlockPtr current_;           ///< what was delivered last
    Crew crew_;                  ///< last, so that it goes first
};

Result<void> Bzip2Stream::Decoding::read_more() {
    TAIPAN_TRY(const auto bytes, input_.next());
    input_ended_ = bytes.empty();
    {
        const std::scoped_lock guard(mutex_);
        // What is behind us goes when it is most of the window, so that few bytes are moved.
        const auto behind = static_cast<std::size_t>(position_ / 8 - window_begin_);
        if (behind > window_.size() / 2 && behind > header_size) {
            window_.erase(0, behind - header_size);
            window_begin_ += behind - header_size;
        }
        window_.append(bytes);
    }
    finder_.scan(bytes, found_);
    note_marks();
    return {};
}

/// Reads until the window reaches this bit; false when the input ends before it.
Result<bool> Bzip2Stream::Decoding::have_bits(std::uint64_t bit) {
    while (window_end() * 8 < bit && !input_ended_) TAIPAN_CHECK(read_more());
    return window_end() * 8 >= bit;
}

/// New marks end what began at the last one.
void Bzip2Stream::Decoding::note_marks() {
    for (const auto& place : found_) {
        if (place.bit < position_) continue;
        BlockPtr block;
        if (!marks_.empty() && !marks_.back().place.end) {
            const auto begin = marks_.back().place.bit;
            block = make_block(begin, place.bit, level_at(begin));
        }
        {
            const std::scoped_lock guard(mutex_);
            if (block) marks_.back().block = block;
            marks_.push_back({place, {}});
        }
        if (block) crew_.call();
    }
    found_.clear();
}

/// The level that a block seems to have: of the header right before it, or else of the present stream.
char Bzip2Stream::Decoding::level_at(std::uint64_t begin) const {
    if (begin % 8 != 0 || begin / 8 < window_begin_ + header_size) return level_;
    const auto header = begin - header_size * 8;
    const auto digit = static_cast<char>(peek(header + 24, 8));
    return peek(header, 24) == header_text && digit >= '1' && digit <= '9' ? digit : level_;
}

/// Forgets marks before this bit: they were false, or are done with.
void Bzip2Stream::Decoding::drop_until(std::uint64_t bit) {
    while (!marks_.empty() && marks_.front().place.bit < bit) {
        const auto block = marks_.front().block;
        {
            std::unique_lock guard(mutex_);
            marks_.pop_front();
            if (!block || block == current_) continue;
            decoded_.wait(guard, [&] { return block->state != Block::State::taken; });
        }
        release(*block);
    }
}

/// Reads until the block here is known to end, and then ahead, for the helpers.
Result<void> Bzip2Stream::Decoding::read_ahead_of_block() {
    while (!input_ended_) {
        const auto waiting = static_cast<std::size_t>(window_end() - position_ / 8);
        const bool known = marks_.size() > 1;
        if (known && (alone_ || waiting >= read_ahead || marks_.size() > most_ahead)) break;
        if (!known && waiting > largest_block) break;
        TAIPAN_CHECK(read_more());
    }
    return {};
}

/// Reads the header of the stream that begins here; false at the end of the input.
Result<bool> Bzip2Stream::Decoding::begin_stream() {
    while (true) {
        TAIPAN_TRY(const bool more, have_bits(position_ + 8));
        if (!more) {
            if (!any_stream_) return corrupt("it is empty");
            return false;
        }
        if (!any_stream_ || peek(position_, 8) != 0) break;
        position_ += 8;
    }
    TAIPAN_TRY(const bool whole, have_bits(position_ + header_size * 8));
    if (!whole) return cut_off();
    const auto digit = static_cast<char>(peek(position_ + 24, 8));
    if (peek(position_, 24) != header_text || digit < '1' || digit > '9')
        return corrupt("it does not start like bzip2");
    level_ = digit;
    position_ += header_size * 8;
    checksum_ = 0;
    inside_stream_ = true;
    return true;
}

Result<void> Bzip2Stream::Decoding::end_stream() {
    TAIPAN_TRY(const bool whole, have_bits(position_ + end_record_bits));
    if (!whole) return cut_off();
    if (peek(position_ + bzip2_magic_bits, 32) != checksum_) return corrupt("the checksum of a stream is wrong");
    position_ = (position_ + end_record_bits + 7) / 8 * 8;
    inside_stream_ = false;
    any_stream_ = true;
    return {};
}

/// Gives back what the block holds.
void Bzip2Stream::Decoding::release(Block& block) {
    if (block.decoder) kept_.put_back(kept_.decoders, block.decoder);
    if (block.output) kept_.put_back(kept_.outputs, block.output);
    if (block.packed.capacity() > 0) kept_.put_back(kept_.texts, block.packed);
    const std::scoped_lock guard(mutex_);
    if (block.state == Block::State::decoded) --ahead_;
}

Result<void> Bzip2Stream::Decoding::try_decode(Block& block) {
    block.packed = kept_.take(kept_.texts, [] { return std::string(); });
    {
        const std::scoped_lock guard(mutex_);
        const auto base = window_begin_ * 8;
        pack_block(window_, block.begin - base, block.end - base, block.level, block.packed);
    }
    block.output = kept_.take(kept_.outputs, [] { return std::make_unique_for_overwrite<char[]>(output_size); });
    block.decoder = kept_.take(kept_.decoders, [] { return std::make_unique<Bzip2BlockDecoder>(); });
    TAIPAN_CHECK(block.decoder->start(block.packed));
    TAIPAN_TRY(const auto piece, block.decoder->next(block.output.get(), output_size));
    block.size = piece.size;
    block.outcome = piece.outcome;
    if (piece.outcome == Outcome::more) return {};
    kept_.put_back(kept_.decoders, block.decoder);
    kept_.put_back(kept_.texts, block.packed);
    return {};
}

/// Decodes a block that was taken.
void Bzip2Stream::Decoding::decode(Block& block) {
    try {
        if (auto tried = try_decode(block); !tried) block.error = std::move(tried).error();
    } catch (const std::exception& failure) {
        block.error = make_error(ErrorCode::internal, std::string("cannot decode a bzip2 block: ") + failure.what());
    }
    {
        const std::scoped_lock guard(mutex_);
        block.state = Block::State::decoded;
    }
    decoded_.notify_all();
}

BlockPtr Bzip2Stream::Decoding::take_waiting() {
    const std::scoped_lock guard(mutex_);
    if (ahead_ >= most_ahead) return nullptr;
    for (const auto& mark : marks_) {
        if (!mark.block || mark.block->state != Block::State::waiting) continue;
        mark.block->state = Block::State::taken;
        ++ahead_;
        return mark.block;
    }
    return nullptr;
}

bool Bzip2Stream::Decoding::help_once() {
    const auto block = take_waiting();
    if (!block) return false;
    decode(*block);
    return true;
}

/// Returns when the block is decoded. While a helper is at it, the next ones are decoded here.
void Bzip2Stream::Decoding::wait_for(Block& block) {
    bool mine = false;
    {
        const std::scoped_lock guard(mutex_);
        mine = block.state == Block::State::waiting;
        if (mine) {
            block.state = Block::State::taken;
            ++ahead_;
        }
    }
    if (mine) decode(block);
    while (true) {
        {
            const std::scoped_lock guard(mutex_);
            if (block.state == Block::State::decoded) return;
        }
        if (help_once()) continue;
        std::unique_lock guard(mutex_);
        decoded_.wait(guard, [&] { return block.state == Block::State::decoded; });
        return;
    }
}

/// The block at the present position, perhaps not decoded yet; null where an end record is.
Result<BlockPtr> Bzip2Stream::Decoding::block_here() {
    TAIPAN_TRY(const bool there, have_bits(position_ + bzip2_magic_bits));
    if (!there) return cut_off();
    drop_until(position_);
    if (marks_.empty() || marks_.front().place.bit != position_) return wrong_block();
    if (marks_.front().place.end) return BlockPtr();
    TAIPAN_CHECK(read_ahead_of_block());
    const auto block = marks_.front().block;
    if (!block) return input_ended_ ? cut_off() : corrupt("a block is too long");
    if (block->level == level_) return block;
    return make_block(block->begin, block->end, level_); // now the stream's own level is known
}

/// For a block with a false mark inside: where it ends is for the decoder to say.
Result<BlockPtr> Bzip2Stream::Decoding::block_by_its_own_end() {
    Bzip2BlockDecoder decoder;
    std::string stream;
    while (true) {
        const auto available = window_end() * 8;
        const auto base = window_begin_ * 8;
        pack_block(window_, position_ - base, available - base, level_, stream);
        // Only what is there: an end record that is not would be read as a part of the block.
        const auto whole = header_size + static_cast<std::size_t>((available - position_) / 8);
        TAIPAN_TRY(const auto taken, decoder.find_end(std::string_view(stream).substr(0, whole)));
        if (taken) {
            // The last bit is one of the last byte's, and the mark behind it is looked for where it can be.
            const auto last = position_ + (*taken - header_size) * 8;
            TAIPAN_TRY([[maybe_unused]] const bool there, have_bits(last + bzip2_magic_bits));
            const auto end =
                std::find_if(marks_.begin(), marks_.end(), [&](const Mark& mark) { return mark.place.bit + 8 > last; });
            if (end == marks_.end() || end->place.bit > last) return wrong_block();
            return make_block(position_, end->place.bit, level_);
        }
        if (input_ended_ || available - position_ > largest_block * 8) return wrong_block();
        // Twice as much, so that a block is tried a few times only.
        TAIPAN_TRY([[maybe_unused]] const bool more, have_bits(available + (available - position_) + 8));
    }
}

/// The first piece of a decoded block, which is accepted: what comes next is behind it.
Result<std::string_view> Bzip2Stream::Decoding::deliver(const BlockPtr& block) {
    checksum_ = ((checksum_ << 1U) | (checksum_ >> 31U)) ^ peek(position_ + bzip2_magic_bits, 32);
    position_ = block->end;
    current_ = block;
    return std::string_view(block->output.get(), block->size);
}

Result<std::string_view> Bzip2Stream::Decoding::next() {
    while (true) {
        if (current_ && current_->outcome == Outcome::more) {
            TAIPAN_TRY(const auto piece, current_->decoder->next(current_->output.get(), output_size));
            if (piece.outcome == Outcome::refused) return wrong_block();
            current_->outcome = piece.outcome;
            if (piece.size > 0) return std::string_view(current_->output.get(), piece.size);
            continue;
        }
        if (current_) {
            drop_until(position_);
            release(*std::exchange(current_, nullptr));
            crew_.call(); // there may be room for one more
        }
        if (!inside_stream_) {
            TAIPAN_TRY(const bool more, begin_stream());
            if (!more) return std::string_view();
        }
        TAIPAN_TRY(auto block, block_here());
        if (!block) {
            TAIPAN_CHECK(end_stream());
            continue;
        }
        wait_for(*block);
        if (!block->error && block->outcome == Outcome::refused) {
            TAIPAN_TRY(block, block_by_its_own_end());
            wait_for(*block);
        }
        if (block->error) return std::move(*block->error);
        if (block->outcome == Outcome::refused) return wrong_block();
        TAIPAN_TRY(const auto bytes, deliver(block));
        if (!bytes.empty()) return bytes;
    }
}

Bzip2Stream::Bzip2Stream() : kept_(std::make_unique<Kept>()) {}
Bzip2Stream::~Bzip2Stream() = default;

Result<void> Bzip2Stream::start(ByteSource& input, TaskRunner* helpers) {
    stop();
    decoding_ = std::make_unique<Decoding>(*kept_, input, helpers);
    return {};
}

Result<std::string_view> Bzip2Stream::next() { return decoding_->next(); }

void Bzip2Stream::stop() {
    decoding_.reset();
    kept_->shrink();
}

} // namespace taipan
