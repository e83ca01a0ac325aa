#include "flow/index_build.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <tbb/task_group.h>

#include "base/filesystem.hpp"
#include "repodata/batch_parser.hpp"
#include "repodata/index_builder.hpp"
#include "repodata/splitter.hpp"
#include "repodata/zstd_text.hpp"

namespace taipan {

using namespace repodata;

namespace {

/// Bytes that are inflated in one go.
constexpr std::size_t step = std::size_t{256} << 10;
constexpr std::uint64_t size_limit = std::uint64_t{8} << 30;

/// Parses batches on other threads, or on this one when these have enough to do: that bounds what is in memory.
class ParallelParse {
public:
    ParallelParse(int workers, IndexBuilder& builder) : limit_(workers > 1 ? workers + 1 : 0), builder_(builder) {}
    ~ParallelParse() { tasks_.wait(); }
    ParallelParse(const ParallelParse&) = delete;
    ParallelParse& operator=(const ParallelParse&) = delete;

    Buffer buffer(std::size_t size) {
        {
            const std::scoped_lock guard(mutex_);
            if (!buffers_.empty() && buffers_.back().capacity >= size) {
                Buffer buffer = std::move(buffers_.back());
                buffers_.pop_back();
                return buffer;
            }
        }
        return Buffer::of_size(size);
    }

    void submit(Batch batch) {
        if (failed_.load(std::memory_order_relaxed)) return;
        if (waiting_.load(std::memory_order_relaxed) >= limit_) {
            parse(std::move(batch));
            return;
        }
        ++waiting_;
        tasks_.run([this, work = std::make_shared<Batch>(std::move(batch))] {
            parse(std::move(*work));
            --waiting_;
        });
    }

    [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }
    /// Waits for all.
    Result<void> finish() {
        tasks_.wait();
        if (error_) return std::move(*error_);
        return {};
    }

private:
    void parse(Batch batch) {
        auto parser = take_parser();
        auto parsed = parser->parse(batch);
        const std::scoped_lock guard(mutex_);
        buffers_.push_back(std::move(batch.buffer));
        parsers_.push_back(std::move(parser));
        Result<void> added = parsed ? builder_.add(*parsed) : Result<void>(std::move(parsed).error());
        if (added || error_) return;
        error_ = std::move(added).error();
        failed_.store(true, std::memory_order_relaxed);
    }

    std::unique_ptr<BatchParser> take_parser() {
        {
            const std::scoped_lock guard(mutex_);
            if (!parsers_.empty()) {
                auto parser = std::move(parsers_.back());
                parsers_.pop_back();
                return parser;
            }
        }
        return std::make_unique<BatchParser>();
    }

    const int limit_;
    IndexBuilder& builder_; ///< guarded by the mutex too
    std::atomic<int> waiting_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_; ///< of all below
    std::vector<Buffer> buffers_;
    std::vector<std::unique_ptr<BatchParser>> parsers_;
    std::optional<Error> error_;
    tbb::task_group tasks_;
};

/// The input's bytes, inflated.
class Text {
public:
    Text(ByteInput& input, bool zst) : input_(input), zst_(zst) {}

    /// Fills `space` as far as one step goes; 0 at the end.
    Result<std::size_t> read(std::span<char> space) {
        space = space.first(std::min(space.size(), step));
        if (!zst_) {
            TAIPAN_TRY(const auto bytes, next(space.size()));
            std::copy(bytes.begin(), bytes.end(), space.begin());
            return bytes.size();
        }
        if (!inflater_) {
            TAIPAN_TRY(inflater_, ZstdInflater::create());
        }
        while (true) {
            TAIPAN_TRY(const std::size_t count, inflater_->inflate(rest_, space));
            if (count > 0) return count;
            TAIPAN_TRY(rest_, next(step));
            if (!rest_.empty()) continue;
            TAIPAN_CHECK(inflater_->finish());
            return std::size_t{0};
        }
    }

private:
    Result<std::string_view> next(std::size_t count) {
        TAIPAN_TRY(const auto bytes, input_.read(offset_, count));
        offset_ += bytes.size();
        return bytes;
    }

    ByteInput& input_;
    bool zst_;
    std::uint64_t offset_ = 0;
    std::optional<ZstdInflater> inflater_;
    std::string_view rest_;
};

/// Inflates and cuts until the end, or until a parser has failed.
Result<std::string> cut(ByteInput& input, const IndexBuild& how, ParallelParse& parse) {
    Splitter splitter([&](std::size_t size) { return parse.buffer(size); },
                      [&](Batch batch) { parse.submit(std::move(batch)); }, how.use_only_tar_bz2);
    Text text(input, how.zst);
    std::uint64_t size = 0;
    while (!parse.failed()) {
        const auto space = splitter.space();
        TAIPAN_TRY(const std::size_t count, text.read(space));
        if (count == 0) return splitter.finish();
        if ((size += count) > size_limit) return make_error(ErrorCode::parse, "is larger than 8 GiB");
        if (how.text) how.text({space.data(), count});
        TAIPAN_CHECK(splitter.advance(count));
    }
    return std::string();
}

/// Everything but the seal; after that the source is known.
Result<std::optional<IndexSource>> fill(ByteInput& input, const IndexBuild& how, IndexBuilder& builder) {
    ParallelParse parse(how.workers, builder);
    auto skeleton = cut(input, how, parse);
    TAIPAN_CHECK(parse.finish());
    if (!skeleton) return std::move(skeleton).error();
    TAIPAN_CHECK(builder.read_skeleton(*skeleton, how.use_only_tar_bz2));
    return how.source ? how.source() : std::nullopt;
}

Result<IndexFile> build_in_file(ByteInput& input, const IndexBuild& how) {
    TAIPAN_TRY(AtomicFile file, AtomicFile::create(how.path));
    FileStore store(file);
    IndexBuilder builder(store);
    TAIPAN_TRY(const auto source, fill(input, how, builder));
    TAIPAN_CHECK(builder.seal(source.value_or(IndexSource())));
    if (source) TAIPAN_CHECK(file.commit());
    return IndexFile::map(file.fd(), how.path);
}

Result<IndexFile> build_in_memory(ByteInput& input, const IndexBuild& how) {
    MemoryStore store;
    IndexBuilder builder(store);
    TAIPAN_TRY(const auto source, fill(input, how, builder));
    TAIPAN_CHECK(builder.seal(source.value_or(IndexSource())));
    return IndexFile::of_bytes(store.take());
}

} // namespace

Result<IndexFile> build_index(ByteInput& input, const IndexBuild& how) {
    if (!how.path.empty()) {
        auto file = build_in_file(input, how);
        if (file || file.error().code == ErrorCode::parse) return file;
        if (how.not_kept) how.not_kept(file.error());
    }
    // Also after a full or read-only disk: the input can be read once more.
    IndexBuild in_memory = how;
    in_memory.text = {};
    in_memory.source = {};
    return build_in_memory(input, in_memory);
}

} // namespace taipan
