"""What processes in containers meet: no home, a user that nobody knows, refused system calls, little memory, half a core.

Control groups are made where root may; the group of this machine's own services is not touched.
"""

import ctypes
import errno
import os
import platform
import shutil
import signal
import struct
import subprocess
import unittest
from pathlib import Path

from taipan_test import TaipanTest, binary_under_test, main, tree
from tiny_channel import PLACEHOLDER, File, Link

NOBODY = 54321  # has no entry in /etc/passwd
NUMBERS = {"x86_64": {"linkat": 265, "renameat2": 316, "copy_file_range": 326, "statx": 332, "clone3": 435,
                      "close_range": 436, "openat2": 437, "faccessat2": 439},
           "aarch64": {"linkat": 37, "renameat2": 276, "copy_file_range": 285, "statx": 291, "clone3": 435,
                       "close_range": 436, "openat2": 437, "faccessat2": 439}}[platform.machine()]
GROUPS = Path("/sys/fs/cgroup")
MEMORY = 128 << 20


def refuse(calls, error):
    """A seccomp filter of this process and its children: `calls` fail with `error`. To be called in the child."""
    load, jump_equal, give = 0x20, 0x15, 0x06
    allow, fail = 0x7fff0000, 0x00050000 | error
    program = [(load, 0, 0, 0)]
    for call in calls:
        program += [(jump_equal, 0, 1, NUMBERS[call]), (give, 0, 0, fail)]
    program.append((give, 0, 0, allow))
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(filter_), 0, 0) != 0:
        os._exit(99)


class ControlGroup:
    """A group below this process's own, or None where none can be made."""

    def __init__(self, controller, name, settings_v1, settings_v2):
        lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        own = {controllers: path for _, controllers, path in lines}
        first = GROUPS / controller / own.get(controller, "").lstrip("/")
        both = GROUPS / own.get("", "").lstrip("/")
        is_first = controller in own and first.is_dir()
        self.folder = (first if is_first else both) / name
        self.folder.mkdir()
        try:
            for file, value in (settings_v1 if is_first else settings_v2).items():
                (self.folder / file).write_text(str(value))
        except OSError:
            self.folder.rmdir()
            raise

    def enter(self):
        (self.folder / "cgroup.procs").write_text("0")

    def close(self):
        self.folder.rmdir()


class ContainerTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("app", depends=["lib"], files={
            "bin/app": File(f"#!{PLACEHOLDER}/bin/sh\n", mode=0o755), "lib64": Link("lib"), "lib/one": "1",
            "lib/same": Link("one"), "share/big": b"0123456789abcdef" * 8192})
        self.channel.add("lib", files={"lib/two": "2", "share/lib/text": "text"}, extension=".tar.bz2")
        self.channel.write_index()

    def run_as_said(self, *arguments, prepare=None, **options):
        command = [binary_under_test(), *map(str, arguments)]
        options = {"env": self.environment, "cwd": self.work} | options
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=prepare, text=True,
                              timeout=120, **options)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done

    def content(self, prefix=None):
        return [entry for entry in tree(prefix or self.prefix) if not entry[0].startswith("conda-meta")]

    # ---- users and places

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_a_user_whom_nobody_knows_without_a_home(self):
        self.work.chmod(0o755)
        for path in (self.work / "channel").rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        mine = self.work / "mine"
        mine.mkdir()
        os.chown(mine, NOBODY, NOBODY)
        for number, (name, environment) in enumerate({
                "nothing is set": {"PATH": "/usr/bin:/bin"},
                "a home that is not there": {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
                "the home of somebody else": {"PATH": "/usr/bin:/bin", "HOME": str(self.home)}}.items()):
            with self.subTest(name):
                prefix = mine / str(number)
                done = self.run_as_said("create", "-y", "-p", prefix, *self.channel_arguments(None), "app",
                                        env=environment, cwd="/", user=NOBODY, group=NOBODY, extra_groups=[])
                self.assertNotIn("\x1b", done.stdout + done.stderr)
                self.assertEqual((prefix / "lib/two").read_text(), "2")
                self.assertEqual({os.lstat(prefix / path).st_uid for path, *_ in tree(prefix)}, {NOBODY})
                self.run_as_said("verify", "-p", prefix, env=environment, cwd="/", user=NOBODY, group=NOBODY,
                                 extra_groups=[])
        self.assertEqual(sorted(os.listdir(self.home)), [])

    # ---- refused system calls

    def test_refused_system_calls(self):
        self.create("app")
        wanted = self.content()
        new = ["openat2", "faccessat2", "statx", "close_range", "copy_file_range", "renameat2"]
        for error in (errno.EPERM, errno.ENOSYS):
            # Without threads nothing goes, and the C library takes only ENOSYS for a reason to make them otherwise.
            more = ["clone3"] if error == errno.ENOSYS else []
            for calls in ([*new, *more], ["linkat"], [*new, "linkat"]):
                for way in ([], ["--direct"]):
                    with self.subTest(error=error, calls=calls, way=way):
                        shutil.rmtree(self.prefix, ignore_errors=True)
                        shutil.rmtree(self.cache, ignore_errors=True)
                        self.run_as_said("create", "-y", "-p", self.prefix, *self.channel_arguments(None), "app", *way,
                                         prepare=lambda: refuse(calls, error))
                        self.assertEqual(self.content(), wanted)

    # ---- limits

    def control_group(self, *arguments):
        try:
            group = ControlGroup(*arguments)
        except OSError as error:
            self.skipTest(f"no control group can be made here: {error}")
        self.addCleanup(group.close)
        return group

    def test_a_small_memory_is_enough(self):
        """More to download and to unpack than the group may have."""
        group = self.control_group("memory", f"taipan-test-{os.getpid()}", {"memory.limit_in_bytes": MEMORY},
                                   {"memory.max": MEMORY, "memory.swap.max": 0})
        for number in range(6):
            self.channel.add(f"large{number}", files={f"share/large{number}/{i}": os.urandom(8 << 20) for i in range(4)})
        self.channel.write_index()
        server = self.serve(self.channel)
        names = [f"large{number}" for number in range(6)]
        for way in ([], ["--direct"]):
            with self.subTest(way=way):
                self.run_as_said("create", "-y", "-p", self.prefix, *self.channel_arguments(server), *names, *way,
                                 prepare=group.enter)
                shutil.rmtree(self.prefix)

    def test_half_a_core(self):
        group = self.control_group("cpu", f"taipan-test-{os.getpid()}",
                                   {"cpu.cfs_period_us": 100000, "cpu.cfs_quota_us": 50000},
                                   {"cpu.max": "50000 100000"})
        self.run_as_said("create", "-y", "-p", self.prefix, *self.channel_arguments(None), "app", prepare=group.enter)
        # As many workers as there is time for: one.
        trace = self.work / "trace.json"
        shutil.rmtree(self.prefix)
        self.run_as_said("create", "-y", "-p", self.prefix, *self.channel_arguments(None), "app", "--trace", trace,
                         prepare=group.enter)
        self.assertTrue(trace.exists())


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
