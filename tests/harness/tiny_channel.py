"""Small conda packages and channels made on the fly.

Problem: most behaviours of the command need packages with one particular property (a dependency, a post-link script,
a file that two packages own, a wrong hash), and making them must take milliseconds.

Approach: the content is laid out in a folder as it would lie in a prefix and packed by conda-package-handling, so
that our reader never meets only what we wrote ourselves. Damaged archives are made from good ones by the tests that
need them.
"""

import hashlib
import json
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import conda_package_handling.api
import zstandard

PLACEHOLDER = ("/opt/taipan_test_" + "placehold_" * 30)[:255]
SUBDIR = {"x86_64": "linux-64", "aarch64": "linux-aarch64"}[platform.machine()]
TIMESTAMP = 1700000000


@dataclass
class File:
    """One regular file of a package; every PLACEHOLDER in it makes it a file with a prefix."""
    content: bytes | str = b""
    mode: int = 0o644
    file_mode: str = "text"
    no_link: bool = False
    placeholder: str = ""  # another one than PLACEHOLDER, or one that is listed although the file does not have it

    def data(self):
        return self.content.encode() if isinstance(self.content, str) else self.content

    def prefix(self):
        """The placeholder that the package's metadata tell of this file; empty when there is none."""
        return self.placeholder or (PLACEHOLDER if PLACEHOLDER.encode() in self.data() else "")


@dataclass
class Link:
    """A symbolic link of a package."""
    target: str
    placeholder: str = ""  # that it is listed with, as old packages do


@dataclass
class Directory:
    """An empty directory of a package."""


@dataclass
class Package:
    """What was built: where the archive is, and its record in repodata (a dict, to be changed at will)."""
    name: str
    path: Path
    record: dict = field(default_factory=dict)

    @property
    def fn(self):
        return self.path.name

    @property
    def dist(self):
        return self.fn.removesuffix(".conda").removesuffix(".tar.bz2")

    def rehash(self):
        """Takes size and hashes from the archive as it is now, as a channel does that indexes a damaged file."""
        data = self.path.read_bytes()
        self.record.update(size=len(data), md5=hashlib.md5(data).hexdigest(),
                           sha256=hashlib.sha256(data).hexdigest())


class TinyChannel:
    """A channel folder. Add packages, then call write_index()."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.packages = []
        for subdir in (SUBDIR, "noarch"):
            (self.folder / subdir).mkdir(parents=True, exist_ok=True)
        self.write_index()

    def add(self, name, version="1.0", build="0", *, build_number=0, depends=(), constrains=(), noarch=None, files=None,
            entry_points=(), extension=".conda", record=None, legacy=False):
        """Builds one package. `files` maps paths to File, Link, Directory, str or bytes; without it there is one small
        file. A `legacy` one is as from before paths.json: info/files, has_prefix and no_link."""
        subdir = "noarch" if noarch else SUBDIR
        dist = f"{name}-{version}-{build}"
        if files is None:
            files = {f"share/{name}.txt": f"{dist}\n"}
        index = {"name": name, "version": version, "build": build, "build_number": build_number,
                 "depends": list(depends), "constrains": list(constrains), "subdir": subdir, "license": "BSD-3-Clause",
                 "timestamp": TIMESTAMP * 1000}
        if noarch:
            index["noarch"] = noarch
        index.update(record or {})
        with tempfile.TemporaryDirectory(prefix="tiny-") as work:
            paths = [_lay_out(Path(work), path, item) for path, item in files.items()]
            info = {"index.json": json.dumps(index, indent=2), "files": "".join(path + "\n" for path in files)}
            if legacy:
                info |= _old_metadata(paths)
            else:
                info["paths.json"] = json.dumps({"paths_version": 1, "paths": paths}, indent=2)
            if noarch == "python":
                info["link.json"] = json.dumps({"package_metadata_version": 1, "noarch": {
                    "type": "python", "entry_points": list(entry_points)}})
            for member, content in info.items():
                _lay_out(Path(work), "info/" + member, content)
            out = self.folder / subdir / (dist + extension)
            file_list = sorted([*files, *(f"info/{m}" for m in info)])
            # The default level makes small packages slow to build and hardly smaller.
            options = {"compressor": lambda: zstandard.ZstdCompressor(level=3)} if extension == ".conda" else {}
            conda_package_handling.api.create(work, file_list, out.name, str(out.parent), **options)
        package = Package(name, out, index)
        package.rehash()
        self.packages.append(package)
        return package

    def write_index(self, zst=True):
        """Writes repodata.json and repodata.json.zst of both subdirs from the records of the packages."""
        for subdir in (SUBDIR, "noarch"):
            here = [p for p in self.packages if p.path.parent.name == subdir]
            repodata = {"info": {"subdir": subdir},
                        "packages": {p.fn: p.record for p in here if p.fn.endswith(".tar.bz2")},
                        "packages.conda": {p.fn: p.record for p in here if p.fn.endswith(".conda")},
                        "removed": [], "repodata_version": 1}
            text = json.dumps(repodata, indent=2).encode()
            (self.folder / subdir / "repodata.json").write_bytes(text)
            compressed = self.folder / subdir / "repodata.json.zst"
            compressed.unlink(missing_ok=True)
            if zst:
                compressed.write_bytes(zstandard.compress(text))

    def copy_from(self, source):
        """Takes over a whole channel folder (the real packages), hard-linked, in place of what is here."""
        shutil.rmtree(self.folder)
        shutil.copytree(source, self.folder, copy_function=os.link)


def _old_metadata(paths):
    """info/has_prefix and info/no_link, which say what paths.json says today."""
    prefixes = "".join(f'{e["prefix_placeholder"]} {e["file_mode"]} "{e["_path"]}"\n' for e in paths
                       if "prefix_placeholder" in e)
    return {"has_prefix": prefixes, "no_link": "".join(e["_path"] + "\n" for e in paths if e.get("no_link"))}


def _lay_out(root, path, item):
    """Writes one item below root and returns its entry of paths.json."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(item, Directory):
        target.mkdir()
        return {"_path": path, "path_type": "directory"}
    if isinstance(item, Link):
        os.symlink(item.target, target)
        resolved = (target.parent / item.target)
        data = resolved.read_bytes() if resolved.is_file() else b""
        entry = {"_path": path, "path_type": "softlink", "sha256": hashlib.sha256(data).hexdigest(),
                 "size_in_bytes": len(data)}
        return entry | ({"prefix_placeholder": item.placeholder, "file_mode": "binary"} if item.placeholder else {})
    file = item if isinstance(item, File) else File(item)
    data = file.data()
    target.write_bytes(data)
    target.chmod(file.mode)
    os.utime(target, (TIMESTAMP, TIMESTAMP))
    entry = {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(data).hexdigest(),
             "size_in_bytes": len(data)}
    if file.prefix():
        entry.update(prefix_placeholder=file.prefix(), file_mode=file.file_mode)
    if file.no_link:
        entry["no_link"] = True
    return entry
