// The package cache is shared: by environments, by processes at the same time, by conda and mamba, by users.
//
// Nothing in it is ever changed in place. A package is extracted under a temporary name and renamed when it is whole;
// an archive likewise. So a killed process leaves at most entries named `.taipan-*`, which the next run sweeps, and a
// reader sees a package completely or not at all. A lock per package (one byte of the file `.taipan.lock`, chosen by
// the package's name, so that a thousand locks need one descriptor) only saves work: two processes that want the same
// package do not both make it. Correctness does not depend on the lock.

#include "cache/package_cache.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary_name.hpp"
#include "model/record_json.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t record_size_limit = std::uint64_t{64} << 20U;

/// A cache is writable if its magic file can be opened for appending (conda-spec 2.1).
Result<void> make_writable(const std::string& directory) {
    TAIPAN_CHECK(make_directories(directory));
    const std::string magic = directory + '/' + PackageCache::magic_file;
    const bool fresh = !exists(magic);
    const UniqueFd fd(::open(magic.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!fd) return system_error(errno, "cannot write", magic);
    if (fresh) return append_to_file(directory + "/urls", "");
    return {};
}

std::optional<std::uint64_t> size_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size);
}

struct flock one_byte(short type, off_t byte) {
    struct flock request {};
    request.l_type = type;
    request.l_whence = SEEK_SET;
    request.l_start = byte;
    request.l_len = 1;
    return request;
}

/// Where mamba (since 2.6) keeps the packages of a URL, below its cache: `https/host/channel/subdir` of the URL.
std::string channel_folder(const std::string& url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string::npos) return {};
    std::string folder =
        url.substr(0, scheme) + '/' + std::string(parent_path(std::string_view(url).substr(scheme + 3)));
    std::replace_if(
        folder.begin(), folder.end(), [](char c) { return c == ':' || c == '\\'; }, '_');
    std::string clean; // file URLs have a slash more
    for (const char c : folder) {
        if (c != '/' || !clean.ends_with('/')) clean += c;
    }
    return is_safe_relative_path(clean) ? clean : std::string();
}

/// The places in a cache where something of a package may be: first that of the flat layout.
std::vector<std::string> places_in(const std::string& directory, const PackageRecord& record, const std::string& name) {
    std::vector<std::string> places{directory + '/' + name};
    if (const std::string folder = channel_folder(record.url); !folder.empty()) {
        places.push_back(directory + '/' + folder + '/' + name);
    }
    return places;
}

bool agree(const std::string& a, const std::string& b) { return a.empty() || b.empty() || a == b; }

/// Whether two URLs name the same place, whatever the scheme, credentials and token.
bool same_place(const std::string& a, const std::string& b) {
    const auto bare = [](const std::string& url) {
        const std::size_t scheme = url.find("://");
        return scheme == std::string::npos ? url : url.substr(scheme + 3);
    };
    return a.empty() || b.empty() || bare(a) == bare(b);
}

/// Does what lies in the cache under this name belong to the wanted record? (conda-spec 2.3)
bool is_same_package(const PackageRecord& cached, const PackageRecord& wanted) {
    if (cached.name != wanted.name || cached.version != wanted.version || cached.build != wanted.build) return false;
    if (!cached.sha256.empty() && !wanted.sha256.empty()) return cached.sha256 == wanted.sha256;
    const bool twin = !wanted.legacy_bz2_md5.empty() && cached.md5 == wanted.legacy_bz2_md5;
    if (!twin && !agree(cached.md5, wanted.md5)) return false;
    if (!cached.md5.empty() && !wanted.md5.empty()) return true;
    if (cached.size && wanted.size && *cached.size != *wanted.size) return false;
    return same_place(cached.url, wanted.url);
}

} // namespace

Result<PackageCache> PackageCache::open(const std::vector<std::string>& directories) {
    PackageCache cache;
    cache.directories_ = directories;
    for (const auto& directory : directories) cache.indexes_.push_back(CacheIndex::open(directory));
    std::optional<Error> first_error;
    for (const auto& directory : directories) {
        auto made = make_writable(directory);
        if (made) {
            cache.writable_ = directory;
            // A damaged index only costs time; so does one that cannot be repaired.
            const auto position = static_cast<std::size_t>(&directory - directories.data());
            if (cache.indexes_[position].damaged()) static_cast<void>(static_cast<bool>(CacheIndex::prune(directory)));
            cache.locks_ = std::make_shared<const RunLocks>(directory);
            cache.locks_->hold();
            return cache;
        }
        if (!first_error) first_error = std::move(made).error();
    }
    if (!first_error)
        return make_error(ErrorCode::invalid_argument, "no package cache is configured; set CONDA_PKGS_DIRS");
    first_error->context.emplace_back("no package cache is writable; set CONDA_PKGS_DIRS to a directory of yours");
    return *first_error;
}

PackageCache PackageCache::open_for_reading(const std::vector<std::string>& directories) {
    PackageCache cache;
    cache.directories_ = directories;
    for (const auto& directory : directories) cache.indexes_.push_back(CacheIndex::open(directory));
    return cache;
}

