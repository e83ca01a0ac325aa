#include "pip_step.hpp"

#include <unistd.h>

#include "activation.hpp"
#include "base/filesystem.hpp"
#include "child.hpp"

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

std::string place_for_requirements(const PipRequest& request, const Config& config) {
    std::string directory = request.directory;
    if (::access(directory.c_str(), W_OK) != 0) {
        const auto found = config.environment.find("TMPDIR");
        directory = found == config.environment.end() || found->second.empty() ? "/tmp" : found->second;
    }
    return directory + "/condaenv." + std::to_string(::getpid()) + ".requirements.txt";
}

} // namespace

Result<void> install_with_pip(Session& session, const std::string& prefix, const PipRequest& request) {
    const Config& config = session.config();
    const std::string python = prefix + "/bin/python";
    if (!exists(python)) {
        return make_error(ErrorCode::invalid_argument, "the environment file has a 'pip:' part, but " + prefix +
                                                           " has no python; add python and pip to its dependencies");
    }
    std::string text;
    for (const auto& line : request.lines) text += line + '\n';
    const TemporaryFile file(place_for_requirements(request, config));
    TAIPAN_CHECK(write_file_atomic(file.path(), text, 0600));
    TAIPAN_TRY(const auto plan, plan_activation(prefix, config));
    const auto command = wrap_command(
        plan, {python, "-m", "pip", "install", "-U", "-r", file.path(), "--exists-action=b"}, config.environment);
    TAIPAN_TRY(const int code, run_child(command, request.directory, config.json, session.stop()));
    if (session.stop().stop_requested()) return make_error(ErrorCode::cancelled, "stopped while pip was at work");
    if (code != 0) {
        return make_error(ErrorCode::link_script_failed,
                          "Pip failed (exit code " + std::to_string(code) +
                              "); its output is above. The conda packages are installed: mend the 'pip:' part, then "
                              "run `taipan env update` with the same file");
    }
    return {};
}

} // namespace taipan::cli
