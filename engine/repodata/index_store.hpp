#pragma once

#include <string>
#include <string_view>

#include "base/filesystem.hpp"
#include "base/result.hpp"

namespace taipan::repodata {

/// Where the bytes of an index file go while it is made.
class IndexStore {
public:
    IndexStore() = default;
    IndexStore(const IndexStore&) = delete;
    IndexStore& operator=(const IndexStore&) = delete;
    virtual ~IndexStore() = default;

    virtual Result<void> append(std::string_view bytes) = 0;
    /// Replaces the first bytes.
    virtual Result<void> write_front(std::string_view bytes) = 0;
};

class MemoryStore final : public IndexStore {
public:
    Result<void> append(std::string_view bytes) override;
    Result<void> write_front(std::string_view bytes) override;
    [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

class FileStore final : public IndexStore {
public:
    /// `file` must outlive this.
    explicit FileStore(AtomicFile& file) : file_(file) {}
    Result<void> append(std::string_view bytes) override;
    Result<void> write_front(std::string_view bytes) override;

private:
    AtomicFile& file_;
};

} // namespace taipan::repodata
