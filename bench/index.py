#!/usr/bin/python3
"""Times the way from a request to the plan on a large index, against a peer, in turns.

    bench/index.py --peer micromamba --work /dev/shm

For each size an index is made of Debian's package lists (big_index.py) and served by nginx on this machine. Then each
program in turn plans the same environment (`create --dry-run`): first with nothing cached, then with what it keeps.
The table has medians; a ratio is taipan's value divided by the peer's of the same turn.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests/harness")]
sys.dont_write_bytecode = True

from nginx import Nginx  # noqa: E402

CACHED_RUNS = 3


class Program:
    def __init__(self, name, binary, flags, work):
        self.name, self.binary, self.flags = name, shutil.which(binary) or binary, flags
        self.root = work / name
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.root / "home"),
                            "MAMBA_ROOT_PREFIX": str(self.root / "root"), "CONDA_PKGS_DIRS": str(self.root / "pkgs")}

    def forget(self):
        shutil.rmtree(self.root, ignore_errors=True)
        (self.root / "home").mkdir(parents=True)

    def plan(self, url, specs):
        """One run: wall seconds, CPU seconds, peak megabytes."""
        command = [self.binary, "create", *self.flags, "--dry-run", "-y", "-n", "planned", "--override-channels", "-c",
                   url, *specs]
        with tempfile.TemporaryFile() as log:
            start = time.monotonic()
            process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            text = log.read().decode(errors="replace")
        if specs[0] not in text:
            sys.exit(f"{self.name} made no plan:\n{text[-2000:]}")
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def measure(programs, url, specs, turns):
    """(program, "first" or "cached") -> one value a turn."""
    values = {(program.name, kind): [] for program in programs for kind in ("first", "cached")}
    for turn in range(turns):
        for program in programs if turn % 2 == 0 else reversed(programs):
            program.forget()
            values[program.name, "first"].append(program.plan(url, specs))
            cached = [program.plan(url, specs) for _ in range(CACHED_RUNS)]
            values[program.name, "cached"].append(tuple(map(statistics.median, zip(*cached))))
    return values


def median(values, part):
    return statistics.median(value[part] for value in values)


def row(records, kind, values, peer):
    ours = values["taipan", kind]
    cells = [f"{records:,}", kind, *(f"{median(ours, part):.{digits}f}" for part, digits in ((0, 3), (1, 3), (2, 0)))]
    if peer:
        theirs = values[peer, kind]
        cells += [f"{median(theirs, part):.{digits}f}" for part, digits in ((0, 3), (1, 3), (2, 0))]
        cells += [f"{statistics.median(a[part] / b[part] for a, b in zip(ours, theirs)):.3f}" for part in (0, 2)]
    return "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--taipan", default=str(HERE.parent / "build/release/taipan"))
    parser.add_argument("--peer", help="micromamba, or its path")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/dev/shm"))
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 510_000, 1_000_000])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--keep", type=pathlib.Path, help="make the indexes here, and leave them")
    parser.add_argument("specs", nargs="*", default=["gimp"])
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="taipan-bench-index-", dir=options.work))
    channels = options.keep or work / "channels"
    try:
        programs = [Program("taipan", options.taipan, ["--no-rc"], work)]
        if options.peer:
            programs.append(Program("micromamba", options.peer, ["--no-rc"], work))
        for records in options.records:
            if not (channels / str(records)).exists():
                subprocess.run([sys.executable, HERE / "big_index.py", "--records", str(records),
                                channels / str(records)], check=True, stdout=sys.stderr)
        (work / "nginx").mkdir()
        server = Nginx(channels, work / "nginx")
        try:
            peer = programs[1].name if options.peer else None
            print("| records | run | wall s | CPU s | peak MB |"
                  + (f" {peer}: wall s | CPU s | peak MB | wall ratio | peak ratio |" if peer else ""))
            print("|" + " --- |" * (10 if peer else 5))
            for records in options.records:
                values = measure(programs, f"{server.url}/{records}", options.specs, options.turns)
                for kind in ("first", "cached"):
                    print(row(records, kind, values, peer), flush=True)
        finally:
            server.close()
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
