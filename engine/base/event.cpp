#include "base/event.hpp"

namespace taipan {

std::string_view to_string(Stage stage) {
    switch (stage) {
    case Stage::index: return "index";
    case Stage::solve: return "solve";
    case Stage::fetch: return "fetch";
    case Stage::extract: return "extract";
    case Stage::link: return "link";
    case Stage::compile: return "compile";
    case Stage::record: return "record";
    }
    return "?";
}

} // namespace taipan
