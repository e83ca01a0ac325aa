#!/usr/bin/env python3
"""Asks taipan and a peer for the same environments, without making them, and compares the answers.

    bench/solutions.py --channel DIR --peer micromamba --requests 200 [--seed 1]

The requests are drawn from the channel: one to three packages, bare, with a version, a bound or a build, sometimes with a
python. Equal means: the same packages (name, version, build), or both find no solution. The exit code is 1 if not.
For answers equal to mamba's, the peer must be built on the libsolv that mamba and conda ship, which orders variants.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channel", type=Path, required=True, metavar="DIR")
    parser.add_argument("--taipan", default="build/release/taipan")
    parser.add_argument("--peer", default="micromamba")
    parser.add_argument("--requests", type=int, default=50, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def packages(channel):
    by_name = {}
    for index in sorted(channel.glob("*/repodata.json")):
        data = json.loads(index.read_bytes())
        for section in ("packages", "packages.conda"):
            for record in data.get(section, {}).values():
                by_name.setdefault(record["name"], []).append(record)
    if not by_name:
        sys.exit(f"{channel} has no packages: name the directory that has linux-64/repodata.json in it")
    return by_name


def minor(version):
    return ".".join(version.split(".")[:2])


def request(by_name, rng):
    specs = []
    for name in rng.sample(sorted(by_name), min(len(by_name), rng.choice([1, 1, 1, 2, 2, 3]))):
        record = rng.choice(by_name[name])
        version = record["version"]
        forms = [name] * 9 + [f"{name}={minor(version)}"] * 3 + [f"{name}>={version}"] * 2 + [f"{name}<{version}"] * 2
        forms += [f"{name}=={version}"] * 2 + [f"{name}={version}={record['build']}"] * 2
        specs.append(rng.choice(forms))
    if "python" in by_name and rng.random() < 0.3:
        specs.append("python=" + minor(rng.choice(by_name["python"])["version"]))
    if "pip" in by_name:
        specs.append("pip")  # else python brings it, but not in mamba when it lies in another subdir
    return specs


def answer(program, channel, specs, work):
    """The packages of the solution, or None when there is none."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(work), "MAMBA_ROOT_PREFIX": str(work / "root"),
                   "CONDA_PKGS_DIRS": str(work / "pkgs")}
    command = [program, "create", "--dry-run", "--json", "--no-rc", "--override-channels", "-c", channel.as_uri(),
               "-p", str(work / "prefix"), *specs]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    try:
        document = json.loads(done.stdout)
    except ValueError:
        sys.exit(f"{' '.join(command)}: no JSON on stdout\n{done.stdout[-500:]}{done.stderr[-500:]}")
    if not document.get("success"):
        return None
    links = document.get("actions", {}).get("LINK", [])
    return {(p["name"], p["version"], p.get("build_string") or p.get("build")) for p in links}


def main():
    args = arguments()
    by_name = packages(args.channel)
    rng = random.Random(args.seed)
    different = unsolved = 0
    work = Path(tempfile.mkdtemp(prefix="solutions-"))
    try:
        for _ in range(args.requests):
            specs = request(by_name, rng)
            ours, theirs = (answer(p, args.channel.resolve(), specs, work) for p in (args.taipan, args.peer))
            unsolved += ours is None and theirs is None
            if ours == theirs:
                continue
            different += 1
            print(*specs)
            print("  taipan:", "no solution" if ours is None else sorted(ours - (theirs or set())))
            print("  peer:  ", "no solution" if theirs is None else sorted(theirs - (ours or set())))
    finally:
        shutil.rmtree(work)
    print(f"{args.requests} requests: {args.requests - different} equal ({unsolved} without a solution), {different} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
