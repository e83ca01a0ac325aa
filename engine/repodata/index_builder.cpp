// From parsed batches to an index file.
//
// Blocks are written as they come, so that not even the index is in memory as a whole. Where a batch boundary parts the
// packages of a name, or where it has both `.conda` and `.tar.bz2` packages, the name simply has several blocks.
#include "repodata/index_builder.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>

#include "repodata/checksum.hpp"
#include "repodata/index_format.hpp"
#include "repodata/member_parser.hpp"
#include "repodata/name_block.hpp"

namespace taipan::repodata {

namespace ondemand = simdjson::ondemand;

namespace {

constexpr std::int64_t newest_repodata_version = 2;

template <class T> void append_bytes(std::string& out, const T& item) {
    out.append(reinterpret_cast<const char*>(&item), sizeof item);
}

} // namespace

Result<void> IndexBuilder::add(const ParsedBatch& batch) {
    counters_.skipped += batch.skipped;
    counters_.broken += batch.broken;
    TAIPAN_CHECK(reserve_header());
    const auto names = static_cast<std::uint32_t>(name_texts_.size());
    name_texts_.append(batch.names);
    for (const Fragment& fragment : batch.fragments) {
        const auto bytes = std::string_view(batch.blocks).substr(fragment.block, fragment.block_size);
        counters_.records += fragment.records;
        blocks_.push_back({stored_ + fragment.block, checksum(bytes), fragment.block_size, fragment.records,
                           names + fragment.name, fragment.name_size, batch.number, batch.section});
    }
    stored_ += batch.blocks.size();
    return store_.append(batch.blocks);
}

Result<void> IndexBuilder::reserve_header() {
    if (stored_ != 0) return {};
    stored_ = sizeof(IndexHeader);
    return store_.append(std::string(sizeof(IndexHeader), '\0'));
}

/// Reads the text around the packages into a builder.
class IndexBuilder::SkeletonReader {
public:
    SkeletonReader(IndexBuilder& builder, bool use_only_tar_bz2)
        : builder_(builder), use_only_tar_bz2_(use_only_tar_bz2) {}
    simdjson::error_code read(ondemand::document& document);
    Result<void> stored; ///< of what was added

private:
    simdjson::error_code read_info(ondemand::value& value);
    /// Nothing that can be understood says nothing.
    void read_version(ondemand::value& value) {
        if (const auto number = read_integer(value)) builder_.repodata_version_ = *number;
    }
    IndexBuilder& builder_;
    bool use_only_tar_bz2_;
};

simdjson::error_code IndexBuilder::SkeletonReader::read_info(ondemand::value& value) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return simdjson::SUCCESS;
    for (auto item : object) {
        ondemand::field field;
        if (auto error = std::move(item).get(field)) return error;
        std::string_view key, content;
        if (auto error = field.unescaped_key().get(key)) return error;
        const bool is_base = key == "base_url";
        if (key == "repodata_version") {
            read_version(field.value());
        } else if ((is_base || key == "subdir") && field.value().get_string().get(content) == simdjson::SUCCESS) {
            (is_base ? builder_.info_.base_url : builder_.info_.subdir).assign(content);
        }
    }
    return simdjson::SUCCESS;
}

