"""Real shells for tests: the same steps in each one's language, and the variables after each step."""

import shutil
import subprocess
from pathlib import Path

SHELLS = ["bash", "zsh", "dash", "ksh", "fish", "tcsh"]
EXTENSION = {"fish": ".fish", "tcsh": ".csh", "csh": ".csh"}

# Without the user's files.
START = {"bash": ["bash", "--norc", "--noprofile"], "zsh": ["zsh", "-f"], "dash": ["dash"], "ksh": ["ksh"],
         "fish": ["fish", "--no-config"], "tcsh": ["tcsh", "-f"], "xonsh": ["xonsh", "--no-rc"]}


def extension(shell):
    """What scripts in activate.d end with for this shell."""
    return EXTENSION.get(shell, ".sh")


def export_line(shell, name, value):
    """A line of an activation script that sets a variable (to text without special characters)."""
    return {"fish": f"set -gx {name} {value}\n", "tcsh": f"setenv {name} {value}\n"}.get(
        shell, f"export {name}={value}\n")


def append_line(shell, name, value):
    """A line of an activation script that appends to a variable which is set."""
    return {"fish": f'set -gx {name} "${name}""{value}"\n', "tcsh": f'setenv {name} "${{{name}}}{value}"\n'}.get(
        shell, f'export {name}="${{{name}}}{value}"\n')


def quoted(shell, word):
    if shell == "fish":
        return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if shell == "tcsh":
        return "'" + word.replace("'", "'\\''").replace("!", "\\!").replace("\n", "\\\n") + "'"
    return "'" + word.replace("'", "'\\''") + "'"


def hook_line(shell, program, name="taipan"):
    """How people load the hook by hand."""
    program = str(program)
    if name == "conda":
        call = f"{quoted(shell, program)} shell.{shell} hook"
    else:
        call = f"{quoted(shell, program)} shell hook -s {shell}"
    return {"fish": f"{call} | source\n", "tcsh": f'eval "`{call}`"\n'}.get(shell, f'eval "$({call})"\n')


class Session:
    """A script in one shell; every step that is added dumps the variables and the status after it."""

    def __init__(self, shell, program, folder, environment, name="taipan", hook=True):
        self.shell, self.folder, self.environment, self.name = shell, Path(folder), environment, name
        self.lines, self.count = [], 0
        if hook:
            self.lines.append(hook_line(shell, program, name))

    def raw(self, line):
        self.lines.append(line if line.endswith("\n") else line + "\n")

    def step(self, *words):
        """Runs the command; its variables are element `n` of run()'s answer, n being what is returned here."""
        line = " ".join([self.name, *(quoted(self.shell, str(word)) for word in words)])
        status = "$status" if self.shell in ("fish", "tcsh") else "$?"
        file = self.folder / f"dump-{self.count}"
        self.raw(line)
        if self.shell == "tcsh":
            self.raw(f"set last_status = {status}")
            self.raw(f"env -0 STATUS=$last_status PROMPT_NOW=$prompt:q > {file}")
        elif self.shell == "fish":
            self.raw(f"env -0 STATUS={status} > {file}")
        else:
            self.raw(f'env -0 STATUS={status} PROMPT_NOW="$PS1" > {file}')
        self.count += 1
        return self.count - 1

    def run(self, **options):
        """Runs everything; returns the dumps in order, and the finished process as `self.done`."""
        script = self.folder / f"script.{self.shell}"
        script.write_text("".join(self.lines))
        self.done = subprocess.run([*START[self.shell], str(script)], env=self.environment, cwd=self.folder,
                                   stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, **options)
        dumps = []
        for index in range(self.count):
            file = self.folder / f"dump-{index}"
            if not file.exists():
                raise AssertionError(f"step {index} of {self.shell} was not reached\n{script.read_text()}\n"
                                     f"{self.done.stdout}\n{self.done.stderr}")
            entries = file.read_bytes().decode(errors="surrogateescape").split("\0")
            dump = dict(entry.partition("=")[::2] for entry in entries if entry)
            dump.pop("_", None)
            dumps.append(dump)
            file.unlink()
        return dumps


def installed(shell):
    return shutil.which(shell, path="/usr/local/bin:/usr/bin:/bin") is not None
