#include "base/temporary_name.hpp"

#include <atomic>
#include <charconv>
#include <random>

namespace taipan {

namespace {

constexpr std::string_view mark = ".taipan-";
constexpr long largest_number = 1L << 40U;

long random_number() {
    std::random_device source; // the system's, which no process shares with another
    return std::uniform_int_distribution<long>(1, largest_number)(source);
}

} // namespace

long run_number() {
    static const long number = random_number();
    return number;
}

std::string temporary_name(std::string_view before) {
    static std::atomic<unsigned> counter{0};
    return std::string(before) + '-' + std::to_string(run_number()) + '-' + std::to_string(counter.fetch_add(1));
}

long run_of_temporary(std::string_view name) {
    if (name.find(mark) == std::string_view::npos) return 0;
    const auto last = name.rfind('-');
    if (last == std::string_view::npos || last == 0) return 0;
    const auto before = name.rfind('-', last - 1);
    if (before == std::string_view::npos) return 0;
    long number = 0;
    const auto* end = name.data() + last;
    const auto [stop, error] = std::from_chars(name.data() + before + 1, end, number);
    return error == std::errc() && stop == end && number > 0 && number <= largest_number ? number : 0;
}

} // namespace taipan
