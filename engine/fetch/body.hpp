#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_input.hpp"
#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan {

/// How many bytes of downloads may wait in memory, for the whole run; shared by all transfers.
class MemoryBudget {
public:
    explicit MemoryBudget(std::uint64_t bytes) : free_(static_cast<std::int64_t>(bytes)) {}
    /// Takes `bytes` if that many are left.
    bool try_take(std::uint64_t bytes);
    void give_back(std::uint64_t bytes) { free_.fetch_add(static_cast<std::int64_t>(bytes)); }

private:
    std::atomic<std::int64_t> free_;
};

/// The bytes of one download: in memory while the budget lasts, else in a file. Movable; removes what it owns.
class Body {
public:
    Body() = default;
    Body(Body&& other) noexcept { swap(other); }
    Body& operator=(Body&& other) noexcept;
    Body(const Body&) = delete;
    Body& operator=(const Body&) = delete;
    ~Body();

    /// A body that grows by `append`. Without `spool_directory` it stays in memory whatever its size.
    /// `expected_size` (0: unknown) decides at once whether it goes to memory or to a file; a large one always goes to
    /// a file, so that a few large packages cannot push everything else out of memory.
    static Result<Body> open(MemoryBudget& budget, std::string spool_directory, std::uint64_t expected_size);
    /// An existing file that somebody else owns; it is only read.
    static Body of_foreign_file(std::string path);
    /// Bytes at hand.
    static Body of_memory(std::string bytes);
    /// A file of this body, if it gets one, loses what its readers release (ByteInput::release): it is read once.
    void let_be_consumed() { consumed_ = true; }
    [[nodiscard]] bool is_consumed() const { return consumed_ && !path_.empty(); }

    Result<void> append(std::string_view bytes);
    /// Whether the bytes lie in a file, so that they can also be written out of order.
    [[nodiscard]] bool in_file() const { return fd_ && !path_.empty(); }
    /// Puts bytes somewhere into the file; what is in front of them may come later. Does not change size().
    Result<void> write_at(std::uint64_t offset, std::string_view bytes);
    /// After bytes were written out of order: how many there are, without gaps.
    void set_size(std::uint64_t size) { size_ = size; }
    /// Writes to the file what was gathered for it. Until then it lacks the last bytes for other readers, not for those
    /// below.
    Result<void> flush();
    /// Forgets all bytes, for a download that starts over.
    Result<void> restart();
    [[nodiscard]] std::uint64_t size() const { return size_; }

    /// A descriptor of its own for reading the file (and for making holes in one that is consumed) while it grows; io
    /// when the body is in memory.
    [[nodiscard]] Result<UniqueFd> open_for_reading() const;

    /// All bytes, to be read by position; valid until the body changes or dies.
    [[nodiscard]] Result<std::unique_ptr<ByteInput>> input();
    /// All bytes, mapped into memory if they lie in a file. Valid until the body changes or dies.
    Result<std::string_view> view();
    /// Makes `destination` hold these bytes: atomically, by rename where possible. The body stays readable.
    Result<void> store_as(const std::string& destination);
    /// The bytes, moved out of a body in memory or read from the file.
    Result<std::string> take_text();

private:
    void swap(Body& other) noexcept;
    void unmap();
    Result<void> move_to_file();
    Result<void> reserve(std::uint64_t bytes);

    MemoryBudget* budget_ = nullptr;
    std::uint64_t taken_ = 0; ///< from the budget
    std::string memory_;      ///< all bytes, or those that are not in the file yet
    std::string spool_directory_;
    std::string path_; ///< of the file, empty while in memory
    bool owned_ = false;
    bool consumed_ = false;
    UniqueFd fd_;
    std::uint64_t size_ = 0;
    void* map_ = nullptr;
    std::size_t map_size_ = 0;
};

} // namespace taipan
