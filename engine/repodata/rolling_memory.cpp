// A decoder of zstd looks back as far as its window, into what it has written; it is fastest when that lies in one
// stretch of addresses. A ring is not, whenever it begins again: unless it is many times as long as the window, a good
// part of the time is spent there, and when it is, it does not fit into any cache. So the addresses are reserved for
// all that comes, and the oldest pages are given the newest addresses (mremap moves them without copying).
#include "repodata/rolling_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/mman.h>

namespace taipan::repodata {

namespace {

/// So many addresses at once are no burden, also where they are limited (ulimit -v).
constexpr std::uint64_t most_reserved = std::uint64_t{256} << 20;

std::size_t chunks_for(std::uint64_t bytes) {
    return static_cast<std::size_t>((bytes + RollingMemory::chunk - 1) / RollingMemory::chunk);
}

} // namespace

/// One chunk more than what is kept can lie in, one for what is written, and one since the end of a reservation may be
/// left unused.
RollingMemory::RollingMemory(std::size_t kept, std::uint64_t total)
    : kept_(kept),
      most_chunks_(chunks_for(kept) + 3),
      reserve_(chunk * (chunks_for(std::min(total, most_reserved)) + 1)) {}

void RollingMemory::swap(RollingMemory& other) noexcept {
    std::swap(kept_, other.kept_);
    std::swap(most_chunks_, other.most_chunks_);
    std::swap(reserve_, other.reserve_);
    std::swap(chunks_, other.chunks_);
    std::swap(mapped_end_, other.mapped_end_);
    std::swap(place_, other.place_);
    std::swap(reserved_end_, other.reserved_end_);
}

void RollingMemory::release() noexcept {
    for (char* const begin : chunks_) ::munmap(begin, chunk);
    if (reserved_end_ != mapped_end_) ::munmap(mapped_end_, static_cast<std::size_t>(reserved_end_ - mapped_end_));
    chunks_.clear();
    mapped_end_ = place_ = reserved_end_ = nullptr;
}

Result<void> RollingMemory::reserve() {
    void* const addresses = ::mmap(nullptr, reserve_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (addresses == MAP_FAILED) return make_error(ErrorCode::io, "There is not enough memory for a zstd window");
    mapped_end_ = place_ = static_cast<char*>(addresses);
    reserved_end_ = mapped_end_ + reserve_;
    reserve_ = std::max(reserve_, chunk * most_chunks_ * 2); // it was more than was said
    return {};
}

Result<void> RollingMemory::add_chunk() {
    if (mapped_end_ == reserved_end_) TAIPAN_CHECK(reserve());
    char* const oldest = chunks_.size() < most_chunks_ ? nullptr : chunks_.front();
    const bool moved =
        oldest != nullptr && ::mremap(oldest, chunk, chunk, MREMAP_MAYMOVE | MREMAP_FIXED, mapped_end_) != MAP_FAILED;
    if (!moved && ::mprotect(mapped_end_, chunk, PROT_READ | PROT_WRITE) != 0)
        return make_error(ErrorCode::io, "There is not enough memory for a zstd window");
    if (oldest != nullptr) {
        if (!moved) ::munmap(oldest, chunk);
        chunks_.pop_front();
    }
    chunks_.push_back(mapped_end_);
    mapped_end_ += chunk;
    return {};
}

Result<void> RollingMemory::make_room(std::size_t count) {
    if (room() < count) TAIPAN_CHECK(add_chunk());
    return {};
}

} // namespace taipan::repodata
