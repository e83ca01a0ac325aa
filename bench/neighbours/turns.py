"""The game of turns: random changes of one environment, each by a tool that is drawn by lot."""

import argparse
import collections
import json
import random
import shutil
import tempfile
import zipfile
from pathlib import Path

from .tools import Tool, ending

KINDS = ("install", "install-version", "update", "update-all", "remove", "python", "force", "revision", "pip", "unpip",
         "pin", "unpin", "create")
WEIGHTS = (14, 10, 6, 4, 10, 5, 3, 5, 3, 2, 2, 2, 1)
WHEEL = "stranger-1.0-py3-none-any.whl"


def arguments(text):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--taipan", default="build/release/taipan")
    parser.add_argument("--conda", default="conda")
    parser.add_argument("--micromamba", default="micromamba")
    parser.add_argument("--channel", type=Path, action="append", required=True, metavar="DIR")
    parser.add_argument("--steps", type=int, default=60, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share-cache", action="store_true", help="one package cache for all")
    return parser.parse_args()


def write_wheel(folder):
    """A pure Python package that pip can install without any index."""
    info = "stranger-1.0.dist-info"
    members = {"stranger.py": "here = True\n", f"{info}/METADATA": "Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n",
               f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: turns\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    record = "".join(f"{name},,\n" for name in [*members, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        for name, content in {**members, f"{info}/RECORD": record}.items():
            wheel.writestr(name, content)
    return folder / WHEEL


class Game:
    def __init__(self, args, work):
        self.args, self.work = args, work
        self.rng = random.Random(args.seed)
        self.prefix = work / "env"
        self.channels = [c.resolve().as_uri() for c in args.channel]
        shared = work / "pkgs" if args.share_cache else None
        self.tools = {t.name: t for t in (Tool(p, work, shared) for p in (args.conda, args.micromamba, args.taipan))}
        self.taipan = self.tools["taipan"]
        self.wheel = write_wheel(work)
        self.by_name = collections.defaultdict(list)
        for channel in args.channel:
            for index in channel.glob("*/repodata.json"):
                data = json.loads(index.read_bytes())
                for section in ("packages", "packages.conda"):
                    for record in data.get(section, {}).values():
                        if index.parent.name in ("linux-64", "noarch"):
                            self.by_name[record["name"]].append(record["version"])
        self.pythons = sorted({".".join(v.split(".")[:2]) for v in self.by_name["python"]})
        self.problems, self.refused, self.made = 0, 0, collections.Counter()

    def installed(self):
        return self.taipan.list(self.prefix)[0]

    def words(self, kind):
        """verb and words of a conda command; None when nothing of the kind can be done now."""
        names, rng = sorted(self.installed()), self.rng
        others = sorted(set(self.by_name) - set(names) - {"python"})
        several = sorted(n for n, versions in self.by_name.items() if len(set(versions)) > 1 and n != "python")
        if kind == "install" and others:
            return ["install", *rng.sample(others, min(len(others), rng.choice([1, 1, 2])))]
        if kind == "install-version" and several:
            name = rng.choice(several)
            return ["install", f"{name}={rng.choice(self.by_name[name])}"]
        if kind == "update" and names:
            return ["update", rng.choice(names)]
        if kind == "update-all":
            return ["update", "--all"]
        if kind == "remove" and len(names) > 1:
            return ["remove", rng.choice([n for n in names if n != "python"])]
        if kind == "python" and len(self.pythons) > 1:
            return ["install", f"python={rng.choice(self.pythons)}"]
        if kind == "force" and names:
            return ["install", "--force-reinstall", rng.choice(names)]
        if kind == "revision":
            last = self.last_revision()
            return ["install", "--revision", str(rng.randint(max(1, last - 3), last))] if last > 1 else None
        return None

    def last_revision(self):
        done = self.taipan.run("list", self.prefix, "--revisions", "--json")
        return max((r["rev"] for r in json.loads(done.stdout)), default=0)

    def by_hand(self, kind):
        """What the user does without any of the three; None when it cannot be done."""
        pinned = self.prefix / "conda-meta/pinned"
        if kind in ("pip", "unpip"):
            python = self.prefix / "bin/python"
            if "pip" not in self.installed() or not python.exists():
                return None
            words = ["install", "--no-index", str(self.wheel)] if kind == "pip" else ["uninstall", "-y", "stranger"]
            return self.run_in_environment(python, "-m", "pip", "--no-cache-dir", *words)
        if kind == "pin" and not pinned.exists():
            name, (version, _) = self.rng.choice(sorted(self.installed().items()))
            pinned.write_text(f"{name} {version}\n")
            return f"pinned {name} {version}"
        if kind == "unpin" and pinned.exists():
            pinned.unlink()
            return "no pins"
        return None

    def run_in_environment(self, *command):
        import subprocess
        done = subprocess.run([str(c) for c in command], env=self.taipan.environment(), capture_output=True, text=True)
        return f"{' '.join(map(str, command[1:]))}: {done.returncode}" + ("" if done.returncode == 0 else "\n" + ending(done))

    def create(self, number, tool):
        shutil.rmtree(self.prefix, ignore_errors=True)
        specs = ["python", "pip", *self.rng.sample(sorted(set(self.by_name) - {"python", "pip"}), 3)]
        self.change(number, tool, ["create", *specs])

    def change(self, number, tool, words):
        before = tool.list(self.prefix)[0] if self.prefix.exists() else {}
        channels = [] if words[0] == "remove" else self.channels
        done = tool.run(words[0], self.prefix, *words[1:], channels=channels)
        after = self.installed() if self.prefix.exists() else {}
        changed = sum(before.get(n) != after.get(n) for n in before.keys() | after.keys())
        print(f"{number:3} {tool.name:7} {' '.join(words)}: {done.returncode}, {changed} changed of {len(after)}", flush=True)
        self.made[words[0], tool.name] += 1
        if done.returncode != 0:
            self.refused += 1
            print(ending(done))
            if before != after:
                self.problem("it failed and has changed what is installed")

    def problem(self, text):
        self.problems += 1
        print(f"    PROBLEM: {text}", flush=True)

    def check(self):
        lists = {name: tool.list(self.prefix) for name, tool in self.tools.items()}
        for name, (packages, strangers) in lists.items():
            if packages != lists["taipan"][0]:
                self.problem(f"{name} lists {sorted(packages.items() ^ lists['taipan'][0].items())}")
            if strangers != lists["taipan"][1]:
                self.problem(f"{name} lists of pip {strangers}, taipan {lists['taipan'][1]}")
        done = self.taipan.run("verify", self.prefix)
        if done.returncode != 0:
            self.problem("verify\n" + ending(done))
            self.taipan.run("verify", self.prefix, "--repair", "-y")  # each damage is told once
        if list(self.prefix.glob("conda-meta/.taipan*")):
            self.problem("something of a transaction is left in conda-meta")

    def run(self):
        tools = list(self.tools.values())
        self.create(0, self.rng.choice(tools))
        self.check()
        number = 1
        while number <= self.args.steps:
            kind = self.rng.choices(KINDS, WEIGHTS)[0]
            by_hand = self.by_hand(kind)
            if by_hand is not None:
                print(f"    by hand: {by_hand}", flush=True)
                self.check()
                continue
            able = [t for t in tools if t.name != "mamba" or kind not in ("revision",)]
            tool = self.rng.choice(able)
            if kind == "create":
                self.create(number, tool)
            else:
                words = self.words(kind)
                if words is None:
                    continue
                self.change(number, tool, words)
            self.check()
            number += 1


def main(text):
    args = arguments(text)
    with tempfile.TemporaryDirectory(prefix="turns-", ignore_cleanup_errors=True) as work:
        game = Game(args, Path(work))
        game.run()
    made = collections.Counter(tool for _, tool in game.made.elements())
    print(f"seed {args.seed}: {args.steps} steps ({', '.join(f'{n} by {t}' for t, n in sorted(made.items()))}), "
          f"{game.refused} refused, {game.problems} problems")
    return 1 if game.problems else 0
