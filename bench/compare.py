#!/usr/bin/python3
"""Times taipan against a peer on the same work, in turns, and prints medians and the ratio of each pair.

What is timed is one whole `create` process. Clearing caches and prefixes happens between the runs, outside of the measured
time. Before any ratio is printed the two environments are compared: same packages, same files apart from what is named below.

    bench/compare.py --peer micromamba --channel http://127.0.0.1:8000 python requests flask rich
"""

import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

KINDS = {
    "cold, --no-pyc": (True, ["--no-pyc"]),
    "warm, --no-pyc": (False, ["--no-pyc"]),
    "warm, with .pyc": (False, []),
}
# Made by one tool only: conda's creation date, and what running the interpreter leaves behind.
NOT_COMPARED = {"conda-meta/created_at", ".messages.txt"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--taipan", default="build/release/taipan")
    parser.add_argument("--peer", default="micromamba", help="a program with micromamba's command line")
    parser.add_argument("--channel", required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work", help="where prefixes and caches go; the file system matters (default: a temporary folder)")
    parser.add_argument("specs", nargs="+")
    return parser.parse_args()


class Contender:
    def __init__(self, program, work, channel, specs):
        self.program, self.channel, self.specs = shutil.which(program), channel, specs
        if self.program is None:
            sys.exit(f"compare.py: there is no program {program}")
        self.work = pathlib.Path(work, pathlib.Path(self.program).name)
        self.prefix = pathlib.Path(work, "prefix")  # the same path for both: it is written into files
        self.packages = self.work / "pkgs"

    def run(self, cold, options):
        """Wall and CPU seconds of one create."""
        shutil.rmtree(self.prefix, ignore_errors=True)
        if cold:
            shutil.rmtree(self.packages, ignore_errors=True)
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.work), "MAMBA_ROOT_PREFIX": str(self.work / "root"),
                       "CONDA_PKGS_DIRS": str(self.packages)}
        command = [self.program, "create", "-y", "-q", "-p", str(self.prefix), "--no-rc", "--override-channels",
                   "-c", self.channel, *options, *self.specs]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            sys.exit(f"compare.py: {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def files(self):
        """Every path below the prefix but bytecode, records by name only."""
        found = set()
        for folder, _, names in os.walk(self.prefix):
            found |= {os.path.relpath(os.path.join(folder, name), self.prefix) for name in names}
        return {name for name in found if not name.endswith(".pyc")} - NOT_COMPARED


def compare(ours, theirs, cold, options, runs):
    for contender in (ours, theirs):  # warms caches, and makes what is compared
        contender.run(cold, options)
        contender.made = contender.files()
    if ours.made != theirs.made:
        sys.exit(f"compare.py: the environments differ: {sorted(ours.made ^ theirs.made)[:20]}")
    pairs = [(ours.run(cold, options), theirs.run(cold, options)) for _ in range(runs)]
    return {
        "wall": (statistics.median(a[0] for a, _ in pairs), statistics.median(b[0] for _, b in pairs),
                 statistics.median(a[0] / b[0] for a, b in pairs)),
        "cpu": (statistics.median(a[1] for a, _ in pairs), statistics.median(b[1] for _, b in pairs),
                statistics.median(a[1] / b[1] for a, b in pairs)),
    }


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        ours = Contender(options.taipan, work, options.channel, options.specs)
        theirs = Contender(options.peer, work, options.channel, options.specs)
        print("| work | taipan wall s | peer wall s | ratio | taipan CPU s | peer CPU s | ratio |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for name, (cold, extra) in KINDS.items():
            result = compare(ours, theirs, cold, extra, options.runs)
            cells = [f"{value:.2f}" for key in ("wall", "cpu") for value in result[key]]
            print("| " + " | ".join([name, *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
