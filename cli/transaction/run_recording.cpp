#include "transaction/run_recording.hpp"

#include "base/filesystem.hpp"
#include "model/channel.hpp"
#include "screen/chrome_trace.hpp"
#include "screen/timings_page.hpp"

namespace taipan::cli {

namespace {

constexpr const char* default_timings_file = "taipan-timings.html";

/// Whether a file can be made there, found out by beginning one.
Result<void> require_creatable(const std::string& path) {
    if (is_directory(path)) return make_error(ErrorCode::invalid_argument, path + " is a directory; name a file");
    TAIPAN_TRY([[maybe_unused]] const AtomicFile file, AtomicFile::create(path));
    return {};
}

} // namespace

Options RecordingOptions::options() {
    const std::string group = "Output";
    Option page{"--timings", &timings, "FILE", "write a page that shows where the time went", group};
    page.implied_value = default_timings_file;
    return {page, {"--trace", &trace, "FILE", "write the same as events for Chrome's tracing page or Perfetto", group}};
}

Result<RunRecording> RunRecording::begin(const RecordingOptions& options, const Invocation& invocation,
                                         EventSink& sink) {
    RunRecording recording(options, without_credentials_in_text(invocation.command_line()), sink);
    if (!options.wanted()) return recording;
    for (auto* file : {&recording.files_.timings, &recording.files_.trace}) {
        if (file->empty()) continue;
        *file = absolute_path(*file, invocation.working_directory);
        TAIPAN_CHECK(require_creatable(*file));
    }
    recording.recorder_ = std::make_unique<Recorder>(sink);
    return recording;
}

void RunRecording::finish(Console& console, const Error* failure, int workers, bool quiet) {
    if (!recorder_) return;
    const Recording recording = recorder_->recording();
    const auto write = [&](const std::string& path, const std::string& text) {
        if (auto written = write_file_atomic(path, text); !written) {
            next_->note(Severity::warning, written.error().message);
        } else if (!quiet) {
            console.print_error("Wrote " + path + '\n');
        }
    };
    if (!files_.trace.empty()) write(files_.trace, chrome_trace(recording, command_line_));
    if (files_.timings.empty()) return;
    TimingsFacts facts;
    facts.command_line = command_line_;
    facts.outcome = failure == nullptr ? "succeeded" : without_credentials_in_text(failure->message);
    facts.ok = failure == nullptr;
    facts.workers = workers;
    write(files_.timings, timings_page(recording, facts));
}

} // namespace taipan::cli
