"""Ctrl-C, SIGTERM and SIGHUP between any two changes of an environment: the exit code tells which signal it was, and the
environment is exactly as before; or the work was done already, and then it is all done and the exit code is 0."""

import signal
import subprocess

from kill_case import KillCase, state
from taipan_test import NOISE, binary_under_test, main

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalPointsTest(KillCase):
    def run_with_signal_at(self, point, number, arguments):
        environment = self.environment | {"TAIPAN_KILL_AT": str(point), "TAIPAN_KILL_WITH": str(int(number))}
        return subprocess.run([binary_under_test(), *map(str, arguments)], env=environment, cwd=self.work, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    def stop_everywhere(self, *command):
        self.prepare(*command)
        point, codes = 1, set()
        while True:
            self.restore()
            reached = self.run_with_kill_at(point, self.words(*command))
            self.taipan("list", "-p", self.prefix, code=None)  # repairs
            self.restore()
            number = SIGNALS[point % len(SIGNALS)]
            done = self.run_with_signal_at(point, number, self.words(*command))
            what = f"{command}, signal {number} at point {point}: {done.returncode}\n{done.stdout}{done.stderr}"
            self.assertIn(done.returncode, (0, 128 + number), what)
            self.assertNotRegex(done.stderr, NOISE, what)
            self.assertEqual(state(self.prefix), self.after if done.returncode == 0 else self.before, what)
            codes.add(done.returncode)
            if not reached:
                break
            point += 1
        self.assertGreater(point, 2)
        self.assertEqual(codes & {0}, {0})
        self.assertGreater(len(codes), 2, f"not every signal has stopped anything: {codes}")

    def test_create(self):
        self.stop_everywhere(*self.CREATE)

    def test_install_with_upgrades(self):
        self.taipan(*self.words(*self.CREATE))
        self.stop_everywhere(*self.INSTALL)

    def test_remove(self):
        self.taipan(*self.words(*self.CREATE))
        self.stop_everywhere(*self.REMOVE)

    def test_create_over_another_environment(self):
        self.taipan(*self.words(*self.CREATE))
        self.stop_everywhere("create", "stays")


if __name__ == "__main__":
    main()
