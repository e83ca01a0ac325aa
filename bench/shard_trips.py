#!/usr/bin/python3
"""How many round trips does a plan wait for, when the index of its channel comes in shards (CEP 16)?

    bench/shard_trips.py --work /dev/shm --peer micromamba          (as root)

A channel is made up: a request reaches as many names as --levels says, each level by what the one before depends on,
among others that it does not reach. The plan (`create --dry-run`) is made over loopback and over a link with a round
trip of 20 ms (compare/wire.py): the difference, in round trips, is what was waited for. That of HTTP/1.1 cannot be less
than one to connect, one for the index of shards and one for each level, since a name is known when a package that needs
it is there; TLS costs one more, and so does whatever is larger than the first window of TCP (14 kB). The shards that
were asked for must be those of the names that can be reached, each once, and none else.

`first` has nothing cached; `again` the shards, while the index of shards is asked for anew; `changed` has them too, but
on the server one in five is another one.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests/harness")]
sys.dont_write_bytecode = True

from compare.network import LINK, LOOPBACK, LinkSettings, Network  # noqa: E402 (the folders above)
from shards import write_shards  # noqa: E402

SPEC = "application"
CHANGED = 5  # one shard in so many is another one in the changed channel
GRAPHS = {"flat": [1, 24, 80, 95], "four requests": [4, 50, 146], "deep": [1, 3, 8, 20, 40, 60, 40, 20, 8]}
KINDS = ("first", "again", "changed")
PROTOCOLS = ("HTTP/1.1", "HTTP/1.1 TLS", "HTTP/2 TLS")


def make_graph(sizes):
    """name -> names that it depends on; and the names of each level."""
    names = [[f"{SPEC}{number}" if level == 0 else f"level{level}-{number:03}" for number in range(size)]
             for level, size in enumerate(sizes)]
    needed = {name: [] for level in names for name in level}
    chance = random.Random(1)
    for upper, lower in zip(names, names[1:]):
        for number, name in enumerate(lower):
            needed[upper[number % len(upper)]].append(name)
            # Most libraries are needed by several, also from further up.
            needed[chance.choice(upper)].append(name)
    return {name: sorted(set(others)) for name, others in needed.items()}, names


def make_channel(folder, needed, others, versions, changed):
    sections = {"linux-64": {}, "noarch": {}}
    for place, name in enumerate([*needed, *(f"unrelated{number}" for number in range(others))]):
        subdir = "noarch" if place % 3 == 2 else "linux-64"
        for number in range(versions):
            chance = random.Random(f"{name} {number}")
            record = {"name": name, "version": f"1.{number}", "build": "h0_0", "build_number": 0, "subdir": subdir,
                      "depends": [f"{other} >=1" for other in needed.get(name, ())], "license": "MIT", "size": 1000 + number,
                      "sha256": chance.randbytes(32).hex(), "md5": chance.randbytes(16).hex(), "timestamp": 1_700_000_000_000}
            if changed and place % CHANGED == 0:
                record["license"] += " or later"
            sections[subdir][f"{name}-1.{number}-h0_0.conda"] = record
    hashes = {}
    for subdir, packages in sections.items():
        (folder / subdir).mkdir(parents=True)
        (folder / subdir / "repodata.json").write_text(
            json.dumps({"info": {"subdir": subdir}, "packages": {}, "packages.conda": packages}))
        hashes |= write_shards(folder / subdir)
        if changed:  # nginx makes an ETag of time and size
            os.utime(folder / subdir / "repodata_shards.msgpack.zst", (2_000_000_000, 2_000_000_000))
    return hashes


class Program:
    def __init__(self, name, binary, flags, certificate, work):
        self.name, self.flags = name, flags
        self.binary = shutil.which(binary) or binary
        self.home = work / name
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "CONDA_PKGS_DIRS": str(self.home / "pkgs"),
                            "MAMBA_ROOT_PREFIX": str(self.home / "root"), "SSL_CERT_FILE": str(certificate),
                            "REQUESTS_CA_BUNDLE": str(certificate), "MAMBA_SSL_VERIFY": str(certificate),
                            "MAMBA_REPODATA_USE_SHARDS": "true",
                            "CONDA_REPODATA_USE_SHARDS": "true"}

    def forget(self):
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)

    def plan(self, network, specs):
        command = [*network.enter, self.binary, "create", *self.flags, "--dry-run", "--json", "-y", "-p", str(self.home / "env"),
                   "--override-channels", "-c", f"{network.url}/now", *specs]
        start = time.monotonic()
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        seconds = time.monotonic() - start
        if done.returncode != 0 or not json.loads(done.stdout).get("success"):
            sys.exit(f"{self.name} made no plan:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return seconds


def names_of(requests, hashes):
    """The names whose shards were asked for, in order."""
    by_hash = {value: name for name, value in hashes.items()}
    return sorted(by_hash[path.rsplit("/", 1)[1].split(".")[0]] for path in requests if "/shards/" in path)


def switch(channels, to):
    (channels / "now").unlink(missing_ok=True)
    (channels / "now").symlink_to(to)


def measure(program, network, channels, hashes, names, turns):
    """kind -> (median seconds, requests of the last turn); what was asked for is checked."""
    seconds = {kind: [] for kind in KINDS}
    asked = {}
    reached = sorted(name for level in names for name in level)
    different = [name for name in reached if hashes["before"][name] != hashes["after"][name]]
    for _ in range(turns):
        program.forget()
        for kind in KINDS:
            version = "after" if kind == "changed" else "before"
            switch(channels, version)
            network.requests()
            seconds[kind].append(program.plan(network, names[0]))
            asked[kind] = network.requests()
            if program.name != "taipan":
                continue
            found = names_of(asked[kind], hashes[version])
            if found != {"first": reached, "again": [], "changed": different}[kind]:
                sys.exit(f"{kind}: shards of {len(found)} names were asked for: {found}")
    return {kind: (statistics.median(seconds[kind]), len(asked[kind])) for kind in KINDS}


def run(options, title, sizes, others, certificate, work):
    needed, names = make_graph(sizes)
    channels = work / "channels"
    hashes = {version: make_channel(channels / version, needed, others, options.versions, version == "after")
              for version in ("before", "after")}
    programs = [Program("taipan", options.taipan, ["--no-rc"], certificate[0], work)]
    if options.peer:
        programs.append(Program("micromamba", options.peer, ["--no-rc"], certificate[0], work))
    for protocol in options.protocols:
        values = {}
        for kind in (LOOPBACK, LINK):
            settings = LinkSettings(round_trip=options.round_trip)
            with Network(kind, channels, channels, work / kind, settings, certificate if "TLS" in protocol else None, log=True,
                         http2="HTTP/2" in protocol) as network:
                for program in programs:
                    values[program.name, kind] = measure(program, network, channels, hashes, names, options.turns)
            shutil.rmtree(work / kind)
        for program in programs:
            near, far = values[program.name, LOOPBACK], values[program.name, LINK]
            trips = [(far[kind][0] - near[kind][0]) * 1000 / options.round_trip for kind in KINDS]
            print(f"| {title} | {sum(sizes)} of {sum(sizes) + others} | {len(sizes)} | {protocol} | {program.name} | "
                  f"{far['first'][1]} | {near['first'][0]:.3f} | {far['first'][0]:.3f} | "
                  + " | ".join(f"{count:.1f}" for count in trips) + " |", flush=True)
    shutil.rmtree(channels)


def make_certificate(work):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1,IP:10.99.0.1", "-keyout", work / "key.pem",
                    "-out", work / "certificate.pem"], check=True, capture_output=True)
    return work / "certificate.pem", work / "key.pem"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--taipan", default=str(HERE.parent / "build/release/taipan"))
    parser.add_argument("--peer", help="micromamba, or its path")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/dev/shm"))
    parser.add_argument("--graphs", nargs="+", choices=GRAPHS, default=list(GRAPHS))
    parser.add_argument("--others", type=int, nargs="+", default=[100, 3000], help="names that the request does not reach")
    parser.add_argument("--versions", type=int, default=20, help="of each name")
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS))
    parser.add_argument("--round-trip", type=float, default=20, help="milliseconds")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="taipan-bench-shards-", dir=options.work))
    try:
        certificate = make_certificate(work)
        print("| graph | names | levels | protocol | by | requests | loopback s | link s | round trips: first | again | changed |")
        print("|" + " --- |" * 11)
        for others in options.others:
            for title in options.graphs:
                run(options, title, GRAPHS[title], others, certificate, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
