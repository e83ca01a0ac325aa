"""The comparison of trees: each package installed by the peer and by taipan at the same path."""

import argparse
import bz2
import collections
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

from .known import name_of
from .snapshot import compare, snapshot
from .tools import Tool, ending


def arguments(text):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--taipan", default="build/release/taipan")
    parser.add_argument("--peer", default="conda", help="the program conda, or micromamba")
    parser.add_argument("--channel", type=Path, action="append", default=[], metavar="DIR",
                        help="a channel: a folder with subdirs that have a repodata.json")
    parser.add_argument("--archives", type=Path, action="append", default=[], metavar="DIR",
                        help="a folder of archives, of which a channel is made")
    parser.add_argument("--platform", default="", help="another one than this machine's, as osx-64")
    parser.add_argument("--prefix", type=Path, help="where the environments are made, one after the other")
    parser.add_argument("--together", metavar="SPEC", nargs="+",
                        help="these in one environment, with what they need; else each package in one of its own")
    parser.add_argument("--with", dest="beside", nargs="*", default=[], metavar="SPEC",
                        help="what each package is installed beside")
    parser.add_argument("--with-dependencies", action="store_true", help="not with --no-deps")
    parser.add_argument("--flags", nargs="*", default=[], metavar="WORD", help="for both, without the dashes: copy")
    parser.add_argument("--known", action="store_true", help="show the known differences, too")
    return parser.parse_args()


def index_of(archive):
    """info/index.json of an archive."""
    if archive.name.endswith(".conda"):
        import zstandard  # Debian's python3-zstandard
        with zipfile.ZipFile(archive) as file:
            name = next(n for n in file.namelist() if n.startswith("info-"))
            data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(file.read(name))).read()
    else:
        data = bz2.decompress(archive.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names = {name.removeprefix("./"): name for name in tar.getnames()}
        return json.load(tar.extractfile(names["info/index.json"]))


def make_channel(folder, archives, taipan):
    """A channel of loose archives, each in the subdir that it says it is for."""
    for archive in sorted(p for p in archives.rglob("*") if p.name.endswith((".conda", ".tar.bz2"))):
        index = index_of(archive)
        subdir = folder / (index.get("subdir") or ("noarch" if index.get("noarch") else "linux-64"))
        subdir.mkdir(parents=True, exist_ok=True)
        shutil.copy(archive, subdir)
    (folder / "noarch").mkdir(parents=True, exist_ok=True)
    subprocess.run([taipan, "index", str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder


def packages_of(channel, platform):
    for subdir in (platform, "noarch"):
        index = channel / subdir / "repodata.json"
        if index.exists():
            data = json.loads(index.read_bytes())
            yield from ((subdir, r) for section in ("packages.conda", "packages") for r in data.get(section, {}).values())


class Comparison:
    def __init__(self, args, work):
        self.args = args
        self.prefix = args.prefix or work / "env"
        self.taipan, self.peer = Tool(args.taipan, work), Tool(args.peer, work)
        self.channels = [c.resolve().as_uri() for c in args.channel]
        self.channels += [make_channel(work / f"channel-{i}", a, self.taipan.path).as_uri()
                          for i, a in enumerate(args.archives)]
        self.jobs = self.unknown = self.refused = 0
        self.counts = collections.Counter()

    def steps(self, tool, specs, flags, remove):
        """Installs, then removes; [(exit code, snapshot, last words)] after each."""
        results = []
        # mamba knows fewer words
        done = tool.run("create", self.prefix, *flags, *specs, channels=self.channels, platform=self.args.platform)
        results.append((done.returncode, snapshot(self.prefix, tool), ending(done)))
        if remove and done.returncode == 0:
            done = tool.run("remove", self.prefix, remove, platform=self.args.platform)
            results.append((done.returncode, snapshot(self.prefix, tool), ending(done)))
        for path in (self.prefix, self.prefix.with_name(self.prefix.name + ".c~")):
            shutil.rmtree(path, ignore_errors=True)
        return results

    def job(self, title, specs, flags, remove):
        self.jobs += 1
        theirs = self.steps(self.peer, specs, flags, remove)
        ours = self.steps(self.taipan, specs, flags, remove)
        lines = []
        for step, mine, peers in zip(("installed", "removed"), ours, theirs):
            if (mine[0] == 0) != (peers[0] == 0):
                self.unknown += 1
                lines.append(f"    {step}: taipan ended with {mine[0]}\n{mine[2]}\n    peer with {peers[0]}\n{peers[2]}")
            elif mine[0] != 0:
                self.refused += 1
                lines.append(f"    {step}: both refuse\n      taipan:\n{mine[2]}\n      peer:\n{peers[2]}")
            lines += self.differences(step, mine[1], peers[1])
        print(f"{title}: {'equal' if not lines else ''}", *lines, sep="\n", flush=True)

    def differences(self, step, mine, peers):
        for difference in compare(mine, peers):
            name = name_of(difference)
            self.counts[name or "UNKNOWN"] += 1
            if name is None:
                self.unknown += 1
            if name is None or self.args.known:
                yield f"    {step}: {difference} {difference.details.get('path', '')} {f'[{name}]' if name else ''}"

    def run(self):
        flags = ["--" + flag for flag in self.args.flags]
        if self.args.together:
            self.job(" ".join(self.args.together), self.args.together, flags, None)
            return
        flags += [] if self.args.with_dependencies else ["--no-deps"]
        for channel in [Path(c.removeprefix("file://")) for c in self.channels]:
            for subdir, record in packages_of(channel, self.args.platform or "linux-64"):
                spec = f"{record['name']}={record['version']}={record['build']}"
                self.job(f"{channel.name}/{subdir} {spec}", [*self.args.beside, spec], flags, record["name"])


def main(text):
    args = arguments(text)
    with tempfile.TemporaryDirectory(prefix="trees-", ignore_cleanup_errors=True) as work:
        comparison = Comparison(args, Path(work))
        comparison.run()
    print(f"{comparison.jobs} environments, {comparison.refused} refused by both, {comparison.unknown} differences unknown")
    for name, count in sorted(comparison.counts.items()):
        print(f"  {count:6} {name}")
    return 1 if comparison.unknown or not comparison.jobs else 0
