#include "shell/activation_state.hpp"

#include <algorithm>
#include <charconv>

#include "base/filesystem.hpp"

namespace taipan::cli {

namespace {

std::string comparable(const std::string& path) { return path.starts_with('/') ? absolute_path(path, "/") : path; }

} // namespace

std::optional<std::string> ShellState::find(const std::string& name) const {
    const auto found = environment_.find(name);
    if (found == environment_.end()) return std::nullopt;
    return found->second;
}

int ShellState::level() const {
    const auto text = value("CONDA_SHLVL");
    int level = 0;
    static_cast<void>(std::from_chars(text.data(), text.data() + text.size(), level)); // no number: level 0
    return std::clamp(level, 0, 1'000'000);
}

std::string ShellState::prefix_of(int level) const {
    return level == this->level() ? prefix() : value("CONDA_PREFIX_" + std::to_string(level));
}

bool ShellState::stacked(int level) const { return !value("CONDA_STACKED_" + std::to_string(level)).empty(); }

std::vector<std::string> ShellState::path() const {
    const auto text = find("PATH").value_or("/usr/bin"); // what conda starts from
    std::vector<std::string> entries;
    std::size_t at = 0;
    while (at <= text.size()) {
        const auto end = std::min(text.find(':', at), text.size());
        entries.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return entries;
}

std::string joined_path(const std::vector<std::string>& entries) {
    std::string joined;
    for (std::size_t i = 0; i < entries.size(); ++i) joined.append(i == 0 ? "" : ":").append(entries[i]);
    return joined;
}

std::vector<std::string> added_to_path(std::vector<std::string> entries, const std::string& prefix,
                                       const std::string& root) {
    const bool has_condabin = std::any_of(entries.begin(), entries.end(),
                                          [](const std::string& entry) { return entry.ends_with("condabin"); });
    if (!root.empty() && !has_condabin) entries.insert(entries.begin(), root + "/condabin");
    entries.insert(entries.begin(), prefix + "/bin");
    return entries;
}

std::vector<std::string> replaced_in_path(std::vector<std::string> entries, const std::string& old_prefix,
                                          const std::string& prefix) {
    const auto old_bin = comparable(old_prefix + "/bin");
    auto place = std::find_if(entries.begin(), entries.end(),
                              [&](const std::string& entry) { return comparable(entry) == old_bin; });
    place = place == entries.end() ? entries.begin() : entries.erase(place);
    if (!prefix.empty()) entries.insert(place, prefix + "/bin");
    return entries;
}

bool is_variable_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto fits = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
    return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), fits);
}

} // namespace taipan::cli
