#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace taipan {

/// What kind of thing went wrong; the command line maps each code to conda's exception name.
enum class ErrorCode {
    invalid_argument,      ///< the user's words: a spec, a flag, a name
    no_channels,           ///< nothing to search: no channel is configured
    package_not_found,     ///< a requested name that no channel has
    unsatisfiable,         ///< the request contradicts itself or the channels
    package_disallowed,    ///< the solution has a package that the configuration forbids
    http,                  ///< a server answered with an error status
    network,               ///< no (complete) answer: DNS, refused, reset, timeout, truncated
    offline,               ///< the network was needed but forbidden
    checksum_mismatch,     ///< bytes arrived, but they are not the ones the index names
    corrupt_package,       ///< an archive that breaks the format or would leave its tree
    corrupt_environment,   ///< unreadable conda-meta
    parse,                 ///< malformed JSON, YAML or text from outside
    io,                    ///< any other failing system call
    no_space,              ///< ENOSPC, EDQUOT
    not_writable,          ///< EACCES, EPERM, EROFS
    environment_exists,    ///< create on an existing environment
    not_an_environment,    ///< the directory is there but has no conda-meta/history
    environment_not_found, ///< no such name or path
    environment_frozen,    ///< conda-meta/frozen (CEP 22)
    prefix_too_long,       ///< the prefix does not fit in a binary placeholder
    clobber,               ///< two packages own one path and path_conflict forbids it
    link_script_failed,    ///< a pre-link or post-link script ended non-zero
    locked,                ///< another process held a lock for too long
    outdated_plan,         ///< another process has changed the environment since the plan was made
    cancelled,             ///< SIGINT, SIGTERM or an earlier error stopped this work
    internal,              ///< a bug or a failing library call
};

/// One failure: a code for programs, a message for people, and the steps that led there,
/// innermost first ("while extracting numpy-1.26.conda").
struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string message;
    std::vector<std::string> context;
    /// The same facts for programs, as one JSON object; empty when the message is all there is.
    std::string details = {};

    /// Message and context as one text: the message, then one indented line per step.
    [[nodiscard]] std::string describe() const;
};

[[nodiscard]] inline Error make_error(ErrorCode code, std::string message) {
    return Error{code, std::move(message), {}};
}

/// Either a value or an Error; the return type of everything that can fail.
template <class T> class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}     // NOLINT: implicit by design
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {} // NOLINT: same

    explicit operator bool() const noexcept { return state_.index() == 0; }

    T& value() & { return *std::get_if<0>(&state_); }
    const T& value() const& { return *std::get_if<0>(&state_); }
    T&& value() && { return std::move(*std::get_if<0>(&state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    Error& error() & { return *std::get_if<1>(&state_); }
    const Error& error() const& { return *std::get_if<1>(&state_); }
    Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

    /// The same result with one more step of context if it is an error.
    Result context(std::string step) && {
        if (!*this) error().context.push_back(std::move(step));
        return std::move(*this);
    }

private:
    std::variant<T, Error> state_;
};

template <> class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : failed_(true), error_(std::move(error)) {} // NOLINT: implicit by design

    explicit operator bool() const noexcept { return !failed_; }
    Error& error() & { return error_; }
    const Error& error() const& { return error_; }
    Error&& error() && { return std::move(error_); }

    Result context(std::string step) && {
        if (failed_) error_.context.push_back(std::move(step));
        return std::move(*this);
    }

private:
    bool failed_ = false;
    Error error_;
};

#define TAIPAN_CONCAT_(a, b) a##b
#define TAIPAN_CONCAT(a, b) TAIPAN_CONCAT_(a, b)

/// `TAIPAN_TRY(auto x, f());` returns the error of f() from the enclosing function, or binds its value.
#define TAIPAN_TRY(declaration, expression)                                                                            \
    auto TAIPAN_CONCAT(taipan_try_, __LINE__) = (expression);                                                          \
    if (!TAIPAN_CONCAT(taipan_try_, __LINE__)) return std::move(TAIPAN_CONCAT(taipan_try_, __LINE__)).error();         \
    declaration = *std::move(TAIPAN_CONCAT(taipan_try_, __LINE__))

/// `TAIPAN_CHECK(f());` returns the error of a Result<void> from the enclosing function.
#define TAIPAN_CHECK(expression)                                                                                       \
    do {                                                                                                               \
        if (auto taipan_check_ = (expression); !taipan_check_) return std::move(taipan_check_).error();                \
    } while (false)

} // namespace taipan
