// OpenSSL's digests, called directly: its EVP functions bring along the tables and the text of every cipher, key and
// error that it knows, 2.5 MB of them with 19,000 addresses to be relocated at each start of the program.

#include "base/digest.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <variant>
#include <vector>

#define OPENSSL_SUPPRESS_DEPRECATED // NOLINT: see above
#include <fcntl.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <unistd.h>

#include "base/filesystem.hpp"

namespace taipan {

struct Digest::Context {
    Kind kind;
    std::variant<SHA256_CTX, MD5_CTX> state;
    bool sound = true; ///< false once OpenSSL refused something: the digest then never equals an expected one

    void restart() {
        if (kind == Kind::sha256)
            sound = SHA256_Init(&state.emplace<SHA256_CTX>()) == 1;
        else
            sound = MD5_Init(&state.emplace<MD5_CTX>()) == 1;
    }
    void update(std::string_view bytes) {
        const int done = kind == Kind::sha256 ? SHA256_Update(&std::get<SHA256_CTX>(state), bytes.data(), bytes.size())
                                              : MD5_Update(&std::get<MD5_CTX>(state), bytes.data(), bytes.size());
        sound = sound && done == 1;
    }
    /// The raw digest, empty when something went wrong.
    std::vector<unsigned char> finish() {
        std::vector<unsigned char> raw(kind == Kind::sha256 ? SHA256_DIGEST_LENGTH : MD5_DIGEST_LENGTH);
        const int done = kind == Kind::sha256 ? SHA256_Final(raw.data(), &std::get<SHA256_CTX>(state))
                                              : MD5_Final(raw.data(), &std::get<MD5_CTX>(state));
        if (!sound || done != 1) raw.clear();
        return raw;
    }
};

Digest::Digest(Kind kind) : context_(std::make_unique<Context>(Context{kind, {}})) { context_->restart(); }

Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::update(std::string_view bytes) { context_->update(bytes); }

std::string Digest::finish_hex() {
    const auto raw = context_->finish();
    context_->restart();
    if (raw.empty()) return "digest-failed";
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    hex.reserve(raw.size() * 2);
    for (const unsigned char byte : raw) {
        hex.push_back(digits[byte >> 4U]);
        hex.push_back(digits[byte & 15U]);
    }
    return hex;
}

std::string sha256_hex(std::string_view bytes) {
    Digest digest(Digest::Kind::sha256);
    digest.update(bytes);
    return digest.finish_hex();
}

std::string md5_hex(std::string_view bytes) {
    Digest digest(Digest::Kind::md5);
    digest.update(bytes);
    return digest.finish_hex();
}

Result<std::string> file_digest(const std::string& path, Digest::Kind kind) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return system_error(errno, "cannot open", path);
    Digest digest(kind);
    std::vector<char> buffer(std::size_t{1} << 18U);
    while (true) {
        const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", path);
        if (got == 0) return digest.finish_hex();
        digest.update({buffer.data(), static_cast<std::size_t>(got)});
    }
}

} // namespace taipan
