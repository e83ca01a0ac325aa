#include "base/digest.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

struct FreeEvp {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

} // namespace

struct Digest::Context {
    std::unique_ptr<EVP_MD_CTX, FreeEvp> evp;
    const EVP_MD* algorithm = nullptr;
    bool sound = true; ///< false once OpenSSL refused something: the digest then never equals an expected one

    void restart() { sound = evp && EVP_DigestInit_ex(evp.get(), algorithm, nullptr) == 1; }
};

Digest::Digest(Kind kind) : context_(std::make_unique<Context>()) {
    context_->evp.reset(EVP_MD_CTX_new());
    context_->algorithm = kind == Kind::sha256 ? EVP_sha256() : EVP_md5();
    context_->restart();
}

Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::update(std::string_view bytes) {
    if (context_->sound) {
        context_->sound = EVP_DigestUpdate(context_->evp.get(), bytes.data(), bytes.size()) == 1;
    }
}

std::string Digest::finish_hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
    unsigned length = 0;
    const bool sound = context_->sound && EVP_DigestFinal_ex(context_->evp.get(), raw.data(), &length) == 1;
    context_->restart();
    if (!sound) return "digest-failed";
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    hex.reserve(std::size_t{length} * 2);
    for (unsigned i = 0; i < length; ++i) {
        hex.push_back(digits[raw.at(i) >> 4U]);
        hex.push_back(digits[raw.at(i) & 15U]);
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
