"""Asking a program what it would do."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .requests import plain_name

MACHINE = {"CONDA_OVERRIDE_GLIBC": "2.36", "CONDA_OVERRIDE_LINUX": "6.1", "CONDA_OVERRIDE_CUDA": "",
           "CONDA_OVERRIDE_ARCHSPEC": "x86_64_v3"}


class Program:
    """taipan, micromamba or conda; all three speak nearly the same command line."""

    def __init__(self, path, work):
        self.path = path
        self.name = os.path.basename(path)
        self.work = Path(tempfile.mkdtemp(prefix=self.name, dir=work))
        (self.work / "rc.yml").write_text("aggressive_update_packages: []\n")

    def ask(self, request):
        """What is installed afterwards, as {name: record}; None when there is no solution, with the message."""
        prefix = self.work / "prefix"
        shutil.rmtree(prefix, ignore_errors=True)
        if request.before is not None:
            write_prefix(prefix, request)
        self.platform = request.platform
        document = self._run(self._command(request, prefix))
        if not document.get("success"):
            return None, document.get("message") or "\n".join(document.get("solver_problems", []))
        after = {record["name"]: record for record in request.before or []}
        actions = document.get("actions") or {}
        for package in actions.get("UNLINK", []):
            after.pop(package["name"], None)
        for package in actions.get("LINK", []):
            after[package["name"]] = package
        return after, ""

    def _command(self, request, prefix):
        verb = "update" if request.kind == "update-all" else request.kind
        command = [self.path, verb, "--dry-run", "--json", "-y", "-p", str(prefix), *request.flags]
        if self.name == "conda":
            flags = {"--channel-priority=strict": "--strict-channel-priority",
                     "--channel-priority=disabled": "--no-channel-priority", "--channel-priority=flexible": None}
            command = [flags.get(word, word) for word in command if flags.get(word, word)]
            command += ["--solver", "libmamba"]
        elif self.name == "taipan":
            command += ["--rc-file", str(self.work / "rc.yml")]
        else:
            command.append("--no-rc")
        if request.platform and self.name != "conda":
            command += ["--platform", request.platform]
        if request.kind == "update-all":
            command.append("--all")
        if request.kind != "remove":
            command.append("--override-channels")
            for channel in request.channels:
                command += ["-c", channel.resolve().as_uri()]
        return [*command, *request.specs]

    def _run(self, command):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.work), "MAMBA_ROOT_PREFIX": str(self.work / "root"),
                       "CONDA_PKGS_DIRS": str(self.work / "pkgs"), **self.overrides}
        if self.name == "conda":
            environment["CONDARC"] = str(self.work / "rc.yml")
        if self.platform:
            environment["CONDA_SUBDIR"] = self.platform
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
        try:
            return json.loads(done.stdout)
        except ValueError:
            sys.exit(f"{' '.join(command)}: no JSON on stdout\n{done.stdout[-500:]}{done.stderr[-500:]}")

    overrides = MACHINE
    platform = ""


def write_prefix(prefix, request):
    """An environment with these records and no files: enough to solve about."""
    meta = prefix / "conda-meta"
    meta.mkdir(parents=True)
    lines = ["==> 2026-01-01 00:00:00 <==", "# cmd: conda create"]
    for record in request.before:
        stem = "{name}-{version}-{build}".format(**record)
        full = {**{k: v for k, v in record.items() if v is not None}, "url": f"{record['channel']}/{record['subdir']}/{record['fn']}", "files": [],
                "requested_spec": next((s for s in request.history if plain_name(s) == record["name"]), "")}
        (meta / f"{stem}.json").write_text(json.dumps(full))
        lines.append(f"+{record['channel']}/{record['subdir']}::{stem}")
    if request.history:
        lines.append(f"# update specs: {request.history}")
    (meta / "history").write_text("\n".join(lines) + "\n")
    # mamba asks the environment's pip what it has installed.
    python = prefix / "bin/python"
    python.parent.mkdir()
    python.write_text("""#!/bin/sh\necho '{"version": "1", "installed": [], "environment": {}}'\n""")
    python.chmod(0o755)
    if request.pins:
        (meta / "pinned").write_text("\n".join(request.pins) + "\n")

