#pragma once

#include <algorithm>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/record.hpp"

namespace taipan::repodata {

/// Where texts and lists that a RecordView points to are kept; they die together.
class Arena {
public:
    std::string_view keep(std::string_view text) {
        char* const place = allocate<char>(text.size());
        std::copy(text.begin(), text.end(), place);
        return {place, text.size()};
    }
    template <class T> std::span<T> keep(std::span<const T> items) {
        T* const place = allocate<T>(items.size());
        std::uninitialized_copy(items.begin(), items.end(), place);
        return {place, items.size()};
    }
    template <class T> T* allocate(std::size_t count) {
        return static_cast<T*>(memory_.allocate(count * sizeof(T), alignof(T)));
    }
    void clear() { memory_.release(); }

private:
    std::pmr::monotonic_buffer_resource memory_;
};

/// One package of a channel, as repodata or the index file has it. The texts belong to the parser, the file or an
/// Arena: reading an index makes millions of these, and none may cost an allocation.
struct RecordView {
    std::string_view name; ///< lower case
    std::string_view version, build, fn;
    std::string_view subdir; ///< empty: that of the index
    std::string_view md5, sha256, legacy_bz2_md5;
    std::string_view license, license_family, track_features, features, python_site_packages_path;
    std::string_view arch, platform, date;
    std::span<const std::string_view> depends, constrains;
    std::optional<std::uint64_t> size, legacy_bz2_size;
    std::optional<std::int64_t> timestamp; ///< milliseconds since the epoch
    std::int64_t build_number = 0;
    Noarch noarch = Noarch::none;
};

} // namespace taipan::repodata
