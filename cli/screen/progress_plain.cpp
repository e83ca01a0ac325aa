#include "screen/progress.hpp"

#include <fmt/format.h>

#include "screen/text.hpp"

// Lines for logs and pipes: one when a stage begins, one for each package that was downloaded. Nothing is redrawn.

namespace taipan::cli {

namespace {

std::string_view opening(Stage stage) {
    switch (stage) {
    case Stage::index: return "Loading the index";
    case Stage::solve: return "Solving";
    case Stage::fetch: return "Downloading";
    case Stage::extract: return "Extracting";
    case Stage::link: return "Linking";
    case Stage::compile: return "Compiling Python files";
    case Stage::record: return "";
    }
    return "";
}

class PlainProgress final : public Progress {
public:
    PlainProgress(Console& console, int verbosity, ProgressStream stream)
        : Progress(console, verbosity), stream_(stream) {}

private:
    void say(const std::string& line) {
        if (stream_ == ProgressStream::errors) return console().print_error(line);
        console().print(line);
        static_cast<void>(console().flush()); // what fails is told at the end
    }

    void changed(const States& states, Stage stage, std::string_view subject, Change change) override {
        const auto& state = states[static_cast<std::size_t>(stage)];
        if (change == Change::begun && state.begun == 1 && !said_[static_cast<std::size_t>(stage)]) {
            said_[static_cast<std::size_t>(stage)] = true;
            if (opening(stage).empty()) return;
            std::string line(opening(stage));
            if (state.expected_items > 0) line += ' ' + counted(state.expected_items, "package");
            if (state.expected_amount > 0 && stage == Stage::fetch) line += ", " + human_bytes(state.expected_amount);
            say(line + "\n");
        } else if (change == Change::ended && stage == Stage::fetch) {
            say(fmt::format("  {}/{} {}\n", state.ended + state.failed, std::max(state.expected_items, state.begun),
                            subject));
        }
    }

    ProgressStream stream_;
    std::array<bool, stage_count> said_{};
};

} // namespace

std::unique_ptr<Progress> make_plain_progress(Console& console, int verbosity, ProgressStream stream) {
    return std::make_unique<PlainProgress>(console, verbosity, stream);
}

} // namespace taipan::cli
