#include "screen/record_text.hpp"

#include <array>
#include <ctime>

#include <fmt/format.h>

namespace taipan::cli {

namespace {

/// As conda writes a size: powers of 1024, whole kilobytes.
std::string binary_size(std::uint64_t bytes) {
    const auto number = static_cast<double>(bytes);
    if (bytes < 1024) return fmt::format("{} B", bytes);
    if (number / 1024 < 1023.5) return fmt::format("{:.0f} KB", number / 1024);
    if (number / 1024 / 1024 < 1024) return fmt::format("{:.1f} MB", number / 1024 / 1024);
    return fmt::format("{:.2f} GB", number / 1024 / 1024 / 1024);
}

std::string utc_time(std::int64_t milliseconds) {
    const std::time_t seconds = milliseconds / 1000;
    std::tm parts{};
    if (::gmtime_r(&seconds, &parts) == nullptr) return std::to_string(milliseconds);
    std::array<char, 64> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
    return {text.data(), length};
}

std::string listed(const std::vector<std::string>& items) {
    std::string text;
    for (const auto& item : items) text += "\n  - " + item;
    return text;
}

} // namespace

std::string record_block(const PackageRecord& record) {
    const std::string title = record.name + ' ' + record.version + ' ' + record.build;
    std::string text = title + '\n' + std::string(title.size(), '-') + '\n';
    const auto line = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) text += fmt::format("{:<12}: {}\n", name, value);
    };
    line("file name", record.fn);
    line("name", record.name);
    line("version", record.version);
    line("build", record.build);
    line("build number", std::to_string(record.build_number));
    if (record.size) line("size", binary_size(*record.size));
    line("license", record.license);
    line("subdir", record.subdir);
    line("url", record.url);
    line("md5", record.md5);
    line("sha256", record.sha256);
    if (record.timestamp) line("timestamp", utc_time(*record.timestamp));
    line("track_features", record.track_features);
    if (!record.constrains.empty()) text += "constraints : " + listed(record.constrains) + '\n';
    text += "dependencies: " + (record.depends.empty() ? std::string("[]") : listed(record.depends)) + '\n';
    return text + "\n\n";
}

} // namespace taipan::cli
