"""SIGKILL at any moment of a create, an install with upgrades, a remove and a removal of the whole environment: the next
command finds the former or the new environment, whole, and the cache has no broken entry.

Killed at every point between two changes that the program itself knows of (TAIPAN_KILL_AT), also while it repairs, and
at random times (see kill_case.py for how many).
"""

import shutil
import subprocess
import time

from kill_case import KillCase, state
from taipan_test import binary_under_test, main
from tiny_channel import File


class KillTest(KillCase):
    def test_create(self):
        self.kill_everywhere(*self.CREATE)
        shutil.rmtree(self.prefix)
        self.kill_at_random(*self.CREATE, cold=True)

    def test_install_with_upgrades(self):
        self.taipan(*self.words(*self.CREATE))
        self.kill_everywhere(*self.INSTALL)
        self.restore()
        self.kill_at_random(*self.INSTALL, cold=True)

    def test_remove(self):
        self.taipan(*self.words(*self.CREATE))
        self.kill_everywhere(*self.REMOVE)
        self.restore()
        self.kill_at_random(*self.REMOVE)

    def test_remove_the_whole_environment(self):
        self.taipan(*self.words(*self.CREATE))
        self.prepare(*self.REMOVE_ALL)
        for number in range(1, 4):
            self.restore()
            self.run_with_kill_at(number, self.words(*self.REMOVE_ALL))
            self.check_repaired(f"killed at point {number}")
        self.restore()
        self.kill_at_random(*self.REMOVE_ALL)

    def test_create_over_another_environment(self):
        self.taipan(*self.words(*self.CREATE))
        self.kill_everywhere("create", "stays")

    def test_create_before_it_had_a_journal(self):
        """Too short a moment to be hit on purpose: what it leaves is made by hand."""
        (self.prefix / "conda-meta").mkdir(parents=True)
        self.prefix.with_name(f".{self.prefix.name}.taipan-lock").touch()
        self.taipan("list", "-p", self.prefix, code=None)
        self.assertIsNone(state(self.prefix))
        self.taipan(*self.words(*self.CREATE))

    def test_a_journal_of_a_living_process_is_left_alone(self):
        self.taipan(*self.words(*self.CREATE))
        script = File('touch "$PREFIX/asleep"; while [ ! -e "$PREFIX/wake" ]; do sleep 0.02; done\n', mode=0o755)
        self.channel.add("sleeper", files={"bin/.sleeper-post-link.sh": script})
        self.channel.write_index()
        for prefix in (self.prefix, self.work / "other"):
            command = "install" if prefix == self.prefix else "create"
            process = subprocess.Popen([binary_under_test(), command, "-y", "-p", str(prefix),
                                        *self.channel_arguments(None), "sleeper"], env=self.environment,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            deadline = time.monotonic() + 30
            while not (prefix / "asleep").exists() and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.01)
            self.taipan("list", "-p", prefix)
            self.assertTrue((prefix / "conda-meta/.taipan-trash").exists())
            (prefix / "wake").touch()
            error = process.communicate(timeout=30)[1]
            self.assertEqual(process.returncode, 0, error.decode())
            self.assertIn("sleeper", self.taipan("list", "-p", prefix).stdout)


if __name__ == "__main__":
    main()
