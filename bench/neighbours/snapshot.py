"""What an environment is, path by path, in a form in which two can be compared."""

import hashlib
import json
import marshal
import os
import re
import stat
import types
from dataclasses import dataclass, field
from importlib.util import MAGIC_NUMBER
from pathlib import Path


@dataclass
class Entry:
    kind: str  # file, link, directory, record, bytecode, history
    mode: int = 0
    content: object = None
    shared: bool = False  # a hard link into a cache
    mtime: int = 0


NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass
class Difference:
    """One fact of one path that two tools have made differently; None where there is nothing."""
    path: str
    what: str
    ours: object
    theirs: object
    details: dict = field(default_factory=dict)

    def __str__(self):
        return f"{self.path} {self.what}: taipan {shown(self.ours)}, peer {shown(self.theirs)}"


def shown(value):
    text = oct(value) if isinstance(value, int) and not isinstance(value, bool) else repr(value)
    return text if len(text) < 160 else text[:75] + " ... " + text[-75:]


def snapshot(prefix, tool):
    """path -> Entry. Paths of the tool's cache are written as $PKGS in records and links."""
    found = {}
    for folder, folders, names in os.walk(prefix):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in [*names, *folders]:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, prefix)] = entry_of(path, os.path.relpath(path, prefix), str(tool.pkgs),
                                                            name in links)
    return found


def entry_of(path, relative, pkgs, is_link):
    status = os.lstat(path)
    mode = stat.S_IMODE(status.st_mode)
    if is_link or stat.S_ISLNK(status.st_mode):
        return Entry("link", 0, os.readlink(path).replace(pkgs, "$PKGS"))
    if stat.S_ISDIR(status.st_mode):
        return Entry("directory", mode)
    data = Path(path).read_bytes()
    if relative == "conda-meta/history":
        return Entry("history", mode, history_of(data.decode(), pkgs))
    if relative.startswith("conda-meta/") and relative.endswith(".json"):
        return Entry("record", mode, json.loads(data.decode().replace(pkgs, "$PKGS")))
    if relative.endswith(".pyc") and data[:4] == MAGIC_NUMBER:
        return Entry("bytecode", mode, bytecode_of(data))
    return Entry("file", mode, hashlib.sha256(data).hexdigest(), status.st_nlink > 1, int(status.st_mtime))


def history_of(text, pkgs):
    """The lines without dates, commands and versions of the tools."""
    lines = []
    for line in text.replace(pkgs, "$PKGS").splitlines():
        if re.match(r"# (cmd|conda version|neutered)", line):
            continue
        specs = re.match(r"# (\w+ specs): \[(.*)\]$", line)
        if specs:  # conda's come out of a set
            line = f"{specs[1]} {sorted(specs[2].split(', '))}"
        lines.append("==> date <==" if line.startswith("==> ") else line)
    return lines


def bytecode_of(data):
    """Header without the time, and all that the code is made of; not how marshal happened to write references."""
    return [int.from_bytes(data[4:8], "little"), int.from_bytes(data[12:16], "little"), plain(marshal.loads(data[16:]))]


def plain(value):
    if isinstance(value, types.CodeType):
        return [plain(getattr(value, name)) for name in
                ("co_filename", "co_name", "co_qualname", "co_firstlineno", "co_flags", "co_code", "co_consts", "co_names",
                 "co_varnames", "co_freevars", "co_cellvars", "co_linetable", "co_exceptiontable", "co_argcount",
                 "co_posonlyargcount", "co_kwonlyargcount", "co_stacksize") if hasattr(value, name)]
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, frozenset):
        return ["frozenset", *sorted(map(repr, value))]
    return repr(value)


def compare(ours, theirs):
    for path in sorted(ours.keys() | theirs.keys()):
        mine, peers = ours.get(path), theirs.get(path)
        if mine is None or peers is None:
            yield Difference(path, "there", mine and mine.kind, peers and peers.kind, {"entry": mine or peers})
        elif path == "conda-meta/created_at":
            continue  # a moment
        elif mine.kind != peers.kind:
            yield Difference(path, "kind", mine.kind, peers.kind)
        else:
            yield from compare_entries(path, mine, peers)


def compare_entries(path, mine, peers):
    if mine.mode != peers.mode:
        yield Difference(path, "mode", mine.mode, peers.mode)
    if mine.shared != peers.shared:
        yield Difference(path, "hard link", mine.shared, peers.shared, {"empty": mine.content == NOTHING})
    if mine.content == peers.content:
        if mine.kind == "file" and mine.shared and mine.mtime != peers.mtime:
            yield Difference(path, "mtime", mine.mtime, peers.mtime)
    elif mine.kind == "record":
        yield from compare_records(path, mine.content, peers.content)
    elif mine.kind == "history":
        yield Difference(path, "history", mine.content, peers.content)
    else:
        yield Difference(path, "content", mine.content, peers.content)


def compare_records(path, mine, peers):
    for key in sorted(mine.keys() | peers.keys()):
        ours, theirs = mine.get(key), peers.get(key)
        if key == "paths_data" and ours and theirs:
            yield from compare_paths(path, ours, theirs)
        elif key == "files" and sorted(ours or []) == sorted(theirs or []):
            continue
        elif (key in mine) != (key in peers) or ours != theirs or type(ours) is not type(theirs):
            yield Difference(path, key, mine.get(key), peers.get(key),
                             {"absent": "ours" if key not in mine else "theirs" if key not in peers else ""})


def compare_paths(path, mine, peers):
    if mine.get("paths_version") != peers.get("paths_version"):
        yield Difference(path, "paths_version", mine.get("paths_version"), peers.get("paths_version"))
    ours, theirs = ({entry["_path"]: entry for entry in data["paths"]} for data in (mine, peers))
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            yield Difference(path, "paths_data", name if name in ours else None, name if name in theirs else None)
            continue
        for key in sorted(ours[name].keys() | theirs[name].keys()):
            if ours[name].get(key) != theirs[name].get(key):
                yield Difference(path, f"paths_data.{key}", ours[name].get(key), theirs[name].get(key), {"path": name})
