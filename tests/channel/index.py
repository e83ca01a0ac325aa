"""repodata.json of a subdir, made from the archives alone.

Problem: the installer under test must not be the judge of its own index.

Approach: read `info/index.json` out of each finished archive with conda-package-streaming, add size and
checksums, and write `repodata.json` and `repodata.json.zst`.
"""

import hashlib
import json
import os

import zstandard
from conda_package_streaming.package_streaming import stream_conda_info

from debian import ChannelError

IGNORED = ("arch", "platform")


def record(path):
    """The repodata record of one archive."""
    with open(path, "rb") as file:
        data = file.read()
    entry = {"depends": [], "constrains": [], **_index_json(path)}
    if entry.get("noarch"):
        for key in IGNORED:
            entry.pop(key, None)
    entry["md5"] = hashlib.md5(data).hexdigest()
    entry["sha256"] = hashlib.sha256(data).hexdigest()
    entry["size"] = len(data)
    return entry


def _index_json(path):
    for tar, member in stream_conda_info(path):
        if member.name == "info/index.json":
            return json.load(tar.extractfile(member))
    raise ChannelError(f"{os.path.basename(path)} has no info/index.json")


def write_repodata(folder, subdir, records):
    """Writes both forms of the index; `records` maps archive names to records."""
    repodata = {
        "info": {"subdir": subdir},
        "packages": {n: r for n, r in sorted(records.items()) if n.endswith(".tar.bz2")},
        "packages.conda": {n: r for n, r in sorted(records.items()) if n.endswith(".conda")},
        "removed": [],
        "repodata_version": 1,
    }
    text = json.dumps(repodata, indent=1, sort_keys=True).encode() + b"\n"
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "repodata.json"), "wb") as file:
        file.write(text)
    with open(os.path.join(folder, "repodata.json.zst"), "wb") as file:
        file.write(zstandard.ZstdCompressor(level=19).compress(text))
