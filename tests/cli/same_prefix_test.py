"""Several commands on one environment at the same time: they take turns, none works from a picture that is out of date."""

import json
import signal
import subprocess
import time

from taipan_test import TaipanTest, binary_under_test, main
from tiny_channel import File

SLOW = File('touch "$PREFIX/../working"; while [ ! -e "$PREFIX/../go-on" ]; do sleep 0.02; done\n', mode=0o755)


class SamePrefixTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        for version in ("1", "2"):
            self.channel.add("lib", version, files={f"lib/lib.{version}": version})
        self.channel.add("base", files={"share/base": "b"})
        self.channel.add("old", depends=["lib 1"], files={"share/old": "o"})
        self.channel.add("new", depends=["lib 2"], files={"share/new": "n"})
        for i in range(8):
            self.channel.add(f"pkg{i}", depends=["common"], files={f"share/{i}/{j}": str(j) for j in range(30)})
        self.channel.add("common", files={"share/common": "c"})
        self.channel.add("slow", files={"bin/.slow-post-link.sh": SLOW, "share/slow": "s"})
        self.channel.write_index()

    def start(self, *words):
        channel = self.channel_arguments(None) if words[0] not in ("remove", "list", "verify") else []
        yes = ["-y"] if words[0] not in ("list", "verify") else []
        return subprocess.Popen([binary_under_test(), words[0], *yes, "-p", self.prefix, *channel, *words[1:]],
                                env=self.environment, cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def ended(self, process, code=0):
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, code, f"{process.args}\n{out}{err}")
        return out + err

    def wait_for(self, what):
        deadline = time.monotonic() + 30
        while not what() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertTrue(what())

    def slow_install(self):
        process = self.start("install", "slow")
        self.addCleanup(process.wait)
        self.addCleanup(self.go_on)  # it must end whatever becomes of the test
        self.wait_for((self.work / "working").exists)
        return process

    def go_on(self):
        (self.work / "go-on").touch()

    def test_eight_installs(self):
        self.create("base")
        for process in [self.start("install", f"pkg{i}") for i in range(8)]:
            self.ended(process)
        self.assert_installed("base-1.0-0", "common-1.0-0", *[f"pkg{i}-1.0-0" for i in range(8)])
        self.taipan("verify", "-p", self.prefix)
        history = (self.prefix / "conda-meta/history").read_text()
        self.assertEqual(history.count("+"), 10)
        self.assert_no_leftovers(self.prefix / "conda-meta")

    def test_the_second_plans_with_what_the_first_has_made(self):
        """Both want another version of one library: not both versions of it come in."""
        self.create("base")
        processes = [self.start("install", name) for name in ("old", "new") * 3]
        codes = set()
        for process in processes:
            process.communicate(timeout=60)
            codes.add(process.returncode)
        self.assertLessEqual(codes, {0, 1})
        names = [r["name"] for r in self.taipan_json("list", "-p", self.prefix)]
        self.assertEqual(len(names), len(set(names)), names)
        self.taipan("verify", "-p", self.prefix)

    def test_a_command_that_waits_says_so_and_can_be_stopped(self):
        self.create("base")
        first = self.slow_install()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            second = self.start("install", "pkg1")
            self.assertTrue(any("waiting for another command" in line for line in iter(second.stderr.readline, "")))
            second.send_signal(number)
            self.ended(second, 128 + number)
        third = self.start("install", "pkg2")
        self.go_on()
        self.ended(first)
        self.ended(third)
        self.assert_installed("base-1.0-0", "common-1.0-0", "pkg2-1.0-0", "slow-1.0-0")

    def test_removing_the_environment_waits_for_who_changes_it(self):
        self.create("base")
        first = self.slow_install()
        second = self.start("remove", "--all")
        time.sleep(0.3)
        self.assertTrue((self.prefix / "share/slow").exists())
        self.go_on()
        self.ended(first)
        self.ended(second)
        self.assert_no_environment()

    def test_replacing_the_environment_waits_for_who_changes_it(self):
        self.create("base")
        first = self.slow_install()
        second = self.start("create", "pkg3")
        time.sleep(0.3)
        self.assertTrue((self.prefix / "share/slow").exists())
        self.go_on()
        self.ended(first)
        self.ended(second)
        self.assert_installed("common-1.0-0", "pkg3-1.0-0")
        self.taipan("verify", "-p", self.prefix)

    def test_an_environment_that_goes_while_another_command_waits(self):
        self.create("base")
        first = self.slow_install()
        second = self.start("remove", "--all")
        time.sleep(0.3)
        third = self.start("install", "pkg4")
        self.go_on()
        self.ended(first)
        self.ended(second)
        out, err = third.communicate(timeout=60)
        self.assertIn(third.returncode, (0, 1), out + err)  # it came before the other one, or finds nothing
        if third.returncode == 1:
            self.assertIn(str(self.prefix), err)
        self.assert_no_environment()

    def test_readers_never_stumble_over_a_change(self):
        self.create("base", *[f"pkg{i}" for i in range(8)])
        writers = [self.start(*words) for words in (("remove", "common"), ("install", "pkg5", "new"), ("remove", "base"))]
        while any(w.poll() is None for w in writers):
            result = self.taipan("list", "-p", self.prefix, "--json")
            json.loads(result.stdout)
        for writer in writers:
            self.ended(writer)

    def test_environments_txt_keeps_all(self):
        """Eight environments come and eight go at once: the list of environments has the first and not the second."""
        for i in range(8):
            self.create("base", prefix=self.work / f"goes{i}")
        processes = []
        for i in range(8):
            words = ["create", "-y", "-p", self.work / f"comes{i}", *self.channel_arguments(None), "base"]
            for command in (words, ["remove", "-y", "--all", "-p", self.work / f"goes{i}"]):
                processes.append(subprocess.Popen([binary_under_test(), *map(str, command)], env=self.environment, text=True,
                                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        for process in processes:
            self.ended(process)
        lines = (self.home / ".conda/environments.txt").read_text().splitlines()
        self.assertEqual(sorted(lines), sorted(str(self.work / f"comes{i}") for i in range(8)))

    def test_a_home_that_cannot_be_written(self):
        for make in (lambda: (self.home / ".conda").write_text("a file"), lambda: (self.home / ".conda").symlink_to("/nowhere/x"),
                     lambda: ((self.home / ".conda").mkdir(), (self.home / ".conda/environments.txt").mkdir())):
            make()
            result = self.create("base")
            self.assertIn("environments.txt", result.stdout + result.stderr)
            self.assert_installed("base-1.0-0")
            self.taipan("env", "list")
            self.remove("--all")
            path = self.home / ".conda"
            if path.is_dir():
                (path / "environments.txt").rmdir()
                path.rmdir()
            else:
                path.unlink()


if __name__ == "__main__":
    main()
