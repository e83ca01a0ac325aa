#include <algorithm>

#include "base/filesystem.hpp"
#include "config/environment_file.hpp"
#include "config/expand.hpp"
#include "model/channel.hpp"
#include "model/record.hpp"

// Text files of `--file` (CEP 23): one spec a line, or after a line `@EXPLICIT` one package URL or path a line, with
// its hash behind a `#`.

namespace taipan {

namespace {

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

bool is_hash(std::string_view text) {
    if (text.starts_with("sha256:")) return text.size() == 71 && is_hex(text.substr(7));
    return (text.size() == 32 || text.size() == 64) && is_hex(text);
}

/// A line of an explicit file as `<url>#<hash>`; paths become file URLs.
Result<std::string> explicit_entry(std::string_view line, const std::string& where, const RequestFileContext& context) {
    const auto hash_mark = line.rfind('#');
    const auto hash = hash_mark == std::string_view::npos ? std::string_view() : line.substr(hash_mark + 1);
    std::string place = expand_home(expand_variables(line.substr(0, hash_mark), context.environment), context.home);
    if (!has_package_extension(base_name(place)) || (hash_mark != std::string_view::npos && !is_hash(hash))) {
        return make_error(ErrorCode::parse, where + ": '" + std::string(line) +
                                                "' is no package URL with an optional #<md5> or #<sha256>");
    }
    if (place.find("://") == std::string::npos) {
        place = file_url_of_path(absolute_path(place, context.working_directory));
    }
    return hash.empty() ? place : place.append("#").append(hash);
}

} // namespace

Result<RequestFile> parse_spec_file(std::string_view text, const std::string& path, const RequestFileContext& context) {
    constexpr std::string_view platform_mark = "# platform:", pip_mark = "# pip ";
    RequestFile file;
    file.path = path;
    std::vector<std::pair<int, std::string_view>> lines;
    std::vector<std::string> pip;
    std::size_t at = 0;
    for (int number = 1; at <= text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const auto line = trimmed(text.substr(at, end - at));
        at = end + 1;
        if (line.starts_with(platform_mark))
            file.platform = trimmed(line.substr(platform_mark.size()));
        else if (line == "@EXPLICIT")
            file.kind = RequestFile::Kind::explicit_urls;
        else if (line.starts_with(pip_mark))
            pip.emplace_back(trimmed(line.substr(pip_mark.size())));
        else if (!line.empty() && line.front() != '#')
            lines.emplace_back(number, line);
    }
    if (file.kind == RequestFile::Kind::explicit_urls && !pip.empty()) { // conda-lock writes pip's packages so
        file.pip = std::move(pip);
        file.pip_no_deps = true;
    }
    for (const auto& [number, line] : lines) {
        if (line.find('\0') != std::string_view::npos) {
            return make_error(ErrorCode::parse, path + " is no text file");
        }
        if (file.kind == RequestFile::Kind::explicit_urls) {
            TAIPAN_TRY(auto entry, explicit_entry(line, path + ", line " + std::to_string(number), context));
            file.dependencies.push_back(std::move(entry));
        } else if (!line.ends_with("=pypi_0")) { // `list --export` names pip's packages so; they are none of conda's
            file.dependencies.emplace_back(line);
        }
    }
    return file;
}

} // namespace taipan
