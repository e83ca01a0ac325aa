"""The `info/` folder of a conda package.

Problem: conda-build would write it; here the same files come from what the debs say.

Approach: one function a file. `write_info` is called when the payload is final, since `paths.json` has
the checksums. A *legacy* package has `info/files`, `has_prefix` and `no_link`, but no `paths.json`.
"""

import hashlib
import json
import os
import re
import shutil

import elf
from layout import walk

EMPTY = hashlib.sha256(b"").hexdigest()


def write_info(stage, raw, facts):
    """Writes info/ for the tree `stage`. `facts` is a package.Facts."""
    info = os.path.join(stage, "info")
    files = [path for path in walk(stage) if not path.startswith("info/")]
    paths = paths_of(stage, files, facts)
    os.makedirs(info, exist_ok=True)
    _lines(info, "files", files)
    _lines(info, "has_prefix", [f"{p['prefix_placeholder']} {p['file_mode']} {p['_path']}"
                                for p in paths if "file_mode" in p])
    _lines(info, "no_link", [p["_path"] for p in paths if p.get("no_link")])
    if not facts.legacy:
        _json(info, "paths.json", {"paths": paths, "paths_version": 1})
    _json(info, "index.json", index_of(facts))
    _json(info, "about.json", about_of(facts))
    _json(info, "hash_input.json", facts.hash_input)
    if facts.noarch:
        noarch = {"type": facts.noarch}
        if facts.entry_points:
            noarch["entry_points"] = [f"{c} = {t}" for c, t in sorted(facts.entry_points.items())]
        _json(info, "link.json", {"noarch": noarch, "package_metadata_version": 1})
    if facts.run_exports:
        _json(info, "run_exports.json", {"weak": facts.run_exports})
    copy_licenses(raw, os.path.join(info, "licenses"))
    for path in walk(info):
        os.utime(os.path.join(info, path), (facts.timestamp, facts.timestamp))


def paths_of(stage, files, facts):
    """The entries of paths.json, in order."""
    by_inode = {}
    for path in files:
        status = os.lstat(os.path.join(stage, path))
        if status.st_nlink > 1:
            by_inode.setdefault(status.st_ino, []).append(path)
    result = []
    for path in files:
        full = os.path.join(stage, path)
        entry = {"_path": path, "path_type": "softlink" if os.path.islink(full) else "hardlink"}
        data = _read(full)
        entry["sha256"] = hashlib.sha256(data).hexdigest() if data is not None else EMPTY
        entry["size_in_bytes"] = len(data or b"")
        if not os.path.islink(full):
            if facts.placeholder.encode() in data:
                entry["prefix_placeholder"] = facts.placeholder
                entry["file_mode"] = "binary" if b"\0" in data else "text"
            if path in facts.no_link:
                entry["no_link"] = True
            same = by_inode.get(os.lstat(full).st_ino, [])
            if len(same) > 1:
                entry["inode_paths"] = same
        result.append(entry)
    return result


def index_of(facts):
    """info/index.json"""
    index = {
        "arch": None if facts.noarch else facts.machine,
        "build": facts.build, "build_number": facts.build_number,
        "constrains": facts.constrains, "depends": facts.depends,
        "license": facts.license, "name": facts.name,
        "platform": None if facts.noarch else "linux",
        "subdir": "noarch" if facts.noarch else facts.subdir,
        "timestamp": facts.timestamp * 1000, "version": facts.version,
    }
    if not facts.constrains:
        del index["constrains"]
    if facts.noarch:
        index["noarch"] = facts.noarch
    return index


def about_of(facts):
    """info/about.json"""
    return {"home": facts.home, "license": facts.license, "summary": facts.summary,
            "extra": {"debs": facts.debs}}


def license_of(raw, debs):
    """The licence that the first deb's copyright file names for `Files: *`."""
    for deb in debs:
        path = os.path.join(raw, "usr/share/doc", deb, "copyright")
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            main = re.search(r"^Files:\s*\*\s*$.*?^License:[ \t]*(\S[^\n]*)$", text, re.M | re.S)
            found = main or re.search(r"^License:[ \t]*(\S[^\n]*)$", text, re.M)
            if found:
                return found.group(1).strip()
    return None


def copy_licenses(raw, folder):
    """info/licenses/<deb>.txt from the debs' copyright files."""
    docs = os.path.join(raw, "usr/share/doc")
    for deb in sorted(os.listdir(docs)) if os.path.isdir(docs) else []:
        path = os.path.join(docs, deb, "copyright")
        if os.path.isfile(path):
            os.makedirs(folder, exist_ok=True)
            shutil.copyfile(path, os.path.join(folder, deb + ".txt"))


def libraries(stage):
    """(sonames that the tree gives, {file: names that it needs}); for the check after the build."""
    given, needed = set(), {}
    for path in walk(stage):
        full = os.path.join(stage, path)
        if re.search(r"\.so(\.|$)", path):
            given.add(os.path.basename(path))
        if not os.path.islink(full) and elf.is_elf(full):
            dynamic = elf.read_dynamic(full)
            if dynamic:
                given.add(dynamic.soname)
                needed[path] = dynamic.needed
    return sorted(given - {""}), needed


def _read(full):
    """The content that paths.json is about: a link's target; None if that is not here or a folder."""
    if not os.path.isfile(full):
        return None
    with open(full, "rb") as file:
        return file.read()


def _json(folder, name, data):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(data, file, indent=2, sort_keys=True)


def _lines(folder, name, lines):
    if lines:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))
