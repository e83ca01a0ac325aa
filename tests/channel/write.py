"""Archives, written by conda-package-handling.

Problem: the archives must come from an implementation that isn't ours, and be the same bytes for the
same input. conda-package-handling orders members by Python's string hash and stamps zip members with
the current time.

Approach: build.py starts Python with PYTHONHASHSEED=0; `zipfile` sees a fixed clock while we write.
"""

import os
import time
import types
import zipfile
from unittest import mock

import zstandard
from conda_package_handling import api

from layout import walk


def write_archive(stage, folder, stem, extension, timestamp, zstd_level):
    """Packs the tree `stage` (with info/) into folder/stem.extension; returns the file name."""
    name = f"{stem}.{extension}"
    options = {}
    if extension == "conda":
        options["compressor"] = lambda: zstandard.ZstdCompressor(level=zstd_level)
    clock = types.SimpleNamespace(time=lambda: timestamp, localtime=time.gmtime)
    os.makedirs(folder, exist_ok=True)
    with mock.patch.object(zipfile, "time", clock):
        api.create(os.path.abspath(stage), walk(stage), name, os.path.abspath(folder), **options)
    os.utime(os.path.join(folder, name), (timestamp, timestamp))
    return name
