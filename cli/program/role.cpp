#include "program/role.hpp"

#include <sys/stat.h>

#include "base/filesystem.hpp"

namespace taipan::cli {

Role role_of(std::string_view program) {
    const auto name = base_name(program);
    if (name == "conda") return Role::conda;
    if (name == "mamba") return Role::mamba;
    if (name == "micromamba") return Role::micromamba;
    return Role::taipan;
}

std::string_view role_name(Role role) {
    switch (role) {
    case Role::taipan: return "taipan";
    case Role::conda: return "conda";
    case Role::mamba: return "mamba";
    case Role::micromamba: return "micromamba";
    }
    return "taipan";
}

std::string in_words_of(Role role, std::string text) {
    static constexpr std::string_view own = "`taipan ";
    if (role == Role::taipan) return text;
    for (std::size_t at = 0; (at = text.find(own, at)) != std::string::npos; ++at)
        text.replace(at + 1, own.size() - 2, role_name(role));
    return text;
}

std::string version_text(Role role) {
    switch (role) {
    case Role::taipan: return "taipan " TAIPAN_VERSION "\n";
    case Role::conda: return "conda " + std::string(followed_conda_version) + "\n";
    case Role::mamba:
    case Role::micromamba: return std::string(followed_mamba_version) + "\n";
    }
    return {};
}

std::string_view program_variable(Role role) {
    return role == Role::taipan ? "TAIPAN_EXE" : role == Role::conda ? "CONDA_EXE" : "MAMBA_EXE";
}

std::string_view block_word(Role role) {
    return role == Role::taipan ? "taipan" : role == Role::conda ? "conda" : "mamba";
}

namespace {

bool are_one_file(const std::string& a, const std::string& b) {
    struct stat first {
    }, second{};
    return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

} // namespace

ActivationOptions activation_options(Role role, const std::string& executable, const std::string& root_prefix) {
    ActivationOptions options;
    options.keeps_variables = role == Role::conda;
    options.steps_back = as_mamba(role);
    if (role == Role::conda) {
        // Programs find the root prefix and its etc/profile.d/conda.sh from here (mlflow does).
        const std::string link = root_prefix + "/condabin/conda";
        const std::string& program = are_one_file(link, executable) ? link : executable;
        options.program_variables = {{"CONDA_EXE", program},
                                     {"_CONDA_EXE", program},
                                     {"_CE_M", ""},
                                     {"_CE_CONDA", ""},
                                     {"CONDA_PYTHON_EXE", root_prefix + "/bin/python"},
                                     {"_CONDA_ROOT", root_prefix}};
    }
    return options;
}

std::optional<std::string> root_of_program(const std::string& executable) {
    const auto folder = parent_path(executable);
    if (base_name(folder) != "bin" && base_name(folder) != "condabin") return std::nullopt;
    std::string prefix(parent_path(folder));
    if (prefix.size() < 2 || !is_directory(prefix + "/conda-meta")) return std::nullopt;
    const auto above = parent_path(prefix);
    if (base_name(above) == "envs" && parent_path(above).size() > 1) return std::string(parent_path(above));
    return prefix;
}

} // namespace taipan::cli
