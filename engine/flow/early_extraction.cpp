#include "flow/early_extraction.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace taipan {

namespace {

/// What arrives sooner than this is extracted at once when it is there.
constexpr std::chrono::milliseconds slow_download{150};
constexpr std::uint64_t smallest_package = std::uint64_t{6} << 20U;
constexpr std::uint64_t smallest_rest = std::uint64_t{2} << 20U;

} // namespace

/// How far a download is; between the network thread and the one that extracts.
class EarlyExtraction::Arrival {
public:
    void advance(std::uint64_t bytes) {
        {
            const std::scoped_lock guard(mutex_);
            available_ = std::max(available_, bytes);
        }
        changed_.notify_one();
    }
    void abandon() {
        abandoned_.store(true);
        { const std::scoped_lock guard(mutex_); }
        changed_.notify_one();
    }
    [[nodiscard]] const std::atomic<bool>& abandoned() const { return abandoned_; }

    /// Waits until that many bytes are there; false when nothing more will come.
    bool wait_for(std::uint64_t bytes) {
        std::unique_lock guard(mutex_);
        changed_.wait(guard, [&] { return available_ >= bytes || abandoned_.load(); });
        return !abandoned_.load();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t available_ = 0;
    std::atomic<bool> abandoned_{false};
};

/// The file of a download that is still being written.
class EarlyExtraction::Input final : public ByteInput {
public:
    Input(int fd, std::uint64_t size, bool consumed, Arrival& arrival) : file_(fd, size, consumed), arrival_(arrival) {}
    [[nodiscard]] std::uint64_t size() const override { return file_.size(); }
    Result<std::string_view> read(std::uint64_t offset, std::size_t count) override {
        if (!arrival_.wait_for(std::min<std::uint64_t>(offset + count, file_.size()))) {
            return make_error(ErrorCode::cancelled, "the download was given up");
        }
        return file_.read(offset, count);
    }
    void release(std::uint64_t offset, std::uint64_t count) override { file_.release(offset, count); }

private:
    FileInput file_;
    Arrival& arrival_;
};

EarlyExtraction::EarlyExtraction(Session& session, const PackageCache& cache, const PackageRecord& record,
                                 TaskRunner& helpers, ExtractContexts& contexts, std::shared_ptr<Slots> slots)
    : session_(session),
      cache_(cache),
      record_(record),
      helpers_(helpers),
      contexts_(contexts),
      slots_(std::move(slots)) {}

EarlyExtraction::~EarlyExtraction() { give_up(); }

bool EarlyExtraction::worthwhile(const PackageRecord& record) {
    return record.size.value_or(0) >= smallest_package && archive_format(record.fn).has_value();
}

void EarlyExtraction::opened(const Body& body) {
    give_up(); // of a download that starts over
    opened_at_ = std::chrono::steady_clock::now();
    fd_ = UniqueFd();
    consumes_ = body.is_consumed();
    has_consumed_ = false;
    if (auto fd = body.open_for_reading()) fd_ = std::move(*fd);
}

void EarlyExtraction::arrived(std::uint64_t bytes) {
    if (arrival_) {
        arrival_->advance(bytes);
        return;
    }
    const std::uint64_t size = record_.size.value_or(0);
    if (!fd_ || bytes >= size || size - bytes < smallest_rest) return;
    if (std::chrono::steady_clock::now() - opened_at_ < slow_download) return;
    if (slots_->free.fetch_sub(1) <= 0) {
        slots_->free.fetch_add(1);
        return;
    }
    start();
    arrival_->advance(bytes);
}

void EarlyExtraction::start() {
    has_consumed_ = consumes_;
    arrival_ = std::make_shared<Arrival>();
    result_.reset();
    thread_ = std::thread([this, arrival = arrival_] {
        try {
            result_.emplace(unpack(fd_.get(), *arrival));
        } catch (const std::exception& failure) {
            result_.emplace(make_error(ErrorCode::internal, failure.what()));
        }
        slots_->free.fetch_add(1);
    });
}

void EarlyExtraction::give_up() {
    if (arrival_) arrival_->abandon();
    if (thread_.joinable()) thread_.join();
    arrival_.reset();
    result_.reset();
}

Result<UnpackedPackage> EarlyExtraction::unpack(int fd, Arrival& arrival) const {
    const std::string name = record_.dist_name();
    Span span(session_.sink(), Stage::extract, name, record_.size.value_or(0));
    Input file(fd, record_.size.value_or(0), consumes_, arrival);
    DigestingInput input(file, record_.sha256.empty());
    TAIPAN_TRY(StagedDirectory staged, cache_.stage(record_));
    ExtractContexts::Lease context(contexts_);
    TAIPAN_TRY(auto content, extract_package(*context, input, *archive_format(record_.fn), staged.fd(),
                                             arrival.abandoned(), {.still_arriving = true, .helpers = &helpers_}));
    TAIPAN_TRY(auto digests, input.finish());
    span.succeed();
    return UnpackedPackage{std::move(staged), std::move(content), std::move(digests)};
}

std::optional<UnpackedPackage> EarlyExtraction::take() {
    if (!arrival_) return std::nullopt;
    arrival_->advance(record_.size.value_or(0));
    if (thread_.joinable()) thread_.join();
    arrival_.reset();
    if (!result_ || !*result_) return std::nullopt;
    return std::optional<UnpackedPackage>(std::move(**result_));
}

} // namespace taipan
