#pragma once

#include <memory>
#include <string>

#include "base/recorder.hpp"
#include "program/command.hpp"
#include "program/option.hpp"

namespace taipan::cli {

/// `--timings[=FILE]` and `--trace FILE`.
struct RecordingOptions {
    std::string timings, trace; ///< empty: not wanted

    [[nodiscard]] Options options();
    [[nodiscard]] bool wanted() const { return !timings.empty() || !trace.empty(); }
};

/// Records a run if that was asked for, and writes the files at its end, however it ends. Between the engine and the
/// sink that shows progress; when nothing was asked for the engine gets that sink itself, and nothing is done here.
class RunRecording {
public:
    /// Fails when a file could not be written in the end, before anything was done. `sink` outlives it.
    static Result<RunRecording> begin(const RecordingOptions& options, const Invocation& invocation, EventSink& sink);

    /// What the engine has to tell its events to.
    [[nodiscard]] EventSink& sink() const { return recorder_ ? static_cast<EventSink&>(*recorder_) : *next_; }
    /// Writes the files, and says so unless `quiet`. `failure` is what the run ended with, null when it went well. A
    /// file that cannot be written is a warning: the run is what counts.
    void finish(Console& console, const Error* failure, int workers, bool quiet);

private:
    RunRecording(RecordingOptions files, std::string command_line, EventSink& next)
        : files_(std::move(files)), command_line_(std::move(command_line)), next_(&next) {}

    RecordingOptions files_; ///< with absolute paths
    std::string command_line_;
    EventSink* next_;
    std::unique_ptr<Recorder> recorder_;
};

} // namespace taipan::cli
