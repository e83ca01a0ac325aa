"""An install that fails half-way leaves the environment as it was, file for file: a failing script, a full disk."""

import os
import random
import subprocess
import unittest

from taipan_test import TaipanTest, main, tree
from tiny_channel import PLACEHOLDER, File


def mount(folder, megabytes):
    return os.getuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], capture_output=True).returncode == 0


class RollbackTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("lib", "1", files={"share/lib/one": "1", "share/lib/same": f"{PLACEHOLDER} 1"})
        self.channel.add("lib", "2", files={"share/lib/two": "2", "share/lib/same": f"{PLACEHOLDER} 2"})
        fails = File('echo "no luck" > "$PREFIX/.messages.txt"; exit 3\n', mode=0o755)
        for when in ("pre-link", "post-link"):
            self.channel.add(f"bad-{when}", depends=["lib=2"], files={f"bin/.bad-{when}-{when}.sh": fails,
                                                                       "share/bad/file": "x"})
        self.channel.add("bad-unlink", files={"bin/.bad-unlink-pre-unlink.sh": File("exit 3\n", mode=0o755)})
        noise = random.Random(1)  # also the archive is larger than the disks below
        files = {f"share/large/{i}": File(f"{PLACEHOLDER}\n" + noise.randbytes(400_000).hex()) for i in range(8)}
        self.channel.add("large", depends=["lib=2"], files=files)
        self.channel.write_index()

    def fails_and_changes_nothing(self, *specs, needles=()):
        before = list(tree(self.prefix))
        self.assert_failed(self.install("lib=2", *specs, code=1), *needles)
        self.assertEqual(list(tree(self.prefix)), before)
        self.taipan("verify", "-p", self.prefix)

    def test_a_failing_link_script(self):
        self.create("lib=1")
        (self.prefix / "share/lib/mine").write_text("mine")
        for when in ("pre-link", "post-link"):
            self.fails_and_changes_nothing(f"bad-{when}", needles=[f"bad-{when}", "no luck"])
        result = self.create(f"bad-{when}", prefix=self.work / "new", code=1)
        self.assert_failed(result, f"bad-{when}")
        self.assert_no_environment(self.work / "new")

    def test_a_failing_pre_unlink_script_is_a_warning(self):
        self.create("bad-unlink", "lib=1")
        result = self.remove("bad-unlink")
        self.assertIn("bad-unlink", result.stdout + result.stderr)
        self.assert_installed("lib-1-0")

    def test_the_disk_of_the_environment_is_full(self):
        disk = self.work / "disk"
        disk.mkdir()
        if not mount(disk, 2):
            raise unittest.SkipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        self.prefix = disk / "env"
        self.create("lib=1")
        self.fails_and_changes_nothing("large", needles=["No space left"])
        self.assert_failed(self.create("large", prefix=disk / "new", code=1), "No space left")
        self.assert_no_environment(disk / "new")
        self.install("lib=2")
        self.assert_installed("lib-2-0")

    def test_the_disk_of_the_cache_is_full(self):
        self.create("lib=1")
        disk = self.work / "disk"
        disk.mkdir()
        if not mount(disk, 2):
            raise unittest.SkipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        self.environment["CONDA_PKGS_DIRS"] = str(disk)
        self.cache = disk
        self.fails_and_changes_nothing("large", needles=["No space left"])
        self.assert_cache_sound(self.channel)


if __name__ == "__main__":
    main()
