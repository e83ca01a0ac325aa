// Problem: byte-compiling is nearly all of the time of a warm create, and gives the same bytes each time.
// Approach: an entry is one flat directory: files named by the number of the module, and a manifest that says which
// module has which number, and the mtime and size of the source it was made of. Reusing it costs two system calls a
// module: one to look at the source, one to link.
// What must hold: bytecode is linked only to a source with the mtime and size that it names inside, which is what
// Python checks; what an entry says is not believed where it leads out of the prefix (paths come from the plan, the
// manifest is only compared); an entry is complete when it is visible.

#include "cache/pyc_cache.hpp"

#include <cerrno>
#include <charconv>
#include <numeric>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.hpp"
#include "base/copy_file.hpp"
#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::string_view manifest_name = "manifest";
constexpr std::string_view manifest_head = "taipan-pyc 1";
constexpr std::uint64_t largest_manifest = std::uint64_t{64} << 20;

/// One module as the manifest has it: "<mtime ns> <source size> <1: has bytecode, 0: does not compile> <pyc path>".
struct Line {
    std::int64_t modified = 0, size = 0;
    bool compiled = false;
    std::string_view pyc;
};

std::int64_t nanoseconds(const struct stat& status) {
    return status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
}

bool take_number(std::string_view& text, std::int64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || length == text.size() || text[length] != ' ') return false;
    text.remove_prefix(length + 1);
    return true;
}

/// Lines end with NUL, since a path may hold anything else. Empty when the text is no manifest of these modules.
std::vector<Line> read_manifest(std::string_view text, const std::vector<CompiledModule>& modules) {
    const auto next = [&text] {
        const std::size_t end = std::min(text.find('\0'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        return line;
    };
    if (next() != manifest_head) return {};
    std::vector<Line> lines;
    lines.reserve(modules.size());
    for (const CompiledModule& module : modules) {
        std::string_view rest = next();
        Line line;
        std::int64_t compiled = 0;
        const bool whole =
            take_number(rest, line.modified) && take_number(rest, line.size) && take_number(rest, compiled);
        if (!whole || rest != module.pyc) return {};
        line.compiled = compiled == 1;
        lines.push_back(line);
    }
    if (!text.empty()) return {};
    return lines;
}

/// Where a file is: a directory's handle, and the name from there.
struct Place {
    int at = -1;
    const char* name = nullptr;
};

/// The places of one file after the other; files of one directory follow each other. Where no symlink is on the way it
/// is the path from the prefix, else the directory is opened by a way that does not leave the prefix.
class Places {
public:
    Places(int prefix_fd, const KnownDirectory& known) : prefix_fd_(prefix_fd), known_(known) {}

    /// Nothing when the directory is not there or leads out of the prefix.
    std::optional<Place> find(const std::string& file) {
        const std::string_view path = parent_path(file);
        if (!entered_ || path_ != path) enter(path);
        if (by_path_) return Place{prefix_fd_, file.c_str()};
        if (!fd_) return std::nullopt;
        return Place{fd_.get(), file.c_str() + (file.size() - base_name(file).size())};
    }

private:
    void enter(std::string_view path) {
        entered_ = true;
        path_ = path;
        by_path_ = known_ && known_(path);
        fd_ = by_path_ ? UniqueFd() : open_directory_beneath(prefix_fd_, std::string(path));
    }
    int prefix_fd_;
    const KnownDirectory& known_;
    UniqueFd fd_;
    std::string_view path_;
    bool entered_ = false, by_path_ = false;
};

/// A second name for a file, or a copy of it where links are not wanted or not possible. False: not done.
bool duplicate(const Place& from, const Place& to, bool copy) {
    if (!copy) {
        if (::linkat(from.at, from.name, to.at, to.name, 0) == 0) return true;
        if (errno == EEXIST || errno == ENOENT) return false;
    }
    const auto source = open_source_file(from.at, from.name, from.name);
    if (!source) return false;
    const UniqueFd target = create_target_file(to.at, to.name, source->status.st_mode);
    if (!target) return false;
    if (copy_content(*source, target.get(), to.name)) return true;
    ::unlinkat(to.at, to.name, 0);
    return false;
}

} // namespace

std::string PycCache::entry_path(const Key& key) const {
    return directory_ + '/' + key.interpreter + '/' + key.dist_name + '-' + key.hash.substr(0, 16);
}

Result<std::vector<std::size_t>> PycCache::place(const Key& key, const std::vector<CompiledModule>& modules,
                                                 int prefix_fd, bool copy, const KnownDirectory& known) const {
    std::vector<std::size_t> missing(modules.size());
    std::iota(missing.begin(), missing.end(), std::size_t{0});
    const auto entry = open_directory(entry_path(key));
    if (!entry) return missing;
    const auto text = read_file(entry_path(key) + '/' + std::string(manifest_name), largest_manifest);
    if (!text) return missing;
    const auto lines = read_manifest(*text, modules);
    if (lines.size() != modules.size()) return missing;
    missing.clear();
    Places sources(prefix_fd, known);
    Places pycs(prefix_fd, known);
    for (std::size_t i = 0; i < modules.size(); ++i) {
        const auto source = sources.find(modules[i].source);
        const auto pyc = pycs.find(modules[i].pyc);
        struct stat status {};
        const bool same = source && pyc && ::fstatat(source->at, source->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                          nanoseconds(status) == lines[i].modified && status.st_size == lines[i].size;
        const bool settled =
            same && (!lines[i].compiled || duplicate({entry->get(), std::to_string(i).c_str()}, *pyc, copy));
        if (!settled) missing.push_back(i);
    }
    return missing;
}

Result<void> PycCache::store(const Key& key, const std::vector<CompiledModule>& modules, int prefix_fd, bool copy,
                             const KnownDirectory& known) const {
    const std::string destination = entry_path(key);
    const std::string parent(parent_path(destination));
    TAIPAN_CHECK(make_directories(parent));
    TAIPAN_TRY(StagedDirectory staged, StagedDirectory::create(parent, key.dist_name));
    std::string manifest(manifest_head);
    manifest.push_back('\0');
    Places sources(prefix_fd, known);
    Places pycs(prefix_fd, known);
    for (std::size_t i = 0; i < modules.size(); ++i) {
        const auto source = sources.find(modules[i].source);
        const auto pyc = pycs.find(modules[i].pyc);
        struct stat status {};
        if (!source || !pyc || ::fstatat(source->at, source->name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
            return system_error(errno, "cannot look at", modules[i].source);
        }
        const std::string number = std::to_string(i);
        const bool compiled = duplicate(*pyc, {staged.fd(), number.c_str()}, copy);
        if (!compiled && ::faccessat(pyc->at, pyc->name, F_OK, 0) == 0) {
            return make_error(ErrorCode::io, "cannot keep " + modules[i].pyc + " in " + parent);
        }
        manifest += std::to_string(nanoseconds(status)) + ' ' + std::to_string(status.st_size) +
                    (compiled ? " 1 " : " 0 ") + modules[i].pyc;
        manifest.push_back('\0');
    }
    TAIPAN_CHECK(write_file_atomic(staged.path() + '/' + std::string(manifest_name), manifest));
    return staged.commit(destination);
}

} // namespace taipan
