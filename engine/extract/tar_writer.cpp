#include "extract/tar_writer.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <sys/stat.h>

namespace taipan {

namespace {

constexpr std::size_t block = 512, record = 10240, name_length = 100, prefix_length = 155;
constexpr std::uint64_t largest_size = 077777777777; // eleven octal digits

/// Where a long path may be cut into the prefix and name fields; npos when it cannot.
std::size_t cut_of(std::string_view path) {
    if (path.size() > prefix_length + 1 + name_length) return std::string_view::npos;
    const std::size_t at = path.rfind('/', prefix_length);
    if (at == std::string_view::npos || at == 0 || path.size() - at - 1 > name_length || at + 1 == path.size())
        return std::string_view::npos;
    return at;
}

bool fits(std::string_view path) { return path.size() <= name_length || cut_of(path) != std::string_view::npos; }

std::string pax_record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3; // blank, equal sign, line end
    std::size_t length = rest;
    while (std::to_string(length).size() + rest != length) length = std::to_string(length).size() + rest;
    return std::to_string(length) + ' ' + std::string(key) + '=' + std::string(value) + '\n';
}

struct Header {
    std::array<char, block> bytes{};

    void text(std::size_t at, std::string_view value) { std::memcpy(bytes.data() + at, value.data(), value.size()); }
    void octal(std::size_t at, std::size_t width, std::uint64_t value) {
        for (std::size_t i = width - 1; i-- > 0; value >>= 3U) bytes[at + i] = static_cast<char>('0' + (value & 7U));
    }
};

} // namespace

Result<void> TarWriter::head(const TarEntry& entry, char type, std::string_view name, std::string_view link) {
    Header header;
    if (name.size() <= name_length) {
        header.text(0, name);
    } else {
        const std::size_t cut = cut_of(name);
        header.text(345, name.substr(0, cut));
        header.text(0, name.substr(cut + 1));
    }
    header.octal(100, 8, entry.mode & 07777U);
    header.octal(108, 8, 0);
    header.octal(116, 8, 0);
    header.octal(124, 12, std::min(type == '0' || type == 'x' ? entry.size : 0, largest_size));
    header.octal(136, 12, static_cast<std::uint64_t>(std::max<std::int64_t>(entry.modified, 0)));
    header.text(148, "        ");
    header.bytes[156] = type;
    header.text(157, link);
    header.text(257, std::string_view("ustar\0"
                                      "00",
                                      8));
    unsigned sum = 0;
    for (const char c : header.bytes) sum += static_cast<unsigned char>(c);
    header.octal(148, 7, sum);
    header.bytes[154] = '\0';
    header.bytes[155] = ' ';
    written_ += block;
    return out_.write({header.bytes.data(), header.bytes.size()});
}

/// What does not fit into the head, as a member of its own in front.
Result<void> TarWriter::extended(const TarEntry& entry) {
    std::string text;
    const std::string path = entry.path + (S_ISDIR(entry.mode) ? "/" : "");
    if (!fits(path)) text += pax_record("path", path);
    if (entry.target.size() > name_length) text += pax_record("linkpath", entry.target);
    if (entry.size > largest_size) text += pax_record("size", std::to_string(entry.size));
    if (text.empty()) return {};
    TarEntry about{"PaxHeader", 0644, text.size(), entry.modified, {}};
    TAIPAN_CHECK(head(about, 'x', about.path, {}));
    TAIPAN_CHECK(out_.write(text));
    written_ += text.size();
    return pad(text.size());
}

Result<void> TarWriter::begin(const TarEntry& entry) {
    TAIPAN_CHECK(extended(entry));
    std::string path = entry.path + (S_ISDIR(entry.mode) ? "/" : "");
    if (!fits(path)) path.resize(name_length);
    const std::string link = entry.target.substr(0, name_length);
    const char type = S_ISDIR(entry.mode) ? '5' : S_ISLNK(entry.mode) ? '2' : '0';
    left_ = type == '0' ? entry.size : 0;
    return head(entry, type, path, link);
}

Result<void> TarWriter::content(std::string_view bytes) {
    if (bytes.size() > left_) return make_error(ErrorCode::io, "a file grew while it was packed");
    TAIPAN_CHECK(out_.write(bytes));
    written_ += bytes.size();
    left_ -= bytes.size();
    return left_ == 0 ? pad(written_) : Result<void>();
}

Result<void> TarWriter::pad(std::uint64_t size) {
    static constexpr std::array<char, block> zeros{};
    const std::size_t missing = (block - size % block) % block;
    written_ += missing;
    return out_.write({zeros.data(), missing});
}

Result<void> TarWriter::finish() {
    if (left_ != 0) return make_error(ErrorCode::io, "a file shrank while it was packed");
    const std::uint64_t end = written_ + 2 * block;
    const std::string zeros(2 * block + (record - end % record) % record, '\0');
    return out_.write(zeros);
}

} // namespace taipan
