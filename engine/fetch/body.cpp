// Where a download goes while it arrives. Downloads must never wait for extraction, so something has to hold the
// bytes that came too early: memory, as long as the run's budget lasts, and a file in the package cache after that.
// A file spool is renamed to its final name when it is published, so its bytes are written once, and in few pieces:
// libcurl hands them out by 16 kB.

#include "fetch/body.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy_file.hpp"
#include "base/temporary_name.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t large_body = std::uint64_t{2} << 20U;
/// So much is gathered for one write into a file.
constexpr std::size_t write_step = std::size_t{64} << 10U;
constexpr std::uint64_t memory_step = std::uint64_t{1} << 20U; ///< budget is taken in steps of this size

std::string spool_path(const std::string& directory) { return temporary_name(directory + "/.taipan-spool"); }

} // namespace

bool MemoryBudget::try_take(std::uint64_t bytes) {
    const auto wanted = static_cast<std::int64_t>(bytes);
    if (free_.fetch_sub(wanted) >= wanted) return true;
    free_.fetch_add(wanted);
    return false;
}

Body& Body::operator=(Body&& other) noexcept {
    swap(other);
    return *this;
}

Body::~Body() {
    unmap();
    if (budget_ != nullptr) budget_->give_back(taken_);
    if (owned_ && !path_.empty()) ::unlink(path_.c_str());
}

void Body::swap(Body& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(taken_, other.taken_);
    std::swap(memory_, other.memory_);
    std::swap(spool_directory_, other.spool_directory_);
    std::swap(path_, other.path_);
    std::swap(owned_, other.owned_);
    std::swap(consumed_, other.consumed_);
    std::swap(fd_, other.fd_);
    std::swap(size_, other.size_);
    std::swap(map_, other.map_);
    std::swap(map_size_, other.map_size_);
}

void Body::unmap() {
    if (map_ != nullptr) ::munmap(map_, map_size_);
    map_ = nullptr;
    map_size_ = 0;
}

Result<Body> Body::open(MemoryBudget& budget, std::string spool_directory, std::uint64_t expected_size) {
    Body body;
    body.budget_ = &budget;
    body.spool_directory_ = std::move(spool_directory);
    if (expected_size > 0) TAIPAN_CHECK(body.reserve(expected_size));
    return body;
}

Body Body::of_foreign_file(std::string path) {
    Body body;
    body.path_ = std::move(path);
    struct stat status {};
    if (::stat(body.path_.c_str(), &status) == 0) body.size_ = static_cast<std::uint64_t>(status.st_size);
    return body;
}

Body Body::of_memory(std::string bytes) {
    Body body;
    body.memory_ = std::move(bytes);
    body.size_ = body.memory_.size();
    return body;
}

Result<void> Body::reserve(std::uint64_t bytes) {
    if (bytes <= taken_ || !path_.empty()) return {};
    const std::uint64_t more = bytes - taken_;
    const bool to_file = bytes > large_body && !spool_directory_.empty();
    if (!to_file && budget_ != nullptr && budget_->try_take(more)) {
        taken_ += more;
        memory_.reserve(bytes);
        return {};
    }
    if (spool_directory_.empty()) return {}; // bounded by the transfer's size limit
    return move_to_file();
}

Result<void> Body::move_to_file() {
    path_ = spool_path(spool_directory_);
    fd_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!fd_) {
        const int saved = errno;
        const std::string path = std::exchange(path_, {});
        return system_error(saved, "cannot create", path);
    }
    owned_ = true;
    budget_->give_back(std::exchange(taken_, 0));
    return flush();
}

Result<void> Body::flush() {
    if (path_.empty() || memory_.empty()) return {};
    TAIPAN_CHECK(write_all(fd_.get(), memory_, path_));
    std::string().swap(memory_); // an assignment would keep its capacity
    return {};
}

Result<void> Body::append(std::string_view bytes) {
    const std::uint64_t needed = size_ + bytes.size();
    if (path_.empty() && needed > taken_ && budget_ != nullptr) {
        TAIPAN_CHECK(reserve(std::max(needed, taken_ + std::max(taken_ / 2, memory_step))));
    }
    if (!path_.empty() && memory_.size() + bytes.size() > write_step) {
        TAIPAN_CHECK(write_all(fd_.get(), memory_, path_));
        memory_.clear();
    }
    if (!path_.empty() && memory_.capacity() < write_step) memory_.reserve(write_step);
    memory_.append(bytes);
    size_ = needed;
    return {};
}

Result<void> Body::write_at(std::uint64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error(errno, "cannot write", path_);
        offset += static_cast<std::uint64_t>(written);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> Body::restart() {
    unmap();
    memory_.clear();
    size_ = 0;
    if (path_.empty()) return {};
    if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0) {
        return system_error(errno, "cannot empty", path_);
    }
    return {};
}

Result<UniqueFd> Body::open_for_reading() const {
    if (path_.empty()) return make_error(ErrorCode::io, "the bytes of this download are not in a file");
    UniqueFd fd(::open(path_.c_str(), (is_consumed() ? O_RDWR : O_RDONLY) | O_CLOEXEC));
    if (!fd) return system_error(errno, "cannot open", path_);
    return fd;
}

Result<std::unique_ptr<ByteInput>> Body::input() {
    if (path_.empty()) return std::unique_ptr<ByteInput>(std::make_unique<MemoryInput>(memory_));
    TAIPAN_CHECK(flush());
    if (!fd_) {
        TAIPAN_TRY(fd_, open_for_reading());
    }
    return std::unique_ptr<ByteInput>(std::make_unique<FileInput>(fd_.get(), size_, is_consumed()));
}

Result<std::string_view> Body::view() {
    if (path_.empty()) return std::string_view(memory_);
    TAIPAN_CHECK(flush());
    if (map_ == nullptr && size_ > 0) {
        if (!fd_) fd_ = UniqueFd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        if (!fd_) return system_error(errno, "cannot open", path_);
        struct stat status {};
        if (::fstat(fd_.get(), &status) != 0) return system_error(errno, "cannot stat", path_);
        size_ = static_cast<std::uint64_t>(status.st_size);
        if (size_ == 0) return std::string_view();
        void* map = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd_.get(), 0);
        if (map == MAP_FAILED) return system_error(errno, "cannot map", path_); // NOLINT: the macro's own cast
        map_ = map;
        map_size_ = size_;
    }
    return std::string_view(static_cast<const char*>(map_), map_size_);
}

Result<void> Body::store_as(const std::string& destination) {
    TAIPAN_CHECK(flush());
    if (owned_ && !path_.empty()) {
        if (::rename(path_.c_str(), destination.c_str()) != 0) {
            return system_error(errno, "cannot move into place", destination);
        }
        path_ = destination;
        owned_ = false;
        return {};
    }
    if (path_.empty()) return write_file_atomic(destination, memory_);
    SourceFile source;
    TAIPAN_TRY(source.fd, open_for_reading());
    if (::fstat(source.fd.get(), &source.status) != 0) return system_error(errno, "cannot stat", path_);
    TAIPAN_TRY(AtomicFile file, AtomicFile::create(destination));
    TAIPAN_CHECK(copy_bytes(source, file.fd(), destination));
    return file.commit();
}

Result<std::string> Body::take_text() {
    if (path_.empty()) {
        size_ = 0;
        return std::move(memory_);
    }
    TAIPAN_TRY(const std::string_view bytes, view());
    return std::string(bytes);
}

} // namespace taipan
