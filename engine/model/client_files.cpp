#include "model/client_files.hpp"

namespace taipan {

bool belongs_to_client(std::string_view path) {
    constexpr std::string_view directory = "conda-meta/";
    if (!path.starts_with(directory)) return path == "conda-meta";
    const std::string_view rest = path.substr(directory.size());
    return rest == "history" || rest.starts_with(".taipan") || rest.ends_with(".json");
}

} // namespace taipan
