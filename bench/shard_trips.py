#!/usr/bin/python3
"""How many round trips does a plan wait for, when the index of its channel comes in shards (CEP 16)?

    bench/shard_trips.py --work /dev/shm          (as root)

A channel is made of Debian's package lists (big_index.py), with shards instead of a repodata.json. The same plan
(`create --dry-run`, nothing cached) is made over loopback and over a link with 20 ms round trip (compare/wire.py): the
difference, in round trips, is what was waited for. The least that is possible is one to connect, one for the index of
shards and one for each level of the graph: a name is known when a package that needs it is there. `again` is the plan
after a part of the packages has changed on the server, with what the first one left in the cache.
"""

import argparse
import json
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

from compare.network import LINK, LOOPBACK, LinkSettings, Network  # noqa: E402
from shards import write_shards  # noqa: E402

CHANGED = 5  # one shard in so many is another one in the changed channel


def needed_names(channel):
    """name -> names that some package of it depends on"""
    needed = {}
    for index in channel.glob("*/repodata.json"):
        data = json.loads(index.read_text())
        for section in ("packages", "packages.conda"):
            for record in data[section].values():
                needed.setdefault(record["name"], set()).update(text.split(" ")[0] for text in record["depends"])
    return needed


def levels(needed, specs, most=1 << 30):
    """The names that become known with each step from the specs; no further step once there are more than `most`."""
    known, level, found = set(specs), set(specs), []
    while level and len(known) <= most:
        found.append(level)
        level = {other for name in level for other in needed.get(name, ())} & needed.keys() - known
        known |= level
    return found


def closest(needed, names, depth):
    """A package that reaches about so many names in no more levels than that; the flattest of them."""
    def quality(name):
        found = levels(needed, [name], 2 * names)
        count = sum(map(len, found))
        return (len(found) > depth, abs(count - names) // 20, len(found), name)
    return min((name for name in sorted(needed)[::7]), key=quality)


def change(channel):
    """Another license in one name out of some: another hash."""
    for index in channel.glob("*/repodata.json"):
        data = json.loads(index.read_text())
        for section in ("packages", "packages.conda"):
            for record in data[section].values():
                if sum(map(ord, record["name"])) % CHANGED == 0:
                    record["license"] += " or later"
        index.write_text(json.dumps(data))


def plan(taipan, network, path, specs, home, enter):
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "CONDA_PKGS_DIRS": str(home / "pkgs")}
    command = [*enter, taipan, "create", "--no-rc", "--dry-run", "--json", "-y", "-p", str(home / "env"), "--override-channels",
               "-c", f"{network.url}/{path}", *specs]
    start = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    seconds = time.monotonic() - start
    if not json.loads(done.stdout).get("success"):
        sys.exit(done.stdout[-2000:])
    return seconds


def measure(options, channels, specs, kind, work):
    """Seconds of the plan with nothing cached, and of the one after the change: the median of the turns."""
    first, again = [], []
    with Network(kind, channels, channels, work / kind, LinkSettings(round_trip=options.round_trip)) as network:
        for _ in range(options.turns):
            home = work / "home"
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            (channels / "now").unlink(missing_ok=True)
            (channels / "now").symlink_to("before")
            first.append(plan(options.taipan, network, "now", specs, home, network.enter))
            (channels / "now").unlink()
            (channels / "now").symlink_to("after")
            again.append(plan(options.taipan, network, "now", specs, home, network.enter))
    return statistics.median(first), statistics.median(again)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--taipan", default=str(HERE.parent / "build/release/taipan"))
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/dev/shm"))
    parser.add_argument("--records", type=int, default=63_000)
    parser.add_argument("--names", type=int, default=200, help="that the plan shall reach")
    parser.add_argument("--levels", type=int, nargs="+", default=[4, 99], help="at most so many, a measurement each")
    parser.add_argument("--round-trip", type=float, default=20, help="milliseconds")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="taipan-bench-shards-", dir=options.work))
    try:
        channels = work / "channels"
        subprocess.run([sys.executable, HERE / "big_index.py", "--records", str(options.records), "--level", "3",
                        channels / "before"], check=True, stdout=sys.stderr)
        needed = needed_names(channels / "before")
        shutil.copytree(channels / "before", channels / "after")
        change(channels / "after")
        for subdir in (*channels.glob("before/*"), *channels.glob("after/*")):
            write_shards(subdir)
        print("| asked for | names | levels | loopback s | link s | round trips waited | again: names changed | round trips |")
        print("|" + " --- |" * 8)
        for depth in options.levels:
            name = closest(needed, options.names, depth)
            found = levels(needed, [name])
            reached = set().union(*found)
            changed = sum(sum(map(ord, other)) % CHANGED == 0 for other in reached)
            near, far = (measure(options, channels, [name], kind, work) for kind in (LOOPBACK, LINK))
            trips = [(b - a) * 1000 / options.round_trip for a, b in zip(near, far)]
            print(f"| {name} | {len(reached)} | {len(found)} | {near[0]:.3f} | {far[0]:.3f} | {trips[0]:.1f} | {changed} | "
                  f"{trips[1]:.1f} |", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
