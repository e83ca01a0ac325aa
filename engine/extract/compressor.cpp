#include "extract/compressor.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <bzlib.h>
#include <zstd.h>

namespace taipan {

namespace {

constexpr std::size_t buffer_size = 256 << 10;

class ZstdCompressor final : public Compressor {
public:
    ZstdCompressor(ByteSink& out, ZSTD_CCtx* context) : out_(out), context_(context), buffer_(buffer_size) {}
    ~ZstdCompressor() override { ZSTD_freeCCtx(context_); }

    Result<void> set(ZSTD_cParameter parameter, int value) {
        return check(ZSTD_CCtx_setParameter(context_, parameter, value));
    }
    Result<void> write(std::string_view bytes) override {
        ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
        while (input.pos < input.size) TAIPAN_CHECK(step(input, ZSTD_e_continue).result);
        return {};
    }
    Result<void> finish() override {
        ZSTD_inBuffer nothing{nullptr, 0, 0};
        while (true) {
            auto [left, result] = step(nothing, ZSTD_e_end);
            TAIPAN_CHECK(std::move(result));
            if (left == 0) return {};
        }
    }

private:
    struct Step {
        std::size_t left;
        Result<void> result;
    };
    static Result<void> check(std::size_t code) {
        if (ZSTD_isError(code) == 0) return {};
        return make_error(ErrorCode::internal, std::string("zstd: ") + ZSTD_getErrorName(code));
    }
    Step step(ZSTD_inBuffer& input, ZSTD_EndDirective directive) {
        ZSTD_outBuffer output{buffer_.data(), buffer_.size(), 0};
        const std::size_t left = ZSTD_compressStream2(context_, &output, &input, directive);
        if (auto fine = check(left); !fine) return {0, std::move(fine)};
        return {left, out_.write({buffer_.data(), output.pos})};
    }

    ByteSink& out_;
    ZSTD_CCtx* context_;
    std::vector<char> buffer_;
};

class Bzip2Compressor final : public Compressor {
public:
    explicit Bzip2Compressor(ByteSink& out) : out_(out), buffer_(buffer_size) {}
    ~Bzip2Compressor() override {
        if (begun_) BZ2_bzCompressEnd(&stream_);
    }

    Result<void> begin(int level) {
        const int code = BZ2_bzCompressInit(&stream_, level, 0, 0);
        if (code != BZ_OK) return make_error(ErrorCode::internal, "bzip2: cannot begin (" + std::to_string(code) + ")");
        begun_ = true;
        return {};
    }
    Result<void> write(std::string_view bytes) override {
        while (!bytes.empty()) {
            const auto part = bytes.substr(0, std::size_t{1} << 30U);
            stream_.next_in = const_cast<char*>(part.data()); // the library only reads it
            stream_.avail_in = static_cast<unsigned>(part.size());
            while (stream_.avail_in > 0) TAIPAN_CHECK(step(BZ_RUN).result);
            bytes.remove_prefix(part.size());
        }
        return {};
    }
    Result<void> finish() override {
        while (true) {
            auto [code, result] = step(BZ_FINISH);
            TAIPAN_CHECK(std::move(result));
            if (code == BZ_STREAM_END) return {};
        }
    }

private:
    struct Step {
        int code;
        Result<void> result;
    };
    Step step(int action) {
        stream_.next_out = buffer_.data();
        stream_.avail_out = static_cast<unsigned>(buffer_.size());
        const int code = BZ2_bzCompress(&stream_, action);
        if (code < 0) return {code, make_error(ErrorCode::internal, "bzip2: error " + std::to_string(code))};
        return {code, out_.write({buffer_.data(), buffer_.size() - stream_.avail_out})};
    }

    ByteSink& out_;
    bz_stream stream_{};
    bool begun_ = false;
    std::vector<char> buffer_;
};

} // namespace

Result<std::unique_ptr<Compressor>> zstd_compressor(ByteSink& out, int level) {
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    if (context == nullptr) return make_error(ErrorCode::internal, "not enough memory for a zstd encoder");
    auto compressor = std::make_unique<ZstdCompressor>(out, context);
    TAIPAN_CHECK(compressor->set(ZSTD_c_compressionLevel, level));
    TAIPAN_CHECK(compressor->set(ZSTD_c_checksumFlag, 1));
    return std::unique_ptr<Compressor>(std::move(compressor));
}

Result<std::unique_ptr<Compressor>> bzip2_compressor(ByteSink& out, int level) {
    auto compressor = std::make_unique<Bzip2Compressor>(out);
    TAIPAN_CHECK(compressor->begin(std::clamp(level, 1, 9)));
    return std::unique_ptr<Compressor>(std::move(compressor));
}

} // namespace taipan
