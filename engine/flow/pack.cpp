// Writing a packed cache: a pipeline of three steps. One thread reads files into pieces of a tar, in order; any number
// of them makes frames of these; one writes the frames, in order, and takes the sha256 of each entry's. At most a few
// pieces are under way, so memory does not grow with what is packed.

#include "flow/pack.hpp"

#include <memory>
#include <optional>

#include <fcntl.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include "base/digest.hpp"
#include "base/filesystem.hpp"
#include "flow/first_error.hpp"

namespace taipan {

namespace {

/// A chunk on its way, as bytes and then as a frame.
struct Piece {
    PackChunk chunk;
    std::string frame;
};
using PiecePtr = std::shared_ptr<Piece>;

class PackWriting {
public:
    PackWriting(Session& session, const std::vector<PackInput>& inputs, AtomicFile& file, PackSource& source)
        : session_(session), inputs_(inputs), file_(file), source_(source) {}

    Result<void> write_entries() {
        const auto read = tbb::make_filter<void, PiecePtr>(
            tbb::filter_mode::serial_in_order, [this](tbb::flow_control& control) { return next(control); });
        const auto frame = tbb::make_filter<PiecePtr, PiecePtr>(tbb::filter_mode::parallel, [this](PiecePtr piece) {
            auto made = pack_frame(piece->chunk.bytes, piece->chunk.stored);
            piece->chunk.bytes = {};
            if (made) piece->frame = *std::move(made);
            errors_.take(made ? Result<void>() : Result<void>(std::move(made).error()));
            return piece;
        });
        const auto write = tbb::make_filter<PiecePtr, void>(tbb::filter_mode::serial_in_order, [this](PiecePtr piece) {
            if (!errors_.any()) errors_.take(append(piece->chunk, piece->frame));
        });
        tbb::task_arena arena(session_.workers());
        arena.execute(
            [&] { tbb::parallel_pipeline(static_cast<std::size_t>(session_.workers()) + 2, read & frame & write); });
        TAIPAN_CHECK(errors_.result());
        if (session_.stop().stop_requested()) return make_error(ErrorCode::cancelled, "stopped before all was packed");
        if (!entries_.empty()) entries_.back().range.sha256 = digest_.finish_hex();
        return {};
    }

    Result<void> write_list() {
        const std::string text = PackSource::finish(pack_list_json(entries_));
        TAIPAN_TRY(const auto frame, pack_frame(text, false));
        TAIPAN_CHECK(file_.write(frame));
        const std::string footer = pack_footer({written_, frame.size(), sha256_hex(frame)});
        written_ += frame.size() + footer.size();
        return file_.write(footer);
    }

    [[nodiscard]] PackReport report() const {
        PackReport report;
        for (const auto& packed : entries_) {
            auto& part = report.parts[static_cast<std::size_t>(packed.entry.kind)];
            ++part.entries;
            part.bytes += packed.range.size;
        }
        report.pack_bytes = written_;
        return report;
    }

private:
    PiecePtr next(tbb::flow_control& control) {
        if (!errors_.any() && !session_.stop().stop_requested()) {
            auto chunk = source_.next();
            if (chunk && *chunk) return std::make_shared<Piece>(Piece{std::move(**chunk), {}});
            if (!chunk) errors_.take(std::move(chunk).error());
        }
        control.stop();
        return nullptr;
    }

    Result<void> append(const PackChunk& chunk, const std::string& frame) {
        const std::size_t input = chunk.input;
        if (entries_.empty() || current_ != input) {
            if (!entries_.empty()) entries_.back().range.sha256 = digest_.finish_hex();
            entries_.push_back({inputs_[input].entry, {written_, 0, {}}, inputs_[input].url, {}});
            current_ = input;
        }
        const std::string head = pack_piece_head({inputs_[input].entry, inputs_[input].url, 0, chunk.last, {}}, frame);
        entries_.back().content_sha256 = chunk.sha256;
        for (const std::string& bytes : {std::cref(head), std::cref(frame)}) {
            TAIPAN_CHECK(file_.write(bytes));
            digest_.update(bytes);
            written_ += bytes.size();
            entries_.back().range.size += bytes.size();
        }
        return {};
    }

    Session& session_;
    const std::vector<PackInput>& inputs_;
    AtomicFile& file_;
    PackSource& source_;
    FirstError errors_;
    std::vector<PackedEntry> entries_;
    std::size_t current_ = 0; ///< the input whose frames are being written
    std::uint64_t written_ = 0;
    Digest digest_{Digest::Kind::sha256};
};

} // namespace

Result<PackReport> write_pack(Session& session, const std::string& file, const std::vector<PackInput>& inputs) {
    TAIPAN_TRY(auto output, AtomicFile::create(file));
    PackSource source(inputs);
    PackWriting writing(session, inputs, output, source);
    TAIPAN_CHECK(writing.write_entries());
    TAIPAN_CHECK(writing.write_list());
    TAIPAN_CHECK(output.commit());
    return writing.report();
}

} // namespace taipan
