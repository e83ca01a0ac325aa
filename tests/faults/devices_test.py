"""Whole transactions on other devices: full, read-only, of another kind, in layers. Needs root, for mounting."""

import errno
import os
import shutil
import subprocess
import unittest

from taipan_test import TaipanTest, main, tree
from tiny_channel import PLACEHOLDER, File, Link

PAGE = 4096


def run(*command):
    return subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, check=True)


def can_mount():
    """In a container even root may not."""
    if os.getuid() != 0:
        return False
    probe = "mkdir -p $D && mount -t tmpfs none $D && umount $D; r=$?; rmdir $D; exit $r"
    env = {"D": f"/tmp/taipan-mount-probe-{os.getpid()}", "PATH": os.environ["PATH"]}
    return subprocess.run(["sh", "-c", probe], env=env, capture_output=True).returncode == 0


def state(prefix):
    """What an environment consists of, without what differs from run to run."""
    skipped = {"conda-meta/history", "conda-meta/created_at"}
    return [entry for entry in tree(prefix) if entry[0] not in skipped]


@unittest.skipUnless(can_mount(), "file systems cannot be mounted here")
class DevicesTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        for version in ("1", "2"):
            self.channel.add("app", version=version, depends=[f"lib {version}"],
                             files={"bin/app": File(f"#!{PLACEHOLDER}/bin/sh\n# {version}\n", mode=0o755),
                                    **{f"share/app/{i}": f"{version} {i}\n" * 300 for i in range(12)}})
            self.channel.add("lib", version=version, extension=".tar.bz2",
                             files={f"lib/l.so.{version}": f"{version}\n" * 9000, "lib/l.so": Link(f"l.so.{version}"),
                                    f"share/only{version}/x": "x", "etc/l.conf": f"{PLACEHOLDER} {version}"})
        self.channel.add("heavy", files={f"share/heavy{i}": os.urandom(100 << 10) for i in range(3)})
        self.channel.write_index()

    def mount(self, name, *arguments):
        """Mounts at a new folder until the end of the test."""
        place = self.work / name
        place.mkdir()
        run("mount", *arguments, place)
        self.addCleanup(run, "umount", "-l", place)
        return place

    def image(self, kind, megabytes, *options):
        """A new file system in a file, mounted."""
        if shutil.which(f"mkfs.{kind}") is None:
            self.skipTest(f"there is no mkfs.{kind}")
        file = self.work / f"{kind}.img"
        with open(file, "wb") as image:
            image.truncate(megabytes << 20)
        run(f"mkfs.{kind}", "-q", *options, file)
        try:
            return self.mount(kind, "-o", "loop", file)
        except subprocess.CalledProcessError as error:
            self.skipTest(f"{kind} cannot be mounted: {error.stderr.decode()}")

    def limit(self, place, pages=None, inodes=None):
        """Leaves so much room in a tmpfs, and no more; nothing: a lot."""
        status = os.statvfs(place)
        used = (status.f_blocks - status.f_bfree) * status.f_bsize // PAGE
        size = (used + pages) * PAGE if pages is not None else 256 << 20
        files = status.f_files - status.f_ffree + inodes if inodes is not None else 100000
        run("mount", "-o", f"remount,size={max(size, PAGE)},nr_inodes={files}", place)

    def use(self, prefix, cache):
        self.prefix, self.cache = prefix / "env", cache / "pkgs"
        self.environment["CONDA_PKGS_DIRS"] = str(self.cache)

    # ---- full

    def fail_until_there_is_room(self, place, before, *command, inodes=False):
        """Runs the command with more and more room until it succeeds: each time all or nothing. Returns the failures."""
        failures, room, step = 0, 0, 1
        while True:
            self.limit(place, **({"inodes": room} if inodes else {"pages": room}))
            result = self.taipan(*command, "-y", "-p", self.prefix, *self.channel_arguments(None), code=None)
            self.limit(place)
            if result.code == 0:
                self.taipan("verify", "-p", self.prefix)
                return failures
            failures += 1
            self.assert_failed(result, "No space left on device")
            if before is None:
                self.assert_no_environment()
            else:
                self.assertEqual(state(self.prefix), before, f"room {room}\n{result}")
                self.taipan("verify", "-p", self.prefix)
            self.assert_cache_sound(self.channel)
            room += step
            step = max(1, room // 6)
            self.assertLess(room, 20000, str(result))

    def full(self, command, prefix_is_small, cache_is_small, inodes=False, keep_cache=False):
        small = self.mount("small", "-t", "tmpfs", "-o", "size=256m", "none")
        self.use(small if prefix_is_small else self.work, small if cache_is_small else self.work)
        before = None
        if command[0] != "create":
            self.create("app=1")
            before = state(self.prefix)
        if keep_cache:
            self.create("app=2", prefix=self.work / "warm")
        elif command[0] != "create":
            shutil.rmtree(self.cache)
        return self.fail_until_there_is_room(small, before, *command, inodes=inodes)

    def test_create_with_a_full_cache(self):
        self.assertGreater(self.full(("create", "app=1"), False, True), 1)

    def test_create_with_a_full_prefix(self):
        self.assertGreater(self.full(("create", "app=1"), True, False), 5)

    def test_create_with_both_on_one_full_disk(self):
        self.assertGreater(self.full(("create", "app=1"), True, True), 5)

    def test_create_without_inodes(self):
        self.assertGreater(self.full(("create", "app=1"), True, True, inodes=True), 5)

    def test_upgrade_with_a_full_cache(self):
        self.assertGreater(self.full(("install", "app=2"), False, True), 1)

    def test_upgrade_with_a_full_prefix(self):
        """Which fails in the journal first, then in files, then in records and history."""
        self.assertGreater(self.full(("install", "app=2"), True, False, keep_cache=True), 5)

    def test_upgrade_without_inodes(self):
        self.assertGreater(self.full(("install", "app=2"), True, False, inodes=True, keep_cache=True), 5)

    def test_remove_on_a_full_disk(self):
        small = self.mount("small", "-t", "tmpfs", "-o", "size=256m", "none")
        self.use(small, self.work)
        self.create("app=1")
        self.fail_until_there_is_room(small, state(self.prefix), "remove", "app")
        self.assert_installed()

    def test_a_full_ext4(self):
        place = self.image("ext4", 8, "-O", "^has_journal")
        self.use(place, place)
        self.create("app=1")
        before = state(self.prefix)
        filler = place / "filler"
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        for left in (0, 60 << 10, 200 << 10):
            with open(filler, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, free - left)
            result = self.install("app=2", "heavy", code=1)
            self.assert_failed(result, "No space left on device")
            self.assertEqual(state(self.prefix), before)
            self.assert_cache_sound(self.channel)
            filler.unlink()
        self.install("app=2", "heavy")
        self.taipan("verify", "-p", self.prefix)

    def test_more_hard_links_than_a_file_may_have(self):
        place = self.image("ext4", 32, "-O", "^has_journal")
        self.use(place, place)
        self.create("app=1", prefix=place / "first")
        source = self.cache / "lib-1-0/lib/l.so.1"
        names = place / "names"
        names.mkdir()
        try:
            for i in range(70000):
                os.link(source, names / str(i))
            self.skipTest("this file system has no such limit")
        except OSError as error:
            self.assertEqual(error.errno, errno.EMLINK)
        self.create("app=1")
        self.taipan("verify", "-p", self.prefix)
        self.assertFalse((self.prefix / "lib/l.so.1").samefile(source))
        self.assertTrue((self.prefix / "share/app/1").samefile(self.cache / "app-1-0/share/app/1"))
        self.install("app=2")
        self.taipan("verify", "-p", self.prefix)

    # ---- read-only

    def test_a_device_that_became_read_only(self):
        place = self.mount("ro", "-t", "tmpfs", "none")
        self.use(place, self.work)
        self.create("app=1")
        before = list(tree(self.prefix))
        run("mount", "-o", "remount,ro", place)
        for command in (("install", "app=2"), ("remove", "app"), ("remove", "--all"), ("update", "--all")):
            more = [] if command[0] == "remove" else self.channel_arguments(None)
            self.assert_failed(self.taipan(*command, "-y", "-p", self.prefix, *more, code=1), self.prefix)
            self.assertEqual(list(tree(self.prefix)), before)
        self.assert_failed(self.create("app=1", prefix=place / "new", code=1), place)
        self.taipan("list", "-p", self.prefix)
        self.taipan("verify", "-p", self.prefix)

    def test_a_cache_that_became_read_only(self):
        place = self.mount("ro", "-t", "tmpfs", "none")
        self.use(self.work, place)
        self.create("app=1")
        before = [entry for entry in state(self.prefix) if not entry[0].startswith("conda-meta")]
        run("mount", "-o", "remount,ro", place)
        self.assertIn("no package cache can be written", self.install("app=2").stderr)
        self.taipan("verify", "-p", self.prefix)
        self.environment["CONDA_PKGS_DIRS"] = f"{self.cache},{self.work}/other"
        self.install("app=1")
        self.taipan("verify", "-p", self.prefix)
        self.assertEqual([entry for entry in state(self.prefix) if not entry[0].startswith("conda-meta")], before)

    # ---- of other kinds

    def walk_through(self):
        """Create, upgrade, repair, remove; the environment is right after each."""
        result = self.create("app=1")
        self.taipan("verify", "-p", self.prefix)
        linked = self.record("app")["link"]["type"]
        self.install("app=2")
        self.taipan("verify", "-p", self.prefix)
        self.assertFalse((self.prefix / "share/only1").exists())
        (self.prefix / "share/app/3").unlink()
        self.taipan("verify", "-p", self.prefix, "--repair")
        self.taipan("verify", "-p", self.prefix)
        self.remove("app")
        self.assert_installed()
        self.taipan("verify", "-p", self.prefix)
        self.assert_cache_sound(self.channel)
        return linked, result.stdout + result.stderr

    def test_a_cache_on_another_device(self):
        place = self.mount("other", "-t", "tmpfs", "none")
        for prefix, cache in ((place, self.work), (self.work, place)):
            self.use(prefix, cache)
            _, output = self.walk_through()
            self.assertIn("unpacking in place", output)
            self.remove("--all")

    def test_what_a_cache_on_another_device_has_unpacked_is_copied(self):
        self.use(self.work, self.mount("other", "-t", "tmpfs", "none"))
        self.create("app=1", "--download-only")
        result = self.create("app=1")
        self.assertIn("by copy", result.stdout)
        self.taipan("verify", "-p", self.prefix)
        self.assertEqual(self.record("app")["link"]["type"], 3)

    def shares_blocks(self, kind, megabytes, *options):
        place = self.image(kind, megabytes, *options)
        self.use(place, place)
        self.assertEqual(self.walk_through()[0], 1)
        self.channel.add("big", files={"share/big": os.urandom(8 << 20)})
        self.channel.write_index()
        for arguments, type_ in (([], 1), (["--copy"], 3)):
            self.create("big", "--download-only", "--repodata-ttl", "0")
            os.sync()
            before = os.statvfs(place).f_bfree * os.statvfs(place).f_frsize
            result = self.create("big", *arguments, prefix=place / f"big{type_}")
            os.sync()
            used = before - os.statvfs(place).f_bfree * os.statvfs(place).f_frsize
            self.assertLess(used, 4 << 20, f"{arguments} has taken the space once more\n{result}")
            self.assertEqual(self.record("big", place / f"big{type_}")["link"]["type"], type_)
        self.assertIn("reflink", result.stdout + result.stderr)

    def test_xfs(self):
        self.shares_blocks("xfs", 320)

    def test_btrfs(self):
        self.shares_blocks("btrfs", 160)

    # ---- in layers

    def overlay(self):
        """A cache in a lower layer, and an upper layer that takes what is written."""
        base = self.image("ext4", 64)
        for name in ("lower", "upper", "work"):
            (base / name).mkdir()
        self.use(self.work, base / "lower")
        self.create("app=1")
        self.remove("--all")
        options = ",".join(f"{key}={base / name}" for key, name in
                           (("lowerdir", "lower"), ("upperdir", "upper"), ("workdir", "work")))
        merged = self.mount("merged", "-t", "overlay", "-o", options, "overlay")
        self.use(merged, merged)
        return base, merged

    def test_a_cache_in_a_lower_layer(self):
        base, _ = self.overlay()
        lower = list(tree(base / "lower"))
        self.walk_through()
        self.assertEqual(list(tree(base / "lower")), lower)

    def test_files_of_a_lower_layer_are_not_copied_up_by_links(self):
        base, merged = self.overlay()
        result = self.create("app=1")
        copied_up = [p for p in (base / "upper/pkgs").glob("*-1-0/[!i]*") if p.exists()]
        self.assertEqual(copied_up, [], "hard links have copied the cache into the upper layer")
        self.assertIn("unpacking in place", result.stdout)
        # What is extracted now is in the upper layer, and linked.
        self.create("heavy", "app=1", prefix=merged / "second")
        self.assertEqual([p for p in (base / "upper/pkgs").glob("*-1-0/[!i]*")], [])
        for prefix in (self.prefix, merged / "second"):
            self.taipan("verify", "-p", prefix)


if __name__ == "__main__":
    main()
