"""Sharded repodata (CEP 16) of a channel folder, written apart from the code under test."""

import hashlib
import json
import struct
from pathlib import Path

import zstandard


def pack(value):
    """MessagePack of what JSON can say, and of bytes."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if 0 <= value < 128:
            return bytes([value])
        return struct.pack(">Bq", 0xd3, value) if value < 0 else struct.pack(">BQ", 0xcf, value)
    if isinstance(value, float):
        return struct.pack(">Bd", 0xcb, value)
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xc6, len(value)) + value
    if isinstance(value, str):
        data = value.encode()
        return (bytes([0xa0 | len(data)]) if len(data) < 32 else struct.pack(">BI", 0xdb, len(data))) + data
    if isinstance(value, dict):
        head = bytes([0x80 | len(value)]) if len(value) < 16 else struct.pack(">BI", 0xdf, len(value))
        return head + b"".join(pack(key) + pack(item) for key, item in value.items())
    head = bytes([0x90 | len(value)]) if len(value) < 16 else struct.pack(">BI", 0xdd, len(value))
    return head + b"".join(map(pack, value))


def raw_hashes(record):
    return {key: bytes.fromhex(item) if key in ("md5", "sha256") else item for key, item in record.items()}


def write_shards(subdir, shards_base_url="./shards/", base_url="", keep_repodata=False):
    """Turns <subdir>/repodata.json into shards. Returns name -> hash."""
    subdir = Path(subdir)
    repodata = json.loads((subdir / "repodata.json").read_text())
    shards = {}
    for section in ("packages", "packages.conda"):
        for file, record in repodata.get(section, {}).items():
            shard = shards.setdefault(record["name"], {"packages": {}, "packages.conda": {}, "removed": []})
            shard[section][file] = raw_hashes(record)
    folder = subdir / "shards"
    folder.mkdir(exist_ok=True)
    hashes = {}
    for name, shard in shards.items():
        data = zstandard.compress(pack(shard))
        hashes[name] = hashlib.sha256(data).digest()
        (folder / f"{hashes[name].hex()}.msgpack.zst").write_bytes(data)
    index = {"version": 1, "info": {"base_url": base_url, "shards_base_url": shards_base_url, "subdir": subdir.name,
                                    "created_at": "2026-11-27T00:00:00Z"}, "shards": hashes}
    (subdir / "repodata_shards.msgpack.zst").write_bytes(zstandard.compress(pack(index)))
    if not keep_repodata:
        for file in ("repodata.json", "repodata.json.zst"):
            (subdir / file).unlink(missing_ok=True)
    return {name: value.hex() for name, value in hashes.items()}
