#pragma once

#include <cstddef>
#include <string_view>

namespace taipan {

/// The operating system a prefix is made for (`linux` alone is a macro in GNU dialects).
enum class Platform { linux_os, macos, windows };

/// Platform of a subdir: `win-*`, `osx-*`; everything else counts as Linux.
[[nodiscard]] constexpr Platform platform_of_subdir(std::string_view subdir) {
    if (subdir.substr(0, 4) == "win-") return Platform::windows;
    if (subdir.substr(0, 4) == "osx-") return Platform::macos;
    return Platform::linux_os;
}

/// Longest `#!` line, in bytes, that the kernel accepts.
[[nodiscard]] constexpr std::size_t shebang_limit(Platform platform) { return platform == Platform::macos ? 512 : 127; }

} // namespace taipan
