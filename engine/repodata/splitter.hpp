#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan::repodata {

/// Which packages a section of repodata holds.
enum class Section : std::uint8_t { conda, tar_bz2 };

/// Whether this can be the file of a package in that section: one with its extension in the folder of the index. How
/// it is named otherwise does not matter, the record tells what the package is.
[[nodiscard]] bool fits_section(std::string_view file, Section section);

/// Some bytes to be written to, with their number; not initialised, used again and again.
struct Buffer {
    std::unique_ptr<char[]> bytes; // NOLINT: a vector would clear what is overwritten at once
    std::size_t capacity = 0;

    static Buffer of_size(std::size_t capacity);
};

/// Complete members of one section, as the text of one JSON object.
struct Batch {
    Buffer buffer;
    std::size_t offset = 0, size = 0; ///< of the text; what a JSON parser may read behind it is there too
    Section section = Section::conda;
    std::uint32_t number = 0; ///< in the order of the file

    [[nodiscard]] std::string_view text() const { return {buffer.bytes.get() + offset, size}; }
};

/// Cuts the text of a repodata.json, as it comes, into batches that can be parsed apart and at the same time. Only
/// strings and braces are looked at; whether the rest is JSON is for the parsers of the batches and of the skeleton.
class Splitter {
public:
    /// Bytes in a batch, about.
    static constexpr std::size_t batch_size = std::size_t{1} << 20;

    /// `buffer` provides one of at least the given size, `sink` takes finished batches; both may wait.
    using MakeBuffer = std::function<Buffer(std::size_t)>;
    using Sink = std::function<void(Batch)>;
    Splitter(MakeBuffer buffer, Sink sink, bool use_only_tar_bz2);

    /// Where the next bytes go; never empty.
    std::span<char> space();
    /// So many were put there. Fails with ErrorCode::parse when no index can begin like this.
    Result<void> advance(std::size_t count);
    /// Nothing more comes. Returns the skeleton: the text without the members that went into batches.
    Result<std::string> finish();

private:
    Result<void> scan();
    Result<void> brace(std::size_t at, bool opens);
    bool emit(std::size_t end, bool section_ends);
    void renew(std::size_t keep_from);
    [[nodiscard]] char* text() { return buffer_.bytes.get(); }

    MakeBuffer make_buffer_;
    Sink sink_;
    bool use_only_tar_bz2_;
    Buffer buffer_;
    std::size_t begin_ = 1;   ///< of what belongs to no batch and not to the skeleton yet
    std::size_t scanned_ = 1; ///< up to here
    std::size_t filled_ = 1;
    std::size_t record_end_ = 0; ///< behind the last complete record; 0: none since begin_
    std::size_t depth_ = 0;      ///< of objects
    bool in_string_ = false, escaped_ = false;
    bool in_section_ = false, first_batch_ = true;
    Section section_ = Section::conda;
    std::uint32_t next_number_ = 0;
    std::string skeleton_;
};

} // namespace taipan::repodata
