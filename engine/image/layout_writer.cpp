#include "image/layout_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>

#include <dirent.h>
#include <fcntl.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/filesystem.hpp"
#include "image/tar_stream.hpp"

namespace taipan {

namespace {

constexpr std::string_view layout_text = R"({"imageLayoutVersion": "1.0.0"})";
constexpr std::size_t piece_size = std::size_t{1} << 20U;

using Sink = std::function<Result<void>(std::string_view)>;

Error damaged(const ImageBlob& blob) {
    return make_error(ErrorCode::checksum_mismatch, blob.file + ": the blob sha256:" + blob.sha256 +
                                                        " has another content than its name says; get the image again");
}

/// All bytes of a blob into the sink, in pieces.
Result<void> read_blob(const ImageBlob& blob, const Sink& sink) {
    if (blob.file.empty()) return sink(blob.bytes);
    const UniqueFd fd(::open(blob.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return system_error(errno, "cannot open", blob.file);
    std::string piece(piece_size, '\0');
    for (std::uint64_t done = 0; done < blob.size;) {
        const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), blob.size - done));
        const ssize_t count = ::pread(fd.get(), piece.data(), wanted, static_cast<off_t>(blob.offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error(errno, "cannot read", blob.file);
        if (count == 0) return make_error(ErrorCode::io, blob.file + " became shorter while it was read");
        TAIPAN_CHECK(sink(std::string_view(piece).substr(0, static_cast<std::size_t>(count))));
        done += static_cast<std::uint64_t>(count);
    }
    return {};
}

/// The same, with the digest of a foreign one compared.
Result<void> copy_blob(const ImageBlob& blob, const Sink& sink) {
    if (!blob.foreign) return read_blob(blob, sink);
    Digest digest(Digest::Kind::sha256);
    TAIPAN_CHECK(read_blob(blob, [&](std::string_view piece) {
        digest.update(piece);
        return sink(piece);
    }));
    if (digest.finish_hex() != blob.sha256) return damaged(blob);
    return {};
}

Result<void> check_foreign(const ImageBlob& blob) {
    return copy_blob(blob, [](std::string_view) { return Result<void>(); });
}

Result<void> place_blob(const ImageBlob& blob, const std::string& path) {
    if (blob.whole_file && ::link(blob.file.c_str(), path.c_str()) == 0) {
        return blob.foreign ? check_foreign(blob) : Result<void>();
    }
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd) return system_error(errno, "cannot create", path);
    return copy_blob(blob, [&](std::string_view piece) { return write_all(fd.get(), piece, path); });
}

/// By digest, each once.
std::map<std::string, const ImageBlob*> distinct(const std::vector<ImageBlob>& blobs) {
    std::map<std::string, const ImageBlob*> result;
    for (const ImageBlob& blob : blobs) result.emplace(blob.sha256, &blob);
    return result;
}

bool is_empty(const std::string& path) {
    DIR* const stream = ::opendir(path.c_str());
    if (stream == nullptr) return false;
    bool empty = true;
    while (const dirent* entry = ::readdir(stream)) { // NOLINT(concurrency-mt-unsafe): own stream
        const std::string_view name = entry->d_name;
        empty = empty && (name == "." || name == "..");
    }
    ::closedir(stream);
    return empty;
}

/// How many images a layout has; 0: it is none.
std::size_t images_of(const std::string& path) {
    if (!exists(path + "/oci-layout")) return 0;
    const auto index = read_file(path + "/index.json", std::uint64_t{16} << 20U);
    simdjson::dom::parser parser;
    simdjson::dom::element top;
    simdjson::dom::array manifests;
    if (!index || parser.parse(*index).get(top) != simdjson::SUCCESS ||
        top["manifests"].get(manifests) != simdjson::SUCCESS) {
        return 0;
    }
    return manifests.size();
}

TarItem archive_item(TarItem::Kind kind, std::string path) {
    TarItem item;
    item.kind = kind;
    item.path = std::move(path);
    item.mode = kind == TarItem::Kind::directory ? 0755 : 0644;
    return item;
}

Result<void> append_blob(AtomicFile& file, const ImageBlob& blob) {
    TarItem item = archive_item(TarItem::Kind::file, blob_path(blob.sha256));
    item.size = blob.size;
    TAIPAN_CHECK(file.write(layer_tar_header(item)));
    TAIPAN_CHECK(copy_blob(blob, [&](std::string_view piece) { return file.write(piece); }));
    return file.write(std::string(tar_padding(blob.size), '\0'));
}

Result<void> append_document(AtomicFile& file, const std::string& name, std::string_view text) {
    TarItem item = archive_item(TarItem::Kind::file, name);
    item.size = text.size();
    TAIPAN_CHECK(file.write(layer_tar_header(item)));
    TAIPAN_CHECK(file.write(text));
    return file.write(std::string(tar_padding(text.size()), '\0'));
}

} // namespace

Result<void> check_layout_target(const std::string& path, bool archive) {
    if (archive) {
        if (!is_directory(path)) return {};
        return make_error(ErrorCode::invalid_argument, path + " is a directory; choose another name for the archive");
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || is_empty(path)) return {};
    if (!S_ISDIR(status.st_mode)) {
        return make_error(ErrorCode::invalid_argument,
                          path + " is there and no directory; an archive's name ends in .tar");
    }
    const std::size_t images = images_of(path);
    if (images == 1) return {};
    return make_error(ErrorCode::invalid_argument,
                      images == 0 ? path + " is there and no OCI image layout; choose another path, or remove it"
                                  : path + " has several images in it, which would be lost; choose another path");
}

Result<void> write_layout_directory(const std::string& path, const std::vector<ImageBlob>& blobs,
                                    const std::string& index_json) {
    const std::string parent(parent_path(path));
    TAIPAN_CHECK(make_directories(parent));
    TAIPAN_TRY(StagedDirectory staged, StagedDirectory::create(parent, base_name(path)));
    const std::string directory = staged.path() + "/blobs/sha256";
    TAIPAN_CHECK(make_directories(directory));
    for (const auto& [sha256, blob] : distinct(blobs)) TAIPAN_CHECK(place_blob(*blob, directory + '/' + sha256));
    TAIPAN_CHECK(write_file_atomic(staged.path() + "/index.json", index_json));
    TAIPAN_CHECK(write_file_atomic(staged.path() + "/oci-layout", layout_text));
    if (::chmod(staged.path().c_str(), 0755) != 0) return system_error(errno, "cannot set the mode of", path);
    return staged.commit(path);
}

Result<void> write_layout_archive(const std::string& path, const std::vector<ImageBlob>& blobs,
                                  const std::string& index_json, const std::string& docker_manifest_json) {
    TAIPAN_CHECK(make_directories(std::string(parent_path(path))));
    TAIPAN_TRY(AtomicFile file, AtomicFile::create(path));
    for (const char* const directory : {"blobs", "blobs/sha256"}) {
        TAIPAN_CHECK(file.write(layer_tar_header(archive_item(TarItem::Kind::directory, directory))));
    }
    for (const auto& [sha256, blob] : distinct(blobs)) TAIPAN_CHECK(append_blob(file, *blob));
    TAIPAN_CHECK(append_document(file, "index.json", index_json));
    TAIPAN_CHECK(append_document(file, "manifest.json", docker_manifest_json));
    TAIPAN_CHECK(append_document(file, "oci-layout", layout_text));
    TAIPAN_CHECK(file.write(tar_end()));
    return file.commit();
}

} // namespace taipan
