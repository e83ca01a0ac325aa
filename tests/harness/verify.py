"""Is an environment what its records say, and does it work?

    python3 verify.py PREFIX      by hand
    verify_environment(prefix)    from a test; returns the list of what is wrong

Checked: every path that a record lists exists with the recorded hash (`sha256_in_prefix`, or the one as shipped),
symbolic links are those of the package, hard links are shared with the cache, nothing lies about that no record owns,
no file mentions a placeholder, every program finds its libraries and its interpreter, and every console script
starts.
"""

import hashlib
import json
import mmap
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Of the environment itself rather than of a package.
OWN_FILES = {"conda-meta/history", "conda-meta/created_at", "conda-meta/state", "conda-meta/pinned", ".condarc"}
BARE_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def verify_environment(prefix, run=True):
    """Problems as lines of text; empty when everything is right. With `run` its programs are started."""
    prefix = Path(prefix)
    records = [json.loads(p.read_text()) for p in sorted((prefix / "conda-meta").glob("*.json"))]
    problems = [] if records else [f"{prefix} has no records"]
    for record in records:
        problems += [f"{record['name']}: {text}" for text in _check_record(prefix, record)]
    problems += _check_strangers(prefix, records)
    problems += _check_placeholders(prefix, records)
    problems += _check_libraries(prefix, records)
    if run:
        problems += _check_scripts(prefix, records)
    return problems


def run_bare(command, timeout=120):
    """Runs a command of an environment without activation: `env -i`."""
    return subprocess.run([str(word) for word in command], env=BARE_ENVIRONMENT, stdin=subprocess.DEVNULL, cwd="/",
                          capture_output=True, timeout=timeout, text=True, errors="replace")


def _check_record(prefix, record):
    listed = set(record["files"])
    described = {entry["_path"] for entry in record["paths_data"]["paths"] if entry["path_type"] != "directory"}
    if listed != described:
        yield f"files and paths_data differ: {sorted(listed ^ described)[:5]}"
    if len(listed) != len(record["files"]):
        yield "files lists a path twice"
    extracted = Path(record["extracted_package_dir"])
    if record["link"]["source"] != str(extracted):
        yield "link.source is not extracted_package_dir"
    for entry in record["paths_data"]["paths"]:
        yield from _check_path(prefix, record, entry, extracted)


def _check_path(prefix, record, entry, extracted):
    path = prefix / entry["_path"]
    kind = entry["path_type"]
    if not os.path.lexists(path):
        yield f"{path} is missing"
    elif kind == "softlink":
        source = extracted / entry["_path"]
        if not path.is_symlink():
            yield f"{path} should be a symbolic link"
        elif source.is_symlink() and os.readlink(source) != os.readlink(path):
            yield f"{path} leads to {os.readlink(path)}, in the package to {os.readlink(source)}"
    elif kind == "directory":
        if not path.is_dir():
            yield f"{path} should be a folder"
    elif path.is_symlink() or not path.is_file():
        yield f"{path} should be a regular file"
    elif kind == "hardlink":
        yield from _check_file(path, record, entry, extracted / entry["_path"])
    elif kind == "unix_python_entry_point" and not os.access(path, os.X_OK):
        yield f"{path} is not executable"


def _check_file(path, record, entry, source):
    stat = path.stat()
    expected = entry.get("sha256_in_prefix") or entry.get("sha256")
    if "sha256" in entry and "sha256_in_prefix" not in entry:
        yield f"{path} has no sha256_in_prefix"
    if expected and hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        yield f"{path} does not have the recorded sha256"
    if "prefix_placeholder" not in entry and "size_in_bytes" in entry and stat.st_size != entry["size_in_bytes"]:
        yield f"{path} has {stat.st_size} bytes, recorded are {entry['size_in_bytes']}"
    if not source.exists():
        return      # noarch python lies elsewhere in the package, or the cache was cleaned
    original = source.stat()
    if stat.st_mode != original.st_mode:
        yield f"{path} has mode {stat.st_mode:o}, in the package {original.st_mode:o}"
    private = "prefix_placeholder" in entry or entry.get("no_link")
    same = (stat.st_dev, stat.st_ino) == (original.st_dev, original.st_ino)
    if same and private:
        yield f"{path} is shared with the cache although it was changed"
    if record["link"]["type"] == 1 and not same and not private and stat.st_dev == original.st_dev:
        yield f"{path} is a copy, recorded is a hard link"


def _check_strangers(prefix, records):
    owned = {path for record in records for path in record["files"]}
    owned |= {f"conda-meta/{r['name']}-{r['version']}-{r['build']}.json" for r in records} | OWN_FILES
    for directory, folders, files in os.walk(prefix):
        for name in files + [f for f in folders if os.path.islink(os.path.join(directory, f))]:
            path = os.path.relpath(os.path.join(directory, name), prefix)
            if path not in owned:
                yield f"{path} belongs to no package"


def _check_placeholders(prefix, records):
    placeholders = {e["prefix_placeholder"].encode() for r in records for e in r["paths_data"]["paths"]
                    if e.get("prefix_placeholder")}
    for directory, _, files in os.walk(prefix):
        if directory == str(prefix / "conda-meta"):
            continue    # records tell what the placeholder was
        for name in files:
            path = os.path.join(directory, name)
            if os.path.islink(path) or os.path.getsize(path) == 0:
                continue
            with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if any(data.find(p) >= 0 for p in placeholders):
                    yield f"{path} still mentions the placeholder"


def _check_libraries(prefix, records):
    elves = []
    for record in records:
        for name in record["files"]:
            path = prefix / name
            if path.is_file() and not path.is_symlink() and (".so" in path.name or name.startswith("bin/")):
                with open(path, "rb") as file:
                    if file.read(4) == b"\x7fELF":
                        elves.append(path)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, done in zip(elves, pool.map(lambda elf: run_bare(["ldd", elf]), elves)):
            for line in (done.stdout + done.stderr).splitlines():
                if "not found" in line:
                    yield f"{path}: {line.strip()}"


def _check_scripts(prefix, records):
    entries = [e["_path"] for r in records for e in r["paths_data"]["paths"]
               if e["path_type"] == "unix_python_entry_point"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for problem in pool.map(lambda path: _start(prefix / path), entries):
            if problem:
                yield problem


def _start(script):
    """A script starts when its interpreter is found and its module is imported; what it says to --help is its own."""
    try:
        done = run_bare([script, "--help"])
    except OSError as error:
        return f"{script} does not start: {error}"
    except subprocess.TimeoutExpired:
        return f"{script} --help does not end"
    if done.returncode in (126, 127) or done.returncode < 0 or "ImportError" in done.stderr or \
            "ModuleNotFoundError" in done.stderr:
        return f"{script} does not start (exit code {done.returncode}): {done.stderr.strip()[-300:]}"
    return None


if __name__ == "__main__":
    found = verify_environment(sys.argv[1])
    print("\n".join(found) if found else "everything as recorded")
    sys.exit(1 if found else 0)
