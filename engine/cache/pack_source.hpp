#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cache/cache_contents.hpp"

namespace taipan {

/// Something to pack, and where it lies now.
struct PackInput {
    CacheEntry entry;
    std::string path;
    std::string url; ///< of an archive, as in PackedEntry
};

/// A piece of the tar inside a pack: one zstd frame is made of it.
struct PackChunk {
    std::size_t input = 0; ///< whose bytes these are
    bool stored = false;   ///< they are compressed already
    bool last = false;     ///< of this entry
    std::string sha256;    ///< with the last one of an archive: its digest
    std::string bytes;     ///< not empty; at most pack_chunk_bytes and a little
};
inline constexpr std::size_t pack_chunk_bytes = std::size_t{4} << 20U;

/// The tar inside a pack, chunk by chunk; a chunk has bytes of one entry only. What it is made of is content only:
/// paths, bytes, permissions, and modification times of unpacked files, which bytecode depends on. No owners, no
/// order of a directory, no times of archives.
class PackSource {
public:
    /// `inputs` must outlive the source.
    explicit PackSource(const std::vector<PackInput>& inputs);
    PackSource(PackSource&&) noexcept;
    PackSource& operator=(PackSource&&) noexcept;
    PackSource(const PackSource&) = delete;
    PackSource& operator=(const PackSource&) = delete;
    ~PackSource();

    /// The next chunk; nullopt after the last entry. Errors: a file that cannot be read, or changed meanwhile.
    Result<std::optional<PackChunk>> next();
    /// After the last chunk: the list as the last member, and the end of the tar.
    [[nodiscard]] static std::string finish(std::string_view list_json);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The zstd frame of a chunk: raw blocks for what is compressed already. The same bytes for the same chunk. Pure.
Result<std::string> pack_frame(std::string_view bytes, bool stored);

} // namespace taipan
