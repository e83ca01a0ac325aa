"""conda, micromamba and taipan, run as commands in a world of their own."""

import json
import os
import subprocess
import time
from pathlib import Path

# No updates that were not asked for, and `depends` as the packages have it.
SETTINGS = """aggressive_update_packages: []
auto_update_conda: false
add_pip_as_python_dependency: false
notify_outdated_conda: false
number_channel_notices: 0
"""


class Tool:
    """One program, told apart by the name of its file: `conda`, `taipan`, else mamba. All share a home."""

    def __init__(self, path, work, pkgs=None):
        self.path = str(Path(path).absolute())
        base = os.path.basename(path)
        self.name = base if base in ("conda", "taipan") else "mamba"
        self.work = Path(work)
        self.pkgs = Path(pkgs or self.work / f"pkgs-{self.name}")
        self.home = self.work / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.rc = self.work / "rc.yml"
        self.rc.write_text(SETTINGS)
        self.seconds = 0.0

    def run(self, verb, prefix, *words, channels=(), platform="", env=None):
        """Runs `verb -y -p PREFIX`; the finished process."""
        command = [self.path, verb, *(["-y"] if verb not in ("list", "verify") else []), "-p", str(prefix)]
        if channels:
            command += ["--override-channels", *[word for c in channels for word in ("-c", c)]]
        if self.name == "mamba":
            command.append("--no-rc")
            if platform:
                command += ["--platform", platform]
        begun = time.monotonic()
        done = subprocess.run([*command, *words], env=self.environment(platform) | (env or {}), cwd=self.work,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=900)
        self.seconds += time.monotonic() - begun
        return done

    def environment(self, platform=""):
        found = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8",
                 "MAMBA_ROOT_PREFIX": str(self.work / f"root-{self.name}"), "CONDA_PKGS_DIRS": str(self.pkgs)}
        if platform:
            found["CONDA_SUBDIR"] = platform
        return found if self.name == "mamba" else found | {"CONDARC": str(self.rc)}

    def list(self, prefix):
        """{name: (version, build)} of the conda packages it sees, and the names of pip's."""
        done = self.run("list", prefix, "--json")
        try:
            packages = json.loads(done.stdout)
        except ValueError:
            raise SystemExit(f"{self.name} list: no JSON\n{done.stdout[-500:]}{done.stderr[-500:]}") from None
        if isinstance(packages, dict):
            raise SystemExit(f"{self.name} list: {packages}")
        ours = {p["name"]: (p["version"], p["build_string"]) for p in packages if p.get("channel") != "pypi"}
        return ours, {p["name"].lower().replace("_", "-") for p in packages if p.get("channel") == "pypi"}


def ending(done):
    """The last words of a command, for a report."""
    lines = [line for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()]
    return "\n".join("      | " + line for line in lines[-12:])
