// Problem: a new environment of a few hundred cached packages begins with thousands of system calls for a few small
// files in each of them. Approach: what those files say is also in one file of the cache; one stat a package tells
// whether its entry still belongs to the directory that they lie in. Opening reads the lines only, and a package's
// texts are read when it is used: what somebody does to the file meanwhile is a short read, where a mapping would end
// in SIGBUS. What must hold: an entry that was not written whole is not used. A torn one is not followed by the head of
// the next or by the end of the file; blocks that a crash of the machine has left empty hold NUL, which JSON does not.

#include "cache/cache_index.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::string_view head = "taipan 1 ";
constexpr std::size_t longest_line = 4096, window_bytes = 8192;
constexpr std::uint64_t largest_file = std::uint64_t{2} << 30U;

std::string path_of(const std::string& cache_directory) { return cache_directory + "/.taipan-index"; }

std::int64_t changed_at(const struct stat& status) {
    return status.st_ctim.tv_sec * std::int64_t{1'000'000'000} + status.st_ctim.tv_nsec;
}

/// Reads exactly so many bytes, unless the file ends before.
bool read_at(int fd, char* to, std::size_t size, std::uint64_t place) {
    while (size > 0) {
        const ssize_t got = ::pread(fd, to, size, static_cast<off_t>(place));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        size -= static_cast<std::size_t>(got);
        place += static_cast<std::uint64_t>(got);
    }
    return true;
}

/// A view of a file that is walked through once: small pieces that lie together are read together.
class Window {
public:
    Window(int fd, std::uint64_t file_size) : fd_(fd), file_size_(file_size) {}
    /// Up to `size` bytes from `place` on; fewer only at the end of the file. Empty when they cannot be read.
    std::string_view at(std::uint64_t place, std::size_t size) {
        size = static_cast<std::size_t>(std::min<std::uint64_t>(size, file_size_ - place));
        if (place < begin_ || place + size > begin_ + filled_) {
            filled_ = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), file_size_ - place));
            begin_ = place;
            if (!read_at(fd_, buffer_.data(), filled_, place)) filled_ = 0;
        }
        if (filled_ == 0) return {};
        return {buffer_.data() + (place - begin_), size};
    }

private:
    int fd_;
    std::uint64_t file_size_, begin_ = 0;
    std::size_t filled_ = 0;
    std::array<char, window_bytes> buffer_{};
};

template <class Number> bool take_number(std::string_view& text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || length == text.size() || text[length] != ' ') return false;
    text.remove_prefix(length + 1);
    return true;
}

} // namespace

/// The dist name and the entry whose line `text` begins with; it is at `place`.
std::optional<std::pair<std::string_view, CacheIndex::Entry>>
CacheIndex::read_line(std::string_view text, std::uint64_t place, std::uint64_t file_size) {
    const std::size_t line_end = text.find('\n');
    if (!text.starts_with(head) || line_end == std::string_view::npos) return std::nullopt;
    std::string_view line = text.substr(head.size(), line_end - head.size());
    Entry entry;
    int contained = 0;
    if (!take_number(line, entry.inode) || !take_number(line, entry.changed) || !take_number(line, contained)) {
        return std::nullopt;
    }
    entry.contained = contained == 1;
    entry.begin = place;
    entry.texts = place + line_end + 1;
    std::uint64_t rest = file_size - entry.texts;
    for (std::size_t& length : entry.lengths) {
        if (!take_number(line, length) || length >= rest) return std::nullopt;
        rest -= length;
    }
    entry.end = file_size - rest + 1; // the texts, then a line end
    return std::pair(line, entry);
}

CacheIndex CacheIndex::open(const std::string& cache_directory) {
    CacheIndex index;
    UniqueFd fd(::open(path_of(cache_directory).c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return index;
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size == 0 || size > largest_file) return index;
    Window window(fd.get(), size);
    std::uint64_t place = 0;
    while (place < size) {
        const auto found = read_line(window.at(place, longest_line), place, size);
        index.damaged_ = true;
        if (!found) break;
        std::string name(found->first);
        place = found->second.end;
        const auto after = window.at(place - 1, head.size() + 1);
        if (!after.starts_with('\n') || (place < size && after.substr(1) != head)) break;
        index.damaged_ = false;
        index.entries_.insert_or_assign(std::move(name), found->second);
    }
    index.file_ = std::make_shared<const UniqueFd>(std::move(fd));
    return index;
}

const CacheIndex::Entry* CacheIndex::entry_of(std::string_view dist_name, const struct stat& status) const {
    const auto found = entries_.find(std::string(dist_name));
    if (found == entries_.end()) return nullptr;
    const Entry& entry = found->second;
    return entry.inode == status.st_ino && entry.changed == changed_at(status) ? &entry : nullptr;
}

/// The first texts of the entry, as many as there are places for. False when they are not whole.
bool CacheIndex::read_texts(const Entry& entry, std::initializer_list<std::string*> texts) const {
    std::uint64_t place = entry.texts;
    const std::size_t* length = entry.lengths.data();
    for (std::string* text : texts) {
        text->resize(*length);
        if (!read_at(file_->get(), text->data(), *length, place)) return false;
        if (text->find('\0') != std::string::npos) return false;
        place += *length++;
    }
    return true;
}

std::optional<StoredPackage> CacheIndex::find(std::string_view dist_name, const struct stat& status) const {
    const Entry* const entry = entry_of(dist_name, status);
    if (entry == nullptr) return std::nullopt;
    StoredPackage package{entry->contained, {}, {}, {}};
    if (!read_texts(*entry, {&package.record_json, &package.paths_json, &package.link_json})) return std::nullopt;
    return package;
}

std::optional<std::string> CacheIndex::find_record(std::string_view dist_name, const struct stat& status) const {
    const Entry* const entry = entry_of(dist_name, status);
    std::string record;
    if (entry == nullptr || !read_texts(*entry, {&record})) return std::nullopt;
    return record;
}

Result<void> CacheIndex::add(const std::string& cache_directory, std::string_view dist_name, const struct stat& status,
                             const KnownPackage& package) {
    std::string entry(head);
    entry +=
        std::to_string(status.st_ino) + ' ' + std::to_string(changed_at(status)) + (package.contained ? " 1 " : " 0 ");
    for (const auto text : {package.record_json, package.paths_json, package.link_json}) {
        entry += std::to_string(text.size()) + ' ';
    }
    entry.append(dist_name).push_back('\n');
    entry.append(package.record_json).append(package.paths_json).append(package.link_json).push_back('\n');
    return append_to_file(path_of(cache_directory), entry);
}

Result<void> CacheIndex::prune(const std::string& cache_directory) {
    const CacheIndex index = open(cache_directory);
    if (!index.file_) return {};
    std::string kept;
    for (const auto& [dist_name, entry] : index.entries_) {
        struct stat status {};
        const std::string directory = cache_directory + '/' + dist_name + "/info";
        if (::lstat(directory.c_str(), &status) != 0 || !index.find(dist_name, status)) continue;
        const std::size_t before = kept.size(), length = static_cast<std::size_t>(entry.end - entry.begin);
        kept.resize(before + length);
        if (!read_at(index.file_->get(), kept.data() + before, length, entry.begin)) kept.resize(before);
    }
    struct stat file {};
    if (::fstat(index.file_->get(), &file) == 0 && kept.size() == static_cast<std::uint64_t>(file.st_size)) return {};
    return write_file_atomic(path_of(cache_directory), kept);
}

} // namespace taipan
