"""What the tests share that end a command at some moment: the commands, states before and after, and what must hold then.

TAIPAN_RANDOM_KILLS says how many random times each command gets; there are few of them by default. TAIPAN_KILL_SEED
says which.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import time

from taipan_test import TaipanTest, binary_under_test, tree
from tiny_channel import PLACEHOLDER, File, Link

RANDOM_KILLS = int(os.environ.get("TAIPAN_RANDOM_KILLS", "6"))


def state(prefix):
    """What is at a prefix, without the times that two equal runs differ in. None: nothing, or an empty folder."""
    items = []
    for path, what, mode, content in tree(prefix):
        if path == "conda-meta/created_at":
            content = ""
        if path == "conda-meta/history":
            text = (prefix / path).read_text()
            content = re.sub(r"==> .* <==|# cmd: .*", "", text)
        items.append((path, what, mode, content))
    return items or None


class KillCase(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        tool = File(f"#!{PLACEHOLDER}/bin/sh\n", mode=0o755)
        self.channel.add("changes", "1", files={"bin/tool": tool, "lib/changes/one": b"1", "lib/changes/same": b"s",
                                                "share/becomes": b"a file", "share/link": Link("becomes")})
        self.channel.add("changes", "2", depends=["new"], files={
            "bin/tool": tool, "lib/changes/two": b"2", "lib/changes/same": b"s", "share/becomes/a/folder": b"x"})
        self.channel.add("goes", files={"lib/goes/deep/file": b"x", "lib/goes/link": Link("deep"), "bin/goes": tool})
        self.channel.add("new", files={f"share/new/{i}": b"%d" % i for i in range(4)})
        self.channel.add("stays", files={"share/stays": b"x"})
        self.channel.write_index()
        self.saved = self.work / "saved"
        self.random = random.Random(int(os.environ.get("TAIPAN_KILL_SEED", "1")))

    # ---- the commands that are killed

    def words(self, command, *specs):
        channel = self.channel_arguments(None) if command != "remove" else []
        return [command, "-y", "-p", self.prefix, *channel, *specs]

    CREATE = ("create", "changes=1", "goes", "stays")
    INSTALL = ("install", "changes=2")
    REMOVE = ("remove", "goes", "changes")
    REMOVE_ALL = ("remove", "--all")

    def prepare(self, *command):
        """Runs the command once undisturbed. Sets the states before and after, and how long it takes."""
        shutil.rmtree(self.saved, ignore_errors=True)
        self.before = state(self.prefix)
        if self.before:
            shutil.copytree(self.prefix, self.saved, symlinks=True)
        started = time.monotonic()
        self.taipan(*self.words(*command))
        self.duration = time.monotonic() - started
        self.after = state(self.prefix)
        self.assertNotEqual(self.before, self.after)

    def restore(self):
        """The state before; the registry of environments is left as it is."""
        shutil.rmtree(self.prefix, ignore_errors=True)
        if self.before:
            shutil.copytree(self.saved, self.prefix, symlinks=True)

    def run_with_kill_at(self, number, arguments):
        environment = self.environment | {"TAIPAN_KILL_AT": str(number)}
        done = subprocess.run([binary_under_test(), *map(str, arguments)], env=environment, cwd=self.work,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        expected = (0, 1) if arguments[0] == "list" else (0,)
        self.assertIn(done.returncode, (*expected, -signal.SIGKILL), done.stderr.decode())
        return done.returncode == -signal.SIGKILL

    def run_with_kill_after(self, seconds, arguments):
        process = subprocess.Popen([binary_under_test(), *map(str, arguments)], env=self.environment, cwd=self.work,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.kill()
        process.wait()

    # ---- what must hold afterwards

    def check_repaired(self, what):
        """Any command repairs: here the one that only reads."""
        self.taipan("list", "-p", self.prefix, code=None)
        found = state(self.prefix)
        if found not in (self.before, self.after):
            nearest = self.before if self.before and found and len(found) >= len(self.before) else self.after
            self.fail(f"{what}: neither the former nor the new environment\n"
                      f"found: {found}\ntoo much: {sorted(set(found or ()) - set(nearest or ()))}\n"
                      f"missing: {sorted(set(nearest or ()) - set(found or ()))}")
        for entry in os.listdir(self.work):
            self.assertNotRegex(entry, r"taipan-(lock|replaced|removed)$", what)
        if found:
            self.taipan("verify", "-p", self.prefix)
        return found

    def kill_everywhere(self, *command):
        self.prepare(*command)
        number, seen = 1, set()
        while True:
            self.restore()
            killed = self.run_with_kill_at(number, self.words(*command))
            if number % 3 == 0:  # the repair is killed as well, somewhere
                self.run_with_kill_at(self.random.randint(1, 12), ["list", "-p", self.prefix])
            found = self.check_repaired(f"{command} killed at point {number}")
            seen.add(found == self.after)
            if not killed:
                break
            number += 1
        self.assertGreater(number, 2, "there are no fault points; is this a build with tests?")
        self.assertEqual(state(self.prefix), self.after)
        self.assertEqual(seen, {False, True}, "every kill had the same outcome")

    def kill_at_random(self, *command, cold=False):
        self.prepare(*command)
        for _ in range(RANDOM_KILLS):
            self.restore()
            if cold:
                shutil.rmtree(self.cache, ignore_errors=True)
            seconds = self.random.uniform(0, self.duration * 1.1)
            self.run_with_kill_after(seconds, self.words(*command))
            self.check_repaired(f"{command} killed after {seconds:.4f} s")
            self.check_cache()
            # And the same command goes through now.
            if state(self.prefix) == self.before:
                self.taipan(*self.words(*command))
                self.assertEqual(state(self.prefix), self.after)

    def check_cache(self):
        """What is visible in the cache is whole; staging folders of the killed are not, until they are swept."""
        self.taipan("clean", "-y", "--tempfiles")
        self.assert_cache_sound(self.channel)
