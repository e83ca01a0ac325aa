"""The base class of the tests that drive the real binary.

Every test has a folder of its own with a home, a root prefix and a package cache, and runs the command with an
environment made from nothing, so that neither the machine's configuration nor another test can be seen.

    TAIPAN_BINARY        the binary under test
    TAIPAN_TEST_CHANNEL  the channel of real packages that tests/channel makes (ctest: fixture `channel`)
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))

from nginx import Nginx  # noqa: E402
from tiny_channel import SUBDIR, TinyChannel  # noqa: E402

# What is on stderr when a program falls over instead of reporting an error, or when the report shows its insides.
NOISE = re.compile(r"terminate called|Traceback|Segmentation|Assertion|core dumped|what\(\):|Sanitizer|runtime error:"
                   r"|\bengine/\w+/|std::|boost::|0x[0-9a-f]{6,}")

# Staging, partial, set-aside and lock files. What stays in a cache: one lock file, the bytecode, image layers,
# lists of entries and of uses.
BYTECODE = ".taipan-pyc"
LEFTOVER = re.compile(r"^\.taipan-(?!pyc$|layers$|contained$|index$|uses$)|\.partial$|(?<!^\.taipan)\.lock$|\.c~$|\.trash$")


@dataclass
class Done:
    """A finished command."""
    command: list
    code: int
    stdout: str
    stderr: str

    @property
    def json(self):
        return json.loads(self.stdout)

    def __str__(self):
        return (f"$ {' '.join(map(str, self.command))}\nexit code {self.code}\n--- stdout\n{self.stdout}"
                f"--- stderr\n{self.stderr}---")


class TaipanTest(unittest.TestCase):
    """A test with its own world; see the attributes set in setUp."""
    maxDiff = None

    def setUp(self):
        self.work = Path(tempfile.mkdtemp(prefix="taipan-test-"))
        self.addCleanup(_remove, self.work)
        self.home = self.work / "home"
        self.home.mkdir()
        self.root_prefix = self.work / "root"
        self.cache = self.work / "pkgs"
        self.prefix = self.work / "env"
        self.environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8", "TMPDIR": str(self.work),
            "MAMBA_ROOT_PREFIX": str(self.root_prefix), "CONDA_PKGS_DIRS": str(self.cache),
            # Failing transfers are tried again soon, so that the tests need not wait.
            "CONDA_REMOTE_BACKOFF_FACTOR": "0.05",
        }
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                self.environment[name] = value

    # ---- running

    def binary_for_others(self):
        """A copy of the command that every user can run: where it was built may be closed to others."""
        self.work.chmod(0o755)
        return Path(shutil.copy2(binary_under_test(), self.work / "taipan"))

    def taipan(self, *arguments, code=0, env=None, cwd=None, timeout=300, binary=None, stdin=None):
        """Runs the command, with `stdin` as its input, and checks its exit code (None: any but a crash)."""
        command = [str(binary or binary_under_test()), *map(str, arguments)]
        environment = self.environment | (env or {})
        given = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin.encode()}
        done = subprocess.run(command, env=environment, cwd=cwd or self.work, capture_output=True, timeout=timeout,
                              **given)
        result = Done(command, done.returncode, done.stdout.decode(), done.stderr.decode())
        self.assertGreaterEqual(result.code, 0, f"ended by a signal\n{result}")
        self.assertNotRegex(result.stderr, NOISE, str(result))
        if code is not None:
            self.assertEqual(result.code, code, str(result))
        return result

    def taipan_json(self, *arguments, **options):
        """Runs the command with --json and returns the one document that must be on stdout."""
        result = self.taipan(*arguments, "--json", **options)
        try:
            return result.json
        except json.JSONDecodeError as error:
            self.fail(f"stdout is not one JSON document ({error})\n{result}")

    def create(self, *arguments, channel=None, prefix=None, **options):
        """`taipan create` of self.prefix, from `channel` (a TinyChannel, a server or a URL) and nothing else."""
        return self.taipan("create", "-y", "-p", prefix or self.prefix, *self.channel_arguments(channel), *arguments,
                           **options)

    def install(self, *arguments, channel=None, prefix=None, **options):
        return self.taipan("install", "-y", "-p", prefix or self.prefix, *self.channel_arguments(channel), *arguments,
                           **options)

    def remove(self, *arguments, prefix=None, **options):
        return self.taipan("remove", "-y", "-p", prefix or self.prefix, *arguments, **options)

    def channel_arguments(self, channel):
        url = channel if channel is not None else getattr(self, "channel", None)
        if url is None:
            return []
        url = getattr(url, "url", url)
        url = url.folder.as_uri() if isinstance(url, TinyChannel) else url
        return ["--override-channels", "-c", url]

    # ---- making channels

    def tiny_channel(self, name="channel"):
        return TinyChannel(self.work / name)

    def serve(self, channel, extra=""):
        """Serves a TinyChannel (or folder) by nginx until the end of the test."""
        work = tempfile.mkdtemp(prefix="nginx-", dir=self.work)
        server = Nginx(getattr(channel, "folder", channel), Path(work), extra)
        self.addCleanup(server.close)
        return server

    # ---- looking at the result

    def record(self, name, prefix=None):
        """The conda-meta record of a package, which must be there exactly once."""
        found = [r for r in records(prefix or self.prefix) if r["name"] == name]
        self.assertEqual(len(found), 1, f"records of {name}")
        return found[0]

    def assert_installed(self, *dists, prefix=None):
        """Exactly these packages are installed, as `name-version-build`, by records with agreeing file names."""
        files = [p.name.removesuffix(".json") for p in (Path(prefix or self.prefix) / "conda-meta").glob("*.json")]
        self.assertEqual(sorted(files), sorted(dists))
        self.assertEqual(sorted("{name}-{version}-{build}".format(**r) for r in records(prefix or self.prefix)),
                         sorted(dists))

    def assert_failed(self, result, *needles):
        """One clear message that names what it is about, on stderr, and nothing that looks like a crash."""
        self.assertEqual(result.code, 1, str(result))
        for needle in needles:
            self.assertIn(str(needle), result.stderr, str(result))
        messages = [line for line in result.stderr.splitlines()
                    if re.match(r"(\w+(Error|Exit|Channel|NotFound|Spec)\b|error\b|critical\b)", line)]
        self.assertEqual(len(messages), 1, f"not exactly one message\n{result}")

    def assert_no_environment(self, prefix=None):
        """Nothing of an environment that could not be made is left, nor is it known."""
        prefix = Path(prefix or self.prefix)
        self.assertFalse(os.path.lexists(prefix), f"{prefix} is left over: {list(tree(prefix))[:20]}")
        registered = self.home / ".conda/environments.txt"
        if registered.exists():
            self.assertNotIn(str(prefix), registered.read_text().splitlines())
        self.assert_no_leftovers(prefix.parent)

    def assert_no_leftovers(self, folder):
        """No staging, partial, lock or set-aside file lies in a folder."""
        for entry in os.listdir(folder) if os.path.isdir(folder) else []:
            self.assertNotRegex(entry, LEFTOVER, f"left in {folder}")

    def assert_cache_sound(self, channel=None):
        """Every entry of the cache is whole: no partial file, right hashes, extracted packages complete."""
        if not self.cache.exists():
            return
        known = {p.fn: p for p in channel.packages} if channel else {}
        self.assert_no_leftovers(self.cache)
        for interpreter in (self.cache / BYTECODE).glob("*"):
            self.assert_no_leftovers(interpreter)
        for entry in self.cache.iterdir():
            if entry.is_dir() and entry.name not in ("cache", BYTECODE, ".taipan-layers"):
                self._assert_extracted_whole(entry)
            elif entry.name in known:
                self.assertEqual(file_sha256(entry), known[entry.name].record["sha256"], f"cached archive {entry.name}")
        for entry in (self.cache / "cache").glob("*"):
            self.assertNotRegex(entry.name, r"^\.|\.partial$|\.tmp", "left in the repodata cache")
            # A state file is also the lock of its index, so it may be there before there is anything to say.
            if entry.suffix == ".json" and not (entry.name.endswith(".info.json") and entry.stat().st_size == 0):
                try:
                    json.loads(entry.read_bytes())
                except (ValueError, RecursionError):
                    self.fail(f"{entry} is no JSON: {entry.read_bytes()[:60]}")

    def _assert_extracted_whole(self, folder):
        self.assertTrue((folder / "info/index.json").is_file(), f"{folder} is no extracted package")
        self.assertTrue((folder / "info/repodata_record.json").is_file(), f"{folder} has no repodata_record.json")
        paths = folder / "info/paths.json"
        for entry in json.loads(paths.read_text())["paths"] if paths.exists() else []:
            path = folder / entry["_path"]
            self.assertTrue(os.path.lexists(path), f"{path} is missing in the cache")
            if entry["path_type"] == "hardlink" and "sha256" in entry:
                self.assertEqual(file_sha256(path), entry["sha256"], f"{path} in the cache is not as shipped")


class RealChannelTest(TaipanTest):
    """A test that works on the real packages, served by nginx."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.real_channel = Path(os.environ["TAIPAN_TEST_CHANNEL"])
        folder = Path(tempfile.mkdtemp(prefix="taipan-nginx-"))
        cls.addClassCleanup(_remove, folder)
        cls.server = Nginx(cls.real_channel, folder)
        cls.addClassCleanup(cls.server.close)
        cls.channel = cls.server.url


