// The door to libarchive, which is used for nothing but taking tar apart.
//
// Problem: three dialects of tar, long names, sparse files, times with fractions, all of it untrusted.
// Approach: libarchive pulls from a ByteSource through one noexcept callback and hands out pieces that mostly lie
// in the decoder's own buffer, so content is not copied on its way to write().
// What must hold:
// * Names are bytes. libarchive converts pax names (UTF-8) into the locale of the thread and composes accents on
//   the way; under the C locale it gives up on anything that is not ASCII and keeps the bytes as they are, which
//   is what we want. So the thread has the C locale while libarchive reads a header, whatever the process has.
// * The first error of the source is the one reported, not libarchive's report about its report.
// * The end-of-archive mark is not the end: the source is read to its end, because only there do the decoders
//   notice that something is missing.

#include "extract/tar_reader.hpp"

#include <cerrno>
#include <optional>
#include <string>

#include <locale.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

namespace taipan {

namespace {

/// Padding behind the end-of-archive mark is a few kilobytes in practice.
constexpr std::uint64_t largest_trailer = std::uint64_t{64} << 20;
constexpr std::uint64_t largest_member = std::uint64_t{1} << 44;

struct ArchiveDeleter {
    void operator()(archive* handle) const { archive_read_free(handle); }
};
struct EntryDeleter {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
struct LocaleDeleter {
    void operator()(locale_t locale) const { freelocale(locale); }
};
using UniqueLocale = std::unique_ptr<std::remove_pointer_t<locale_t>, LocaleDeleter>;

/// Gives the calling thread another locale until the end of the scope.
class LocaleScope {
public:
    explicit LocaleScope(locale_t locale) : before_(uselocale(locale)) {}
    LocaleScope(const LocaleScope&) = delete;
    LocaleScope& operator=(const LocaleScope&) = delete;
    ~LocaleScope() { uselocale(before_); }

private:
    locale_t before_;
};

TarMember::Kind kind_of(archive_entry* entry) {
    if (archive_entry_hardlink(entry) != nullptr) return TarMember::Kind::hardlink;
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG: return TarMember::Kind::file;
    case AE_IFDIR: return TarMember::Kind::directory;
    case AE_IFLNK: return TarMember::Kind::symlink;
    default: return TarMember::Kind::other;
    }
}

std::string_view view_of(const char* text) { return text == nullptr ? std::string_view{} : std::string_view(text); }

} // namespace

struct TarReader::State {
    ByteSource* source = nullptr;
    std::optional<Error> source_error;
    std::unique_ptr<archive, ArchiveDeleter> handle;
    std::unique_ptr<archive_entry, EntryDeleter> entry;
    UniqueLocale plain_locale;

    /// libarchive's read callback.
    static la_ssize_t pull(archive* handle, void* data, const void** buffer) noexcept;
    [[nodiscard]] Error failure() const;
    Result<bool> drain();
};

la_ssize_t TarReader::State::pull(archive* handle, void* data, const void** buffer) noexcept {
    auto& state = *static_cast<State*>(data);
    auto piece = state.source->next();
    if (!piece) {
        if (!state.source_error) state.source_error = std::move(piece).error();
        archive_set_error(handle, EIO, "the source failed");
        return -1;
    }
    *buffer = piece->data();
    return static_cast<la_ssize_t>(piece->size());
}

Error TarReader::State::failure() const {
    if (source_error) return *source_error;
    const char* text = archive_error_string(handle.get());
    return make_error(ErrorCode::corrupt_package,
                      std::string("the tar archive is damaged: ") + (text == nullptr ? "unknown reason" : text));
}

/// Reads the source to its end. Always false on success: there is no further member.
Result<bool> TarReader::State::drain() {
    std::uint64_t drained = 0;
    while (true) {
        TAIPAN_TRY(const auto piece, source->next());
        if (piece.empty()) return false;
        drained += piece.size();
        if (drained > largest_trailer) {
            return make_error(ErrorCode::corrupt_package, "the tar archive goes on long after its end mark");
        }
    }
}

TarReader::TarReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarReader::TarReader(TarReader&&) noexcept = default;
TarReader& TarReader::operator=(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

Result<TarReader> TarReader::open(ByteSource& source) {
    auto state = std::make_unique<State>();
    state->source = &source;
    state->handle.reset(archive_read_new());
    state->entry.reset(archive_entry_new());
    state->plain_locale.reset(newlocale(LC_ALL_MASK, "C", nullptr));
    auto* const handle = state->handle.get();
    if (handle == nullptr || !state->entry || !state->plain_locale) {
        return make_error(ErrorCode::internal, "cannot set up a tar reader");
    }
    const LocaleScope scope(state->plain_locale.get());
    if (archive_read_support_format_tar(handle) != ARCHIVE_OK ||
        archive_read_support_format_empty(handle) != ARCHIVE_OK ||
        archive_read_open(handle, state.get(), nullptr, &State::pull, nullptr) != ARCHIVE_OK) {
        return state->failure();
    }
    return TarReader(std::move(state));
}

Result<bool> TarReader::next(TarMember& member) {
    auto* const entry = state_->entry.get();
    const LocaleScope scope(state_->plain_locale.get());
    const int code = archive_read_next_header2(state_->handle.get(), entry);
    if (code == ARCHIVE_EOF) return state_->drain();
    // A warning is about an attribute that libarchive could not keep; the names are then the plain bytes.
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return state_->failure();
    member.kind = kind_of(entry);
    member.path = view_of(archive_entry_pathname(entry));
    member.target = member.kind == TarMember::Kind::hardlink  ? view_of(archive_entry_hardlink(entry))
                    : member.kind == TarMember::Kind::symlink ? view_of(archive_entry_symlink(entry))
                                                              : std::string_view{};
    const auto size = archive_entry_size(entry);
    if (size < 0 || static_cast<std::uint64_t>(size) > largest_member) {
        return make_error(ErrorCode::corrupt_package, "the tar archive claims an impossible size for a member");
    }
    member.size = static_cast<std::uint64_t>(size);
    member.mode = archive_entry_perm(entry);
    member.modified = timespec{archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
    return true;
}

Result<bool> TarReader::next_piece(TarPiece& piece) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int code = archive_read_data_block(state_->handle.get(), &data, &size, &offset);
    if (code == ARCHIVE_EOF) return false;
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return state_->failure();
    if (offset < 0) return make_error(ErrorCode::corrupt_package, "the tar archive has a piece at a negative offset");
    piece.bytes = std::string_view(static_cast<const char*>(data), size);
    piece.offset = static_cast<std::uint64_t>(offset);
    return true;
}

} // namespace taipan
