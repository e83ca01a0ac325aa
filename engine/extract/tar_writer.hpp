#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/result.hpp"
#include "extract/compressor.hpp"

namespace taipan {

/// One member to be written.
struct TarEntry {
    std::string path; ///< relative; of a directory without the slash at its end
    mode_t mode = 0;  ///< kind and permission bits, as of lstat
    std::uint64_t size = 0;
    std::int64_t modified = 0; ///< seconds
    std::string target = {};   ///< of a symlink
};

/// Writes a tar archive (ustar, with pax records where a path or a size does not fit), without owners.
class TarWriter {
public:
    explicit TarWriter(ByteSink& out) : out_(out) {}
    /// The member's head; then exactly `size` bytes follow by `content`, if it is a regular file.
    Result<void> begin(const TarEntry& entry);
    Result<void> content(std::string_view bytes);
    Result<void> finish();

private:
    Result<void> write(std::string_view bytes);

    ByteSink& out_;
    std::uint64_t left_ = 0, written_ = 0;
};

} // namespace taipan
