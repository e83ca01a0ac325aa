#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "repodata/name_block.hpp"

namespace taipan::repodata {

/// What an index was made from. An index file is used only for exactly this.
struct IndexSource {
    std::string url;           ///< of the subdir, without credentials
    std::int64_t mtime_ns = 0; ///< of the repodata file; 0: of no file that could be recognised again
    std::int64_t size = 0;     ///< of the same, bytes
    bool operator==(const IndexSource&) const = default;
};

/// What is counted while an index is made; for messages and tests.
struct IndexCounters {
    std::uint64_t records = 0; ///< usable ones
    std::uint64_t skipped = 0; ///< entries left out: no package file name, not an object
    std::uint64_t broken = 0;  ///< records left out: not usable, or of a kind that is unknown to us
    std::uint64_t removed = 0; ///< file names under `removed`
    bool operator==(const IndexCounters&) const = default;
};

/// What the text around the packages says.
struct IndexInfo {
    std::string base_url; ///< as written; empty: the packages lie beside the index
    std::string subdir;   ///< as written
};

/// The packages of one subdir: a file mapped into memory, or the same bytes in memory. Opening reads the header and the
/// names; a block is checked when it is asked for. Reading is thread-safe. What is damaged is an error
/// (ErrorCode::parse), never a crash; then the index has to be made anew.
class IndexFile {
public:
    /// Fails with ErrorCode::parse when this is no index that we can read, with io when there is no file.
    static Result<IndexFile> open(const std::string& path);
    /// The same of an open file, which need not have a name any more.
    static Result<IndexFile> map(int fd, const std::string& path);
    static Result<IndexFile> of_bytes(std::string bytes);

    IndexFile(IndexFile&&) noexcept;
    IndexFile& operator=(IndexFile&&) noexcept;
    IndexFile(const IndexFile&) = delete;
    IndexFile& operator=(const IndexFile&) = delete;
    ~IndexFile();

    [[nodiscard]] const IndexSource& source() const;
    [[nodiscard]] const IndexInfo& info() const;
    [[nodiscard]] const IndexCounters& counters() const;
    /// Names are sorted; `at` below this.
    [[nodiscard]] std::size_t name_count() const;
    [[nodiscard]] std::string_view name(std::size_t at) const;
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
    /// The first name that is not less.
    [[nodiscard]] std::size_t lower_bound(std::string_view name) const;
    /// The blocks of a name: `.conda` packages first, then in the order of the text.
    Result<std::vector<BlockReader>> blocks(std::size_t at) const;

private:
    struct State;
    explicit IndexFile(std::unique_ptr<State> state);
    static Result<IndexFile> read(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace taipan::repodata
