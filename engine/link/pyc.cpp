// Problem: the modules of noarch python packages come without bytecode; without it every first import is slow and, in a
// read-only environment, every import.
// Approach: the prefix's own interpreter compiles them as its own py_compile would, in a process that stays for many
// batches: names go to its standard input, after each batch it answers with a line. It runs without the user's and the
// system's site (no .pth file of a package is executed), looks for modules in the prefix only, and with -B, so that it
// leaves no bytecode of the modules it imports itself, which nobody would record. What must hold: pycs carry the
// source's mtime (never a hash); the paths inside are relative to the prefix, so the same package gives the same bytes
// in every prefix; a source that does not compile is no error.

#include "link/pyc.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <thread>

#include <poll.h>

#include "base/filesystem.hpp"
#include "link/spawned_child.hpp"

namespace taipan {

namespace {

constexpr int poll_milliseconds = 50;
constexpr int ending_milliseconds = 500; // between the end of its output and its own end
constexpr std::size_t output_limit = 4096;
constexpr std::string_view answer_head = "\ndone ";

/// Reads batches: a line with a number of bytes, then so many bytes of NUL-terminated pairs (source, pyc). Answers each
/// with how many it has compiled. Runs on every python from 2.7 on. Ends when taipan was killed: the next run undoes
/// what it finds, and nobody may write behind its back.
///
/// From CPython 3.7 on it does what py_compile does without importing it: that alone costs more than compiling fifty
/// modules. Bytecode tells of each object whether it might be referred to again, which marshal guesses from its count
/// of references; a name that something else in the process uses too counts more. All are held once more, and texts of
/// one letter, which all modules share, are made names at once, so that the bytes depend on the source alone. The
/// garbage collector mostly slows compiling down, so it runs once in a while only. When memory runs out, this process
/// is to be ended rather than ours, which can do without it.
constexpr std::string_view compiler_program = R"(import sys
sys.path = [place for place in sys.path if place]
import os, gc
gc.disable()
try:
    from _frozen_importlib_external import _code_to_timestamp_pyc as with_header
    fast = sys.version_info >= (3, 7) and sys.implementation.name == 'cpython'
except ImportError:
    fast = False
if fast:
    for number in range(256):
        sys.intern(chr(number))
    code_type = type(with_header.__code__)
    def hold(value, held):
        kind = type(value)
        if kind is code_type:
            held.append(value.co_name)
            held.append(getattr(value, 'co_qualname', None))
            for names in value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars:
                held.extend(names)
            for constant in value.co_consts:
                hold(constant, held)
        elif kind is tuple or kind is frozenset:
            held.append(value)
            for item in value:
                hold(item, held)
        else:
            held.append(value)
    def make(source, pyc):
        with open(source, 'rb', 0) as stream:
            status = os.fstat(stream.fileno())
            text = stream.read()
        code = compile(text, source, 'exec', dont_inherit=True)
        held = []
        hold(code, held)
        data = with_header(code, int(status.st_mtime), len(text))
        flags, bits = os.O_WRONLY | os.O_CREAT | os.O_EXCL, status.st_mode & 0o666 | 0o200
        try:
            handle = os.open(pyc, flags, bits)
        except FileExistsError:
            os.unlink(pyc)
            handle = os.open(pyc, flags, bits)
        try:
            with open(handle, 'wb', 0) as stream:
                rest = memoryview(data)
                while rest:
                    rest = rest[stream.write(rest):]
        except BaseException:
            os.unlink(pyc)
            raise
else:
    import py_compile
    mode = getattr(py_compile, 'PycInvalidationMode', None)
    extra = {} if mode is None else {'invalidation_mode': mode.TIMESTAMP}
    def make(source, pyc):
        py_compile.compile(source, cfile=pyc, doraise=True, **extra)
decode = getattr(os, 'fsdecode', lambda name: name)
questions = getattr(sys.stdin, 'buffer', sys.stdin)
parent = os.getppid()
try:
    with open('/proc/self/oom_score_adj', 'w') as stream:
        stream.write('500')
except Exception:
    pass
if sys.argv[1:] == ['gently']:
    os.nice(5)
count = 0
while True:
    head = questions.readline()
    if not head:
        break
    names = questions.read(int(head)).split(b'\0')[:-1]
    done = 0
    for source, pyc in zip(names[0::2], names[1::2]):
        if os.getppid() != parent:
            sys.exit(1)
        count += 1
        if count % 64 == 0:
            gc.collect()
        try:
            make(decode(source), decode(pyc))
            done += 1
        except Exception:
            pass
    sys.stdout.write('\ndone %d\n' % done)
    sys.stdout.flush()
)";

bool is_python_2(const PythonInfo& python) { return python.version.starts_with("2."); }

} // namespace

