#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "repodata/batch_parser.hpp"
#include "repodata/index_file.hpp"
#include "repodata/index_store.hpp"

namespace taipan::repodata {

/// Puts parsed batches together into an index file. Not thread-safe; batches may come in any order.
class IndexBuilder {
public:
    /// `store` is empty and must outlive this.
    explicit IndexBuilder(IndexStore& store) : store_(store) {}
    /// Errors are those of the store.
    Result<void> add(const ParsedBatch& batch);
    /// Reads what is around the packages (Splitter::finish). Fails with ErrorCode::parse: no JSON, a repodata_version
    /// that is not known.
    Result<void> read_skeleton(std::string_view text, bool use_only_tar_bz2);
    /// Sets what read_skeleton would find.
    void set_info(IndexInfo info) { info_ = std::move(info); }
    /// Writes what makes the file complete: the table of names, and the header. Nothing is added afterwards.
    Result<void> seal(const IndexSource& source);

private:
    class SkeletonReader;
    /// A block in the store.
    struct Block {
        std::uint64_t place, checksum;
        std::uint32_t size, records;
        std::uint32_t name, name_size; ///< in name_texts_
        std::uint32_t number;          ///< of its batch
        Section section;
    };
    [[nodiscard]] std::string_view name_of(const Block& block) const {
        return std::string_view(name_texts_).substr(block.name, block.name_size);
    }
    Result<void> reserve_header();

    IndexStore& store_;
    std::uint64_t stored_ = 0; ///< bytes
    std::string name_texts_;
    std::vector<Block> blocks_;
    IndexInfo info_;
    IndexCounters counters_;
    std::int64_t repodata_version_ = 1;
};

} // namespace taipan::repodata
