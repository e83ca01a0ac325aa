#include "program/signals.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <string_view>

#include <unistd.h>

namespace taipan::cli {

namespace {

constexpr std::array<int, 3> ending_signals = {SIGINT, SIGTERM, SIGHUP};

// A handler has no other way to its data than a global.
std::atomic<StopSource*> target{nullptr};
std::atomic<int> received{0};
std::atomic<int> last_number{0};
std::atomic<bool> at_once{false};
struct sigaction before_pipe {};
std::array<struct sigaction, ending_signals.size()> before{};

extern "C" void on_ending_signal(int number) {
    if (at_once.load()) {
        constexpr std::string_view words = "\nstopped before anything was changed\n";
        // Nobody is left to be told if this fails.
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, words.data(), words.size());
        ::_exit(128 + number);
    }
    last_number.store(number);
    if (received.fetch_add(1) >= 2) ::_exit(128 + number);
    if (auto* stop = target.load()) stop->request_stop();
}

extern "C" void on_bus_error(int number, siginfo_t* info, void*) {
    if (info->si_code != BUS_ADRERR) { // not a mapping without a file behind it
        static_cast<void>(std::signal(number, SIG_DFL));
        return; // and it happens again
    }
    constexpr std::string_view text = "\nCondaOSError: a file that was being read, most likely an index in the package "
                                      "cache, was cut short by another "
                                      "program; run the command again\n\n";
    static_cast<void>(::write(STDERR_FILENO, text.data(), text.size()) < 0);
    ::_exit(1);
}

extern "C" void on_pipe(int) {} // a handler, not SIG_IGN: handlers are not inherited across exec

} // namespace

void report_files_cut_short() {
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_sigaction = &on_bus_error;
    action.sa_flags = SA_SIGINFO;
    static_cast<void>(::sigaction(SIGBUS, &action, nullptr));
}

StopOnSignals::StopOnSignals(StopSource& stop) {
    target.store(&stop);
    received.store(0);
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_handler = &on_ending_signal; // without SA_RESTART: a question waiting for its answer ends too
    for (std::size_t i = 0; i < ending_signals.size(); ++i) {
        struct sigaction old {};
        // sigaction fails only for numbers that are no signals.
        static_cast<void>(::sigaction(ending_signals[i], nullptr, &old));
        before[i] = old;
        if (old.sa_handler != SIG_IGN) static_cast<void>(::sigaction(ending_signals[i], &action, nullptr)); // nohup
    }
    action.sa_handler = &on_pipe;
    action.sa_flags = SA_RESTART;
    static_cast<void>(::sigaction(SIGPIPE, &action, &before_pipe));
}

StopOnSignals::~StopOnSignals() {
    for (std::size_t i = 0; i < ending_signals.size(); ++i) {
        static_cast<void>(::sigaction(ending_signals[i], &before[i], nullptr));
    }
    static_cast<void>(::sigaction(SIGPIPE, &before_pipe, nullptr));
    target.store(nullptr);
}

int ending_signal() { return last_number.load(); }

void end_at_once_on_signal(bool ends) { at_once.store(ends); }

} // namespace taipan::cli
