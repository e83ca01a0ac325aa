#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.hpp"
#include "image/blob.hpp"

namespace taipan {

/// An OCI image layout for reading: a directory, or a tar archive of one (`oci-archive`).
class LayoutSource {
public:
    /// Errors: parse (it is none), io.
    static Result<LayoutSource> open(const std::string& path);

    /// `index.json`.
    [[nodiscard]] Result<std::string> read_index() const;
    /// Where the blob of that digest (`sha256:...`) is. Its content is not looked at. Errors: parse.
    [[nodiscard]] Result<ImageBlob> find(std::string_view digest) const;
    /// A small blob's bytes, which have that digest.
    [[nodiscard]] Result<std::string> read(std::string_view digest) const;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    struct Member {
        std::uint64_t offset = 0, size = 0;
    };
    Result<void> list_archive();
    [[nodiscard]] Result<std::string> read_member(const std::string& name) const;

    std::string path_;
    bool archive_ = false;
    std::map<std::string, Member> members_; ///< of an archive
};

} // namespace taipan
