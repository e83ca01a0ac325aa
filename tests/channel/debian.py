"""Fetching and reading Debian packages.

Problem: the channel's payloads are Debian binary packages. A first run needs apt; later runs must
work without network, without root and without apt's lists, and must give the same bytes.

Approach: a cache folder holds the .deb files and `lock.json`, which maps what was asked for (a deb
name, or `name/release`) to the file and to the few facts that planning needs, and virtual package names
to the package that was chosen. What is in the lock is never asked of apt again; to move to newer Debian
versions, delete the cache.
"""

import fcntl
import json
import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

FIELDS = ("Package", "Version", "Architecture", "Section", "Depends", "Pre-Depends", "Provides",
          "Breaks", "Homepage", "Description")

# dpkg architecture -> (conda subdir, multiarch triplet, conda arch)
PLATFORMS = {
    "amd64": ("linux-64", "x86_64-linux-gnu", "x86_64"),
    "arm64": ("linux-aarch64", "aarch64-linux-gnu", "aarch64"),
}


class ChannelError(Exception):
    """A failure with a message meant for the person who runs the builder."""


@dataclass
class Deb:
    """One Debian binary package in the cache."""
    file: str
    control: dict
    timestamp: int                                  # seconds; when the deb was built
    dists: list = field(default_factory=list)       # names of the Python distributions inside

    def get(self, key):
        return self.control.get(key, "")


def run(command, **kwargs):
    """Runs a command and returns its output; raises ChannelError with stderr when it fails."""
    done = subprocess.run(command, capture_output=True, **kwargs)
    if done.returncode != 0:
        detail = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise ChannelError(f"{' '.join(map(str, command[:6]))} failed: {detail}")
    return done.stdout


def platform():
    """(subdir, triplet, machine) of this machine's dpkg architecture."""
    arch = run(["dpkg", "--print-architecture"]).decode().strip()
    if arch not in PLATFORMS:
        raise ChannelError(f"no conda platform is known for the Debian architecture {arch}")
    return PLATFORMS[arch]


def upstream_version(version):
    """The conda version that stands for a Debian version: no epoch, no revision, no repack marks."""
    version = re.sub(r"^\d+:", "", version)
    version = re.sub(r"-[^-]*$", "", version)
    version = re.split(r"[+~.](?:dfsg|ds\d|ds$|deb\d|really|repack|debian)", version)[0]
    version = re.sub(r"[^a-z0-9.+_]", "", version.replace("-", "_").lower())
    head, _, tail = version.partition("+")
    return head + ("+" + tail.replace("+", ".") if tail else "")


def unpack(deb_path, folder):
    """Unpacks the payload of a deb; setuid bits and unreadable modes do not survive."""
    run(["dpkg-deb", "-x", str(deb_path), str(folder)])
    for base, _, names in os.walk(folder):
        os.chmod(base, 0o755)
        for name in names:
            path = os.path.join(base, name)
            if not os.path.islink(path):
                mode = os.stat(path).st_mode & 0o777
                os.chmod(path, 0o755 if mode & 0o111 else 0o644)


class DebCache:
    """The .deb files in a folder, with the lock that says which request each one answers."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock_file = self.folder / "lock.json"
        self.debs = {}               # spec -> Deb
        self.virtual = {}            # virtual package -> the package that stands for it

    def path(self, spec):
        return self.folder / self.debs[spec].file

    def ensure(self, specs):
        """Makes sure that every spec (`name` or `name/release`) is in the cache."""
        if all(spec in self.debs for spec in specs):
            return
        with self._locked():
            self._load()
            missing = sorted({s for s in specs if s not in self.debs})
            for release in sorted({s.partition("/")[2] for s in missing}):
                self._download([s for s in missing if s.partition("/")[2] == release])
            if missing:
                self._save()

    def real_names(self, names):
        """Finds out which of the names are virtual packages; fills `virtual`."""
        with self._locked():
            self._load()
            unknown = [n for n in names if n not in self.debs and n not in self.virtual]
            if unknown:
                found = virtual_packages(run(["apt-cache", "showpkg", *unknown]).decode())
                self.virtual.update(found)
                self._save()

    @contextmanager
    def _locked(self):
        try:
            handle = open(self.folder / ".lock", "a")
        except OSError:              # a read-only cache needs no lock
            yield
            return
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _load(self):
        if self.lock_file.exists():
            lock = json.loads(self.lock_file.read_text())
            self.virtual.update(lock["virtual"])
            for spec, entry in lock["debs"].items():
                if (self.folder / entry["file"]).exists():
                    self.debs[spec] = Deb(**entry)

    def _save(self):
        lock = {"debs": {s: asdict(d) for s, d in self.debs.items()}, "virtual": self.virtual}
        temporary = self.lock_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(lock, indent=1, sort_keys=True) + "\n")
        temporary.replace(self.lock_file)

    def _download(self, specs):
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".download-") as folder:
            options = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
            try:
                run(["apt-get", "-q", *options, "download", *specs], cwd=folder)
            except ChannelError as error:
                raise ChannelError(f"{error}\n(is one of these a virtual package, or does apt need "
                                   f"`apt-get update`? {' '.join(specs)})") from None
            found = {}
            for path in Path(folder).glob("*.deb"):
                deb = inspect(path)
                found[deb.get("Package")] = deb
                path.replace(self.folder / path.name)
            for spec in specs:
                name = spec.partition("/")[0]
                if name not in found:
                    raise ChannelError(f"apt-get download gave no file for {spec}")
                self.debs[spec] = found[name]


def virtual_packages(listing):
    """{virtual name: provider} from the output of `apt-cache showpkg`; the first provider by name."""
    found = {}
    for block in re.split(r"^Package: ", listing, flags=re.MULTILINE)[1:]:
        name = block.split("\n", 1)[0].strip()
        versions = re.search(r"^Versions: *\n(.*?)^Reverse Depends", block, re.M | re.S)
        providers = re.search(r"^Reverse Provides: *\n(.*)\Z", block, re.M | re.S)
        names = sorted({line.split()[0] for line in providers.group(1).splitlines() if line.strip()})
        if names and not versions.group(1).strip():
            found[name] = names[0]
    return found


def inspect(path):
    """Reads what planning needs to know out of one .deb file."""
    control = {}
    for line in run(["dpkg-deb", "-f", str(path), *FIELDS]).decode().splitlines():
        key, colon, value = line.partition(":")
        if colon and not line.startswith(" "):
            control[key] = value.strip()
    with open(path, "rb") as file:
        file.seek(8 + 16)                            # ar header of the first member: its date
        timestamp = int(file.read(12))
    dists = []
    if control["Package"].startswith("python3-") or "python3" in control.get("Depends", ""):
        listing = run(["dpkg-deb", "-c", str(path)]).decode()
        found = re.findall(r"dist-packages/([^/\s]+?)-[^-/\s]+\.(?:egg|dist)-info", listing)
        dists = sorted({re.sub(r"[-_.]+", "-", name).lower() for name in found})
    return Deb(path.name, control, timestamp, dists)
