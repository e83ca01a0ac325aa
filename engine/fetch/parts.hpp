#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "fetch/exchange.hpp"

namespace taipan {

/// Which bytes of a file of unknown size are asked for by whom, and which are there. Only bookkeeping.
class PartsPlan {
public:
    struct Part {
        std::uint64_t begin = 0, end = 0; ///< end: behind the last byte
        [[nodiscard]] std::uint64_t size() const { return end - begin; }
    };
    /// How many shall share what is left.
    explicit PartsPlan(std::size_t sharers) : sharers_(sharers) {}

    /// The next bytes that nobody has asked for, at most `size` of them; nullopt when there are none. As long as the
    /// file's size is not known they may lie behind its end.
    std::optional<Part> take(std::uint64_t size);
    /// Somebody else shall ask for these.
    void give_back(Part part) { returned_.push_back(part); }
    /// These are there.
    void arrived(std::uint64_t bytes) { there_ += bytes; }
    /// False when it is another one than before.
    bool set_total(std::uint64_t total);
    [[nodiscard]] std::optional<std::uint64_t> total() const { return total_; }
    [[nodiscard]] bool complete() const { return total_ && there_ == *total_; }

private:
    std::size_t sharers_;
    std::optional<std::uint64_t> total_;
    std::uint64_t next_ = 0, there_ = 0;
    std::vector<Part> returned_;
};

/// The total that `bytes 0-99/1000` says, if these are the bytes of the part up to its end or that of the file.
[[nodiscard]] std::optional<std::uint64_t> total_of_part(std::string_view content_range, const PartsPlan::Part& part);

/// Does what exchange() does for a whole file that has to be there soon, over several connections at once: one that was
/// just opened brings only 14 kB in the first round trip and twice as much in each further one. The connections stay
/// open for what follows. The bytes are taken when all are there; at most `size_limit` are. nullopt: it cannot be had
/// in parts, or they are not of one and the same file; nothing was taken then, and the way to go is to ask for it
/// whole.
boost::asio::awaitable<std::optional<ExchangeResult>> exchange_in_parts(CurlLoop& loop,
                                                                        const TransferSettings& settings,
                                                                        const ExchangeRequest& request,
                                                                        std::uint64_t size_limit);

} // namespace taipan
