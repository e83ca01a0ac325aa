#include "repodata/zstd_compress.hpp"

#include <memory>

#include <zstd.h>

namespace taipan {
namespace {

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

Result<void> check(std::size_t code) {
    if (ZSTD_isError(code) == 0) return {};
    return make_error(ErrorCode::internal, std::string("zstd: ") + ZSTD_getErrorName(code));
}

} // namespace

Result<std::string> compress_zst(std::string_view text, int level) {
    const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    if (!context) return make_error(ErrorCode::internal, "Not enough memory for a zstd encoder");
    TAIPAN_CHECK(check(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level)));
    TAIPAN_CHECK(check(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1)));
    std::string out(ZSTD_compressBound(text.size()), '\0');
    const std::size_t size = ZSTD_compress2(context.get(), out.data(), out.size(), text.data(), text.size());
    TAIPAN_CHECK(check(size));
    out.resize(size);
    return out;
}

} // namespace taipan
