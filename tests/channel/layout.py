"""Where a file of a deb goes in a conda prefix.

Problem: Debian's tree is rooted at `/`, has multiarch folders and its own place for Python modules; a
conda package is relative to the prefix, and a noarch Python package relative to a layout that the
installer maps (`site-packages/`, `python-scripts/`).

Approach: one table of leading folders, first match wins; then the recipe's moves; then patterns of what
is left out. Symlinks are resolved in Debian's tree, mapped, and made relative again.
"""

import fnmatch
import os
import posixpath

PYTHON = "3.11"
SITE = f"lib/python{PYTHON}/site-packages"
NOARCH = ("site-packages/", "python-scripts/")


class Layout:
    """The mapping for one package."""

    def __init__(self, triplet, noarch_python, moves, exclude, keep):
        site = "site-packages/" if noarch_python else SITE + "/"
        scripts = "python-scripts/" if noarch_python else "bin/"
        self.table = [
            ("usr/lib/python3/dist-packages/", site),
            (f"usr/lib/python{PYTHON}/dist-packages/", site),
            (f"usr/lib/{triplet}/", "lib/"), (f"lib/{triplet}/", "lib/"),
            ("usr/bin/", scripts), ("bin/", scripts), ("usr/games/", scripts),
            ("usr/lib64/", "lib/"), ("lib64/", "lib/"), ("lib/", "lib/"),
            ("sbin/", "sbin/"), ("etc/", "etc/"), ("usr/", ""),
        ]
        self.moves = sorted(moves.items(), key=lambda move: -len(move[0]))
        self.exclude = exclude
        self.keep = keep

    def target(self, source):
        """The path in the package for the deb's path (no leading slash), or None if it is left out."""
        for old, new in self.table:
            if source.startswith(old):
                path = new + source[len(old):]
                break
        else:
            return None
        for old, new in self.moves:
            if path == old or path.startswith(old + "/"):
                path = new + path[len(old):]
                break
        return None if self.left_out(path) else path

    def left_out(self, path):
        if any(fnmatch.fnmatchcase(path, pattern) for pattern in self.keep):
            return False
        return any(fnmatch.fnmatchcase(path, pattern) for pattern in self.exclude)

    def link(self, source, text):
        """The text of the symlink `source -> text` in the package, or None if it is left out."""
        place = self.target(source)
        pointed = text.lstrip("/") if text.startswith("/") else \
            posixpath.normpath(posixpath.join(posixpath.dirname(source), text))
        aim = self.target(pointed) if not pointed.startswith("..") else None
        if place is None or aim is None or aim == place:
            return None
        return posixpath.relpath(installed(aim), posixpath.dirname(installed(place)))


def installed(path):
    """Where the installer puts a path of the package."""
    for noarch, final in zip(NOARCH, (SITE + "/", "bin/")):
        if path.startswith(noarch):
            return final + path[len(noarch):]
    return path


def walk(folder):
    """All files and symlinks (also those to folders) below a folder, relative and sorted."""
    found = []
    for base, folders, names in os.walk(folder):
        links = [f for f in folders if os.path.islink(os.path.join(base, f))]
        found += [os.path.relpath(os.path.join(base, name), folder) for name in names + links]
    return sorted(found)


def arrange(raw, stage, layout):
    """Moves the unpacked payload `raw` into the package tree `stage`."""
    for source in walk(raw):
        old = os.path.join(raw, source)
        target = layout.target(source)
        if target is None:
            continue
        text = layout.link(source, os.readlink(old)) if os.path.islink(old) else None
        if text is None and os.path.islink(old):
            continue
        new = os.path.join(stage, target)
        if os.path.lexists(new):
            if text is not None or os.path.islink(new) or _content(new) != _content(old):
                raise ValueError(f"two files of the debs both become {target}")
            continue
        os.makedirs(os.path.dirname(new), exist_ok=True)
        if text is None:
            os.rename(old, new)
        else:
            os.symlink(text, new)
            stamp = int(os.lstat(old).st_mtime)
            os.utime(new, (stamp, stamp), follow_symlinks=False)


def _content(path):
    with open(path, "rb") as file:
        return file.read()