std::optional<std::string> PackageCache::find_extracted(const PackageRecord& record, std::string_view except) const {
    const std::string dist_name = record.dist_name();
    for (std::size_t i = 0; i < directories_.size(); ++i) {
        for (std::string& path : places_in(directories_[i], record, dist_name)) {
            struct stat status {};
            if (path == except || ::lstat((path + "/info").c_str(), &status) != 0) continue;
            auto text = indexes_[i].find_record(std::string_view(path).substr(directories_[i].size() + 1), status);
            if (!text && exists(path + "/info/index.json")) {
                auto read = read_regular_file(path + "/info/repodata_record.json", record_size_limit);
                if (read) text = *std::move(read);
            }
            if (!text) continue;
            const auto cached = parse_package_record(*text);
            if (cached && is_same_package(*cached, record)) return std::move(path);
        }
    }
    return std::nullopt;
}

std::optional<std::string> PackageCache::find_archive(const PackageRecord& record) const {
    for (const auto& directory : directories_) {
        for (std::string& path : places_in(directory, record, record.fn)) {
            const auto size = size_of(path);
            if (size && (!record.size || *record.size == *size)) return std::move(path);
        }
    }
    return std::nullopt;
}

std::optional<PackageLock> PackageCache::try_lock(const PackageRecord& record) const {
    if (!locks_ || !locks_->file()) return PackageLock();
    const auto byte = static_cast<off_t>(std::hash<std::string>()(record.fn) >> 2U);
    struct flock request = one_byte(F_WRLCK, byte);
    if (::fcntl(locks_->file().get(), F_OFD_SETLK, &request) == 0) return PackageLock(locks_, byte);
    if (errno == EAGAIN || errno == EACCES) return std::nullopt;
    return PackageLock(); // no locks here (NFS): two processes may both make it, one rename wins
}

PackageLock& PackageLock::operator=(PackageLock&& other) noexcept {
    if (this != &other) {
        release();
        locks_ = std::move(other.locks_);
        byte_ = other.byte_;
    }
    return *this;
}

void PackageLock::release() {
    if (!locks_) return;
    struct flock request = one_byte(F_UNLCK, byte_);
    // Unlocking a byte we hold cannot fail; if it did, the lock would end with the process.
    static_cast<void>(::fcntl(locks_->file().get(), F_OFD_SETLK, &request));
    locks_.reset();
}

Result<StagedDirectory> PackageCache::stage(const PackageRecord& record) const {
    return StagedDirectory::create(keeps_trees() ? writable_ : trees_, record.dist_name());
}

Result<void> PackageCache::publish_extracted(StagedDirectory directory, const PackageRecord& record,
                                             KnownPackage known) const {
    const std::string path = directory.path() + "/info/repodata_record.json";
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error(errno, "cannot replace", path);
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!fd) return system_error(errno, "cannot create", path);
    const std::string text = repodata_record_json(record);
    TAIPAN_CHECK(write_all(fd.get(), text, path));
    TAIPAN_CHECK(directory.commit(extracted_path(record)));
    struct stat status {};
    if (known.paths_json.empty()) return {};
    if (::fstatat(directory.fd(), "info", &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(status.st_mode)) return {};
    known.record_json = text;
    return CacheIndex::add(writable_, record.dist_name(), status, known);
}

Result<void> PackageCache::discard(const std::string& path) const {
    const std::string doomed = temporary_name(std::string(parent_path(path)) + "/.taipan-damaged");
    if (::rename(path.c_str(), doomed.c_str()) != 0) return system_error(errno, "cannot remove", path);
    return remove_tree(doomed);
}

std::optional<std::pair<std::size_t, std::string_view>> PackageCache::place_of(std::string_view path) const {
    std::optional<std::pair<std::size_t, std::string_view>> place;
    for (std::size_t i = 0; i < directories_.size(); ++i) {
        const std::string& directory = directories_[i];
        const bool inside =
            path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
        if (!inside || (place && directories_[place->first].size() >= directory.size())) continue;
        place.emplace(i, path.substr(directory.size() + 1));
    }
    return place;
}

std::optional<StoredPackage> PackageCache::find_known(const std::string& path) const {
    const auto place = place_of(path);
    struct stat status {};
    if (!place || ::lstat((path + "/info").c_str(), &status) != 0) return std::nullopt;
    return indexes_[place->first].find(place->second, status);
}

void PackageCache::remember(const std::string& path, const PackageRecord& record, KnownPackage known) const {
    const auto place = place_of(path);
    struct stat status {};
    if (!place || known.paths_json.empty() || ::lstat((path + "/info").c_str(), &status) != 0) return;
    if (!S_ISDIR(status.st_mode) || ::access(directories_[place->first].c_str(), W_OK) != 0) return;
    const std::string text = repodata_record_json(record);
    known.record_json = text;
    // Not to be remembered costs time, no more.
    static_cast<void>(static_cast<bool>(CacheIndex::add(directories_[place->first], place->second, status, known)));
}

void PackageCache::sweep_leftovers(std::time_t now) const {
    if (!locks_) return;
    for (const std::string& name : find_leftovers(writable_, *locks_, now)) {
        // What cannot be removed now (it is another user's) is in nobody's way.
        static_cast<void>(static_cast<bool>(remove_tree(writable_ + '/' + name)));
    }
}

Result<void> PackageCache::note_url(std::string_view url) const {
    return append_to_file(writable_ + '/' + magic_file, std::string(url) + '\n');
}

} // namespace taipan
