"""Ctrl-C and SIGTERM at any moment: the command ends soon, says so, and leaves no half environment."""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import faulty_server as faults
from taipan_test import Done, TaipanTest, binary_under_test, main, tree
from tiny_channel import File


class InterruptTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("good", files={f"share/{i}": b"x" * 100 for i in range(200)})
        self.channel.add("big", depends=["good"], files={"share/big": random.Random(1).randbytes(1_000_000)})
        script = File('touch "$PREFIX/asleep"; sleep 60\n', mode=0o755)
        self.channel.add("sleeper", files={"bin/.sleeper-post-link.sh": script})
        self.channel.write_index()
        self.server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(self.server.close)

    def interrupted(self, command, wait, number):
        """Starts a command, sends it the signal once `wait()` is true, and returns how it ended."""
        words = [binary_under_test(), command, "-y", "-p", str(self.prefix), *self.channel_arguments(self.server)]
        process = subprocess.Popen([*words, *self.specs], env=self.environment, cwd=self.work, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.process = process
        deadline = time.monotonic() + 60
        while not wait() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertTrue(wait(), "the moment for the signal did not come")
        time.sleep(0.1)
        process.send_signal(number)
        started = time.monotonic()
        out, err = process.communicate(timeout=30)
        self.assertLess(time.monotonic() - started, 5, "it took too long to end")
        result = Done(words, process.returncode, out.decode(), err.decode())
        self.assertNotEqual(result.code, 0, str(result))
        self.assertNotRegex(result.stderr, "terminate called|Sanitizer", str(result))
        return result

    def test_while_downloading(self):
        self.specs = ["big"]
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number=number):
                self.server.fail("*/big-*", faults.stall(0.5), always=True)
                before = len(self.server.requests("*/big-*"))
                self.interrupted("create", lambda: len(self.server.requests("*/big-*")) > before, number)
                self.assert_no_environment()
                self.assert_cache_sound(self.channel)

    def test_while_fetching_the_index(self):
        self.specs = ["big"]
        self.server.fail("*/repodata*", faults.stall(0.1), always=True)
        self.interrupted("create", lambda: self.server.requests("*/repodata*"), signal.SIGINT)
        self.assert_no_environment()
        self.assert_cache_sound(self.channel)

    def test_an_existing_environment_stays_as_it_was(self):
        self.create("good", channel=self.server)
        before = list(tree(self.prefix))
        self.specs = ["big"]
        self.server.fail("*/big-*", faults.stall(0.5), always=True)
        self.interrupted("install", lambda: self.server.requests("*/big-*"), signal.SIGTERM)
        self.assertEqual(list(tree(self.prefix)), before)
        self.assert_cache_sound(self.channel)

    def test_while_a_link_script_runs(self):
        self.specs = ["sleeper"]
        self.interrupted("create", lambda: (self.prefix / "asleep").exists(), signal.SIGINT)
        self.assert_no_environment()

    def cpu_seconds(self):
        """Of the command that runs; all it does before the solve, with so small an index, takes a fraction of one."""
        after_name = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(after_name[11]) / os.sysconf("SC_CLK_TCK")

    def test_while_solving(self):
        # Pigeons and holes: each of n packages has n - 1 versions, and no two may have the same one. No solver that
        # learns from clauses finds out in reasonable time that this cannot be.
        pigeons = 14
        records = {}
        for pigeon in range(pigeons):
            others = [f"pigeon-{other}" for other in range(pigeons) if other != pigeon]
            for hole in range(1, pigeons):
                records[f"pigeon-{pigeon}-{hole}-0.tar.bz2"] = {
                    "name": f"pigeon-{pigeon}", "version": str(hole), "build": "0", "build_number": 0, "depends": [],
                    "constrains": [f"{other} !={hole}" for other in others], "size": 1, "sha256": "0" * 64}
        index = self.channel.folder / "noarch" / "repodata.json"
        index.with_name("repodata.json.zst").unlink()
        index.write_text(json.dumps({"info": {"subdir": "noarch"}, "packages": records, "packages.conda": {}}))
        self.specs = [f"pigeon-{pigeon}" for pigeon in range(pigeons)]
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number=number):
                result = self.interrupted("create", lambda: self.cpu_seconds() > 2, number)
                self.assertEqual(result.code, 128 + number)
                self.assertIn("stopped before anything was changed", result.stderr)
                self.assert_no_environment()

    def test_afterwards_it_just_works(self):
        self.specs = ["big"]
        self.server.fail("*/big-*", faults.stall(0.5), always=True)
        self.interrupted("create", lambda: self.server.requests("*/big-*"), signal.SIGINT)
        self.server._faults.clear()
        self.create("big", channel=self.server)
        self.assert_installed("big-1.0-0", "good-1.0-0")


if __name__ == "__main__":
    main()
