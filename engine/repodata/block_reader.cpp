#include <algorithm>
#include <charconv>

#include "repodata/name_block.hpp"

namespace taipan::repodata {
namespace {

Error broken() { return make_error(ErrorCode::parse, "the index file is damaged"); }

template <class T> bool take(std::string_view& rest, std::uint32_t count, std::span<const T>& out) {
    if (count > rest.size() / sizeof(T)) return false;
    out = {reinterpret_cast<const T*>(rest.data()), count};
    rest.remove_prefix(count * sizeof(T));
    return true;
}

std::string_view hex(std::span<const unsigned char> bytes, Arena& arena) {
    constexpr std::string_view digits = "0123456789abcdef";
    char* const place = arena.allocate<char>(bytes.size() * 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        place[i * 2] = digits[bytes[i] >> 4U];
        place[i * 2 + 1] = digits[bytes[i] & 15U];
    }
    return {place, bytes.size() * 2};
}

std::string_view file_name(const RecordView& record, std::string_view extension, Arena& arena) {
    const std::array<std::string_view, 6> parts = {record.name, "-", record.version, "-", record.build, extension};
    std::size_t size = 0;
    for (const auto part : parts) size += part.size();
    char* const place = arena.allocate<char>(size);
    char* at = place;
    for (const auto part : parts) at = std::copy(part.begin(), part.end(), at);
    return {place, size};
}

std::string_view* rare_text(RareField field, RecordView& record) {
    switch (field) {
    case RareField::fn: return &record.fn;
    case RareField::md5: return &record.md5;
    case RareField::sha256: return &record.sha256;
    case RareField::legacy_bz2_md5: return &record.legacy_bz2_md5;
    case RareField::track_features: return &record.track_features;
    case RareField::features: return &record.features;
    case RareField::python_site_packages_path: return &record.python_site_packages_path;
    case RareField::arch: return &record.arch;
    case RareField::platform: return &record.platform;
    case RareField::date: return &record.date;
    case RareField::legacy_bz2_size: break;
    }
    return nullptr;
}

} // namespace

Result<BlockReader> BlockReader::open(std::string_view bytes, std::string_view name) {
    BlockReader block;
    block.name_ = name;
    if (bytes.size() < sizeof(BlockHead) || reinterpret_cast<std::uintptr_t>(bytes.data()) % block_alignment != 0)
        return broken();
    const auto& head = *reinterpret_cast<const BlockHead*>(bytes.data());
    bytes.remove_prefix(sizeof head);
    const bool fits = take(bytes, head.records, block.records_) && take(bytes, head.key_words, block.keys_) &&
                      take(bytes, head.versions, block.versions_) &&
                      take(bytes, head.dependencies, block.dependencies_) &&
                      take(bytes, head.list_words, block.words_) && take(bytes, head.texts, block.text_ends_);
    if (!fits || head.text_size > bytes.size()) return broken();
    block.text_ = bytes.substr(0, head.text_size);
    block.needed_names_ = head.needed_names;
    return block;
}

Result<std::string_view> BlockReader::text(std::uint32_t id) const {
    if (id >= text_ends_.size()) return broken();
    const std::uint32_t begin = id == 0 ? 0 : text_ends_[id - 1], end = text_ends_[id];
    if (begin > end || end > text_.size()) return broken();
    return text_.substr(begin, end - begin);
}

Result<std::span<const std::uint32_t>> BlockReader::list(std::uint32_t place) const {
    if (place >= words_.size() || words_[place] > words_.size() - place - 1) return broken();
    return words_.subspan(place + 1, words_[place]);
}

Result<std::span<const std::string_view>> BlockReader::dependencies(std::uint32_t place, Arena& arena) const {
    TAIPAN_TRY(const auto ids, list(place));
    auto* const texts = arena.allocate<std::string_view>(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] >= dependencies_.size()) return broken();
        TAIPAN_TRY(texts[i], text(dependencies_[ids[i]].text));
    }
    return std::span<const std::string_view>(texts, ids.size());
}

Result<void> BlockReader::read_rare(std::uint32_t place, RecordView& record) const {
    TAIPAN_TRY(const auto items, list(place));
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
        const auto field = static_cast<RareField>(items[i]);
        TAIPAN_TRY(const auto content, text(items[i + 1]));
        if (std::string_view* const target = rare_text(field, record)) {
            *target = content;
        } else if (field == RareField::legacy_bz2_size) {
            std::uint64_t number = 0;
            std::from_chars(content.data(), content.data() + content.size(), number);
            record.legacy_bz2_size = number;
        } else {
            return broken();
        }
    }
    return {};
}

Result<RecordView> BlockReader::record(std::uint32_t index, Arena& arena) const {
    if (index >= records_.size()) return broken();
    const BlockRecord& stored = records_[index];
    if (stored.version >= versions_.size() || (stored.flags & noarch_mask) > static_cast<unsigned>(Noarch::generic))
        return broken();
    RecordView record;
    record.name = name_;
    TAIPAN_TRY(record.version, text(versions_[stored.version].text));
    TAIPAN_TRY(record.build, text(stored.build));
    TAIPAN_TRY(record.subdir, text(stored.subdir));
    TAIPAN_TRY(record.license, text(stored.license));
    TAIPAN_TRY(record.license_family, text(stored.license_family));
    TAIPAN_TRY(record.depends, dependencies(stored.depends, arena));
    TAIPAN_TRY(record.constrains, dependencies(stored.constrains, arena));
    record.build_number = stored.build_number;
    record.noarch = static_cast<Noarch>(stored.flags & noarch_mask);
    if ((stored.flags & has_size) != 0) record.size = stored.size;
    if ((stored.flags & has_timestamp) != 0) record.timestamp = stored.timestamp;
    if ((stored.flags & has_md5) != 0) record.md5 = hex(stored.md5, arena);
    if ((stored.flags & has_sha256) != 0) record.sha256 = hex(stored.sha256, arena);
    if ((stored.flags & is_conda) != 0) record.fn = file_name(record, ".conda", arena);
    if ((stored.flags & is_tar_bz2) != 0) record.fn = file_name(record, ".tar.bz2", arena);
    TAIPAN_CHECK(read_rare(stored.rare, record));
    return record;
}

Result<std::span<const std::uint64_t>> BlockReader::version_key(std::uint32_t index) const {
    if (index >= records_.size() || records_[index].version >= versions_.size()) return broken();
    const BlockVersion& version = versions_[records_[index].version];
    if (version.key > keys_.size() || version.key_size > keys_.size() - version.key) return broken();
    return keys_.subspan(version.key, version.key_size);
}

Result<std::vector<std::string_view>> BlockReader::needed_names() const {
    TAIPAN_TRY(const auto ids, list(needed_names_));
    std::vector<std::string_view> names(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        TAIPAN_TRY(names[i], text(ids[i]));
    }
    return names;
}

} // namespace taipan::repodata
