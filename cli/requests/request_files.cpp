#include "requests/request_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <unistd.h>

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "flow/download_text.hpp"
#include "model/channel.hpp"
#include "program/signals.hpp"

namespace taipan::cli {

namespace {

constexpr std::uint64_t text_limit = 64U << 20U;

/// For a download that is over in a moment: nothing is shown.
class SilentSink final : public EventSink {
public:
    void begin(Stage, std::string_view, std::uint64_t) override {}
    void advance(Stage, std::string_view, std::uint64_t) override {}
    void end(Stage, std::string_view, bool) override {}
    void note(Severity, std::string_view) override {}
};

Result<std::string> read_standard_input() {
    std::string text;
    std::array<char, 65536> buffer{};
    while (true) {
        const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_error(errno, "cannot read", "standard input");
        if (count == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (text.size() > text_limit) {
            return make_error(ErrorCode::parse, "standard input is too large for a list of packages");
        }
    }
}

Result<std::string> download(const std::string& url, const Config& config) {
    SilentSink sink;
    StopSource stop;
    const StopOnSignals signals(stop);
    Session session(config, sink, stop);
    return download_text(session, url, text_limit).context("while reading the file given to -f/--file");
}

bool is_remote(const std::string& word) { return word.starts_with("http://") || word.starts_with("https://"); }

Result<RequestFile> read_one(const std::string& word, const RequestFileContext& context, const Config& config) {
    if (word == "-") {
        TAIPAN_TRY(const auto text, read_standard_input());
        RequestFileContext here = context;
        here.base_directory = context.working_directory;
        return parse_request_file(text, "standard input", here);
    }
    if (is_remote(word)) {
        TAIPAN_TRY(const auto text, download(word, config));
        const std::string shown = without_credentials(word);
        return parse_request_file(text, shown.substr(0, shown.find_first_of("?#")), context);
    }
    const std::string path = path_of_file_url(word);
    return read_request_file(path.empty() ? word : path, context);
}

bool by_url(const RequestFile& file) {
    return file.kind == RequestFile::Kind::explicit_urls || file.kind == RequestFile::Kind::lock;
}

/// Lists of URLs are installed as they are, everything else is solved: they cannot be one request.
Result<void> check_kinds(const std::vector<RequestFile>& files) {
    const auto first = std::find_if(files.begin(), files.end(), by_url);
    const auto other = std::find_if_not(files.begin(), files.end(), by_url);
    if (first == files.end() || other == files.end()) return {};
    return make_error(ErrorCode::invalid_argument,
                      first->path + " lists packages by URL, " + other->path +
                          " does not; install one after the other, since what is listed by URL is not solved");
}

} // namespace

Options RequestFileOptions::options() {
    const std::string group = "Packages";
    return {
        {"-f,--file", &files, "FILE",
         "environment.yml, list of specs, @EXPLICIT list, conda-lock.yml or pixi.lock: a path, a URL, or - for "
         "standard "
         "input; may be repeated",
         group},
        {"--category,--categories", &categories, "NAME",
         "of a conda-lock file, take this category (default: main); may be repeated", group},
        {"-e,--environment", &lock_environment, "NAME", "of a pixi.lock, take this environment", group},
    };
}

std::string default_file(const Invocation& invocation) {
    const std::string yml = "environment.yml", yaml = "environment.yaml";
    const auto here = [&](const std::string& name) { return exists(invocation.working_directory + '/' + name); };
    return !here(yml) && here(yaml) ? yaml : yml;
}

Result<std::vector<RequestFile>> read_request_files(const RequestFileOptions& options, const Config& config) {
    const RequestFileContext context{config.environment,
                                     config.home,
                                     config.working_directory,
                                     config.subdir,
                                     {},
                                     options.categories,
                                     options.lock_environment,
                                     options.comment_selectors};
    if (std::count(options.files.begin(), options.files.end(), "-") > 1) {
        return make_error(ErrorCode::invalid_argument, "standard input (-f -) can be read only once");
    }
    std::vector<RequestFile> files;
    for (const auto& word : options.files) {
        TAIPAN_TRY(auto file, read_one(word, context, config));
        if (file.kind == RequestFile::Kind::explicit_urls && !file.platform.empty() && file.platform != config.subdir) {
            return make_error(ErrorCode::invalid_argument, file.path + " is for the platform " + file.platform +
                                                               ", but packages for " + config.subdir +
                                                               " are wanted; use --platform, or another file");
        }
        files.push_back(std::move(file));
    }
    TAIPAN_CHECK(check_kinds(files));
    return files;
}

} // namespace taipan::cli
