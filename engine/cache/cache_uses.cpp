#include "cache/cache_uses.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::string_view head = "taipan 1";
constexpr std::uint64_t largest_file = std::uint64_t{64} << 20U;
constexpr std::size_t kept_bytes = std::size_t{256} << 10U;

std::string path_of(const std::string& cache_directory) { return cache_directory + "/.taipan-uses"; }

template <class Number> bool take_number(std::string_view& line, Number& number) {
    if (!line.starts_with(' ')) return false;
    line.remove_prefix(1);
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc()) return false;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    return true;
}

std::optional<CacheUse> read_line(std::string_view line) {
    CacheUse use;
    if (!line.starts_with(head)) return std::nullopt;
    line.remove_prefix(head.size());
    const bool whole = take_number(line, use.time) && take_number(line, use.extracted) &&
                       take_number(line, use.archives) && take_number(line, use.fetched) &&
                       take_number(line, use.fetched_bytes);
    return whole && line.empty() ? std::optional(use) : std::nullopt;
}

} // namespace

Result<void> note_cache_use(const std::string& cache_directory, const CacheUse& use) {
    std::string line(head);
    line += ' ' + std::to_string(use.time) + ' ' + std::to_string(use.extracted) + ' ' + std::to_string(use.archives) +
            ' ' + std::to_string(use.fetched) + ' ' + std::to_string(use.fetched_bytes) + '\n';
    return append_to_file(path_of(cache_directory), line);
}

CacheUses read_cache_uses(const std::string& cache_directory) {
    CacheUses uses;
    const auto text = read_regular_file(path_of(cache_directory), largest_file);
    if (!text) return uses;
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const auto use = read_line(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!use) continue;
        ++uses.runs;
        uses.total.extracted += use->extracted;
        uses.total.archives += use->archives;
        uses.total.fetched += use->fetched;
        uses.total.fetched_bytes += use->fetched_bytes;
        if (uses.first == 0) uses.first = use->time;
        uses.last = use->time;
    }
    return uses;
}

Result<void> trim_cache_uses(const std::string& cache_directory) {
    const auto text = read_regular_file(path_of(cache_directory), largest_file);
    if (!text || text->size() <= kept_bytes) return {};
    const std::size_t line = text->find('\n', text->size() - kept_bytes);
    return write_file_atomic(path_of(cache_directory), line == std::string::npos ? "" : text->substr(line + 1));
}

} // namespace taipan
