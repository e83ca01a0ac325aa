#include "transaction/pip_step.hpp"

#include <unistd.h>

#include "base/filesystem.hpp"
#include "shell/activation.hpp"
#include "transaction/child.hpp"

// What pip installs into a new environment, by pip itself (or uv). It works in the directory of the environment file,
// so that `-e .` means what is there; the lines go through a file of their own beside it, as with conda, since pip
// looks for the files of `-r` lines beside the file that has these lines.

namespace taipan::cli {

namespace {

/// A file that goes away with its scope.
class TemporaryFile {
public:
    explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { ::unlink(path_.c_str()); }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

bool is_writable(const std::string& directory) { return ::access(directory.c_str(), W_OK) == 0; }

std::string requirements_file(const PipPart& part, const Config& config) {
    std::string directory = part.directory;
    if (!is_writable(directory)) {
        const auto found = config.environment.find("TMPDIR");
        directory = found == config.environment.end() || found->second.empty() ? "/tmp" : found->second;
    }
    return directory + "/condaenv." + std::to_string(::getpid()) + ".requirements.txt";
}

Result<std::vector<std::string>> command_words(const std::string& prefix, const PipPart& part, bool use_uv,
                                               const std::string& file, const Config& config) {
    const std::string python = prefix + "/bin/python";
    if (!exists(python)) {
        return make_error(ErrorCode::invalid_argument, "there are packages to install with pip, but " + prefix +
                                                           " has no python; add python and pip to the conda packages");
    }
    std::vector<std::string> words;
    if (use_uv) {
        const std::string uv = prefix + "/bin/uv";
        if (!exists(uv)) {
            return make_error(ErrorCode::invalid_argument,
                              "uv is to install packages, but " + prefix + " has no uv; add it to the conda packages");
        }
        words = {uv, "pip", "install", "--python", python, "-U", "-r", file};
        if (config.offline) words.emplace_back("--offline");
    } else {
        words = {python, "-m", "pip", "install", "-U", "-r", file, "--exists-action=b"};
        if (config.offline) words.emplace_back("--no-index"); // what has a file:// URL can be installed still
        if (config.quiet && !config.json) words.emplace_back("--quiet");
    }
    if (part.no_deps) words.emplace_back("--no-deps");
    return words;
}

Result<void> install_part(Session& session, const std::string& prefix, const PipPart& part, bool use_uv) {
    const Config& config = session.config();
    const TemporaryFile file(requirements_file(part, config));
    TAIPAN_TRY(const auto words, command_words(prefix, part, use_uv, file.path(), config));
    std::string text;
    const bool elsewhere = parent_path(file.path()) != part.directory;
    for (const auto& line : elsewhere ? lines_from_elsewhere(part.lines, part.directory) : part.lines)
        text += line + '\n';
    TAIPAN_CHECK(write_file_atomic(file.path(), text, 0600));
    TAIPAN_TRY(const auto plan, plan_activation(prefix, config));
    const auto command = wrap_command(plan, words, config.environment);
    TAIPAN_TRY(const int code, run_child(command, part.directory, config.json, session.stop()));
    const std::string name = use_uv ? "uv" : "Pip";
    if (session.stop().stop_requested()) return make_error(ErrorCode::cancelled, "stopped while pip was at work");
    if (code != 0) {
        return make_error(ErrorCode::link_script_failed,
                          name + " failed (exit code " + std::to_string(code) +
                              "); its output is above. The conda packages are installed: mend the 'pip:' part, then "
                              "run `taipan env update` with the same file");
    }
    return {};
}

} // namespace

std::vector<std::string> lines_from_elsewhere(const std::vector<std::string>& lines, const std::string& directory) {
    std::vector<std::string> moved;
    for (const auto& line : lines) {
        std::string rewritten = line;
        for (const std::string_view option : {"-r", "-c", "--requirement", "--constraint"}) {
            if (!line.starts_with(option)) continue;
            std::string_view rest = std::string_view(line).substr(option.size());
            const bool is_long = option.starts_with("--");
            if (is_long && !rest.starts_with('=') && !rest.starts_with(' ')) continue;
            rest.remove_prefix(std::min(rest.find_first_not_of("= \t"), rest.size()));
            if (rest.empty() || rest.starts_with('/') || rest.find("://") != std::string_view::npos) break;
            rewritten = std::string(option) + ' ' + directory + '/' + std::string(rest);
            break;
        }
        moved.push_back(std::move(rewritten));
    }
    return moved;
}

Result<void> install_with_pip(Session& session, const std::string& prefix, const PipRequest& request) {
    for (const auto& part : request.parts) TAIPAN_CHECK(install_part(session, prefix, part, request.use_uv));
    return {};
}

} // namespace taipan::cli
