"""The comparison itself."""

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path

from .made_channel import make
from .programs import MACHINE, Program
from .requests import changed_environment, new_environment, packages

KINDS = ("create", "install", "update", "update-all", "remove", "python")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=Path, default=[], metavar="DIR", action="append",
                        help="the first one given has the highest priority")
    parser.add_argument("--made", type=int, default=0, metavar="N", help="add N channels that are made up from the seed")
    parser.add_argument("--many-forms", action="store_true", help="also ask in rare words: brackets, channels, globs")
    parser.add_argument("--taipan", default="build/release/taipan")
    parser.add_argument("--peer", default="micromamba")
    parser.add_argument("--requests", type=int, default=50, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default="create", help=f"of {','.join(KINDS)}")
    parser.add_argument("--platform", default="", help="another one than this machine's, as osx-arm64")
    parser.add_argument("--unsolvable", type=float, default=0.0, metavar="SHARE",
                        help="so much of the new environments contradict themselves")
    parser.add_argument("--as-conda", action="store_true", help="the peer is conda: also ask what mamba does otherwise")
    parser.add_argument("--messages", action="store_true", help="show both messages where both find no solution")
    return parser.parse_args()


def identity(package):
    return package["name"], package["version"], package.get("build_string") or package.get("build")


def packages_of(answer):
    return None if answer is None else {identity(p) for p in answer.values()}


def newer(a, b):
    """Whether version a is newer than b; no when that is not plain."""
    try:
        return [int(part) for part in a.split(".")] > [int(part) for part in b.split(".")]
    except ValueError:
        return False


def known_difference(request, mine, peers, peer):
    """The row of the README's table that is about it, where a program can tell."""
    if peer == "conda" or mine is None or peers is None:
        return None
    if "--channel-priority=disabled" in request.flags:
        return "priority disabled"
    before = {record["name"]: record["version"] for record in request.before or []}
    if request.kind.startswith("update") and any(newer(before[name], version) for name, version, _ in peers if name in before):
        return "the peer goes back to an older version"
    return None


class Comparison:
    def __init__(self, args, work):
        self.args = args
        self.rng = random.Random(args.seed)
        args.channel += [make(work / f"made{n}", args.seed + n) for n in range(args.made)]
        self.by_name = packages(args.channel, args.platform or "linux-64")
        self.by_identity = {identity(r): r for records in self.by_name.values() for r in records}
        self.taipan, self.peer = Program(args.taipan, work), Program(args.peer, work)
        self.asked = self.unsolved = self.different = self.known = 0
        self.seconds = [0.0, 0.0]

    def both(self, request):
        answers = []
        for at, program in enumerate((self.taipan, self.peer)):
            program.overrides = MACHINE | request.overrides
            begun = time.monotonic()
            answers.append(program.ask(request))
            self.seconds[at] += time.monotonic() - begun
        return answers

    def compare(self, request):
        (ours, our_message), (theirs, their_message) = self.both(request)
        self.asked += 1
        mine, peers = packages_of(ours), packages_of(theirs)
        if mine is None and peers is None:
            self.unsolved += 1
            if self.args.messages:
                print(f"== {request}\n-- taipan\n{our_message}\n-- peer\n{their_message}\n", flush=True)
        if mine != peers:
            reason = known_difference(request, mine, peers, self.peer.name)
            self.different += 1
            self.known += reason is not None
            print(f"#{self.asked} {request}" + (f" ({reason})" if reason else ""))
            print("  taipan:", "no solution" if mine is None else sorted(mine - (peers or set())))
            print("  peer:  ", "no solution" if peers is None else sorted(peers - (mine or set())), flush=True)
        return ours

    def run(self):
        kinds = self.args.kinds.split(",")
        while self.asked < self.args.requests:
            base = new_environment(self.by_name, self.args.channel, self.rng, self.args.platform, self.args.unsolvable,
                                   self.args.many_forms, self.args.as_conda)
            if "create" in kinds:
                answer = self.compare(base)
            else:
                self.taipan.overrides = MACHINE | base.overrides
                answer = self.taipan.ask(base)[0]
            before = self.records(answer)
            for kind in kinds:
                if kind == "create" or not before or self.asked >= self.args.requests:
                    continue
                request = changed_environment(self.by_name, base, before, kind, self.rng, self.args.as_conda)
                if request.specs or kind == "update-all":
                    self.compare(request)

    def records(self, answer):
        return [self.by_identity[key] for key in sorted(packages_of(answer) or ()) if key in self.by_identity]


def main():
    args = arguments()
    work = Path(tempfile.mkdtemp(prefix="solutions-"))
    try:
        comparison = Comparison(args, work)
        if not comparison.by_name:
            raise SystemExit(f"{args.channel} has no packages: name the directory that has linux-64/repodata.json in it")
        comparison.run()
    finally:
        shutil.rmtree(work)
    ours, theirs = comparison.seconds
    print(f"{comparison.asked} requests: {comparison.asked - comparison.different} equal ({comparison.unsolved} without a "
          f"solution), {comparison.different} different, {comparison.known} of them as known; {ours:.1f} s against {theirs:.1f} s")
    return 1 if comparison.different else 0
