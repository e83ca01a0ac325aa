// Problem: the modules of noarch python packages come without bytecode; without it every first import is slow and, in a
// read-only environment, every import.
// Approach: the prefix's own interpreter compiles them through its own py_compile, one process for a batch, the names
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
constexpr std::string_view compiler_program = R"(import sys, os, py_compile
stream = getattr(sys.stdin, 'buffer', sys.stdin)
decode = getattr(os, 'fsdecode', lambda name: name)
names = stream.read().split(b'\0')[:-1]
mode = getattr(py_compile, 'PycInvalidationMode', None)
extra = {} if mode is None else {'invalidation_mode': mode.TIMESTAMP}
done = 0
parent = os.getppid()
for source, pyc in zip(names[0::2], names[1::2]):
    if os.getppid() != parent:
        break
    try:
        py_compile.compile(decode(source), cfile=decode(pyc), doraise=True, **extra)
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
