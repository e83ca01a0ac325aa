"""Each system call that changes something may fail, at any moment and for good: strace makes it. All is done with exit code
0, or all is as before with exit code 1 and one message; and where the fault hinders even the way back, the next command
goes it.

TAIPAN_CALL_FAULTS says how many moments each kind of call gets; there are few of them by default.
"""

import os
import random
import re
import shutil
import subprocess
import unittest

from kill_case import KillCase, state
from taipan_test import NOISE, binary_under_test, main

MOMENTS = int(os.environ.get("TAIPAN_CALL_FAULTS", "2"))

# What fails, and whether the command has another way to the same end.
FAULTS = [
    ("write", "ENOSPC", False), ("write", "EDQUOT", False), ("write", "EIO", False), ("pwrite64", "ENOSPC", False),
    ("linkat", "EMLINK", True), ("linkat", "EPERM", True), ("linkat", "EXDEV", True), ("linkat", "EIO", False),
    ("openat", "EIO", False), ("openat", "EACCES", False), ("openat", "EMFILE", False), ("openat", "ENFILE", False),
    ("mkdir,mkdirat", "ENOSPC", False), ("mkdir,mkdirat", "EDQUOT", False), ("symlinkat", "EIO", False),
    ("rename,renameat,renameat2", "EIO", False), ("rename,renameat,renameat2", "ENOSPC", False),
    ("unlinkat,unlink,rmdir", "EIO", False), ("unlinkat,unlink,rmdir", "EROFS", False),
    ("fdatasync,fsync", "EIO", False), ("fdatasync,fsync", "EINVAL", False), ("fchmod,fchmodat", "EPERM", False),
    ("utimensat", "EPERM", False), ("ftruncate", "EIO", False), ("getdents64", "EIO", False), ("fcntl", "ENOLCK", False),
    ("flock", "ENOLCK", False), ("copy_file_range", "EIO", False), ("read", "EIO", False), ("pread64", "EIO", False),
    ("newfstatat", "EIO", False), ("statx", "EIO", False), ("mmap", "ENOMEM", False),
]


def can_trace():
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode == 0


def without_ways(items):
    """A state without records: they tell how files were linked, and there may have been another way."""
    return [item for item in items or [] if not item[0].startswith("conda-meta/") or not item[0].endswith(".json")]


@unittest.skipUnless(can_trace(), "there is no strace, or it may not trace")
class SystemCallTest(KillCase):
    def run_with_fault(self, calls, error, when, arguments):
        inject = f"--inject={calls}:error={error}:when={when}"
        command = ["strace", "-f", "-qq", "-o", str(self.work / "trace"), "-e", f"trace={calls}", inject,
                   binary_under_test(), *map(str, arguments)]
        return subprocess.run(command, env=self.environment, cwd=self.work, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120)

    def calls_of(self, calls, arguments):
        """How many of the calls the thread makes that makes most of them."""
        self.run_with_fault(calls, "EIO", "65535", arguments)
        counts = {}
        for line in (self.work / "trace").read_text(errors="replace").splitlines():
            thread = line.split(" ", 1)[0]
            if re.search(r"\w+\(", line):
                counts[thread] = counts.get(thread, 0) + 1
        return max(counts.values(), default=0)

    def fail_calls(self, *command, cold=False):
        self.prepare(*command)
        rng = random.Random(5)
        for calls, error, has_other_way in FAULTS:
            self.reset(cold)
            total = self.calls_of(calls, self.words(*command))
            if total == 0:
                continue
            moments = [f"{rng.randint(1, total)}{often}" for often in ("", "+") for _ in range(MOMENTS)]
            for when in moments:
                with self.subTest(calls=calls, error=error, when=when):
                    self.reset(cold)
                    self.check(calls, error, when, has_other_way, *command)

    def reset(self, cold):
        self.taipan("list", "-p", self.prefix, code=None)
        self.restore()
        if cold:
            shutil.rmtree(self.cache, ignore_errors=True)

    def check(self, calls, error, when, has_other_way, *command):
        done = self.run_with_fault(calls, error, when, self.words(*command))
        what = f"{command} with {calls} {error} at {when}: {done.returncode}\n{done.stdout}{done.stderr}"
        if done.returncode == 127 or "cannot open shared object" in done.stderr or "error while loading" in done.stderr:
            return  # the loader has met the fault, before there was a program
        self.assertIn(done.returncode, (0, 1), what)
        self.assertNotRegex(done.stderr, NOISE, what)
        if has_other_way:
            self.assertEqual(done.returncode, 0, what)
        if done.returncode == 1 and (calls, when) != ("write", "1+"):  # which leaves no way to say anything
            self.assertNotEqual(done.stderr.strip(), "", what)
        self.taipan("list", "-p", self.prefix, code=None)
        found = state(self.prefix)
        if done.returncode == 0:
            self.assertEqual(without_ways(found), without_ways(self.after), what)
        else:
            self.assertIn(found, (self.before, self.after), what)
        if found:
            self.taipan("verify", "-p", self.prefix)
        self.check_cache()

    def test_create(self):
        self.fail_calls(*self.CREATE, cold=True)

    def test_install_with_upgrades(self):
        self.taipan(*self.words(*self.CREATE))
        self.fail_calls(*self.INSTALL)

    def test_remove(self):
        self.taipan(*self.words(*self.CREATE))
        self.fail_calls(*self.REMOVE)


if __name__ == "__main__":
    main()
