#include "repodata/index_store.hpp"

#include <cerrno>

#include <unistd.h>

namespace taipan::repodata {

Result<void> MemoryStore::append(std::string_view bytes) {
    bytes_.append(bytes);
    return {};
}

Result<void> MemoryStore::write_front(std::string_view bytes) {
    bytes_.replace(0, bytes.size(), bytes);
    return {};
}

Result<void> FileStore::append(std::string_view bytes) { return file_.write(bytes); }

Result<void> FileStore::write_front(std::string_view bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = ::pwrite(file_.fd(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error(errno, "cannot write", "the new index file");
        done += static_cast<std::size_t>(count);
    }
    return {};
}

} // namespace taipan::repodata
