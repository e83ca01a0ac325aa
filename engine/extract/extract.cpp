// From the bytes of an archive to a tree on disk.
//
// Problem: this is where a cold install spends its time, on input that nobody vouches for.
// Approach: one pass. The archive is a chain of sources (input -> decoder -> tar), the loop below moves each
// member to the writers piece by piece, straight from the decoder's buffer, and keeps a copy of the few texts
// that later stages want. Sources that fill while the loop runs and decoders that use several threads are behind
// ByteSource, several threads that write behind TreeWriters.
// What must hold: no path is used before clean_member_path accepted it; the texts handed out equal the files on
// disk, so they are read back in the odd case that a member could have changed one behind our back (hard links,
// members written through symlinks); a package without info/index.json is no package.

#include "extract/extract.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "extract/bzip2_stream.hpp"
#include "extract/conda_zip.hpp"
#include "extract/safe_path.hpp"
#include "extract/tar_reader.hpp"
#include "extract/tree_writers.hpp"
#include "extract/zstd_stream.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t most_members = 10'000'000;
constexpr std::uint64_t largest_text = std::uint64_t{256} << 20;

struct CaughtText {
    std::string_view path;
    std::string PackageInfo::*text;
};
constexpr std::array<CaughtText, 7> caught_texts{{
    {"info/index.json", &PackageInfo::index_json},
    {"info/paths.json", &PackageInfo::paths_json},
    {"info/link.json", &PackageInfo::link_json},
    {"info/files", &PackageInfo::files},
    {"info/has_prefix", &PackageInfo::has_prefix},
    {"info/no_link", &PackageInfo::no_link},
    {"info/no_softlink", &PackageInfo::no_softlink},
}};

std::string* caught_text(PackageInfo& info, std::string_view path) {
    if (!path.starts_with("info/")) return nullptr;
    for (const auto& [name, text] : caught_texts) {
        if (path == name) return &(info.*text);
    }
    return nullptr;
}

} // namespace

struct ExtractContext::State {
    ZstdStream zstd;
    Bzip2Stream bzip2;
    std::size_t directory_handles = 0;
};

/// One extraction.
class Unpacker {
public:
    Unpacker(ExtractContext& context, int destination, const std::atomic<bool>& cancelled, TaskRunner* helpers,
             bool share_writing)
        : context_(*context.state_),
          writer_(destination, context.state_->directory_handles, share_writing ? helpers : nullptr),
          cancelled_(cancelled),
          helpers_(helpers) {}

    Result<void> unpack_conda(ByteInput& archive);
    Result<void> unpack_arriving_conda(ByteInput& archive);
    Result<void> unpack_tar_bz2(ByteInput& archive);
    Result<void> unpack_tree(ByteInput& archive, std::string_view below);
    /// What became of it, after `unpacked`.
    Result<ExtractedPackage> finish(const Result<void>& unpacked);

private:
    Result<void> unpack_package(ByteInput& archive, ByteRange range);
    Result<void> unpack_info(ByteInput& archive, ByteRange range);
    Result<void> unpack_zstd(ByteInput& archive, ByteRange range);
    Result<void> unpack_tar(ByteSource& source);
    Result<void> take_from_below(std::string& path) const;
    Result<void> place(TarReader& reader, const TarMember& member);
    Result<void> place_file(TarReader& reader, const TarMember& member);
    Result<void> place_link(const TarMember& member);
    [[nodiscard]] bool stopped() const { return cancelled_.load(std::memory_order_relaxed); }

    ExtractContext::State& context_;
    TreeWriters writer_;
    const std::atomic<bool>& cancelled_;
    TaskRunner* helpers_; ///< may be null
    ExtractedPackage package_;
    std::uint64_t members_ = 0;
    std::string_view below_; ///< the directory that all members lie in; empty: none
    bool is_package_ = true;
    bool read_texts_back_ = false;
    bool symlinks_ = false;     ///< there are some
    bool contained_ = true;     ///< they all stay inside, as long as no member was written through one
    std::string path_, target_; // of the present member; kept to keep their memory
};

Result<void> Unpacker::unpack_package(ByteInput& archive, ByteRange range) {
    return unpack_zstd(archive, range).context("in its pkg-*.tar.zst");
}

Result<void> Unpacker::unpack_info(ByteInput& archive, ByteRange range) {
    return unpack_zstd(archive, range).context("in its info-*.tar.zst");
}

Result<void> Unpacker::unpack_conda(ByteInput& archive) {
    TAIPAN_TRY(const auto parts, open_conda_archive(archive));
    TAIPAN_CHECK(unpack_package(archive, parts.package));
    return unpack_info(archive, parts.info);
}

