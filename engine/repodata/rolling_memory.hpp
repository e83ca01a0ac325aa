#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/result.hpp"

namespace taipan::repodata {

/// Memory that is written from its start to an end that may be far away, of which only the last bytes are kept. The
/// addresses go on; the pages behind what is kept are moved to the front, so that they are few, and stay in caches.
class RollingMemory {
public:
    RollingMemory() = default;
    /// Keeps at least the last `kept` bytes of about `total`. Nothing is allocated yet.
    RollingMemory(std::size_t kept, std::uint64_t total);
    RollingMemory(const RollingMemory&) = delete;
    RollingMemory& operator=(const RollingMemory&) = delete;
    RollingMemory(RollingMemory&& other) noexcept { swap(other); }
    RollingMemory& operator=(RollingMemory&& other) noexcept {
        swap(other);
        return *this;
    }
    ~RollingMemory() { release(); }

    /// Makes room for that many bytes, at most `chunk`, at place(). That is directly behind the last ones, but for rare
    /// cases when more than was said is written; what is kept stays where it is then.
    Result<void> make_room(std::size_t count);
    [[nodiscard]] char* place() const { return place_; }
    /// There may be more room than was asked for.
    [[nodiscard]] std::size_t room() const { return static_cast<std::size_t>(mapped_end_ - place_); }
    void advance(std::size_t count) { place_ += count; }
    [[nodiscard]] std::size_t kept() const { return kept_; }

    static constexpr std::size_t chunk = std::size_t{1} << 20;

private:
    void swap(RollingMemory& other) noexcept;
    void release() noexcept;
    Result<void> reserve();
    Result<void> add_chunk();

    std::size_t kept_ = 0, most_chunks_ = 0, reserve_ = 0;
    std::deque<char*> chunks_; ///< with pages, oldest first
    char *mapped_end_ = nullptr, *place_ = nullptr;
    char* reserved_end_ = nullptr; ///< from the mapped end to here addresses are ours that have no pages
};

} // namespace taipan::repodata
