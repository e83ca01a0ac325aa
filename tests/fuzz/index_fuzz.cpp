// Bytes from the cache and from servers that are read in place: the index file, its name blocks, a shard, the index of
// shards, the members of a repodata.json. For the checksums not to end every run at the first byte, those of a mutated
// index file are put right first.
//
// What must never happen: a crash, a text that lies outside of what was given, or JSON that the short way of reading
// members understands in another way than the JSON library.

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "fuzz/fuzz_target.hpp"
#include "repodata/batch_parser.hpp"
#include "repodata/checksum.hpp"
#include "repodata/index_file.hpp"
#include "repodata/index_format.hpp"
#include "repodata/msgpack.hpp"
#include "repodata/shard.hpp"
#include "repodata/subdir_index.hpp"
#include "unit/repodata/batch.hpp"
#include "unit/repodata/index_samples.hpp"

using namespace taipan;
using namespace taipan::repodata;

namespace {

/// Puts right what a checksum covers, as somebody would who means harm.
void correct_checksums(std::string& bytes) {
    IndexHeader header;
    if (bytes.size() < sizeof header) return;
    std::memcpy(&header, bytes.data(), sizeof header);
    header.magic = index_magic;
    header.version = index_version;
    header.byte_order = index_byte_order;
    header.file_size = bytes.size();
    const std::size_t names = std::size_t{header.names} * sizeof(NameEntry);
    if (header.names_place <= bytes.size() && names <= bytes.size() - header.names_place) {
        char* at = bytes.data() + header.names_place + names;
        for (std::uint32_t i = 0; i < header.blocks; ++i, at += sizeof(BlockEntry)) {
            BlockEntry block;
            if (at + sizeof block > bytes.data() + bytes.size()) break;
            std::memcpy(&block, at, sizeof block);
            if (block.place > bytes.size() || block.size > bytes.size() - block.place) continue;
            block.checksum = checksum(std::string_view(bytes).substr(block.place, block.size));
            std::memcpy(at, &block, sizeof block);
        }
        header.names_checksum = checksum(std::string_view(bytes).substr(header.names_place));
    }
    std::memcpy(bytes.data(), &header, sizeof header);
    header.checksum = checksum(std::string_view(bytes).substr(0, offsetof(IndexHeader, checksum)));
    std::memcpy(bytes.data(), &header, sizeof header);
}

void read_index(std::string bytes) {
    correct_checksums(bytes);
    auto file = IndexFile::of_bytes(std::move(bytes));
    if (!file) return;
    Channel channel;
    channel.base_url = "https://example.org/c";
    const SubdirIndex index(std::move(*file), channel, "linux-64");
    std::size_t touched = 0;
    for (const auto name : index.names()) {
        if (const auto records = index.records(name))
            for (const auto& record : *records) touched += record.version.size() + record.depends.size();
        if (const auto needed = index.needed_names(name)) touched += needed->size();
    }
    if (touched == ~std::size_t{0}) std::abort();
}

void read_members(std::string_view text) {
    const auto plain = BatchParser().parse(batch_of(text));
    const auto whole = BatchParser(false).parse(batch_of(text));
    simdjson::dom::parser parser;
    simdjson::dom::element element;
    if (parser.parse(text.data(), text.size()).get(element) != simdjson::SUCCESS) return;
    if (static_cast<bool>(plain) != static_cast<bool>(whole)) std::abort();
    if (plain && (plain->blocks != whole->blocks || plain->names != whole->names || plain->broken != whole->broken ||
                  plain->skipped != whole->skipped))
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 5) {
    case 0: read_index(std::string(bytes)); break;
    case 1: static_cast<void>(index_of_shard_content(bytes, "x", "hash", {}, false)); break;
    case 2: static_cast<void>(parse_shard_index_content(bytes)); break;
    case 3: read_members(bytes); break;
    default: {
        MsgpackReader reader(bytes);
        while (!reader.at_end() && reader.skip()) {
        }
    }
    }
    return 0;
}

std::vector<std::string> fuzz_seeds() {
    const std::string hash(32, 'h');
    const std::string record = "\x84\xa4name\xa1x\xa7version\xa3"
                               "1.0\xa5"
                               "build\xa1"
                               "0\xa7"
                               "depends\x91\xa4"
                               "b >1";
    const std::string shard =
        "\x82\xa8packages\x81\xaex-1.0-0.tar.bz2" + record + "\xaepackages.conda\x81\xabx-1.0-0.conda" + record;
    const std::string index = "\x83\xa7version\x01\xa4info\x81\xa8"
                              "base_url\xa0\xa6shards\x81\xa1x\xc4\x20" +
                              hash;
    const std::string members =
        R"({"x-1.0-0.conda": {"name": "x", "version": "1.0", "build": "0", "build_number": 0, "depends": ["b >1"], )"
        R"("size": 7, "timestamp": 1700000000, "license": "MIT", "x": null}, "x-1.1-0.conda": {"name": "x", )"
        R"("version": "1.1", "build": "0", "build_number": "0", "depends": ["b >1", "c"], "y": {"z": "}"}}})";
    return {std::string(1, '\0') + test::index_bytes(test::sample_repodata(20), {.url = "u"}), "\x01" + shard,
            "\x02" + index, "\x04" + index, "\x03" + members};
}
