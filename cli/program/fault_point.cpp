#include "program/fault_point.hpp"

#ifdef TAIPAN_FAULT_POINTS
#include <atomic>
#include <csignal>
#include <cstdlib>
#endif

namespace taipan::cli {

#ifdef TAIPAN_FAULT_POINTS
FaultPoint fault_point_of(const Invocation& invocation) {
    const long wanted = std::strtol(invocation.variable("TAIPAN_KILL_AT").c_str(), nullptr, 10);
    if (wanted <= 0) return {};
    const long asked = std::strtol(invocation.variable("TAIPAN_KILL_WITH").c_str(), nullptr, 10);
    const int number = asked > 0 ? static_cast<int>(asked) : SIGKILL;
    return [wanted, number](std::string_view) {
        static std::atomic<long> passed{0}; // of the command, whoever asked for the hook
        if (++passed == wanted) ::raise(number);
    };
}
#else
FaultPoint fault_point_of(const Invocation&) { return {}; }
#endif

} // namespace taipan::cli
