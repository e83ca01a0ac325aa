"""The little that the builder must know about an ELF file.

Problem: every dynamic ELF file needs an RPATH into the prefix, and the builder wants to know which
shared libraries a package gives and needs. Starting patchelf several times for each of thousands of
files is slow.

Approach: read the dynamic section directly (64-bit little endian, which is all we build for), and run
patchelf once a file, to set the RPATH.
"""

import os
import struct
from dataclasses import dataclass, field

from debian import run

PT_LOAD, PT_DYNAMIC = 1, 2
DT_NEEDED, DT_STRTAB, DT_SONAME, DT_RPATH, DT_RUNPATH = 1, 5, 14, 15, 29


@dataclass
class Dynamic:
    """What the dynamic section of an ELF file says."""
    needed: list = field(default_factory=list)
    soname: str = ""
    rpath: list = field(default_factory=list)


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def read_dynamic(path):
    """The Dynamic of an executable or shared library; None for objects and static executables."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", data, 16)[0] not in (2, 3):
        return None
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * size) for i in range(count)]
    loads = [(vaddr, fsize, off) for kind, _, off, vaddr, _, fsize in headers if kind == PT_LOAD]
    section = next(((off, fsize) for kind, _, off, _, _, fsize in headers if kind == PT_DYNAMIC), None)
    if section is None or section[1] == 0:
        return None
    entries = [struct.unpack_from("<qQ", data, section[0] + i) for i in range(0, section[1], 16)]
    address = dict(entries).get(DT_STRTAB, 0)
    strings = next((off + address - v for v, fsize, off in loads if v <= address < v + fsize), None)
    if strings is None:
        return None
    return _decode(entries, lambda at: data[strings + at:data.index(b"\0", strings + at)].decode())


def _decode(entries, text):
    found = Dynamic()
    for tag, value in entries:
        if tag == 0:
            break
        if tag == DT_NEEDED:
            found.needed.append(text(value))
        elif tag == DT_SONAME:
            found.soname = text(value)
        elif tag in (DT_RPATH, DT_RUNPATH):
            found.rpath += [entry for entry in text(value).split(":") if entry]
    return found


def set_rpath(path, entries):
    """Replaces the RPATH; keeps mode and mtime. --force-rpath: as conda-build does, so that
    LD_LIBRARY_PATH of the host does not come first."""
    before = os.stat(path)
    run(["patchelf", "--force-rpath", "--set-rpath", ":".join(entries), path])
    os.chmod(path, before.st_mode & 0o777)
    os.utime(path, (int(before.st_mtime), int(before.st_mtime)))