std::vector<std::string> pyc_command(const PycRun& run) {
    std::vector<std::string> arguments{run.prefix + '/' + run.python.executable};
    if (is_python_2(run.python)) arguments.emplace_back("-E");
    arguments.insert(arguments.end(), {"-s", "-S", "-B", "-Wignore", "-c", std::string(compiler_program)});
    if (run.gently) arguments.emplace_back("gently");
    return arguments;
}

std::map<std::string, std::string> python_environment(std::map<std::string, std::string> environment) {
    std::erase_if(environment, [](const auto& variable) {
        return variable.first.starts_with("PYTHON") || variable.first == "SOURCE_DATE_EPOCH";
    });
    // Before 3.11 the order of the names in a constant set is that of their hashes, and so is the bytecode.
    environment.emplace("PYTHONHASHSEED", "0");
    return environment;
}

struct PycCompiler::State {
    std::string program;
    std::function<bool()> stopped;
    ChildStreams streams;
    std::optional<SpawnedChild> child;
    std::string said; ///< what it has written since the last answer
    int signal = 0;   ///< that has ended it, not from us

    [[nodiscard]] Error failed() {
        const auto patience = std::chrono::steady_clock::now() + std::chrono::milliseconds(ending_milliseconds);
        while (!child->wait(false) && std::chrono::steady_clock::now() < patience) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        signal = child->ending_signal();
        child->kill_group();
        child->wait(true);
        const std::string end =
            signal != 0 ? "was killed by signal " + std::to_string(signal) + ", as happens when memory runs out"
                        : "ended with status " + std::to_string(child->exit_status());
        return make_error(ErrorCode::io, "the environment's python (" + program + ") cannot compile modules; it " +
                                             end + (said.empty() ? "" : ": " + said));
    }

    /// The number in the answer, if it is there and whole.
    std::optional<std::size_t> take_answer() {
        const std::size_t at = said.rfind(answer_head);
        if (at == std::string::npos || !said.ends_with('\n')) return std::nullopt;
        const std::string_view number = std::string_view(said).substr(at + answer_head.size());
        std::size_t count = 0;
        const auto parsed = std::from_chars(number.data(), number.data() + number.size(), count);
        if (parsed.ec != std::errc() || parsed.ptr + 1 != number.data() + number.size()) return std::nullopt;
        said.erase(at);
        return count;
    }
};

PycCompiler::PycCompiler(std::unique_ptr<State> state) : state_(std::move(state)) {}
PycCompiler::PycCompiler(PycCompiler&&) noexcept = default;
PycCompiler::~PycCompiler() = default;

bool PycCompiler::killed() const { return state_->signal != 0; }

Result<PycCompiler> PycCompiler::start(const PycRun& run) {
    auto state = std::make_unique<State>();
    const auto command = pyc_command(run);
    state->program = command.front();
    state->stopped = run.stopped;
    TAIPAN_TRY(state->streams, make_child_streams(true));
    auto child = spawn_child(command, python_environment(run.environment), run.prefix, state->streams);
    if (!child) return std::move(child).error();
    state->child.emplace(*std::move(child));
    return PycCompiler(std::move(state));
}

Result<std::size_t> PycCompiler::compile(std::span<const PycItem> batch) {
    if (batch.empty()) return std::size_t{0};
    State& state = *state_;
    std::string names;
    for (const PycItem& item : batch) {
        names.append(item.source).push_back('\0');
        names.append(item.pyc).push_back('\0');
    }
    const std::string question = std::to_string(names.size()) + '\n' + names;
    std::string_view rest = question;
    while (true) {
        if (state.stopped && state.stopped()) {
            return make_error(ErrorCode::cancelled, "compiling the Python sources was interrupted");
        }
        std::array<pollfd, 2> watched{
            {{state.streams.output.get(), POLLIN, 0}, {rest.empty() ? -1 : state.streams.input.get(), POLLOUT, 0}}};
        if (::poll(watched.data(), watched.size(), poll_milliseconds) < 0 && errno != EINTR) {
            return system_error(errno, "cannot wait for", state.program);
        }
        if (watched[1].revents != 0 && !send_input(state.streams.input.get(), rest)) rest = {}; // its end is seen below
        if (watched[0].revents != 0) {
            if (!read_output(state.streams.output.get(), state.said, output_limit)) return state.failed();
            if (const auto count = state.take_answer()) return *count;
        } else if (state.child->wait(false)) { // something it has started keeps the pipe open
            return state.failed();
        }
    }
}

} // namespace taipan
