"""Are two environments the same? Compared are paths, kinds, what files and links contain, and what is executable.

(Not all of the permissions: micromamba's entry points can be written by their group.)
"""

import hashlib
import os
import stat

# What only one tool makes: conda's creation date, what running the interpreter leaves behind, conda's and pixi's own notes.
OWN_FILES = {"conda-meta/created_at", "conda-meta/history", "conda-meta/state", "conda-meta/pixi",
             "conda-meta/pixi_env_prefix", "conda-meta/frozen", "conda-meta/.condarc", ".messages.txt"}


def summary(prefix):
    """path -> what is there. Of records and bytecode only the names count: they hold dates, URLs and the maker's name."""
    found = {}
    for folder, folders, names in os.walk(prefix):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in names + links:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, prefix)
            if relative not in OWN_FILES and not is_by_the_way(relative):
                found[relative] = describe(path, relative)
    return found


def is_by_the_way(path):
    """Bytecode of the standard library: what an interpreter leaves behind when it is run, not what was installed."""
    return path.endswith(".pyc") and "/site-packages/" not in path


def describe(path, relative):
    status = os.lstat(path)
    if relative.endswith(".pyc") or relative.startswith("conda-meta/"):
        return "name"
    if stat.S_ISLNK(status.st_mode):
        return f"-> {os.readlink(path)}"
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ("executable " if status.st_mode & stat.S_IXUSR else "") + digest


def differences(ours, theirs, contents=True):
    """Lines about what is not the same, none if all is."""
    lines = [f"only taipan made {path}" for path in sorted(ours.keys() - theirs.keys())]
    lines += [f"taipan did not make {path}" for path in sorted(theirs.keys() - ours.keys())]
    if contents:
        lines += [f"{path}: taipan {ours[path]}, peer {theirs[path]}" for path in sorted(ours.keys() & theirs.keys())
                  if ours[path] != theirs[path]]
    return lines
