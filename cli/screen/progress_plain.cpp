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
    using Progress::Progress;

private:
    void changed(const States& states, Stage stage, std::string_view subject, Change change) override {
        const auto& state = states[static_cast<std::size_t>(stage)];
        if (change == Change::begun && state.begun == 1 && !said_[static_cast<std::size_t>(stage)]) {
            said_[static_cast<std::size_t>(stage)] = true;
            if (opening(stage).empty()) return;
            std::string line(opening(stage));
            if (state.expected_items > 0) line += ' ' + counted(state.expected_items, "package");
            if (state.expected_amount > 0 && stage == Stage::fetch) line += ", " + human_bytes(state.expected_amount);
            console().print_error(line + "\n");
        } else if (change == Change::ended && stage == Stage::fetch) {
            console().print_error(fmt::format("  {}/{} {}\n", state.ended + state.failed,
                                              std::max(state.expected_items, state.begun), subject));
        }
    }

    std::array<bool, stage_count> said_{};
};

} // namespace

std::unique_ptr<Progress> make_plain_progress(Console& console, int verbosity) {
    return std::make_unique<PlainProgress>(console, verbosity);
}

} // namespace taipan::cli
