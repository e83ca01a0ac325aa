#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/byte_input.hpp"
#include "base/filesystem.hpp"
#include "base/result.hpp"
#include "fetch/transfer.hpp"
#include "flow/network.hpp"

namespace taipan {

/// A download that can be read while it goes on, by one thread that waits for bytes where it must. Only a large one
/// can, which goes into a file; others are soon there.
class ArrivingBody final : public ByteInput {
public:
    /// Begins the download.
    ArrivingBody(Network& network, TransferRequest request);
    ArrivingBody(const ArrivingBody&) = delete;
    ArrivingBody& operator=(const ArrivingBody&) = delete;
    /// Waits for its end.
    ~ArrivingBody() override;

    /// Waits until there is something to read before the end (true), or for the end.
    bool wait_for_bytes();
    /// Waits for the end. Once.
    Result<Download> take();

    /// As far as it is known.
    [[nodiscard]] std::uint64_t size() const override;
    /// Fails when the download does, or begins anew (`cancelled`): then what take() brings has to be read instead.
    Result<std::string_view> read(std::uint64_t offset, std::size_t count) override;

private:
    void opened(const Body& body);
    void arrived(std::uint64_t bytes);
    void ended(Result<Download> download);

    mutable std::mutex mutex_; ///< of all below
    std::condition_variable changed_;
    UniqueFd fd_; ///< of the file, once and for all: a download that begins anew is not read
    bool begun_ = false, begun_anew_ = false, ended_ = false;
    std::uint64_t available_ = 0;
    std::optional<Result<Download>> download_; ///< until it is taken
    std::optional<FileInput> file_;            ///< the reader's
};

} // namespace taipan