/// Follows the local headers, since the central directory comes last. It has the last word all the same: what was
/// unpacked must be what it names.
Result<void> Unpacker::unpack_arriving_conda(ByteInput& archive) {
    std::optional<ByteRange> package, info;
    for (std::uint64_t offset = 0; !package || !info;) {
        TAIPAN_TRY(const auto member, zip_member_at(archive, offset));
        if (!member) break;
        offset = member->content.offset + member->content.size;
        switch (conda_member(member->name)) {
        case CondaMember::package:
            if (package) break;
            package = member->content;
            TAIPAN_CHECK(unpack_package(archive, *package));
            break;
        case CondaMember::info: info = member->content; break;
        case CondaMember::metadata:
        case CondaMember::other: break;
        }
    }
    TAIPAN_TRY(const auto parts, open_conda_archive(archive));
    if (!package || !info || parts != CondaArchive{*package, *info}) {
        return make_error(ErrorCode::corrupt_package, "the .conda archive is not in the order of its members");
    }
    return unpack_info(archive, *info);
}

Result<void> Unpacker::unpack_zstd(ByteInput& archive, ByteRange range) {
    RangeSource compressed(archive, range.offset, range.size);
    TAIPAN_CHECK(context_.zstd.start(compressed));
    return unpack_tar(context_.zstd);
}

Result<void> Unpacker::unpack_tar_bz2(ByteInput& archive) {
    RangeSource compressed(archive, 0, archive.size());
    TAIPAN_CHECK(context_.bzip2.start(compressed, helpers_));
    auto unpacked = unpack_tar(context_.bzip2);
    context_.bzip2.stop(); // it must not outlive the input
    return unpacked;
}

Result<void> Unpacker::unpack_tree(ByteInput& archive, std::string_view below) {
    below_ = below;
    is_package_ = false;
    return unpack_zstd(archive, {0, archive.size()});
}

/// Makes a clean path relative to the directory that all members are to lie in.
Result<void> Unpacker::take_from_below(std::string& path) const {
    if (below_.empty()) return {};
    if (!path.starts_with(below_) || (path.size() > below_.size() && path[below_.size()] != '/')) {
        return make_error(ErrorCode::corrupt_package,
                          "the archive has a member outside of " + printable(below_) + ": " + printable(path));
    }
    path.erase(0, std::min(path.size(), below_.size() + 1));
    return {};
}

Result<void> Unpacker::unpack_tar(ByteSource& source) {
    TAIPAN_TRY(auto reader, TarReader::open(source));
    TarMember member;
    path_.clear();
    while (true) {
        if (stopped()) return make_error(ErrorCode::cancelled, "the extraction was cancelled");
        auto more = reader.next(member);
        if (!more) {
            auto step = path_.empty() ? std::string("before its first member") : "after member " + printable(path_);
            return std::move(more).context(std::move(step)).error();
        }
        if (!*more) return {};
        if (++members_ > most_members) {
            return make_error(ErrorCode::corrupt_package, "the archive has more than 10 million members");
        }
        TAIPAN_CHECK(clean_member_path(member.path, path_));
        TAIPAN_CHECK(take_from_below(path_));
        if (auto placed = place(reader, member); !placed) {
            return std::move(placed).context("in member " + printable(path_)).error();
        }
    }
}

Result<void> Unpacker::place(TarReader& reader, const TarMember& member) {
    if (member.kind == TarMember::Kind::directory) return writer_.create_directory(path_);
    if (path_.empty()) {
        return make_error(ErrorCode::corrupt_package, "the archive has a member that is no directory in place of "
                                                      "its root");
    }
    switch (member.kind) {
    case TarMember::Kind::file: return place_file(reader, member);
    case TarMember::Kind::symlink:
    case TarMember::Kind::hardlink: return place_link(member);
    case TarMember::Kind::directory:
    case TarMember::Kind::other: break; // devices and pipes have no business in a package
    }
    return {};
}

Result<void> Unpacker::place_file(TarReader& reader, const TarMember& member) {
    TAIPAN_CHECK(writer_.begin_file(path_, member.mode));
    std::string* const text = caught_text(package_.info, path_);
    if (text != nullptr) {
        text->clear();
        if (member.size > largest_text) {
            return make_error(ErrorCode::corrupt_package, "the archive has unreasonably large metadata");
        }
    }
    TarPiece piece;
    while (true) {
        if (stopped()) return make_error(ErrorCode::cancelled, "the extraction was cancelled");
        TAIPAN_TRY(const bool more, reader.next_piece(piece));
        if (!more) break;
        TAIPAN_CHECK(writer_.write(piece.bytes, piece.offset));
        package_.bytes += piece.bytes.size();
        if (text == nullptr) continue;
        if (piece.offset > member.size || piece.bytes.size() > member.size - piece.offset) {
            return make_error(ErrorCode::corrupt_package, "the archive has more content than it says");
        }
        text->resize(static_cast<std::size_t>(piece.offset), '\0'); // a hole reads as zeros
        text->append(piece.bytes);
    }
    if (text != nullptr) text->resize(static_cast<std::size_t>(member.size), '\0');
    ++package_.files;
    return writer_.end_file(member.size, member.modified);
}

