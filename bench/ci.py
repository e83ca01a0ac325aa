#!/usr/bin/python3
"""Times a CI job that needs an environment, from a machine with nothing on it: how much does a kept cache save?

    bench/ci.py --channel-dir build/channel --specs-file SPECS --binary build/release/taipan --work /dev/shm \\
                --network loopback --network link --turns 3

Each way begins with an empty root prefix and package cache and ends with the same environment, which is compared once:

    nothing      index, packages and all from the channel
    archives     download a file of `taipan cache pack --no-bytecode`, `cache unpack --extracted` it, then create without
                 asking for an index
    archives+pyc the same, with the bytecode that an earlier job has made: what the README recommends where a CI gives a
                 file
    archives+pyc, kept  the same, by `cache unpack` without --extracted: archives are kept, and extracted by create
    streamed     the same as archives+pyc, but unpacked while it arrives: what the README recommends where a job
                 downloads it itself
    extracted    the same as archives+pyc, with extracted packages in the file
    extracted, streamed  and that while it arrives
    tar          what CI caches do by themselves: download and unpack a .tar.zst of the whole package cache (archives and
                 extracted), made by tar and zstd

A kept file is downloaded by curl over the same network as packages are, and the time of that counts. Figures are medians
of the turns; ways take turns. The network `link` is that of compare.py (1 Gbit/s, 20 ms round trip) and needs root.
"""

import argparse
import json
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True  # nothing is left behind in the sources

from compare.network import LINK, LOOPBACK, LinkSettings, Network  # noqa: E402 (the folder beside this file)
from compare.trees import differences, summary  # noqa: E402

PACKS = {"archives": ["--archives", "--no-bytecode"], "archives+pyc": ["--archives"], "extracted": ["--extracted"]}
# Of each way: the file, how it is unpacked, and whether while it arrives.
UNPACK = {"archives": ("archives", ["--extracted"], False), "archives+pyc": ("archives+pyc", ["--extracted"], False),
          "archives+pyc, kept": ("archives+pyc", [], False), "streamed": ("archives+pyc", ["--extracted"], True),
          "extracted": ("extracted", [], False), "extracted, streamed": ("extracted", [], True)}
WAYS = ("nothing", *UNPACK, "tar")


class Machine:
    """A job's machine: nothing is there before it, and nothing is left of it."""

    def __init__(self, work, binary):
        self.root = Path(work) / "machine"  # always there, since environments have their path in them
        self.root.mkdir()
        self.binary = binary
        self.prefix, self.pkgs, self.pack = self.root / "env", self.root / "pkgs", self.root / "kept.tar.zst"
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.root), "LANG": "C.UTF-8",
                            "MAMBA_ROOT_PREFIX": str(self.root / "root"), "CONDA_PKGS_DIRS": str(self.pkgs)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)

    def run(self, command, enter=()):
        """Seconds that the command takes."""
        start = time.monotonic()
        done = subprocess.run([*enter, *map(str, command)], env=self.environment, cwd=self.root, capture_output=True)
        took = time.monotonic() - start
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout.decode()}{done.stderr.decode()}")
        return took

    def create(self, url, specs, enter=(), kept=False):
        more = ["--use-index-cache"] if kept else []
        return self.run([self.binary, "create", "-y", "-q", "-p", self.prefix, "--override-channels", "-c", url, *more,
                         *specs], enter)


def make_packs(work, binary, network, specs, packs):
    """What an earlier job has kept; returns the environment that all ways must make."""
    with Machine(work, binary) as machine:
        machine.create(network.url, specs, network.enter)
        for name, options in PACKS.items():
            machine.run([binary, "cache", "pack", "-o", packs / f"{name}.tar.zst", *options])
        machine.run(["tar", "--zstd", "-cf", packs / "tar.tar.zst", "-C", machine.root, "pkgs"])
        return summary(machine.prefix)


