#include "repodata/shard.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/digest.hpp"
#include "model/record.hpp"
#include "repodata/batch_parser.hpp"
#include "repodata/index_builder.hpp"
#include "repodata/msgpack.hpp"
#include "repodata/name_block.hpp"
#include "repodata/record_fields.hpp"
#include "repodata/zstd_text.hpp"

namespace taipan::repodata {
namespace {

constexpr std::size_t sha256_bytes = 32, md5_bytes = 16;

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char byte : bytes) {
        text += digits[static_cast<unsigned char>(byte) >> 4U];
        text += digits[static_cast<unsigned char>(byte) & 15U];
    }
    return text;
}

/// Records of a shard. Lenient as RecordReader is.
class ShardReader {
public:
    ShardReader(std::string_view bytes, std::string_view name, bool use_only_tar_bz2)
        : in_(bytes), name_(name), use_only_tar_bz2_(use_only_tar_bz2) {}

    /// False: no shard. Fills one batch for each section.
    bool read(ParsedBatch& conda, ParsedBatch& tar_bz2) {
        const auto count = in_.map();
        for (std::uint32_t i = 0; count && i < *count && !in_.broken(); ++i) {
            const auto key = in_.text();
            if (!key) return false;
            if (*key == "packages")
                read_section(tar_bz2);
            else if (*key == "packages.conda" && !use_only_tar_bz2_)
                read_section(conda);
            else
                in_.skip();
        }
        return count && !in_.broken() && in_.at_end();
    }

private:
    void read_section(ParsedBatch& batch) {
        const auto count = in_.map();
        if (!count) {
            in_.skip();
            return;
        }
        for (std::uint32_t i = 0; i < *count && !in_.broken(); ++i) {
            RecordView record;
            record.fn = in_.text().value_or(std::string_view());
            const bool fits = fits_section(record.fn, batch.section);
            if (in_.peek() != MsgpackReader::Kind::map || !fits) {
                in_.skip();
                ++batch.skipped;
            } else if (!read_record(record) || record.name != name_) {
                ++batch.broken;
            } else {
                writer_.add(record);
            }
        }
        if (in_.broken() || writer_.size() == 0) return;
        Fragment fragment;
        fragment.name_size = static_cast<std::uint32_t>(name_.size());
        fragment.records = writer_.size();
        writer_.finish(batch.blocks);
        fragment.block_size = static_cast<std::uint32_t>(batch.blocks.size());
        batch.names = name_;
        batch.fragments.push_back(fragment);
    }

    /// Reads to the end of the record, whatever is found.
    bool read_record(RecordView& record) {
        bool usable = true;
        const std::uint32_t count = in_.map().value_or(0);
        for (std::uint32_t i = 0; i < count && !in_.broken(); ++i) {
            const auto key = in_.text();
            if (!key) {
                in_.skip();
                in_.skip();
            } else {
                usable = read_field(record_key(*key), record) && usable;
            }
        }
        return identify(record, arena_) && usable && !in_.broken();
    }

    bool read_field(RecordKey key, RecordView& record) {
        switch (key) {
        case RecordKey::name: return read_text(record.name);
        case RecordKey::version: return read_text(record.version);
        case RecordKey::build: return read_text(record.build);
        case RecordKey::depends: return read_list(record.depends);
        case RecordKey::constrains: return read_list(record.constrains);
        case RecordKey::build_number: {
            const bool unknown = in_.peek() == MsgpackReader::Kind::nil;
            const auto number = read_integer();
            record.build_number = number.value_or(0);
            return number || unknown;
        }
        case RecordKey::schema_version:
            return read_integer().value_or(newest_schema_version + 1) <= newest_schema_version;
        case RecordKey::record_version:
            return read_integer().value_or(newest_record_version + 1) <= newest_record_version;
        default: read_optional(key, record); return true;
        }
    }

    void read_optional(RecordKey key, RecordView& record) {
        switch (key) {
        case RecordKey::size: record.size = read_size(); return;
        case RecordKey::legacy_bz2_size: record.legacy_bz2_size = read_size(); return;
        case RecordKey::noarch: read_noarch(record); return;
        case RecordKey::track_features: read_features(record.track_features); return;
        case RecordKey::features: read_features(record.features); return;
        case RecordKey::timestamp:
            if (const auto number = read_integer()) record.timestamp = timestamp_of(*number);
            return;
        default: break;
        }
        std::string_view* const field = text_field(record, key);
        if (field == nullptr) {
            in_.skip();
            return;
        }
        if (!read_text(*field)) *field = {};
        const std::size_t raw = key == RecordKey::sha256                                    ? sha256_bytes
                                : key == RecordKey::md5 || key == RecordKey::legacy_bz2_md5 ? md5_bytes
                                                                                            : 0;
        if (raw != 0 && field->size() == raw) *field = arena_.keep(hex(*field));
    }

    std::optional<std::uint64_t> read_size() {
        const auto number = read_integer();
        return number && *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
    }

    void read_noarch(RecordView& record) {
        if (const auto flag = in_.boolean())
            record.noarch = *flag ? Noarch::generic : Noarch::none;
        else if (std::string_view text; read_text(text))
            record.noarch = noarch_of(text);
    }

