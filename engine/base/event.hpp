#pragma once

#include <cstdint>
#include <string_view>

namespace taipan {

/// The stages of a run, in the order data walks through them.
enum class Stage { index, solve, fetch, extract, link, compile, record };
inline constexpr int stage_count = 7;

[[nodiscard]] std::string_view to_string(Stage stage);

enum class Severity { debug, info, warning };

/// Where the engine tells what happens. The caller of the engine implements it; every method may be
/// called from several threads at once and must return quickly. `subject` is a package, URL or prefix
/// and never carries credentials.
class EventSink {
public:
    EventSink() = default;
    EventSink(const EventSink&) = delete;
    EventSink& operator=(const EventSink&) = delete;
    virtual ~EventSink() = default;

    /// Work on `subject` starts. `total` is in bytes (fetch) or files (link), 0 when unknown.
    virtual void begin(Stage stage, std::string_view subject, std::uint64_t total) = 0;
    /// So many bytes or files of it are done.
    virtual void advance(Stage stage, std::string_view subject, std::uint64_t done) = 0;
    virtual void end(Stage stage, std::string_view subject, bool ok) = 0;
    /// Something a person may want to read.
    virtual void note(Severity severity, std::string_view text) = 0;
};

/// Begin and end of one piece of work, tied to a scope. It counts as failed unless `succeed` is called.
class Span {
public:
    Span(EventSink& sink, Stage stage, std::string_view subject, std::uint64_t total = 0)
        : sink_(sink), stage_(stage), subject_(subject) {
        sink_.begin(stage_, subject_, total);
    }
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;
    ~Span() { sink_.end(stage_, subject_, ok_); }
    void succeed() { ok_ = true; }

private:
    EventSink& sink_;
    Stage stage_;
    std::string_view subject_; ///< must outlive the span
    bool ok_ = false;
};

} // namespace taipan
