#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan {

/// Incremental SHA-256 or MD5 (OpenSSL). One object can be used again after `finish_hex`.
class Digest {
public:
    enum class Kind { sha256, md5 };
    explicit Digest(Kind kind);
    Digest(Digest&&) noexcept;
    Digest& operator=(Digest&&) noexcept;
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;
    ~Digest();

    void update(std::string_view bytes);
    /// Lower-case hex of everything since the last finish; the state starts anew.
    std::string finish_hex();

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

[[nodiscard]] std::string sha256_hex(std::string_view bytes);
[[nodiscard]] std::string md5_hex(std::string_view bytes);
/// Hash of a file's content, read in pieces.
Result<std::string> file_digest(const std::string& path, Digest::Kind kind);

} // namespace taipan
