#pragma once

#include <functional>
#include <string_view>

namespace taipan {

/// Called, with its name, at every point between two changes that a kill may come between. Tests end the process there;
/// in real use it is empty.
using FaultPoint = std::function<void(std::string_view)>;

inline void pass(const FaultPoint& point, std::string_view name) {
    if (point) point(name);
}

} // namespace taipan
