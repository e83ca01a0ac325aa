#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace taipan::cli {

/// What the streams are able to show.
struct Terminal {
    bool input = false, output = false, errors = false; ///< stdin, stdout, stderr are terminals
    bool colour = false;                                ///< terminal, not dumb, NO_COLOR not set
    bool unicode = false;                               ///< the locale is UTF-8
    bool live = false;                                  ///< stderr can be redrawn (a terminal that is not dumb)

    /// Columns of stderr's terminal now; 80 when it is none.
    [[nodiscard]] int width() const;
};

[[nodiscard]] Terminal detect_terminal(const std::map<std::string, std::string>& environment);

/// stdout, stderr and questions. Results go to stdout, everything else to stderr.
class Console {
public:
    explicit Console(Terminal terminal) : terminal_(terminal) {}
    [[nodiscard]] const Terminal& terminal() const { return terminal_; }

    void print(std::string_view text);       ///< stdout, buffered
    void print_error(std::string_view text); ///< stderr, after everything printed so far
    /// Asks on stdout and reads a line. Empty answer: the default. End of input is an error that tells to use -y.
    Result<bool> confirm(std::string_view question, bool default_answer = true);
    /// Writes out what is buffered. A closed pipe is no error, a full disk is.
    Result<void> flush();

private:
    Terminal terminal_;
};

} // namespace taipan::cli
