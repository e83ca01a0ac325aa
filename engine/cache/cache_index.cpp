// Problem: a new environment of a few hundred cached packages begins with thousands of system calls for a few small
// files in each of them. Approach: what those files say is also in one file of the cache, which is mapped; one stat a
// package tells whether its entry still belongs to the directory that they lie in. What must hold: an entry that was
// not written whole is not used. A torn one is not followed by the head of the next or by the end of the file; blocks
// that a crash of the machine has left empty hold NUL, which JSON does not.

#include "cache/cache_index.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::string_view head = "taipan 1 ";
constexpr std::uintptr_t page = 4096; // a smaller one than the system's does no harm
constexpr std::size_t worth_releasing = 16 << 10;
constexpr off_t largest_file = off_t{2} << 30U;

std::string path_of(const std::string& cache_directory) { return cache_directory + "/.taipan-index"; }

std::int64_t changed_at(const struct stat& status) {
    return status.st_ctim.tv_sec * std::int64_t{1'000'000'000} + status.st_ctim.tv_nsec;
}

/// The file's bytes; nothing when there are none.
std::shared_ptr<const std::string_view> map_file(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return nullptr;
    if (status.st_size <= 0 || status.st_size > largest_file) return nullptr;
    const auto size = static_cast<std::size_t>(status.st_size);
    void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (bytes == MAP_FAILED) return nullptr;
    return {new std::string_view(static_cast<const char*>(bytes), size), [](const std::string_view* view) {
                ::munmap(const_cast<char*>(view->data()), view->size()); // NOLINT: mapped by us
                delete view;
            }};
}

template <class Number> bool take_number(std::string_view& text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || length == text.size() || text[length] != ' ') return false;
    text.remove_prefix(length + 1);
    return true;
}

} // namespace

/// The dist name and the entry that `text` begins with.
std::optional<std::pair<std::string_view, CacheIndex::Entry>> CacheIndex::read_entry(std::string_view text) {
    const std::size_t line_end = text.substr(0, 4096).find('\n');
    if (!text.starts_with(head) || line_end == std::string_view::npos) return std::nullopt;
    std::string_view line = text.substr(head.size(), line_end - head.size());
    Entry entry;
    int contained = 0;
    std::array<std::size_t, 3> lengths{};
    if (!take_number(line, entry.inode) || !take_number(line, entry.changed) || !take_number(line, contained)) {
        return std::nullopt;
    }
    std::size_t rest = text.size() - line_end - 1;
    for (std::size_t& length : lengths) {
        if (!take_number(line, length) || length >= rest) return std::nullopt;
        rest -= length;
    }
    entry.package.contained = contained == 1;
    std::size_t at = line_end + 1;
    const auto take_text = [&](std::size_t length) { return text.substr(std::exchange(at, at + length), length); };
    entry.package.record_json = take_text(lengths[0]);
    entry.package.paths_json = take_text(lengths[1]);
    entry.package.link_json = take_text(lengths[2]);
    if (text[at] != '\n') return std::nullopt;
    entry.whole = text.substr(0, at + 1);
    return std::pair(line, entry);
}

CacheIndex CacheIndex::open(const std::string& cache_directory) {
    CacheIndex index;
    index.file_ = map_file(path_of(cache_directory));
    if (!index.file_) return index;
    std::string_view rest = *index.file_;
    while (!rest.empty()) {
        const auto entry = read_entry(rest);
        if (entry) rest.remove_prefix(entry->second.whole.size());
        if (!entry || !(rest.empty() || rest.starts_with(head))) {
            index.damaged_ = true;
            break;
        }
        index.entries_.insert_or_assign(entry->first, entry->second);
    }
    return index;
}

std::optional<KnownPackage> CacheIndex::find(std::string_view dist_name, const struct stat& status) const {
    const auto found = entries_.find(dist_name);
    if (found == entries_.end()) return std::nullopt;
    const Entry& entry = found->second;
    if (entry.inode != status.st_ino || entry.changed != changed_at(status)) return std::nullopt;
    if (entry.whole.find('\0') != std::string_view::npos) return std::nullopt;
    return entry.package;
}

void CacheIndex::release(const KnownPackage& package) {
    const auto begin = reinterpret_cast<std::uintptr_t>(package.record_json.data());
    const auto end = reinterpret_cast<std::uintptr_t>(package.link_json.data() + package.link_json.size());
    if (end - begin < worth_releasing) return;
    const std::uintptr_t first = begin & ~(page - 1);
    // The pages are those of a file: whoever reads them again gets them again. Failing only costs memory.
    static_cast<void>(::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED)); // NOLINT: an address
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
        const std::string directory = cache_directory + '/' + std::string(dist_name) + "/info";
        if (::lstat(directory.c_str(), &status) == 0 && index.find(dist_name, status)) kept += entry.whole;
    }
    if (kept.size() == index.file_->size()) return {};
    return write_file_atomic(path_of(cache_directory), kept);
}

} // namespace taipan