Result<void> Unpacker::place_link(const TarMember& member) {
    // A text that arrives as a link, or a text that a link may share, is settled at the end.
    read_texts_back_ = read_texts_back_ || path_.starts_with("info/");
    ++package_.files;
    if (member.kind == TarMember::Kind::symlink) {
        target_.assign(member.target);
        symlinks_ = true;
        contained_ = contained_ && link_stays_inside(path_, target_);
        return writer_.create_symlink(path_, target_);
    }
    TAIPAN_CHECK(clean_member_path(member.target, target_).context("in the target of hard link " + printable(path_)));
    TAIPAN_CHECK(take_from_below(target_));
    if (target_.empty()) {
        return make_error(ErrorCode::corrupt_package, "the archive has a hard link to its root: " + printable(path_));
    }
    // A second name of a symlink: nearer to the root the same text may lead out.
    const auto depth = [](const std::string& path) { return std::count(path.begin(), path.end(), '/'); };
    contained_ = contained_ && (!symlinks_ || depth(path_) >= depth(target_));
    return writer_.create_hardlink(path_, target_);
}

Result<ExtractedPackage> Unpacker::finish(const Result<void>& unpacked) {
    if (stopped()) return make_error(ErrorCode::cancelled, "the extraction was cancelled");
    TAIPAN_CHECK(writer_.finish()); // an earlier member's failure is the reason for whatever came later
    if (!unpacked) return unpacked.error();
    if (read_texts_back_ || writer_.used_links()) {
        for (const auto& [path, text] : caught_texts) {
            TAIPAN_TRY(package_.info.*text, writer_.read_text(std::string(path), largest_text));
        }
    }
    if (is_package_ && package_.info.index_json.empty()) {
        return make_error(ErrorCode::corrupt_package, "the archive has no info/index.json, so it is no conda package");
    }
    package_.contained = contained_ && !writer_.used_links();
    return std::move(package_);
}

ExtractContext::ExtractContext(std::size_t directory_handles) : state_(std::make_unique<State>()) {
    state_->directory_handles = directory_handles;
}
ExtractContext::ExtractContext(ExtractContext&&) noexcept = default;
ExtractContext& ExtractContext::operator=(ExtractContext&&) noexcept = default;
ExtractContext::~ExtractContext() = default;

std::optional<ArchiveFormat> archive_format(std::string_view filename) {
    if (filename.ends_with(".tar.bz2")) return ArchiveFormat::tar_bz2;
    if (filename.ends_with(".conda")) return ArchiveFormat::conda;
    return std::nullopt;
}

Result<ExtractedPackage> extract_package(ExtractContext& context, ByteInput& archive, ArchiveFormat format,
                                         int destination_fd, const std::atomic<bool>& cancelled,
                                         ExtractOptions options) {
    Unpacker unpacker(context, destination_fd, cancelled, options.helpers, archive.size() >= options.share_from);
    const auto unpacked = format == ArchiveFormat::tar_bz2 ? unpacker.unpack_tar_bz2(archive)
                          : options.still_arriving         ? unpacker.unpack_arriving_conda(archive)
                                                           : unpacker.unpack_conda(archive);
    return unpacker.finish(unpacked);
}

Result<ExtractedPackage> extract_tree(ExtractContext& context, ByteInput& archive, std::string_view below,
                                      int destination_fd, const std::atomic<bool>& cancelled, ExtractOptions options) {
    Unpacker unpacker(context, destination_fd, cancelled, options.helpers, archive.size() >= options.share_from);
    const auto unpacked = unpacker.unpack_tree(archive, below);
    return unpacker.finish(unpacked);
}

Result<SingleFile> extract_single_file(ByteInput& archive, std::string_view path, std::uint64_t limit,
                                       const std::function<Result<void>(std::string_view piece)>& take) {
    RangeSource compressed(archive, 0, archive.size());
    ZstdStream text;
    TAIPAN_CHECK(text.start(compressed));
    TAIPAN_TRY(auto reader, TarReader::open(text));
    TarMember member;
    TAIPAN_TRY(const bool any, reader.next(member));
    if (!any || member.kind != TarMember::Kind::file || member.path != path) {
        return make_error(ErrorCode::corrupt_package, "the file " + printable(path) + " is not where it should be");
    }
    if (member.size > limit) {
        return make_error(ErrorCode::corrupt_package, "the file " + printable(path) + " is unreasonably large");
    }
    const SingleFile file{member.size, member.modified};
    std::uint64_t taken = 0;
    TarPiece piece;
    while (true) {
        TAIPAN_TRY(const bool more, reader.next_piece(piece));
        if (!more) break;
        if (piece.offset != taken || piece.bytes.size() > file.size - taken) {
            return make_error(ErrorCode::corrupt_package, "the file " + printable(path) + " has gaps");
        }
        TAIPAN_CHECK(take(piece.bytes));
        taken += piece.bytes.size();
    }
    if (taken == file.size) return file;
    return make_error(ErrorCode::corrupt_package, "the file " + printable(path) + " is cut short");
}

} // namespace taipan
