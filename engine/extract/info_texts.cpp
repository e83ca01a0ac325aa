// What a package says of itself, read from the archive alone: what indexing a channel needs of thousands of packages.
//
// The payload is the large part, so it is not touched where that can be helped. In a .tar.bz2 nothing tells where info/
// lies; builders write it first, so the reading ends at the first other member after info/index.json.

#include "extract/info_texts.hpp"

#include <array>

#include "extract/bzip2_stream.hpp"
#include "extract/conda_zip.hpp"
#include "extract/safe_path.hpp"
#include "extract/tar_reader.hpp"
#include "extract/zstd_stream.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t largest_text = std::uint64_t{64} << 20;

struct WantedText {
    std::string_view path;
    std::string InfoTexts::*text;
};
constexpr std::array<WantedText, 2> wanted_texts{{
    {"info/index.json", &InfoTexts::index_json},
    {"info/run_exports.json", &InfoTexts::run_exports_json},
}};

Result<void> read_text(TarReader& reader, const TarMember& member, std::string& text) {
    text.clear();
    TarPiece piece;
    while (true) {
        TAIPAN_TRY(const bool more, reader.next_piece(piece));
        if (!more) return {};
        if (piece.offset + piece.bytes.size() > std::min(member.size, largest_text)) {
            return make_error(ErrorCode::corrupt_package, "the archive has unreasonably large metadata");
        }
        text.resize(static_cast<std::size_t>(piece.offset), '\0'); // a hole reads as zeros
        text.append(piece.bytes);
    }
}

Result<InfoTexts> read_tar(ByteSource& source) {
    InfoTexts texts;
    TAIPAN_TRY(auto reader, TarReader::open(source));
    TarMember member;
    std::string path;
    while (true) {
        TAIPAN_TRY(const bool more, reader.next(member));
        if (!more) break;
        TAIPAN_CHECK(clean_member_path(member.path, path));
        const bool is_info = path == "info" || path.starts_with("info/");
        if (!is_info && !texts.index_json.empty()) break;
        if (member.kind != TarMember::Kind::file) continue;
        for (const auto& wanted : wanted_texts) {
            if (path == wanted.path) TAIPAN_CHECK(read_text(reader, member, texts.*wanted.text));
        }
    }
    if (texts.index_json.empty()) {
        return make_error(ErrorCode::corrupt_package, "the archive has no info/index.json, so it is no conda package");
    }
    return texts;
}

} // namespace

Result<InfoTexts> read_info_texts(ByteInput& archive, ArchiveFormat format) {
    if (format == ArchiveFormat::tar_bz2) {
        RangeSource compressed(archive, 0, archive.size());
        Bzip2Stream stream;
        TAIPAN_CHECK(stream.start(compressed));
        return read_tar(stream);
    }
    TAIPAN_TRY(const auto parts, open_conda_archive(archive));
    RangeSource compressed(archive, parts.info.offset, parts.info.size);
    ZstdStream stream;
    TAIPAN_CHECK(stream.start(compressed));
    return read_tar(stream);
}

} // namespace taipan
