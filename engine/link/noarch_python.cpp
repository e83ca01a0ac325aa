// noarch python packages are built for no python in particular: their files are relocated to where the prefix's
// python looks (conda-spec 3.3), and compiled for it (3.5).

#include "link/noarch_python.hpp"

#include <algorithm>

#include "base/filesystem.hpp"

namespace taipan {

namespace {

constexpr std::string_view source_packages = "site-packages/";
constexpr std::string_view source_scripts = "python-scripts/";

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "3.11" of "3.11.4"; empty when there are no two numbers. The second may end in letters (`3.14rc1`).
std::string major_minor_of(std::string_view version) {
    if (const std::size_t epoch = version.find('!'); epoch != std::string_view::npos) version.remove_prefix(epoch + 1);
    const std::size_t dot = version.find('.');
    if (dot == std::string_view::npos || !all_digits(version.substr(0, dot))) return {};
    const std::size_t end = std::min(version.find_first_not_of("0123456789", dot + 1), version.size());
    if (end == dot + 1) return {};
    return std::string(version.substr(0, end));
}

/// Free-threaded builds carry the ABI tag `cp313t` in the build string, or say so by their site-packages path.
bool is_free_threaded(const PackageRecord& python, const std::string& major_minor) {
    std::string tag = "cp" + major_minor + 't';
    std::erase(tag, '.');
    return python.build.find(tag) != std::string::npos ||
           python.python_site_packages_path == "lib/python" + major_minor + "t/site-packages";
}

} // namespace

Result<PythonInfo> python_info(const PackageRecord& python) {
    PythonInfo info;
    info.version = major_minor_of(python.version);
    if (info.version.empty()) {
        return make_error(ErrorCode::corrupt_package,
                          "cannot tell major and minor version of " + python.dist_name() + " from its version");
    }
    const std::string suffix = is_free_threaded(python, info.version) ? "t" : "";
    info.executable = "bin/python" + info.version + suffix;
    if (python.python_site_packages_path.empty()) {
        info.site_packages_path = "lib/python" + info.version + suffix + "/site-packages";
        return info;
    }
    info.site_packages_path = python.python_site_packages_path;
    while (info.site_packages_path.size() > 1 && info.site_packages_path.back() == '/')
        info.site_packages_path.pop_back();
    if (!is_safe_relative_path(info.site_packages_path)) {
        return make_error(ErrorCode::corrupt_package,
                          "python_site_packages_path of " + python.dist_name() +
                              " is not a path inside the environment: " + python.python_site_packages_path);
    }
    return info;
}

std::string noarch_target_path(std::string_view source, const PythonInfo& python) {
    if (source.starts_with(source_packages)) {
        return python.site_packages_path + '/' + std::string(source.substr(source_packages.size()));
    }
    if (source.starts_with(source_scripts)) return "bin/" + std::string(source.substr(source_scripts.size()));
    return std::string(source);
}

bool is_compiled_source(std::string_view source) {
    return source.starts_with(source_packages) && source.ends_with(".py") &&
           source.size() > source_packages.size() + 3 && source.find_first_of("\t\n\r\f\v") == std::string_view::npos;
}

std::string pyc_path(std::string_view target, const PythonInfo& python) {
    if (python.version.starts_with("2.")) return std::string(target) + 'c';
    const std::string_view name = base_name(target);
    std::string path(target.substr(0, target.size() - name.size()));
    path.append("__pycache__/").append(name.substr(0, name.size() - 3)).append(".cpython-");
    std::copy_if(python.version.begin(), python.version.end(), std::back_inserter(path),
                 [](char c) { return c != '.'; });
    return path + ".pyc";
}

} // namespace taipan