def one_turn(way, work, binary, network, specs, reference):
    """Seconds of each step of one job."""
    with Machine(work, binary) as machine:
        steps = {"download": 0.0, "unpack": 0.0}
        file, flags, streamed = UNPACK.get(way, (way, [], False))
        download = ["curl", "-sS", "--fail", f"{network.url}/large/{file}.tar.zst"]
        if streamed:
            pipe = shlex.join(download) + " | " + shlex.join([str(binary), "cache", "unpack", "-q", *flags, "-"])
            steps["download"] = machine.run(["bash", "-o", "pipefail", "-c", pipe], network.enter)
        elif way != "nothing":
            steps["download"] = machine.run([*download, "-o", machine.pack], network.enter)
            unpack = (["tar", "--zstd", "-xf", machine.pack, "-C", machine.root] if way == "tar" else
                      [binary, "cache", "unpack", "-q", *flags, machine.pack])
            steps["unpack"] = machine.run(unpack)
        steps["create"] = machine.create(network.url, specs, network.enter, kept=way != "nothing")
        steps["total"] = sum(steps.values())
        if reference is not None:
            wrong = differences(reference, summary(machine.prefix))
            if wrong:
                raise SystemExit(f"the way '{way}' makes another environment:\n" + "\n".join(wrong[:20]))
        return steps


def measure(options, specs, work, packs, kind):
    """Medians of the turns: {way: {step: seconds}}."""
    settings = LinkSettings(megabits=options.megabits, round_trip=options.round_trip)
    turns = {way: [] for way in options.ways}
    with Network(kind, options.channel_dir, packs, work / f"network-{kind}", settings) as network:
        reference = make_packs(work, options.binary, network, specs, packs)
        for turn in range(options.turns):
            for way in options.ways:
                turns[way].append(one_turn(way, work, options.binary, network, specs, reference if turn == 0 else None))
    return {way: {step: statistics.median(one[step] for one in taken) for step in taken[0]}
            for way, taken in turns.items()}


def table(kind, result, packs, settings):
    title = "Loopback" if kind == LOOPBACK else f"{settings.megabits:g} Mbit/s, {settings.round_trip:g} ms round trip"
    lines = [f"{title}:", "", "| way | kept MB | download s | unpack s | create s | total s | / nothing |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    base = result.get("nothing", {}).get("total")
    for way, steps in result.items():
        file = UNPACK.get(way, (way,))[0]
        size = (packs / f"{file}.tar.zst").stat().st_size / 1e6 if way != "nothing" else 0
        ratio = f"{steps['total'] / base:.2f}" if base else ""
        lines.append(f"| {way} | {size:.1f} | {steps['download']:.2f} | {steps['unpack']:.2f} | {steps['create']:.2f} | "
                     f"{steps['total']:.2f} | {ratio} |")
    return "\n".join(lines) + "\n"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top = Path(__file__).resolve().parents[1]
    parser.add_argument("--channel-dir", type=Path, required=True, help="folder with the channel")
    parser.add_argument("--specs-file", type=Path, help="specs, one a line (default: all packages of the channel)")
    parser.add_argument("--binary", type=Path, default=top / "build/release/taipan")
    parser.add_argument("--work", type=Path, default=Path("/dev/shm"), help="where all of it happens")
    parser.add_argument("--network", action="append", choices=(LOOPBACK, LINK), help="default: loopback")
    parser.add_argument("--way", dest="ways", action="append", choices=WAYS, help="default: all")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--megabits", type=float, default=1000)
    parser.add_argument("--round-trip", type=float, default=20, help="milliseconds")
    parser.add_argument("--json", type=Path, help="write the medians here, too")
    options = parser.parse_args()
    options.ways = options.ways or list(WAYS)
    options.binary, options.channel_dir = options.binary.resolve(), options.channel_dir.resolve()
    return options


def main():
    options = parse()
    specs_file = options.specs_file or options.channel_dir / "specs.txt"
    specs = [line for line in specs_file.read_text().split("\n") if line and not line.startswith("#")]
    settings = LinkSettings(megabits=options.megabits, round_trip=options.round_trip)
    work = Path(tempfile.mkdtemp(prefix="taipan-ci-", dir=options.work))
    results = {}
    try:
        for kind in options.network or [LOOPBACK]:
            packs = work / f"packs-{kind}"
            packs.mkdir()
            results[kind] = measure(options, specs, work, packs, kind)
            print(table(kind, results[kind], packs, settings), flush=True)
    finally:
        shutil.rmtree(work)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
