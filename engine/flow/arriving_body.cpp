#include "flow/arriving_body.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace taipan {

ArrivingBody::ArrivingBody(Network& network, TransferRequest request) {
    request.opened = [this](const Body& body) { opened(body); };
    request.arrived = [this](std::uint64_t bytes) { arrived(bytes); };
    network.submit(std::move(request), [this](Result<Download> download) { ended(std::move(download)); });
}

ArrivingBody::~ArrivingBody() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return ended_; });
}

void ArrivingBody::opened(const Body& body) {
    const std::scoped_lock guard(mutex_);
    begun_anew_ = std::exchange(begun_, true);
    if (begun_anew_) {
        changed_.notify_all();
    } else if (body.in_file()) {
        if (auto fd = body.open_for_reading()) fd_ = std::move(*fd);
    }
}

void ArrivingBody::arrived(std::uint64_t bytes) {
    const std::scoped_lock guard(mutex_);
    available_ = std::max(available_, bytes);
    changed_.notify_all();
}

void ArrivingBody::ended(Result<Download> download) {
    const std::scoped_lock guard(mutex_);
    if (download) available_ = download->body.size();
    download_.emplace(std::move(download));
    ended_ = true;
    // With the lock held: once it is free this may be gone.
    changed_.notify_all();
}

bool ArrivingBody::wait_for_bytes() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return ended_ || (fd_ && available_ > 0); });
    return !ended_;
}

Result<Download> ArrivingBody::take() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return ended_; });
    return std::move(*download_);
}

std::uint64_t ArrivingBody::size() const {
    const std::scoped_lock guard(mutex_);
    return available_;
}

Result<std::string_view> ArrivingBody::read(std::uint64_t offset, std::size_t count) {
    std::uint64_t end = 0;
    {
        std::unique_lock guard(mutex_);
        changed_.wait(guard,
                      [&] { return ended_ || begun_anew_ || available_ - std::min(available_, offset) >= count; });
        if (begun_anew_ || (download_ && !*download_))
            return make_error(ErrorCode::cancelled, "the download did not go on");
        end = available_;
    }
    if (!file_) file_.emplace(fd_.get(), std::numeric_limits<std::uint64_t>::max());
    if (offset >= end) return std::string_view();
    return file_->read(offset, static_cast<std::size_t>(std::min<std::uint64_t>(count, end - offset)));
}

} // namespace taipan
