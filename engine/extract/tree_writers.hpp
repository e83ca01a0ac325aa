#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>
#include <time.h>

#include "base/crew.hpp"
#include "base/result.hpp"
#include "extract/tree_writer.hpp"

namespace taipan {

/// Writes the members of one archive, in their order as far as anyone can tell: with idle workers at hand, files of
/// different directories are written by different threads. Belongs to the thread that reads the archive. Paths are
/// clean member paths, and what holds for TreeWriter holds here.
///
/// When a method fails, `finish` says why: an earlier member's failure may come to light late.
class TreeWriters {
public:
    /// `root` is borrowed and must stay open; at most `directory_handles` descriptors are held besides it. `helpers`
    /// may be null; give it for large archives only, since sharing the work costs something.
    TreeWriters(int root, std::size_t directory_handles, TaskRunner* helpers);
    TreeWriters(const TreeWriters&) = delete;
    TreeWriters& operator=(const TreeWriters&) = delete;
    ~TreeWriters();

    /// One file: begin_file, write for each piece, end_file.
    Result<void> begin_file(const std::string& path, mode_t mode);
    Result<void> write(std::string_view bytes, std::uint64_t offset);
    Result<void> end_file(std::uint64_t size, timespec modified);
    Result<void> create_directory(const std::string& path);
    Result<void> create_symlink(const std::string& path, const std::string& target);
    Result<void> create_hardlink(const std::string& path, const std::string& target);

    /// Waits until all of it is written. The error is that of the earliest member that could not be written.
    Result<void> finish();
    /// After `finish`: as of TreeWriter.
    Result<std::string> read_text(const std::string& path, std::uint64_t limit);
    /// After `finish`: as of TreeWriter.
    [[nodiscard]] bool used_links() const;

private:
    class Lanes;
    enum class Member { file, directory, symlink, hardlink };
    Result<bool> shared(Member kind, const std::string& path);

    RealDirectories real_; ///< those of all writers
    TreeWriter alone_;     ///< used while no lane is in use
    std::string path_;     ///< of the file that is written alone
    std::optional<OutputFile> file_;
    bool file_is_shared_ = false;
    std::unique_ptr<Lanes> lanes_; ///< null without helpers
};

} // namespace taipan
