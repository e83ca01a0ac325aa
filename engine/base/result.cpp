#include "base/result.hpp"

namespace taipan {

std::string Error::describe() const {
    std::string text = message;
    for (const auto& step : context) text += "\n  " + step;
    return text;
}

} // namespace taipan
