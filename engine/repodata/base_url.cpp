#include "repodata/base_url.hpp"

#include <vector>

namespace taipan::repodata {
namespace {

/// Removes "." and ".." from an absolute path; ".." at the root stays at the root.
std::string normalise(std::string_view path) {
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const auto part = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        if (part == "..") {
            if (!parts.empty()) parts.pop_back();
        } else if (!part.empty() && part != ".") {
            parts.push_back(part);
        }
    }
    std::string text;
    for (const auto part : parts) text.append("/").append(part);
    return text;
}

} // namespace

std::string resolve_reference(std::string_view directory_url, std::string_view reference) {
    while (reference.size() > 1 && reference.back() == '/') reference.remove_suffix(1);
    if (reference.find("://") != std::string_view::npos) return std::string(reference);
    const auto scheme_end = directory_url.find("://");
    if (scheme_end == std::string_view::npos) return std::string(directory_url);
    if (reference.starts_with("//")) return std::string(directory_url.substr(0, scheme_end + 1)).append(reference);
    const auto path_start = directory_url.find('/', scheme_end + 3);
    const auto origin = directory_url.substr(0, path_start);
    if (reference.starts_with('/')) return std::string(origin) + normalise(reference);
    std::string path(path_start == std::string_view::npos ? std::string_view() : directory_url.substr(path_start));
    path.append("/").append(reference);
    return std::string(origin) + normalise(path);
}

} // namespace taipan::repodata
