#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <time.h>

#include "base/byte_input.hpp"
#include "base/crew.hpp"
#include "base/result.hpp"

namespace taipan {

enum class ArchiveFormat { conda, tar_bz2 };

/// The format that a file name stands for, nullopt if it is no package's.
[[nodiscard]] std::optional<ArchiveFormat> archive_format(std::string_view filename);

/// Texts of info/ that later stages would otherwise read back, caught while they were written. Empty when the
/// package does not have the file.
struct PackageInfo {
    std::string index_json;
    std::string paths_json;
    std::string link_json;
    std::string files;
    std::string has_prefix;
    std::string no_link;
    std::string no_softlink;
};

/// What an extraction has put on disk.
struct ExtractedPackage {
    std::uint64_t files = 0; ///< files, symlinks and hard links
    std::uint64_t bytes = 0; ///< content of the files
    bool contained = false;  ///< no symlink leads out of the tree, whatever path is followed in it
    PackageInfo info;
};

/// What one worker needs again for every package: decoders and their buffers. Belongs to one thread at a time.
class ExtractContext {
public:
    /// `directory_handles` bounds the descriptors that one extraction keeps open for directories.
    explicit ExtractContext(std::size_t directory_handles = 256);
    ExtractContext(ExtractContext&&) noexcept;
    ExtractContext& operator=(ExtractContext&&) noexcept;
    ExtractContext(const ExtractContext&) = delete;
    ExtractContext& operator=(const ExtractContext&) = delete;
    ~ExtractContext();

private:
    friend class Unpacker;
    struct State;
    std::unique_ptr<State> state_;
};

struct ExtractOptions {
    /// The input waits for its later bytes, so the archive is read from its start on; the result is the same, or
    /// corrupt_package where an unusual archive cannot be read that way.
    bool still_arriving = false;
    /// Workers that may take a part of the work of a large package; the result does not depend on it. May be null.
    TaskRunner* helpers = nullptr;
    /// Archives with fewer bytes than this are written by the calling thread alone.
    std::uint64_t share_from = std::uint64_t{1} << 20;
};

/// Unpacks an archive below `destination_fd`, a fresh empty directory, which the caller publishes or removes: after an
/// error it holds an incomplete tree. info/ of a .conda archive is written last. Modes (less the umask) and
/// modification times are kept, owners are not. The archive is trusted in nothing, and its digest is for the caller to
/// compare. Errors: corrupt_package, naming the member; those of the input and of the file system; cancelled, soon
/// after `cancelled` became true.
Result<ExtractedPackage> extract_package(ExtractContext& context, ByteInput& archive, ArchiveFormat format,
                                         int destination_fd, const std::atomic<bool>& cancelled,
                                         ExtractOptions options = {});

/// The same for any tree packed as .tar.zst, of which all members lie below the directory `below`; that directory
/// itself is not made. What there is of info/ is told, too; there may be none.
Result<ExtractedPackage> extract_tree(ExtractContext& context, ByteInput& archive, std::string_view below,
                                      int destination_fd, const std::atomic<bool>& cancelled,
                                      ExtractOptions options = {});

/// A regular file that is the first member of a .tar.zst.
struct SingleFile {
    std::uint64_t size = 0;
    timespec modified{};
};
/// Hands its content to `take`, piece by piece. corrupt_package when the first member is none of this path, or
/// is larger than `limit` bytes.
Result<SingleFile> extract_single_file(ByteInput& archive, std::string_view path, std::uint64_t limit,
                                       const std::function<Result<void>(std::string_view piece)>& take);

} // namespace taipan
