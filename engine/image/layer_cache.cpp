// Compressing is nearly all of the time of making an image, and gives the same bytes each time. The description is
// published after the layer, so whoever finds a description finds the layer; its size is compared, since a full disk or
// a cleaned cache may have taken it.

#include "image/layer_cache.hpp"

#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>

namespace taipan {

namespace {

constexpr std::string_view head = "taipan-layer 1";
constexpr std::uint64_t largest_description = std::uint64_t{64} << 20U;

bool is_sha256(const std::string& text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// nullopt when it is none.
std::optional<StoredLayer> parse_description(const std::string& text) {
    std::istringstream lines(text);
    std::string line;
    if (!std::getline(lines, line) || line != head) return std::nullopt;
    StoredLayer layer;
    if (!(lines >> layer.sha256 >> layer.size >> layer.diff_id)) return std::nullopt;
    if (!is_sha256(layer.sha256) || !is_sha256(layer.diff_id)) return std::nullopt;
    std::size_t count = 0;
    if (!(lines >> count)) return std::nullopt;
    for (std::size_t i = 0; i < count; ++i) {
        StoredLayer::Digest digest;
        if (!(lines >> digest.package >> digest.path >> digest.sha256) || !is_sha256(digest.sha256)) {
            return std::nullopt;
        }
        layer.rewritten.push_back(std::move(digest));
    }
    return layer;
}

std::string description_of(const StoredLayer& layer) {
    std::ostringstream text;
    text << head << '\n'
         << layer.sha256 << ' ' << layer.size << ' ' << layer.diff_id << '\n'
         << layer.rewritten.size() << '\n';
    for (const auto& digest : layer.rewritten) {
        text << digest.package << ' ' << digest.path << ' ' << digest.sha256 << '\n';
    }
    return text.str();
}

void touch(const std::string& path) { static_cast<void>(::utimensat(AT_FDCWD, path.c_str(), nullptr, 0)); }

} // namespace

std::optional<StoredLayer> LayerCache::find(const std::string& key) const {
    const auto text = read_file(directory_ + '/' + key, largest_description);
    if (!text) return std::nullopt;
    auto layer = parse_description(*text);
    if (!layer) return std::nullopt;
    layer->path = layer_path(key);
    struct stat status {};
    if (::stat(layer->path.c_str(), &status) != 0 || static_cast<std::uint64_t>(status.st_size) != layer->size) {
        return std::nullopt;
    }
    touch(directory_ + '/' + key);
    touch(layer->path);
    return layer;
}

Result<AtomicFile> LayerCache::begin(const std::string& key) const {
    TAIPAN_CHECK(make_directories(directory_));
    return AtomicFile::create(layer_path(key));
}

Result<void> LayerCache::publish(const std::string& key, AtomicFile file, StoredLayer& layer) const {
    TAIPAN_CHECK(file.commit());
    layer.path = layer_path(key);
    return write_file_atomic(directory_ + '/' + key, description_of(layer));
}

} // namespace taipan