    void read_features(std::string_view& features) {
        std::span<const std::string_view> items;
        std::string_view text;
        if (in_.peek() == MsgpackReader::Kind::text ? read_text(text) : read_list(items))
            features = arena_.keep(blank_separated(text.empty() ? items : std::span<const std::string_view>(&text, 1)));
    }

    /// Passes over what is something else.
    bool read_text(std::string_view& out) {
        const auto text = in_.text();
        if (text)
            out = *text;
        else
            in_.skip();
        return text.has_value();
    }

    std::optional<std::int64_t> read_integer() {
        if (const auto number = in_.integer()) return number;
        std::string_view text;
        std::int64_t number = 0;
        if (!read_text(text)) return std::nullopt;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
        return number;
    }

    bool read_list(std::span<const std::string_view>& out) {
        out = {};
        if (in_.peek() == MsgpackReader::Kind::nil) return in_.skip();
        const auto count = in_.array();
        if (!count) {
            in_.skip();
            return false;
        }
        items_.clear();
        bool good = true;
        for (std::uint32_t i = 0; i < *count && !in_.broken(); ++i) good = read_text(items_.emplace_back()) && good;
        out = arena_.keep(std::span<const std::string_view>(items_));
        return good;
    }

    MsgpackReader in_;
    std::string_view name_;
    bool use_only_tar_bz2_;
    Arena arena_;
    BlockWriter writer_;
    std::vector<std::string_view> items_;
};

void read_info(MsgpackReader& in, ShardIndex& index) {
    const auto count = in.map();
    if (!count) {
        in.skip();
        return;
    }
    for (std::uint32_t i = 0; i < *count && !in.broken(); ++i) {
        const auto key = in.text();
        std::string* const target = !key                        ? nullptr
                                    : *key == "base_url"        ? &index.info.base_url
                                    : *key == "shards_base_url" ? &index.shards_base_url
                                    : *key == "subdir"          ? &index.info.subdir
                                                                : nullptr;
        const auto text = key && target != nullptr ? in.text() : std::nullopt;
        if (text)
            target->assign(*text);
        else
            in.skip();
    }
}

void read_shards(MsgpackReader& in, ShardIndex& index) {
    const auto count = in.map();
    if (!count) {
        in.skip();
        return;
    }
    for (std::uint32_t i = 0; i < *count && !in.broken(); ++i) {
        const auto name = in.text();
        const auto hash = in.text();
        if (!name || !hash) continue;
        Arena arena;
        const bool is_hex =
            hash->size() == sha256_bytes * 2 && hash->find_first_not_of("0123456789abcdef") == std::string_view::npos;
        if (hash->size() == sha256_bytes || is_hex)
            index.shards.insert_or_assign(std::string(lower_case(*name, arena)),
                                          is_hex ? std::string(*hash) : hex(*hash));
    }
}

} // namespace

Result<ShardIndex> parse_shard_index(std::string_view zst) {
    TAIPAN_TRY(const std::string bytes, decompress_zst(zst, shard_index_limit));
    return parse_shard_index_content(bytes);
}

Result<ShardIndex> parse_shard_index_content(std::string_view bytes) {
    const auto no_index = [](const char* why) {
        return make_error(ErrorCode::parse, std::string("is no index of shards: ") + why);
    };
    ShardIndex index;
    MsgpackReader in(bytes);
    const auto count = in.map();
    if (!count) return no_index("it is not a MessagePack map");
    bool has_shards = false;
    for (std::uint32_t i = 0; i < *count && !in.broken(); ++i) {
        const auto key = in.text();
        if (key && *key == "info") {
            read_info(in, index);
        } else if (key && *key == "shards") {
            has_shards = in.peek() == MsgpackReader::Kind::map;
            read_shards(in, index);
        } else if (key && *key == "version") {
            if (const auto version = in.integer(); version && *version > 1) return no_index("it is of a newer version");
        } else {
            in.skip();
        }
    }
    if (in.broken() || !in.at_end()) return no_index("its MessagePack is broken");
    if (!has_shards) return no_index("it has no shards");
    return index;
}

Result<std::string> index_of_shard(std::string_view zst, std::string_view name, std::string_view sha256,
                                   const IndexInfo& info, bool use_only_tar_bz2) {
    if (const auto actual = sha256_hex(zst); actual != sha256)
        return make_error(ErrorCode::checksum_mismatch, "has another sha256 (" + actual + ") than its index says");
    TAIPAN_TRY(const std::string bytes, decompress_zst(zst, shard_limit));
    return index_of_shard_content(bytes, name, sha256, info, use_only_tar_bz2);
}

Result<std::string> index_of_shard_content(std::string_view bytes, std::string_view name, std::string_view sha256,
                                           const IndexInfo& info, bool use_only_tar_bz2) {
    ParsedBatch conda, tar_bz2;
    tar_bz2.section = Section::tar_bz2;
    if (!ShardReader(bytes, name, use_only_tar_bz2).read(conda, tar_bz2))
        return make_error(ErrorCode::parse, "is no shard: its MessagePack is broken");
    MemoryStore store;
    IndexBuilder builder(store);
    builder.set_info(info);
    TAIPAN_CHECK(builder.add(conda));
    TAIPAN_CHECK(builder.add(tar_bz2));
    TAIPAN_CHECK(builder.seal({std::string(sha256), 0, 0}));
    return store.take();
}

} // namespace taipan::repodata
