// An environment is some hundred thousand small files: a stat each, and for most of them open, read, close. Nothing is
// allocated per file.

#include "prefix/check_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <iterator>
#include <optional>
#include <unordered_map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 18U;

bool is_gone(int errno_value) { return errno_value == ENOENT || errno_value == ENOTDIR || errno_value == ELOOP; }

std::optional<std::string> link_text(int directory_fd, const std::string& path) {
    std::array<char, PATH_MAX> text{};
    const ssize_t length = ::readlinkat(directory_fd, path.c_str(), text.data(), text.size());
    if (length < 0) return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(length));
}

} // namespace

void FileFindings::merge(FileFindings&& other) {
    missing.insert(missing.end(), std::make_move_iterator(other.missing.begin()),
                   std::make_move_iterator(other.missing.end()));
    modified.insert(modified.end(), std::make_move_iterator(other.modified.begin()),
                    std::make_move_iterator(other.modified.end()));
    files += other.files;
    bytes += other.bytes;
}

std::vector<InstalledPath> checked_paths(const PrefixRecord& record) {
    std::vector<InstalledPath> checked;
    checked.reserve(record.paths.size());
    std::vector<const InstalledPath*> entries;
    for (const InstalledPath& path : record.paths) {
        if (path.entry.type != PathType::directory)
            entries.push_back(&path);
        else if (is_safe_relative_path(path.entry.path))
            checked.push_back(path);
    }
    const bool in_step = entries.size() == record.files.size();
    std::unordered_map<std::string_view, const InstalledPath*> by_name;
    if (!in_step) {
        for (const InstalledPath* entry : entries) by_name.emplace(entry->entry.path, entry);
    }
    for (std::size_t i = 0; i < record.files.size(); ++i) {
        if (!is_safe_relative_path(record.files[i])) continue;
        InstalledPath path;
        if (in_step) {
            path = *entries[i];
        } else if (const auto found = by_name.find(record.files[i]); found != by_name.end()) {
            path = *found->second;
        } else {
            path.entry.type = PathType::pyc_file; // nothing is known of it but the name
        }
        path.entry.path = record.files[i];
        checked.push_back(std::move(path));
    }
    return checked;
}

FileChecker::FileChecker(int root_fd) : root_fd_(root_fd), digest_(Digest::Kind::sha256), buffer_(buffer_size, '\0') {}

Result<FileFindings> FileChecker::check(const PrefixRecord& record, const std::vector<InstalledPath>& paths,
                                        std::size_t first, std::size_t last) {
    FileFindings findings;
    bytes_ = 0;
    for (std::size_t i = first; i < std::min(last, paths.size()); ++i) {
        TAIPAN_TRY(const Verdict verdict, check_path(record, paths[i]));
        if (verdict == Verdict::missing) findings.missing.push_back(paths[i].entry.path);
        if (verdict == Verdict::modified) findings.modified.push_back(paths[i].entry.path);
        ++findings.files;
    }
    findings.bytes = bytes_;
    return findings;
}

Result<FileChecker::Verdict> FileChecker::check_path(const PrefixRecord& record, const InstalledPath& path) {
    const PathEntry& entry = path.entry;
    struct stat status {};
    if (::fstatat(root_fd_, entry.path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (!is_gone(errno)) return system_error(errno, "cannot stat", entry.path);
        // A module that does not compile is recorded without a size.
        return entry.type == PathType::pyc_file && !entry.size ? Verdict::good : Verdict::missing;
    }
    if (entry.type == PathType::pyc_file) return Verdict::good; // python writes a new one when it wants to
    const bool is_link = S_ISLNK(status.st_mode);
    if (is_link && ::fstatat(root_fd_, entry.path.c_str(), &status, 0) != 0) { // dangling
        return entry.type == PathType::softlink ? check_symlink(record, entry.path) : Verdict::missing;
    }
    if (entry.type == PathType::directory) return S_ISDIR(status.st_mode) ? Verdict::good : Verdict::missing;
    // conda copies what an absolute symlink leads to, so a file is as good as a symlink.
    if (entry.type == PathType::softlink && is_link) return check_symlink(record, entry.path);
    if (!S_ISREG(status.st_mode)) return Verdict::missing;
    if (entry.type == PathType::softlink) return Verdict::good;
    // mamba leaves the placeholder out of its records; that the file was rewritten shows in the hashes then.
    const bool as_shipped =
        entry.placeholder.empty() && (path.sha256_in_prefix.empty() || path.sha256_in_prefix == entry.sha256);
    const bool other_size = as_shipped && entry.size && *entry.size != static_cast<std::uint64_t>(status.st_size);
    if (other_size) return Verdict::modified;
    if (entry.type == PathType::unix_python_entry_point) return Verdict::good;
    return check_content(path, is_link);
}

FileChecker::Verdict FileChecker::check_symlink(const PrefixRecord& record, const std::string& path) const {
    if (record.extracted_package_dir.empty()) return Verdict::good;
    const auto ours = link_text(root_fd_, path);
    const auto shipped = link_text(AT_FDCWD, record.extracted_package_dir + '/' + path);
    return !shipped || ours == shipped ? Verdict::good : Verdict::modified;
}

Result<FileChecker::Verdict> FileChecker::check_content(const InstalledPath& path, bool through_link) {
    const bool as_shipped = path.entry.placeholder.empty();
    const std::string& expected =
        !path.sha256_in_prefix.empty() || !as_shipped ? path.sha256_in_prefix : path.entry.sha256;
    if (expected.empty()) return Verdict::good;
    TAIPAN_TRY(const std::string actual, hash(path.entry.path, through_link));
    return actual == expected ? Verdict::good : Verdict::modified;
}

Result<std::string> FileChecker::hash(const std::string& path, bool through_link) {
    const UniqueFd file(
        ::openat(root_fd_, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | (through_link ? 0 : O_NOFOLLOW)));
    if (!file) return system_error(errno, "cannot open", path);
    while (true) {
        const ssize_t got = ::read(file.get(), buffer_.data(), buffer_.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", path);
        if (got == 0) return digest_.finish_hex();
        digest_.update({buffer_.data(), static_cast<std::size_t>(got)});
        bytes_ += static_cast<std::uint64_t>(got);
        if (static_cast<std::size_t>(got) < buffer_.size()) return digest_.finish_hex(); // regular files end so
    }
}

} // namespace taipan
