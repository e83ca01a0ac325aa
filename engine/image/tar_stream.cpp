// The same files must give the same bytes everywhere, so nothing here depends on the machine: no owner names, no
// access times, no sparse files, one spelling of each header.

#include "image/tar_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace taipan {

namespace {

constexpr std::size_t block = 512;
constexpr std::size_t name_size = 100, prefix_size = 155;
constexpr std::uint64_t largest_octal = (std::uint64_t{1} << 33U) - 1; // of 11 digits

void put(std::array<char, block>& header, std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Octal digits and a NUL in `width` bytes.
void put_number(std::array<char, block>& header, std::size_t at, std::size_t width, std::uint64_t number) {
    header.at(at + width - 1) = '\0';
    for (std::size_t i = width - 1; i-- > 0; number >>= 3U) header.at(at + i) = static_cast<char>('0' + (number & 7U));
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Where a path is cut into ustar's prefix and name (the slash); 0: not at all; nullopt: it does not fit.
std::optional<std::size_t> cut_of(std::string_view path) {
    if (path.size() <= name_size) return 0;
    for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
        if (at > prefix_size) break;
        const std::size_t rest = path.size() - at - 1;
        if (at > 0 && rest > 0 && rest <= name_size) return at;
    }
    return std::nullopt;
}

struct Fields {
    std::string path, target;
    char type = '0';
    std::uint64_t mode = 0, size = 0, modified = 0;
};

void append_block(std::string& out, const Fields& fields) {
    std::array<char, block> header{};
    const auto cut = cut_of(fields.path);
    const std::string_view path = fields.path;
    if (cut && *cut > 0) {
        put(header, 345, path.substr(0, *cut));
        put(header, 0, path.substr(*cut + 1));
    } else {
        put(header, 0, path.substr(0, name_size)); // what does not fit stands in a PAX header
    }
    put_number(header, 100, 8, fields.mode);
    put_number(header, 108, 8, 0);
    put_number(header, 116, 8, 0);
    put_number(header, 124, 12, std::min(fields.size, largest_octal));
    put_number(header, 136, 12, std::min(fields.modified, largest_octal));
    header[156] = fields.type;
    put(header, 157, std::string_view(fields.target).substr(0, name_size));
    put(header, 257,
        std::string_view("ustar\0"
                         "00",
                         8));
    put_number(header, 329, 8, 0);
    put_number(header, 337, 8, 0);
    put(header, 148, "        ");
    std::uint64_t sum = 0;
    for (const char byte : header) sum += static_cast<unsigned char>(byte);
    put_number(header, 148, 7, sum);
    header[155] = ' ';
    out.append(header.data(), header.size());
}

/// `<length> <key>=<value>\n`, where the length counts itself.
void append_record(std::string& out, std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (std::to_string(length).size() + rest != length) length = std::to_string(length).size() + rest;
    out += std::to_string(length);
    out += ' ';
    out += key;
    out += '=';
    out += value;
    out += '\n';
}

std::uint64_t size_of(const TarItem& item) { return item.kind == TarItem::Kind::file ? item.size : 0; }

} // namespace

std::string layer_tar_header(const TarItem& item) {
    Fields fields;
    fields.path = item.path;
    fields.mode = item.mode & 07777U;
    fields.size = size_of(item);
    fields.modified = static_cast<std::uint64_t>(std::max<std::int64_t>(item.modified, 0));
    if (item.kind == TarItem::Kind::directory) {
        fields.type = '5';
        fields.path += '/';
    } else if (item.kind == TarItem::Kind::symlink) {
        fields.type = '2';
        fields.target = item.target;
    }
    std::string records;
    if (!cut_of(fields.path) || !is_ascii(fields.path)) append_record(records, "path", fields.path);
    if (fields.target.size() > name_size || !is_ascii(fields.target)) {
        append_record(records, "linkpath", fields.target);
    }
    if (fields.size > largest_octal) append_record(records, "size", std::to_string(fields.size));

    std::string out;
    if (!records.empty()) {
        Fields extended;
        extended.path = "PaxHeaders/" + std::string(base_name(item.path)).substr(0, 80);
        extended.type = 'x';
        extended.mode = 0644;
        extended.size = records.size();
        extended.modified = fields.modified;
        append_block(out, extended);
        out += records;
        out.append(layer_tar_padding(records.size()), '\0');
    }
    append_block(out, fields);
    return out;
}

std::size_t layer_tar_padding(std::uint64_t size) { return (block - size % block) % block; }

std::string layer_tar_end() {
    std::string zeros;
    zeros.resize(2 * block);
    return zeros;
}

/// The next member's header becomes pending, behind the padding of the one before.
Result<void> TarStream::advance() {
    pending_.assign(layer_tar_padding(size_of(item_)), '\0');
    offset_ = 0;
    TAIPAN_TRY(auto next, next_());
    if (!next) {
        item_ = {};
        ended_ = true;
        pending_ += layer_tar_end();
        return {};
    }
    item_ = std::move(*next);
    pending_ += layer_tar_header(item_);
    unread_ = 0;
    if (item_.kind == TarItem::Kind::file) {
        if (item_.fd)
            unread_ = item_.size;
        else
            pending_ += item_.bytes;
    }
    return {};
}

Result<std::size_t> TarStream::read_file(char* space, std::size_t count) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, unread_));
    while (true) {
        const ssize_t got = ::read(item_.fd.get(), space, wanted);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", item_.path);
        if (got == 0) {
            return make_error(ErrorCode::corrupt_package, item_.path + " became shorter while it was read");
        }
        unread_ -= static_cast<std::uint64_t>(got);
        return static_cast<std::size_t>(got);
    }
}

Result<std::string> TarStream::read(std::size_t size) {
    std::string piece(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        if (offset_ < pending_.size()) {
            const std::size_t count = std::min(pending_.size() - offset_, size - filled);
            std::memcpy(piece.data() + filled, pending_.data() + offset_, count);
            offset_ += count;
            filled += count;
        } else if (unread_ > 0) {
            TAIPAN_TRY(const std::size_t count, read_file(piece.data() + filled, size - filled));
            filled += count;
        } else if (ended_) {
            break;
        } else {
            TAIPAN_CHECK(advance());
        }
    }
    piece.resize(filled);
    return piece;
}

} // namespace taipan
