#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "cache/pack_format.hpp"
#include "fetch/body.hpp"

namespace taipan {

/// A pack that is read once, from its start on, as it arrives: from a pipe.
class PackStream {
public:
    /// `fd` is borrowed. What does not fit into the budget waits in a file of `spool_directory`.
    PackStream(int fd, const std::atomic<bool>& stopped, MemoryBudget& budget, std::string spool_directory)
        : fd_(fd), stopped_(stopped), budget_(budget), spool_directory_(std::move(spool_directory)) {}

    struct Entry {
        PackedEntry packed; ///< without a digest: each of its frames was compared already
        Body body;
    };
    /// The next entry, whole and as it was packed; nullopt when all of the pack has come. corrupt_package when it is no
    /// pack, was changed or cut short; cancelled soon after `stopped`.
    Result<std::optional<Entry>> next();
    /// So many bytes have come.
    [[nodiscard]] std::uint64_t size() const { return read_; }

private:
    /// Adds `count` bytes to `out`, fewer at the end only.
    Result<void> read(std::string& out, std::size_t count);
    Result<PackPiece> read_piece(std::size_t head_bytes, std::string& frame);
    Result<void> check_end(std::string list);

    int fd_;
    const std::atomic<bool>& stopped_;
    MemoryBudget& budget_;
    std::string spool_directory_;
    std::uint64_t read_ = 0;
};

} // namespace taipan
