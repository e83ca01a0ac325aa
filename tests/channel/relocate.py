"""Making a package tree independent of `/usr`.

Problem: Debian's files say `/usr`; a conda package must work below any prefix. The installer helps with
one means only: it replaces a placeholder, as text of any length, or inside C strings of binaries if the
prefix is not longer than the placeholder.

Approach:
* ELF files get an RPATH, relative (`$ORIGIN/../lib`), or the placeholder if the recipe asks for it;
* `#!/usr/bin/python3` becomes the prefix's python;
* build metadata (`.pc`, `*-config`, Makefile, sysconfig data) is about the prefix: all `/usr` paths change;
* any other text changes only where it names a path that this very package ships.
"""

import os
import posixpath
import re

import elf
from layout import SITE, installed, walk

PLACEHOLDER_LENGTH = 255

# Files that describe the installation itself; in them, every path below /usr is meant.
ABOUT_PREFIX = re.compile(r"(\.pc|\.la|\.cmake|-config|/_sysconfigdata[^/]*\.py|/config-[^/]*/Makefile)$")
# Text that is never rewritten: documentation, and formats that only look like text.
UNTOUCHED = re.compile(r"(^share/(man|info|doc|locale)/|^info/|\.(dist|egg)-info/|\.pem$|\.crt$)")

SHEBANG = re.compile(rb"\A#! ?/usr/bin/(?:env )?python3?(?:\.\d+)?(?=[ \t\n])")
LARGEST_TEXT = 4 << 20


def placeholder(name, timestamp):
    """The 255-character prefix that conda-build would have used for this package."""
    start = f"/home/conda/feedstock_root/build_artifacts/{name}_{timestamp * 1000}/_h_env"
    return (start + "_placehold" * 26)[:PLACEHOLDER_LENGTH]


class Relocator:
    """Rewrites one package tree in place."""

    def __init__(self, stage, layout, triplet, prefix, binary_rpath):
        self.stage = stage
        self.layout = layout
        self.prefix = prefix
        self.binary_rpath = binary_rpath
        self.files = walk(stage)
        self.shipped = {installed(path) for path in self.files}
        self.folders = {folder for path in self.shipped for folder in _parents(path)}
        self.path = re.compile(
            r"(?:(?<![\w.})/-])|(?<=-[IL]))/usr(?:/(?:[\w.+-]+/)*[\w.+-]*[\w+])?/?(?![\w])|"
            rf"(?<=[}}=])/lib/{re.escape(triplet)}(?=[/\s]|$)|(?<![\w.}})/-])/etc/[\w./+-]*\w")

    def run(self):
        done = set()
        for path in self.files:
            full = os.path.join(self.stage, path)
            if os.path.islink(full):
                continue
            inode = os.stat(full).st_ino
            if inode not in done:
                done.add(inode)
                self._binary(path, full) if elf.is_elf(full) else self._text(path, full)

    def _binary(self, path, full):
        dynamic = elf.read_dynamic(full)
        if dynamic is None:
            return
        folder = posixpath.dirname(installed(path))
        if self.binary_rpath:
            own = [self.prefix + "/lib"]
        else:
            own = [origin(folder, "lib")]
        for entry in dynamic.rpath:
            known = self._mapped_rpath(entry, folder)
            if known and known not in own:
                own.append(known)
        elf.set_rpath(full, own)

    def _mapped_rpath(self, entry, folder):
        if entry.startswith("$ORIGIN"):
            return entry
        target = self.layout.target(entry.lstrip("/").rstrip("/") + "/x")
        if target is None or posixpath.dirname(target) == "lib":
            return None
        return origin(folder, posixpath.dirname(target))

    def _text(self, path, full):
        if UNTOUCHED.search(path) or os.path.getsize(full) > LARGEST_TEXT:
            return
        with open(full, "rb") as file:
            data = file.read()
        if b"\0" in data:
            return
        new = data
        if path.startswith(("bin/", "sbin/", "python-scripts/")) or os.access(full, os.X_OK):
            new = SHEBANG.sub(b"#!" + self.prefix.encode() + b"/bin/python", new)
        if b"/usr" in new or b"/etc" in new or ABOUT_PREFIX.search(path):
            everything = ABOUT_PREFIX.search(path) is not None
            shebang, newline, body = _split_shebang(new.decode("latin-1"))
            body = self.path.sub(lambda found: self._replaced(found.group(), everything), body)
            new = (shebang + newline + body).encode("latin-1")
        if new != data:
            rewrite(full, new)

    def _replaced(self, text, everything):
        """What stands for one absolute path in a text file."""
        if text.startswith("/lib/"):                       # ${prefix}/lib/<triplet>
            return "/lib"
        if text.rstrip("/") == "/usr":
            return self.prefix + text[4:] if everything else text
        path = text.strip("/")
        inside = installed((self.layout.target(path + "/x") or "")[:-2])    # may be a file or a folder
        if not inside or inside.startswith(SITE):                         # where that is, python says
            return text
        known = inside in self.shipped or (inside in self.folders and inside.count("/") > 0)
        host_tool = path.startswith(("usr/bin/", "usr/sbin/", "etc/"))
        if not known and (host_tool or not everything):
            return text
        return f"{self.prefix}/{inside}" + ("/" if text.endswith("/") else "")


def origin(folder, target):
    """The RPATH entry that leads from a folder of the prefix to another one."""
    relative = posixpath.relpath(target, folder)
    return "$ORIGIN" if relative == "." else f"$ORIGIN/{relative}"


def rewrite(full, data):
    """Replaces a file's content in place (hard links stay); keeps mode and mtime."""
    before = os.stat(full)
    with open(full, "wb") as file:
        file.write(data)
    os.utime(full, (int(before.st_mtime), int(before.st_mtime)))


def _split_shebang(text):
    if not text.startswith("#!"):
        return "", "", text
    return text.partition("\n")


def _parents(path):
    while path := posixpath.dirname(path):
        yield path
