#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "extract/extract.hpp"

namespace taipan {

/// What extractions need again for every package, of which the largest part is the decoder's window: as many as there
/// are extractions at once, whichever thread they run on. Thread-safe.
class ExtractContexts {
public:
    /// One of them, for as long as this lives. The contexts outlive it.
    class Lease {
    public:
        explicit Lease(ExtractContexts& contexts) : contexts_(contexts), context_(contexts.take()) {}
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease() { contexts_.give_back(std::move(context_)); }
        ExtractContext& operator*() { return context_; }

    private:
        ExtractContexts& contexts_;
        ExtractContext context_;
    };

private:
    ExtractContext take() {
        const std::scoped_lock guard(mutex_);
        if (free_.empty()) return ExtractContext();
        ExtractContext context = std::move(free_.back());
        free_.pop_back();
        return context;
    }
    void give_back(ExtractContext context) {
        const std::scoped_lock guard(mutex_);
        free_.push_back(std::move(context)); // the one whose memory was touched last is the next
    }

    std::mutex mutex_;
    std::vector<ExtractContext> free_;
};

} // namespace taipan
