#include "commands/lock_hash.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/json_writer.hpp"
#include "model/match_spec.hpp"

// conda-lock hashes a JSON document of its own models: `json.dumps(sort_keys=True)` of channels (each of them JSON in a
// string), specs and the repodata of the virtual packages that it makes for its solver. All of it has to be spelled the
// same, down to the names of files that exist nowhere.

namespace taipan::cli {

namespace {

std::string quoted(std::string_view text) { return JsonWriter().value(text).take(); }
std::string quoted_or_null(std::string_view text) { return text.empty() ? "null" : quoted(text); }

std::string joined(const std::vector<std::string>& items) { return fmt::format("{}", fmt::join(items, ", ")); }

struct VirtualPackage {
    std::string name, version, build;

    [[nodiscard]] std::string file_build() const { return build.empty() ? "0" : build + "_0"; }
    [[nodiscard]] std::string json(std::string_view subdir) const {
        return fmt::format(R"({}: {{"build": {}, "build_number": 0, "build_string": {}, "depends": [], "name": {}, )"
                           R"("noarch": "", "package_type": "virtual_system", "subdir": {}, )"
                           R"("timestamp": 1577854800000, "version": {}}})",
                           quoted(name + '-' + version + '-' + file_build() + ".tar.bz2"), quoted(file_build()),
                           quoted(build), quoted(name), quoted(subdir), quoted(version));
    }
};

/// As conda-lock has them: `__unix` is always there, `__archspec` is its build, and macOS has a second `__osx`.
std::vector<VirtualPackage> virtual_packages(const HashedRequest& request) {
    std::vector<VirtualPackage> packages;
    const bool unix_like = !request.subdir.starts_with("win-");
    if (unix_like && !request.machine.empty()) packages.push_back({"__unix", "0", ""});
    if (request.subdir == "osx-64") packages.push_back({"__osx", "10.15", ""});
    for (const auto& [name, version] : request.machine) {
        if (version.empty() || name == "__unix") continue;
        if (name == "__archspec")
            packages.push_back({name, "1", version == "x86_64" && request.subdir == "osx-arm64" ? "arm64" : version});
        else
            packages.push_back({name, version, ""});
    }
    std::sort(packages.begin(), packages.end(), [](const VirtualPackage& a, const VirtualPackage& b) {
        return std::tuple(a.name + '-' + a.version, a.build) < std::tuple(b.name + '-' + b.version, b.build);
    });
    return packages;
}

std::string index_json(std::string_view subdir, const std::vector<std::string>& packages) {
    return fmt::format(R"({}: {{"info": {{"subdir": {}}}, "packages": {{{}}}}})", quoted(subdir), quoted(subdir),
                       joined(packages));
}

std::string spec_json(const MatchSpec& spec, const std::string& category) {
    return fmt::format(R"({{"build": {}, "category": {}, "conda_channel": {}, "extras": [], "hash": null, )"
                       R"("manager": "conda", "name": {}, "version": {}}})",
                       quoted_or_null(spec.build() ? spec.build()->text() : ""), quoted(category),
                       quoted_or_null(spec.channel()), quoted(spec.name()),
                       quoted(spec.version() ? spec.version()->text() : ""));
}

} // namespace

Result<std::string> content_hash(const HashedRequest& request, const ChannelSettings& settings) {
    std::vector<std::string> channels;
    for (const auto& channel : request.channels) {
        channels.push_back(quoted(R"({"url":)" + quoted(channel) + R"(,"used_env_vars":[]})"));
    }
    std::vector<std::pair<std::string, std::string>> specs; // by name; those of one name as they come
    for (const auto& text : request.specs) {
        TAIPAN_TRY(const auto spec, MatchSpec::parse(text, settings));
        const auto wanted = request.categories.find(spec.name());
        const bool has_one = wanted != request.categories.end() && !wanted->second.empty();
        specs.emplace_back(spec.name(), spec_json(spec, has_one ? *wanted->second.begin() : "main"));
    }
    std::stable_sort(specs.begin(), specs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> spec_texts, packages;
    for (auto& [name, text] : specs) spec_texts.push_back(std::move(text));
    for (const auto& package : virtual_packages(request)) packages.push_back(package.json(request.subdir));
    std::vector<std::string> indexes = {index_json(request.subdir, packages), index_json("noarch", {})};
    std::sort(indexes.begin(), indexes.end());
    return sha256_hex(fmt::format(R"({{"channels": [{}], "specs": [{}], "virtual_package_hash": {{{}}}}})",
                                  joined(channels), joined(spec_texts), joined(indexes)));
}

} // namespace taipan::cli
