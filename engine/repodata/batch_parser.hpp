#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "repodata/splitter.hpp"

namespace taipan::repodata {

/// Packages of one name that followed one another in the text.
struct Fragment {
    std::uint32_t name = 0, name_size = 0;   ///< where it lies in the names
    std::uint32_t block = 0, block_size = 0; ///< the same in the blocks
    std::uint32_t records = 0;
};

/// What became of a batch.
struct ParsedBatch {
    std::string names, blocks;
    std::vector<Fragment> fragments;
    Section section = Section::conda;
    std::uint32_t number = 0;
    std::size_t skipped = 0; ///< no package's file name, not an object
    std::size_t broken = 0;  ///< unusable records
};

/// Parses batches, one after the other; a thread has its own.
class BatchParser {
public:
    /// `plain` false leaves all to the JSON library, to compare with.
    explicit BatchParser(bool plain = true);
    BatchParser(const BatchParser&) = delete;
    BatchParser& operator=(const BatchParser&) = delete;
    ~BatchParser();
    /// Fails with ErrorCode::parse when the text is no JSON.
    Result<ParsedBatch> parse(const Batch& batch);

private:
    struct State; // keeps the JSON library out of this header
    std::unique_ptr<State> state_;
    bool plain_;
};

} // namespace taipan::repodata
