#include "link/layer_probe.hpp"

#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#ifdef __linux__
#include <array>
#include <cstddef>
#include <cstring>

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#endif

namespace taipan {

bool is_layered(int directory_fd) {
#ifdef __linux__
    constexpr decltype(std::declval<struct statfs>().f_type) overlayfs_magic = 0x794c7630;
    struct statfs status {};
    return ::fstatfs(directory_fd, &status) == 0 && status.f_type == overlayfs_magic;
#else
    static_cast<void>(directory_fd);
    return false;
#endif
}

namespace {

#ifdef __linux__
/// Where the first bytes of the file lie; 0 when the file system does not tell.
std::uint64_t place_on_device(int fd) {
    // A header with room for one extent behind it.
    alignas(fiemap) std::array<std::byte, sizeof(fiemap) + sizeof(fiemap_extent)> buffer{};
    fiemap request{};
    request.fm_length = FIEMAP_MAX_OFFSET;
    request.fm_flags = FIEMAP_FLAG_SYNC; // what was just written has no place yet
    request.fm_extent_count = 1;
    std::memcpy(buffer.data(), &request, sizeof request);
    if (::ioctl(fd, FS_IOC_FIEMAP, buffer.data()) != 0) return 0;
    std::memcpy(&request, buffer.data(), sizeof request);
    if (request.fm_mapped_extents == 0) return 0;
    fiemap_extent extent{};
    std::memcpy(&extent, buffer.data() + sizeof request, sizeof extent);
    const bool known = (extent.fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DATA_INLINE)) == 0;
    return known ? extent.fe_physical : 0;
}
#endif

std::uint64_t place_of_index(int package_fd) {
#ifdef __linux__
    if (!is_layered(package_fd)) return 0;
    const UniqueFd file(::openat(package_fd, "info/index.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    return file ? place_on_device(file.get()) : 0;
#else
    static_cast<void>(package_fd);
    return 0;
#endif
}

/// Of a directory that has entries in the upper and in a lower layer overlayfs tells one link, whatever it holds. A
/// package gets into that state by our asking: `info/index.json` is in the upper layer then, and the rest is not.
bool is_in_two_layers(int package_fd) {
    struct stat status {};
    return is_layered(package_fd) && ::fstat(package_fd, &status) == 0 && status.st_nlink == 1;
}

} // namespace

LayerProbe::LayerProbe(int package_fd)
    : package_fd_(package_fd), in_two_layers_(is_in_two_layers(package_fd)), place_(place_of_index(package_fd)) {}

bool LayerProbe::link_has_copied() const {
    if (in_two_layers_) return true;
    if (place_ == 0) return false;
    const std::uint64_t now = place_of_index(package_fd_);
    return now != 0 && now != place_;
}

} // namespace taipan