simdjson::error_code IndexBuilder::SkeletonReader::read(ondemand::document& document) {
    ondemand::object object;
    if (auto error = document.get_object().get(object)) return error;
    MemberParser parser;
    for (auto item : object) {
        ondemand::field field;
        if (auto error = std::move(item).get(field)) return error;
        std::string_view key;
        if (auto error = field.unescaped_key().get(key)) return error;
        ondemand::value& value = field.value();
        const bool conda = key == "packages.conda";
        simdjson::error_code error = simdjson::SUCCESS;
        if (key == "packages" || (conda && !use_only_tar_bz2_)) {
            ondemand::object members; // empty, unless the key was written with escapes
            ParsedBatch batch;
            batch.section = conda ? Section::conda : Section::tar_bz2;
            batch.number = std::numeric_limits<std::uint32_t>::max();
            if (is_null(value)) continue;
            error = value.get_object().get(members);
            if (error == simdjson::SUCCESS) error = parser.parse(members, batch);
            if (error == simdjson::SUCCESS) stored = builder_.add(batch);
        } else if (key == "info") {
            error = read_info(value);
        } else if (key == "repodata_version") {
            read_version(value);
        } else if (key == "removed") {
            ondemand::array removed;
            if (value.get_array().get(removed) != simdjson::SUCCESS) continue;
            for (auto name : removed) {
                if (name.error() != simdjson::SUCCESS) return name.error();
                ++builder_.counters_.removed;
            }
        }
        if (error != simdjson::SUCCESS) return error;
    }
    return document.current_location().error() == simdjson::SUCCESS ? simdjson::TRAILING_CONTENT : simdjson::SUCCESS;
}

Result<void> IndexBuilder::read_skeleton(std::string_view text, bool use_only_tar_bz2) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    const simdjson::padded_string padded(text);
    ondemand::parser parser;
    ondemand::document document;
    auto error = parser.iterate(padded).get(document);
    SkeletonReader reader(*this, use_only_tar_bz2);
    if (error == simdjson::SUCCESS) error = reader.read(document);
    TAIPAN_CHECK(std::move(reader.stored));
    if (error != simdjson::SUCCESS) return no_channel_json(error);
    if (repodata_version_ > newest_repodata_version)
        return make_error(ErrorCode::parse, "has repodata_version " + std::to_string(repodata_version_) +
                                                ", but this taipan reads versions up to " +
                                                std::to_string(newest_repodata_version));
    return {};
}

Result<void> IndexBuilder::seal(const IndexSource& source) {
    TAIPAN_CHECK(reserve_header());
    // `.conda` first, then in the order of the text.
    std::stable_sort(blocks_.begin(), blocks_.end(), [this](const Block& a, const Block& b) {
        if (const int order = name_of(a).compare(name_of(b)); order != 0) return order < 0;
        return std::pair(a.section, a.number) < std::pair(b.section, b.number);
    });
    std::string texts;
    const auto add_text = [&](std::string_view text) {
        const IndexText place{static_cast<std::uint32_t>(texts.size()), static_cast<std::uint32_t>(text.size())};
        texts.append(text);
        return place;
    };
    std::vector<NameEntry> names;
    std::vector<BlockEntry> entries;
    entries.reserve(blocks_.size());
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        const Block& block = blocks_[i];
        if (i == 0 || name_of(blocks_[i - 1]) != name_of(block))
            names.push_back({add_text(name_of(block)), static_cast<std::uint32_t>(i), 0});
        ++names.back().blocks;
        entries.push_back({block.place, block.checksum, block.size, block.records});
    }
    IndexHeader header{};
    header.magic = index_magic;
    header.version = index_version;
    header.byte_order = index_byte_order;
    header.source_mtime_ns = source.mtime_ns;
    header.source_size = source.size;
    header.records = counters_.records;
    header.skipped = counters_.skipped;
    header.broken = counters_.broken;
    header.removed = counters_.removed;
    header.names = static_cast<std::uint32_t>(names.size());
    header.blocks = static_cast<std::uint32_t>(entries.size());
    header.names_place = stored_;
    header.url = add_text(source.url);
    header.base_url = add_text(info_.base_url);
    header.subdir = add_text(info_.subdir);
    std::string table;
    for (const auto& entry : names) append_bytes(table, entry);
    for (const auto& entry : entries) append_bytes(table, entry);
    header.text_size = static_cast<std::uint32_t>(texts.size());
    table += texts;
    header.file_size = stored_ + table.size();
    header.names_checksum = checksum(table);
    std::string front;
    append_bytes(front, header);
    header.checksum = checksum(std::string_view(front).substr(0, offsetof(IndexHeader, checksum)));
    front.clear();
    append_bytes(front, header);
    TAIPAN_CHECK(store_.append(table));
    return store_.write_front(front);
}

} // namespace taipan::repodata
