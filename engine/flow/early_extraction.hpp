#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "base/byte_input.hpp"
#include "base/crew.hpp"
#include "base/filesystem.hpp"
#include "base/result.hpp"
#include "cache/package_cache.hpp"
#include "extract/extract.hpp"
#include "fetch/body.hpp"
#include "flow/extract_contexts.hpp"
#include "flow/session.hpp"

namespace taipan {

/// A package as it came out of its archive, in a place of its own and not yet compared with anything.
struct UnpackedPackage {
    StagedDirectory staged;
    ExtractedPackage content;
    DigestingInput::Digests digests;
};

/// Extracts a large package while it is being downloaded, on a thread of its own that mostly waits for bytes, so that
/// no worker waits. Begins when a download turns out to be slow. Whatever goes wrong is left to the ordinary
/// extraction of the complete archive, which has the last word: this only saves time.
///
/// The network thread calls `opened` and `arrived`; afterwards one worker calls `take`.
class EarlyExtraction {
public:
    /// Bounds how many of them run at once, each with a decoder's window of its own; shared by all packages of a run.
    /// One keeps up with what a line brings, and beside it the workers have what is complete.
    struct Slots {
        std::atomic<int> free{1};
    };
    EarlyExtraction(Session& session, const PackageCache& cache, const PackageRecord& record, TaskRunner& helpers,
                    ExtractContexts& contexts, std::shared_ptr<Slots> slots);
    EarlyExtraction(const EarlyExtraction&) = delete;
    EarlyExtraction& operator=(const EarlyExtraction&) = delete;
    /// Ends it, and joins the thread.
    ~EarlyExtraction();

    /// Packages that are too small are not worth it.
    [[nodiscard]] static bool worthwhile(const PackageRecord& record);

    void opened(const Body& body);
    /// So many bytes from the start on are in the body.
    void arrived(std::uint64_t bytes);
    /// The download is complete: waits for the rest of the extraction. nullopt when it did not begin or went wrong.
    std::optional<UnpackedPackage> take();
    /// After `take`: the body has holes where it was read, so that nobody can extract it once more.
    [[nodiscard]] bool has_consumed() const { return has_consumed_; }

private:
    class Arrival;
    class Input;
    void start();
    void give_up();
    [[nodiscard]] Result<UnpackedPackage> unpack(int fd, Arrival& arrival) const;

    Session& session_;
    const PackageCache& cache_;
    const PackageRecord& record_;
    TaskRunner& helpers_;
    ExtractContexts& contexts_;
    std::shared_ptr<Slots> slots_;
    std::chrono::steady_clock::time_point opened_at_;
    UniqueFd fd_;
    bool consumes_ = false, has_consumed_ = false;
    std::shared_ptr<Arrival> arrival_; ///< set while the thread runs
    std::optional<Result<UnpackedPackage>> result_;
    std::thread thread_;
};

} // namespace taipan
