#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/filesystem.hpp"
#include "base/result.hpp"
#include "base/tar_header.hpp"

namespace taipan {

/// One member of a tar archive, with what is in it. Owner and group are always root.
struct TarItem {
    using Kind = TarHeader::Kind;
    Kind kind = Kind::file;
    std::string path; ///< relative, without a trailing slash
    mode_t mode = 0644;
    std::int64_t modified = 0; ///< seconds since the epoch
    std::string target;        ///< of a symlink
    std::uint64_t size = 0;    ///< of a file
    std::string bytes;         ///< content of a file; not used when `fd` is set
    UniqueFd fd;               ///< the same as an open file, of which `size` bytes are read
};

/// The header blocks of a member.
[[nodiscard]] std::string layer_tar_header(const TarItem& item);

/// The bytes of a tar archive, made while they are read.
class TarStream {
public:
    /// The next member; nullopt at the end.
    using Next = std::function<Result<std::optional<TarItem>>()>;
    explicit TarStream(Next next) : next_(std::move(next)) {}

    /// Exactly `size` bytes, fewer only at the end. Errors: io, and corrupt_package if a file became shorter.
    Result<std::string> read(std::size_t size);
    /// True when all has been read.
    [[nodiscard]] bool at_end() const { return ended_ && pending_.size() == offset_; }

private:
    Result<void> advance();
    Result<std::size_t> read_file(char* space, std::size_t count);

    Next next_;
    std::string pending_; ///< comes before the rest of the file
    std::size_t offset_ = 0;
    TarItem item_;
    std::uint64_t unread_ = 0; ///< of the item's file
    bool ended_ = false;
};

} // namespace taipan
