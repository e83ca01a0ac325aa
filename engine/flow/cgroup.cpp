#include "flow/cgroup.hpp"

#include <algorithm>
#include <charconv>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::size_t longest_text = 4096;
constexpr std::size_t longest_list = 65536;
constexpr std::uint64_t part_of_memory = 32; ///< that downloads may wait in

template <typename Number> std::optional<Number> number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && (end == text.data() + text.size() || *end == '\n');
    return whole ? std::optional(value) : std::nullopt;
}

template <typename Value> void narrow(std::optional<Value>& limit, std::optional<Value> other) {
    if (other) limit = limit ? std::min(*limit, *other) : *other;
}

/// The group of a hierarchy in the lines `ID:CONTROLLERS:PATH`; "" is the controller of v2, which has no names.
std::string group_of(std::string_view lines, std::string_view controller) {
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string names = ',' + std::string(line.substr(first + 1, second - first - 1)) + ',';
        if (names.find(',' + std::string(controller) + ',') == std::string::npos) continue;
        // A group outside of what this namespace sees.
        if (line.find("/..", second) != std::string_view::npos) return "";
        return std::string(line.substr(second + 1));
    }
    return "";
}

/// Calls `visit` with the directory of the group and of each above it, down to that of the hierarchy itself.
template <typename Visit> void each_group(const std::string& hierarchy, std::string group, const Visit& visit) {
    for (;;) {
        while (group.ends_with('/')) group.pop_back();
        visit(hierarchy + group);
        if (group.empty()) return;
        group.resize(std::min(group.size() - 1, group.rfind('/')));
    }
}

std::string text_of(const std::string& path) {
    auto text = read_file(path, longest_text);
    return text ? std::move(*text) : std::string();
}

} // namespace

std::optional<double> cores_of_quota(std::string_view text) {
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    const auto quota = number<std::int64_t>(text.substr(0, blank));
    const auto period = number<std::int64_t>(text.substr(blank + 1));
    if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
    return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<std::uint64_t> bytes_of_limit(std::string_view text) { return number<std::uint64_t>(text); }

std::uint64_t waiting_bytes(std::uint64_t most, const CgroupLimits& limits) {
    return limits.memory ? std::min(most, *limits.memory / part_of_memory) : most;
}

CgroupLimits read_cgroup_limits(const std::string& root, const std::string& own_path) {
    const auto own = read_file(own_path, longest_list);
    const std::string lines = own ? *own : std::string();
    CgroupLimits limits;
    each_group(root, group_of(lines, ""), [&](const std::string& group) {
        narrow(limits.cores, cores_of_quota(text_of(group + "/cpu.max")));
        narrow(limits.memory, bytes_of_limit(text_of(group + "/memory.max")));
    });
    each_group(root + "/cpu", group_of(lines, "cpu"), [&](const std::string& group) {
        const std::string quota = text_of(group + "/cpu.cfs_quota_us");
        const std::string period = text_of(group + "/cpu.cfs_period_us");
        narrow(limits.cores, cores_of_quota(quota.substr(0, quota.find('\n')) + ' ' + period));
    });
    each_group(root + "/memory", group_of(lines, "memory"), [&](const std::string& group) {
        narrow(limits.memory, bytes_of_limit(text_of(group + "/memory.limit_in_bytes")));
    });
    return limits;
}

} // namespace taipan
