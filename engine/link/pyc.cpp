// Problem: the modules of noarch python packages come without bytecode; without it every first import is slow and, in a
// read-only environment, every import.
// Approach: the prefix's own interpreter compiles them as its own py_compile would, one process for a batch, the names
// on its standard input. It runs isolated, without site (no .pth file of a package is executed), and with -B, so
// that it leaves no bytecode of the modules it imports itself, which nobody would record.
// What must hold: pycs carry the source's mtime (never a hash); the paths inside are relative to the prefix, so the
// same package gives the same bytes in every prefix; a source that does not compile is no error.

#include "link/pyc.hpp"

#include <charconv>
#include <string_view>

#include "base/filesystem.hpp"
#include "link/child_process.hpp"

namespace taipan {

namespace {

/// Reads NUL-terminated pairs (source, pyc), prints how many it has compiled. Runs on every python from 2.7 on. Ends
/// when taipan was killed: the next run undoes what it finds, and nobody may write behind its back.
///
/// From CPython 3.7 on it does what py_compile does without importing it: that alone costs more than compiling fifty
/// modules. The garbage collector mostly slows compiling down, so it runs once in a while only.
constexpr std::string_view compiler_program = R"(import sys, os, gc
gc.disable()
try:
    from _frozen_importlib_external import _code_to_timestamp_pyc as with_header
    fast = sys.version_info >= (3, 7) and sys.implementation.name == 'cpython'
except ImportError:
    fast = False
if fast:
    def make(source, pyc):
        with open(source, 'rb', 0) as stream:
            status = os.fstat(stream.fileno())
            text = stream.read()
        code = compile(text, source, 'exec', dont_inherit=True)
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
names = getattr(sys.stdin, 'buffer', sys.stdin).read().split(b'\0')[:-1]
done = count = 0
parent = os.getppid()
for source, pyc in zip(names[0::2], names[1::2]):
    if os.getppid() != parent:
        break
    count += 1
    if count % 64 == 0:
        gc.collect()
    try:
        make(decode(source), decode(pyc))
        done += 1
    except Exception:
        pass
sys.stdout.write(str(done))
)";

bool is_python_2(const PythonInfo& python) { return python.version.starts_with("2."); }

} // namespace

std::vector<std::string> pyc_command(const PycRun& run) {
    std::vector<std::string> arguments{run.prefix + '/' + run.python.executable};
    if (is_python_2(run.python))
        arguments.insert(arguments.end(), {"-E", "-s"});
    else
        arguments.emplace_back("-I");
    arguments.insert(arguments.end(), {"-S", "-B", "-Wignore", "-c", std::string(compiler_program)});
    return arguments;
}

std::map<std::string, std::string> python_environment(std::map<std::string, std::string> environment) {
    std::erase_if(environment, [](const auto& variable) {
        return variable.first.starts_with("PYTHON") || variable.first == "SOURCE_DATE_EPOCH";
    });
    return environment;
}

Result<PycOutcome> compile_pyc(const PycRun& run, std::span<const PycItem> items) {
    PycOutcome outcome;
    if (items.empty()) return outcome;
    std::string names;
    for (const PycItem& item : items) {
        names.append(item.source).push_back('\0');
        names.append(item.pyc).push_back('\0');
    }
    ChildCommand command;
    command.arguments = pyc_command(run);
    command.environment = python_environment(run.environment);
    command.working_directory = run.prefix;
    command.input = names;
    command.stop = run.stop;
    command.output_limit = 4096;
    TAIPAN_TRY(const ChildOutput output, run_child(command));
    const std::string_view text = output.output;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), outcome.compiled);
    if (output.exit_status != 0 || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
        return make_error(ErrorCode::io, "the environment's python (" + command.arguments.front() +
                                             ") cannot compile modules; it ended with status " +
                                             std::to_string(output.exit_status) + ": " + output.output);
    }
    return outcome;
}

} // namespace taipan
