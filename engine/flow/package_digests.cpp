#include "flow/package_digests.hpp"

#include <string>
#include <string_view>

namespace taipan {

namespace {

Error not_as_described(const PackageRecord& record, std::string_view what, const std::string& expected,
                       const std::string& actual) {
    return make_error(ErrorCode::checksum_mismatch,
                      record.fn + " from " + record.url + " is not the file the index describes: its " +
                          std::string(what) + " is " + actual + ", expected " + expected +
                          "; the channel or a proxy in between is broken, or someone changed the file");
}

} // namespace

Result<void> check_size(std::uint64_t size, const PackageRecord& record) {
    if (!record.size || *record.size == size) return {};
    return not_as_described(record, "size", std::to_string(*record.size), std::to_string(size));
}

Result<void> check_digests(const DigestingInput::Digests& digests, const PackageRecord& record) {
    if (!record.sha256.empty()) {
        if (digests.sha256 != record.sha256) return not_as_described(record, "sha256", record.sha256, digests.sha256);
    } else if (!record.md5.empty() && digests.md5 != record.md5) {
        return not_as_described(record, "md5", record.md5, digests.md5);
    }
    return {};
}

void complete_digests(const DigestingInput::Digests& digests, std::uint64_t size, PackageRecord& record) {
    if (record.sha256.empty()) record.sha256 = digests.sha256;
    if (record.md5.empty()) record.md5 = digests.md5; // itself empty where nobody asked for it
    record.size = size;
}

} // namespace taipan
