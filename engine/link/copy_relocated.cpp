#include "link/copy_relocated.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include "base/beneath.hpp"
#include "base/copy_file.hpp"
#include "base/filesystem.hpp"
#include "link/prefix_rewrite.hpp"

namespace taipan {

namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 18U;

/// Whether the text is anywhere in the file, which is rewound afterwards.
Result<bool> file_contains(int fd, std::string_view text, const std::string& shown) {
    std::vector<char> buffer(piece_bytes + text.size());
    std::size_t kept = 0; // the end of the piece before, in which the text may begin
    bool found = false;
    while (!found) {
        const ssize_t got = ::read(fd, buffer.data() + kept, piece_bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", shown);
        if (got == 0) break;
        const std::string_view here(buffer.data(), kept + static_cast<std::size_t>(got));
        found = here.find(text) != std::string_view::npos;
        kept = std::min(here.size(), text.size() - 1);
        std::copy(here.end() - static_cast<std::ptrdiff_t>(kept), here.end(), buffer.begin());
    }
    if (::lseek(fd, 0, SEEK_SET) < 0) return system_error(errno, "cannot read", shown);
    return found;
}

Result<CopyOutcome> copy_symlink(int source_at, int target_at, const char* name, const std::string& shown) {
    std::array<char, PATH_MAX> text{};
    const ssize_t length = ::readlinkat(source_at, name, text.data(), text.size() - 1);
    if (length < 0) return CopyOutcome::skipped;
    text.at(static_cast<std::size_t>(length)) = '\0';
    if (::symlinkat(text.data(), target_at, name) == 0) return CopyOutcome::copied;
    if (errno == EEXIST) return CopyOutcome::exists;
    return system_error(errno, "cannot create symlink", shown);
}

Result<CopyOutcome> copy_file(const Relocation& relocation, const SourceFile& source, int target_at, const char* name,
                              const std::string& shown) {
    TAIPAN_TRY(const bool mentions, file_contains(source.fd.get(), relocation.source, shown));
    std::string content;
    bool changed = false;
    if (mentions) {
        TAIPAN_CHECK(read_content(source, content, shown));
        if (simdjson::validate_utf8(content)) {
            TAIPAN_TRY(changed, rewrite_prefix(content, relocation.source, relocation.target, FileMode::text,
                                               relocation.platform));
        }
        if (!changed && ::lseek(source.fd.get(), 0, SEEK_SET) < 0) return system_error(errno, "cannot read", shown);
    }
    const UniqueFd target = create_target_file(target_at, name, 0600);
    if (!target && errno == EEXIST) return CopyOutcome::exists;
    if (!target) return system_error(errno, "cannot create", shown);
    TAIPAN_CHECK(changed ? write_all(target.get(), content, shown) : copy_bytes(source, target.get(), shown));
    TAIPAN_CHECK(copy_mode(source, target.get(), shown));
    copy_times(source, target.get());
    return CopyOutcome::copied;
}

} // namespace

Result<CopyOutcome> copy_relocated(const Relocation& relocation, const std::string& path) {
    const std::string directory(parent_path(path));
    const std::string name(base_name(path));
    const std::string shown = relocation.target + '/' + path;
    const UniqueFd source_at = open_directory_beneath(relocation.source_fd, directory);
    if (!source_at) return CopyOutcome::skipped;
    TAIPAN_TRY(const UniqueFd target_at, open_directory_beneath(relocation.target_fd, directory, relocation.target));
    struct stat status {};
    if (::fstatat(source_at.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return CopyOutcome::skipped;
    if (S_ISLNK(status.st_mode)) return copy_symlink(source_at.get(), target_at.get(), name.c_str(), shown);
    if (!S_ISREG(status.st_mode)) return CopyOutcome::skipped;
    const auto source = open_source_file(source_at.get(), name.c_str(), relocation.source + '/' + path);
    if (!source) return CopyOutcome::skipped;
    return copy_file(relocation, *source, target_at.get(), name.c_str(), shown);
}

} // namespace taipan
