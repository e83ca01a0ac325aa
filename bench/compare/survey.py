"""What the environment consists of, found out by making it once; and from that the material for the floors."""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

from .contenders import remove

LEVEL = "-9"  # of the floors' own archive; decoding hardly depends on it


@dataclasses.dataclass
class Package:
    file: str       # name of the archive
    subdir: str
    size: int       # of the archive
    extracted: pathlib.Path
    files: int = 0  # what it extracts to, in anything but directories
    bytes: int = 0


@dataclasses.dataclass
class Survey:
    packages: list
    linked: int     # files and symbolic links in the environment, without .pyc
    material: pathlib.Path
    large: Package | None  # the one for the work with a single archive, if that is wanted

    @property
    def extracted(self):
        return sum(package.files for package in self.packages)

    def summary(self):
        large = {"large": self.large.file, "large_archive_bytes": self.large.size} if self.large else {}
        return {"packages": len(self.packages), "archives_bytes": sum(package.size for package in self.packages),
                "extracted_files": self.extracted, "content_bytes": sum(package.bytes for package in self.packages),
                "linked_files": self.linked, **large}


def count(folder):
    """(files and links, bytes) below a folder."""
    files = size = 0
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not os.path.islink(os.path.join(place, name))]
        files += len(names)
        size += sum(os.lstat(os.path.join(place, name)).st_size for name in names)
    return files, size


def read_packages(prefix):
    for path in sorted(pathlib.Path(prefix, "conda-meta").glob("*.json")):
        record = json.loads(path.read_text())
        package = Package(record["fn"], record["subdir"], record["size"], pathlib.Path(record["extracted_package_dir"]))
        package.files, package.bytes = count(package.extracted)
        yield package


def make(prefix, material, large_archive, large_wanted):
    """Surveys a new prefix, then moves it away as the tree that is linked by `cp -al`. Packing a large archive takes
    minutes, so it is done only for those who want it."""
    material = pathlib.Path(material)
    packages = sorted(read_packages(prefix), key=lambda package: -package.size)
    linked, _ = count(prefix)
    pack(packages, material / "content.tar.zst")
    (material / "parts").mkdir()
    for index, share in enumerate(parts(packages, len(os.sched_getaffinity(0)))):
        pack(share, material / "parts" / f"{index}.tar.zst")
    large = _keep_large(packages, large_archive, material) if large_wanted else None
    shutil.move(prefix, material / "tree")
    return Survey(packages, linked, material, large)


def pack(packages, target):
    """The content of these packages as one archive."""
    names = "".join(f"{package.extracted.name}\n" for package in packages)
    with open(target, "wb") as output:
        tar = subprocess.Popen(["tar", "-C", packages[0].extracted.parent, "-cf", "-", "-T", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
        zstd = subprocess.Popen(["zstd", "-q", "-T0", LEVEL, "-c"], stdin=tar.stdout, stdout=output)
        tar.stdin.write(names.encode())
        tar.stdin.close()
        if zstd.wait() != 0 or tar.wait() != 0:
            raise RuntimeError("the content of the package cache could not be packed")


def parts(packages, count_of_parts):
    """Shares of about the same size."""
    shares = [[] for _ in range(count_of_parts)]
    for package in sorted(packages, key=lambda package: -package.bytes):
        min(shares, key=lambda share: sum(one.bytes for one in share)).append(package)
    return [share for share in shares if share]


def _keep_large(packages, given, material):
    """One .tar.bz2 below `large/`: the given one, or the biggest package of the environment, packed anew."""
    biggest = max(packages, key=lambda package: package.bytes)
    if given:
        archive = pathlib.Path(given)
        folder = material / "large" / "linux-64"
        folder.mkdir(parents=True)
        os.symlink(archive.absolute(), folder / archive.name)
        return Package(archive.name, "linux-64", archive.stat().st_size, pathlib.Path())
    folder = material / "large" / biggest.subdir
    folder.mkdir(parents=True)
    target = folder / (biggest.extracted.name + ".tar.bz2")
    names = sorted(os.listdir(biggest.extracted))
    subprocess.run(["tar", "-C", biggest.extracted, "-cjf", target, "--exclude=info/repodata_record.json", *names],
                   check=True)
    return Package(target.name, biggest.subdir, target.stat().st_size, biggest.extracted, biggest.files, biggest.bytes)


def read_all(folder):
    """Brings the archives into the page cache."""
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                while file.read(1 << 22):
                    pass


def explicit_file(survey, channel, path):
    """The list for an environment of the large package alone."""
    path.write_text(f"@EXPLICIT\n{channel}/large/{survey.large.subdir}/{survey.large.file}\n")
    return path


def clear(material):
    remove(material)
    pathlib.Path(material).mkdir(parents=True)
