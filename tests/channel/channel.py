"""The channel's folder on disk: what is finished, what can be reused, and putting it into place.

Problem: a build may take long, fail or be killed, and others may use the channel meanwhile.

Approach: everything is made in `.OUT.new` beside OUT, which a kernel lock gives to one builder at a
time. A line in its stamp file is added for each finished package, so that the next run goes on where
this one stopped. The finished folder replaces OUT by renaming.
"""

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from index import write_repodata

STAMP = ".stamp.jsonl"
SPECS = "specs.txt"                                   # the names of all packages, to install the whole set


class Channel:
    """OUT and the folder in which its successor grows."""

    def __init__(self, out):
        self.out = out
        self.fresh = out.parent / f".{out.name}.new"
        self.work = self.fresh / ".work"              # temporary files of the workers

    def up_to_date(self, keys, subdir):
        entries = read_stamp(self.out)
        indexed = [self.out / s / "repodata.json.zst" for s in (subdir, "noarch")]
        complete = all(path.exists() for path in [*indexed, self.out / SPECS])
        return complete and {label: entry["key"] for label, entry in entries.items()} == keys

    @contextmanager
    def building(self):
        """Holds the lock on `fresh` and gives its descriptor; waits for another builder."""
        self.out.parent.mkdir(parents=True, exist_ok=True)
        while True:
            self.fresh.mkdir(exist_ok=True)
            handle = os.open(self.fresh, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if self.fresh.exists() and self.fresh.stat().st_ino == os.fstat(handle).st_ino:
                break
            os.close(handle)                          # the other builder has put it into place
        try:
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir()
            yield handle
        finally:
            shutil.rmtree(self.work, ignore_errors=True)
            os.close(handle)

    def reusable(self, keys):
        """{label: entry} of finished packages with the right key; their archives are in `fresh`."""
        found = {}
        for folder in (self.fresh, self.out):
            for label, entry in read_stamp(folder).items():
                if label not in found and keys.get(label) == entry["key"]:
                    for name in entry["records"]:
                        self._link(folder / name, self.fresh / name)
                    found[label] = entry
        return found

    def finished(self, label, entry):
        with open(self.fresh / STAMP, "a", encoding="utf-8") as file:
            file.write(stamp_line(label, entry))

    def publish(self, subdir, entries):
        """Indexes the channel and swaps it into place."""
        records = {name: r for entry in entries.values() for name, r in entry["records"].items()}
        for folder in (subdir, "noarch"):
            chosen = {Path(n).name: r for n, r in records.items() if n.startswith(folder + "/")}
            write_repodata(self.fresh / folder, folder, chosen)
            for stray in (self.fresh / folder).iterdir():
                if stray.name not in chosen and not stray.name.startswith("repodata.json"):
                    stray.unlink()
        names = sorted({r["name"] for r in records.values()})
        (self.fresh / SPECS).write_text("".join(name + "\n" for name in names), encoding="utf-8")
        text = "".join(stamp_line(label, entry) for label, entry in sorted(entries.items()))
        (self.fresh / STAMP).write_text(text, encoding="utf-8")
        shutil.rmtree(self.work)
        old = self.out.parent / f".{self.out.name}.old"
        shutil.rmtree(old, ignore_errors=True)
        if self.out.exists():
            self.out.rename(old)
        self.fresh.rename(self.out)
        shutil.rmtree(old, ignore_errors=True)

    @staticmethod
    def _link(source, target):
        if source != target and not target.exists():
            target.parent.mkdir(exist_ok=True)
            os.link(source, target)


def stamp_line(label, entry):
    return json.dumps({"label": label, **entry}, sort_keys=True) + "\n"


def read_stamp(folder):
    """{label: entry} of all packages whose archives are complete."""
    found = {}
    try:
        lines = (folder / STAMP).read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            entry = json.loads(line)
            if all((folder / name).stat().st_size == r["size"] for name, r in entry["records"].items()):
                found[entry.pop("label")] = entry
        except (ValueError, OSError):                 # a line cut short, or an archive removed
            continue
    return found
