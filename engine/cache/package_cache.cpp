// The package cache is shared: by environments, by processes at the same time, by conda and mamba, by users.
//
// Nothing in it is ever changed in place. A package is extracted under a temporary name and renamed when it is whole;
// an archive likewise. So a killed process leaves at most entries named `.taipan-*`, which `taipan clean` sweeps, and
// a reader sees a package completely or not at all. A lock per package (one byte of the file `.taipan.lock`, chosen by
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

#include "model/record_json.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t record_size_limit = std::uint64_t{64} << 20U;

/// A cache is writable if its magic file can be opened for appending (conda-spec 2.1).
Result<void> make_writable(const std::string& directory) {
    TAIPAN_CHECK(make_directories(directory));
    const std::string magic = directory + "/urls.txt";
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
            const std::string lock = directory + "/.taipan.lock";
            cache.lock_file_ = std::make_shared<UniqueFd>(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
            return cache;
        }
        if (!first_error) first_error = std::move(made).error();
    }
    if (!first_error)
        return make_error(ErrorCode::invalid_argument, "no package cache is configured; set CONDA_PKGS_DIRS");
    first_error->context.emplace_back("no package cache is writable; set CONDA_PKGS_DIRS to a directory of yours");
    return *first_error;
}

std::optional<std::string> PackageCache::find_extracted(const PackageRecord& record) const {
    for (const auto& directory : directories_) {
        const std::string path = directory + '/' + record.dist_name();
        if (const auto known = find_known(path)) {
            const auto cached = parse_package_record(known->record_json);
            if (cached && is_same_package(*cached, record)) return path;
            continue;
        }
        const auto text = read_file(path + "/info/repodata_record.json", record_size_limit);
        if (!text || !exists(path + "/info/index.json")) continue;
        const auto cached = parse_package_record(*text);
        if (cached && is_same_package(*cached, record)) return path;
    }
    return std::nullopt;
}

std::optional<std::string> PackageCache::find_archive(const PackageRecord& record) const {
    for (const auto& directory : directories_) {
        std::string path = directory + '/' + record.fn;
        const auto size = size_of(path);
        if (size && (!record.size || *record.size == *size)) return path;
    }
    return std::nullopt;
}

std::optional<PackageLock> PackageCache::try_lock(const PackageRecord& record) const {
    if (!lock_file_ || !*lock_file_) return PackageLock();
    const auto byte = static_cast<off_t>(std::hash<std::string>()(record.fn) >> 2U);
    struct flock request = one_byte(F_WRLCK, byte);
    if (::fcntl(lock_file_->get(), F_OFD_SETLK, &request) == 0) return PackageLock(lock_file_, byte);
    if (errno == EAGAIN || errno == EACCES) return std::nullopt;
    return PackageLock(); // no locks here (NFS): two processes may both make it, one rename wins
}

PackageLock& PackageLock::operator=(PackageLock&& other) noexcept {
    if (this != &other) {
        release();
        file_ = std::move(other.file_);
        byte_ = other.byte_;
    }
    return *this;
}

void PackageLock::release() {
    if (!file_) return;
    struct flock request = one_byte(F_UNLCK, byte_);
    // Unlocking a byte we hold cannot fail; if it did, the lock would end with the process.
    static_cast<void>(::fcntl(file_->get(), F_OFD_SETLK, &request));
    file_.reset();
}

Result<StagedDirectory> PackageCache::stage(const PackageRecord& record) const {
    return StagedDirectory::create(writable_, record.dist_name());
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
    const std::string doomed = std::string(parent_path(path)) + "/.taipan-damaged-" + std::to_string(::getpid()) + "-0";
    TAIPAN_CHECK(remove_tree(doomed));
    if (::rename(path.c_str(), doomed.c_str()) != 0) return system_error(errno, "cannot remove", path);
    return remove_tree(doomed);
}

std::optional<KnownPackage> PackageCache::find_known(const std::string& path) const {
    const auto directory = std::find(directories_.begin(), directories_.end(), parent_path(path));
    struct stat status {};
    if (directory == directories_.end() || ::lstat((path + "/info").c_str(), &status) != 0) return std::nullopt;
    return indexes_[static_cast<std::size_t>(directory - directories_.begin())].find(base_name(path), status);
}

Result<void> PackageCache::note_url(std::string_view url) const {
    return append_to_file(writable_ + "/urls.txt", std::string(url) + '\n');
}

} // namespace taipan
