#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "repodata/block_format.hpp"
#include "repodata/record_view.hpp"
#include "repodata/text_table.hpp"

namespace taipan::repodata {

/// Makes name blocks (block_format.hpp). One object makes many, one after the other.
class BlockWriter {
public:
    /// Adds a package. All of one block have the same name, and their texts and lists last until the block is finished:
    /// what lies at the same place is the same.
    void add(const RecordView& record);
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(records_.size()); }
    /// Appends the block to `out`, whose size stays a multiple of block_alignment, and starts a new one.
    void finish(std::string& out);

private:
    std::uint32_t version_id(std::string_view text);
    std::uint32_t dependency_id(std::string_view text);
    /// What the package before had, and its number: most packages of a name have the same.
    struct Before {
        std::string_view text;
        std::span<const std::string_view> list;
        std::uint32_t id = 0;
    };
    std::uint32_t text_id(Before& before, std::string_view text);
    std::uint32_t dependency_list(Before& before, std::span<const std::string_view> texts, bool needed);
    std::uint32_t rare_list(const RecordView& record, std::uint32_t flags);
    std::uint32_t list_of_items();
    std::uint32_t needed_names();
    void clear();

    std::vector<BlockRecord> records_;
    std::vector<std::uint64_t> keys_;
    std::vector<BlockVersion> versions_;
    std::vector<BlockDependency> dependencies_;
    std::vector<std::uint32_t> words_;
    TextTable texts_;
    TextTable lists_;                                                 ///< by content, to have each once
    std::vector<std::uint32_t> list_places_;                          ///< by id in lists_
    std::vector<std::uint32_t> version_of_text_, dependency_of_text_; ///< 1 + index; 0: none
    std::vector<std::uint32_t> needed_; ///< by dependency: whether some record depends on it
    std::vector<std::uint32_t> items_;  ///< of the list that is being made
    Before version_before_, subdir_before_, license_before_, family_before_, depends_before_, constrains_before_;
};

/// Reads one name block where it lies. Any bytes may be given: numbers are checked before they are followed, and what
/// leads out of the block is an error.
class BlockReader {
public:
    BlockReader() = default; ///< of no packages
    /// `bytes` must be aligned to block_alignment. Fails with ErrorCode::parse when they cannot be a block.
    static Result<BlockReader> open(std::string_view bytes, std::string_view name);

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(records_.size()); }
    /// The package at `index` (below size()). Texts point into the block or the arena.
    Result<RecordView> record(std::uint32_t index, Arena& arena) const;
    /// The key of its version (model/version_key.hpp); empty when its text is no version.
    Result<std::span<const std::uint64_t>> version_key(std::uint32_t index) const;
    /// Names that any package of the block depends on, each once.
    Result<std::vector<std::string_view>> needed_names() const;

private:
    Result<std::string_view> text(std::uint32_t id) const;
    Result<std::span<const std::uint32_t>> list(std::uint32_t place) const;
    Result<std::span<const std::string_view>> dependencies(std::uint32_t place, Arena& arena) const;
    Result<void> read_rare(std::uint32_t place, RecordView& record) const;

    std::string_view name_;
    std::uint32_t needed_names_ = 0;
    std::span<const BlockRecord> records_;
    std::span<const std::uint64_t> keys_;
    std::span<const BlockVersion> versions_;
    std::span<const BlockDependency> dependencies_;
    std::span<const std::uint32_t> words_, text_ends_;
    std::string_view text_;
};

} // namespace taipan::repodata
