// The documents of a channel's subdir, made from its packages.
//
// They must be the same bytes for the same packages, whoever makes them and with how many threads: everything is
// sorted, nothing depends on the clock. A shard is named after its content, so a package that did not change leaves
// its shard alone, and clients that have it need not fetch it again.
#include "repodata/channel_documents.hpp"

#include <functional>

#include <simdjson.h>

#include "base/digest.hpp"
#include "model/record.hpp"
#include "repodata/msgpack_writer.hpp"
#include "repodata/zstd_compress.hpp"

namespace taipan {
namespace {

namespace dom = simdjson::dom;

/// Shards are small and many: a high level gains little and costs much.
constexpr int shard_level = 9;

bool is_conda(std::string_view fn) { return fn.ends_with(".conda"); }

/// "packages" or "packages.conda": one line a file, `append` writes what belongs to it.
void append_section(std::string& out, std::string_view title, const ChannelPackages& packages, bool conda,
                    const std::function<void(const ChannelPackage&)>& append) {
    out += json_string(title) + ":{";
    bool any = false;
    for (const auto& [fn, package] : packages) {
        if (is_conda(fn) != conda) continue;
        out += any ? ",\n" : "\n";
        any = true;
        out += json_string(fn) + ':';
        append(package);
    }
    out += any ? "\n}" : "}";
}

std::string base_url_of(const ChannelSubdir& subdir) {
    if (subdir.base_url.empty()) return {};
    std::string url = subdir.base_url;
    while (url.ends_with('/')) url.pop_back();
    return url + '/' + subdir.subdir + '/';
}

void write_value(MsgpackWriter& out, dom::element value) {
    switch (value.type()) {
    case dom::element_type::OBJECT: {
        const dom::object object = value.get_object().value_unsafe();
        out.map(object.size());
        for (const auto field : object) {
            out.text(field.key);
            write_value(out, field.value);
        }
        break;
    }
    case dom::element_type::ARRAY: {
        const dom::array items = value.get_array().value_unsafe();
        out.array(items.size());
        for (const auto item : items) write_value(out, item);
        break;
    }
    case dom::element_type::STRING: out.text(value.get_string().value_unsafe()); break;
    case dom::element_type::INT64: out.integer(value.get_int64().value_unsafe()); break;
    case dom::element_type::UINT64: out.unsigned_integer(value.get_uint64().value_unsafe()); break;
    case dom::element_type::DOUBLE: out.real(value.get_double().value_unsafe()); break;
    case dom::element_type::BOOL: out.boolean(value.get_bool().value_unsafe()); break;
    case dom::element_type::NULL_VALUE: out.nil(); break;
    }
}

int hex_digit(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
}

/// The bytes that a hex text stands for; empty when it is none.
std::string from_hex(std::string_view hex) {
    std::string bytes;
    if (hex.size() % 2 != 0) return bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0) return {};
        bytes += static_cast<char>(static_cast<unsigned char>(high * 16 + low));
    }
    return bytes;
}

Result<void> write_record(MsgpackWriter& out, dom::parser& parser, const ChannelPackage& package) {
    out.text(package.fn);
    JsonFields fields = package.record;
    fields.insert_or_assign("run_exports", package.run_exports);
    out.map(fields.size());
    for (const auto& [key, json] : fields) {
        dom::element value;
        if (parser.parse(json.data(), json.size()).get(value) != simdjson::SUCCESS)
            return make_error(ErrorCode::parse,
                              "the value of " + key + " in the record of " + package.fn + " is broken");
        out.text(key);
        const bool digest = (key == "md5" || key == "sha256") && value.is_string();
        const std::string bytes = digest ? from_hex(value.get_string().value_unsafe()) : std::string();
        if (bytes.empty())
            write_value(out, value);
        else
            out.binary(bytes);
    }
    return {};
}

} // namespace

std::string repodata_document(const ChannelSubdir& subdir) {
    std::string out = R"({"info":{)";
    const std::string base_url = base_url_of(subdir);
    if (!base_url.empty()) out += R"("base_url":)" + json_string(base_url) + ',';
    out += R"("subdir":)" + json_string(subdir.subdir) + "},\n";
    const auto append = [&](const ChannelPackage& package) { append_json(out, package.record); };
    append_section(out, "packages", subdir.packages, false, append);
    out += ",\n";
    append_section(out, "packages.conda", subdir.packages, true, append);
    out += ",\n\"removed\":[";
    bool any = false;
    for (const auto& fn : subdir.removed) {
        out += (any ? "," : "") + json_string(fn);
        any = true;
    }
    return out + "],\n\"repodata_version\":" + (base_url.empty() ? "1" : "2") + "}\n";
}

std::string run_exports_document(const ChannelSubdir& subdir) {
    std::string out = R"({"info":{"subdir":)" + json_string(subdir.subdir) + R"(,"version":1},)" + "\n";
    const auto append = [&](const ChannelPackage& package) { out += R"({"run_exports":)" + package.run_exports + '}'; };
    append_section(out, "packages", subdir.packages, false, append);
    out += ",\n";
    append_section(out, "packages.conda", subdir.packages, true, append);
    return out + "}\n";
}

std::vector<std::string> shard_names(const ChannelSubdir& subdir) {
    std::set<std::string> names;
    for (const auto& [fn, package] : subdir.packages) names.insert(package.name);
    return {names.begin(), names.end()};
}

Result<ShardDocument> make_shard(const ChannelSubdir& subdir, std::string_view name) {
    // Files of one name are neighbours, but not alone: a-1-0 and a-b-1-0.
    std::vector<const ChannelPackage*> archives, condas;
    const std::string prefix = std::string(name) + '-';
    for (auto at = subdir.packages.lower_bound(prefix); at != subdir.packages.end(); ++at) {
        if (!at->first.starts_with(prefix)) break;
        if (at->second.name == name) (is_conda(at->first) ? condas : archives).push_back(&at->second);
    }
    std::vector<std::string_view> removed;
    for (const auto& fn : subdir.removed)
        if (const auto parts = split_package_filename(fn); parts && parts->name == name) removed.push_back(fn);

    MsgpackWriter out;
    dom::parser parser;
    out.map(3);
    for (const auto& [title, list] : {std::pair("packages", &archives), std::pair("packages.conda", &condas)}) {
        out.text(title);
        out.map(list->size());
        for (const ChannelPackage* package : *list) TAIPAN_CHECK(write_record(out, parser, *package));
    }
    out.text("removed");
    out.array(removed.size());
    for (const auto fn : removed) out.text(fn);

    ShardDocument shard;
    shard.name = name;
    TAIPAN_TRY(shard.content, compress_zst(out.take(), shard_level));
    shard.sha256 = sha256_hex(shard.content);
    return shard;
}

Result<std::string> shard_index_document(const ChannelSubdir& subdir, const std::vector<ShardDocument>& shards,
                                         std::string_view created_at) {
    MsgpackWriter out;
    out.map(3);
    out.text("info");
    out.map(4);
    out.text("base_url");
    out.text(base_url_of(subdir));
    out.text("created_at");
    out.text(created_at);
    out.text("shards_base_url");
    out.text("./" + std::string(shards_folder) + '/');
    out.text("subdir");
    out.text(subdir.subdir);
    out.text("shards");
    out.map(shards.size());
    for (const auto& shard : shards) {
        out.text(shard.name);
        out.binary(from_hex(shard.sha256));
    }
    out.text("version");
    out.integer(1);
    return compress_zst(out.take(), shard_level);
}

} // namespace taipan