def binary_under_test():
    binary = os.environ.get("TAIPAN_BINARY")
    if not binary or not os.access(binary, os.X_OK):
        raise RuntimeError(f"TAIPAN_BINARY={binary} is no executable; run the tests through ctest")
    return binary


def records(prefix):
    return [json.loads(p.read_text()) for p in sorted((Path(prefix) / "conda-meta").glob("*.json"))]


def file_sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def tree(folder):
    """(path, what, mode, content) of everything below a folder, sorted: what must not change when a command fails."""
    for directory, directories, files in os.walk(folder):
        directories.sort()
        for name in sorted(directories + files):
            path = os.path.join(directory, name)
            mode = os.lstat(path).st_mode & 0o7777
            if os.path.islink(path):
                yield os.path.relpath(path, folder), "link", 0, os.readlink(path)
            elif os.path.isdir(path):
                yield os.path.relpath(path, folder), "folder", mode, ""
            else:
                yield os.path.relpath(path, folder), "file", mode, file_sha256(path)


def _remove(folder):
    """rm -rf that also gets rid of what a test made read-only."""
    for directory, _, _ in os.walk(folder):
        os.chmod(directory, 0o700)
    shutil.rmtree(folder)


def main():
    unittest.main(verbosity=2)


__all__ = ["Done", "RealChannelTest", "SUBDIR", "TaipanTest", "TinyChannel", "binary_under_test", "file_sha256", "main",
           "records", "tree"]
