#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace taipan {

/// Appends MessagePack to a string, each value in its shortest form. The caller writes as many items as it announced.
class MsgpackWriter {
public:
    void map(std::size_t pairs) { collection(pairs, 0x80, 0xde); }
    void array(std::size_t items) { collection(items, 0x90, 0xdc); }
    void text(std::string_view value);
    void binary(std::string_view value);
    void integer(std::int64_t value);
    void unsigned_integer(std::uint64_t value);
    void real(double value);
    void boolean(bool value) { byte(value ? 0xc3 : 0xc2); }
    void nil() { byte(0xc0); }

    std::string take() { return std::move(out_); }

private:
    void byte(unsigned value) { out_ += static_cast<char>(static_cast<unsigned char>(value)); }
    void big_endian(std::uint64_t value, int bytes);
    void collection(std::size_t count, unsigned small_tag, unsigned wide_tag);

    std::string out_;
};

} // namespace taipan
