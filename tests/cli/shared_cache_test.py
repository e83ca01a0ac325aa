"""One package cache for several users and several tools: who may write where, and whose packages are used."""

import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from taipan_test import Done, TaipanTest, binary_under_test, file_sha256, main, tree
from tiny_channel import PLACEHOLDER, File, Link

from faulty_server import FaultyServer, limited  # found by way of taipan_test

ANN, BOB, GROUP = 61001, 61002, 61003  # numbers that no account of a Debian system has


class OtherToolsTest(TaipanTest):
    """Entries that conda and mamba have made."""

    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("one", files={"bin/one": File(f"#!{PLACEHOLDER}/bin/sh\n", mode=0o755), "lib/l.so.1": "lib",
                                       "lib/l.so": Link("l.so.1"), "share/deep/er/one": "1"})
        self.channel.add("two", depends=["one"], extension=".tar.bz2")
        self.channel.write_index()
        self.server = self.serve(self.channel)

    def as_another_tool(self, folder="", archives=True):
        """Makes the cache one that another program has filled, below `folder`."""
        self.create("two", channel=self.server, prefix=self.work / "first")
        target = self.cache / folder
        for entry in list(self.cache.iterdir()):
            if entry.name in ("cache", "urls.txt", "urls"):
                continue
            if entry.name.startswith(".taipan") or (entry.is_file() and not archives):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            elif folder:
                target.mkdir(parents=True, exist_ok=True)
                entry.rename(target / entry.name)

    def downloads(self):
        return [line for line in self.server.requests() if "repodata" not in line]

    def create_and_compare(self):
        result = self.create("two", channel=self.server)
        sizes = lambda prefix: [entry[:3] for entry in tree(prefix) if not entry[0].startswith("conda-meta")]
        self.assertEqual(sizes(self.prefix), sizes(self.work / "first"))
        self.taipan("verify", "-p", self.prefix)
        return result

    def test_they_are_used_and_looked_at_once(self):
        for folder in ("", f"http/127.0.0.1_{self.server.port}/noarch", f"http/127.0.0.1_{self.server.port}/linux-64"):
            with self.subTest(folder=folder):
                shutil.rmtree(self.cache, ignore_errors=True)
                self.as_another_tool(folder if folder.endswith("64") else "")
                before = len(self.downloads())
                self.create_and_compare()
                self.assertEqual(len(self.downloads()), before)
                self.assertEqual(self.record("one")["extracted_package_dir"].removesuffix("/one-1.0-0"),
                                 str(self.cache / folder if folder.endswith("64") else self.cache))
                index = (self.cache / ".taipan-index").read_bytes()
                self.assertEqual(index.count(b"taipan 1 "), 2)
                self.create_and_compare()
                self.assertEqual((self.cache / ".taipan-index").read_bytes(), index)

    def test_an_entry_that_is_not_whole_is_made_anew(self):
        damages = {
            "a missing file": lambda d: (d / "share/deep/er/one").unlink(),
            "a short file": lambda d: (d / "lib/l.so.1").write_text("l"),
            "a file in place of a link": lambda d: [(d / "lib/l.so").unlink(), (d / "lib/l.so").write_text("lib")],
            "no paths.json that can be read": lambda d: (d / "info/paths.json").write_text("{"),
        }
        for what, damage in damages.items():
            for archives in (True, False):
                with self.subTest(what=what, archives=archives):
                    shutil.rmtree(self.cache, ignore_errors=True)
                    self.as_another_tool(archives=archives)
                    damage(self.cache / "one-1.0-0")
                    before = len(self.downloads())
                    self.assertIn("one-1.0-0", self.create_and_compare().stderr)
                    self.assertEqual(len(self.downloads()) - before, 0 if archives else 1)
                    self.assert_cache_sound(self.channel)
                    self.assertNotIn("one-1.0-0", self.create_and_compare().stderr)

    def test_a_damaged_one_in_a_cache_that_cannot_be_written(self):
        self.as_another_tool(archives=False)
        (self.cache / "one-1.0-0/lib/l.so.1").unlink()
        theirs = self.work / "theirs"
        self.cache.rename(theirs)
        (theirs / "urls.txt").unlink()
        (theirs / "urls.txt").mkdir()  # not even root can append to it
        before = list(tree(theirs))
        caches = {"CONDA_PKGS_DIRS": f"{theirs},{self.cache}"}
        downloads = len(self.downloads())
        for _ in range(2):
            self.create("two", channel=self.server, env=caches)
            self.assertEqual((self.prefix / "lib/l.so.1").read_text(), "lib")
            self.assertEqual(len(self.downloads()), downloads + 1)
        self.assertEqual(self.record("one")["extracted_package_dir"], str(self.cache / "one-1.0-0"))
        self.assertEqual(self.record("two")["extracted_package_dir"], str(theirs / "two-1.0-0"))
        self.assertEqual([e for e in tree(theirs) if not e[0].startswith(".taipan")], before)


@unittest.skipUnless(os.getuid() == 0, "only root can be other users")
class TwoUsersTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.binary = self.binary_for_others()
        self.channel = self.tiny_channel()
        self.channel.add("one", files={"share/one": "1", "bin/run": File("#!/bin/sh\n", mode=0o755)})
        self.channel.add("two", depends=["one"])
        self.channel.add("three", depends=["one"])
        self.channel.write_index()
        self.server = self.serve(self.channel)
        for user in (ANN, BOB):
            self.place(user).mkdir(mode=0o755)
            os.chown(self.place(user), user, user)

    def place(self, user):
        return self.work / str(user)

    def as_user(self, user, *arguments, umask=0o022, caches, code=0):
        environment = self.environment | {"HOME": str(self.place(user)), "CONDA_PKGS_DIRS": ",".join(map(str, caches)),
                                          "MAMBA_ROOT_PREFIX": str(self.place(user) / "root"), "TMPDIR": "/tmp"}
        done = subprocess.run([self.binary, *map(str, arguments)], env=environment, cwd=self.place(user), user=user,
                              group=user, extra_groups=[GROUP], umask=umask, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60)
        result = Done(list(arguments), done.returncode, done.stdout.decode(), done.stderr.decode())
        self.assertEqual(result.code, code, str(result))
        return result

    def create_as(self, user, *specs, name="env", **options):
        return self.as_user(user, "create", "-y", "-p", self.place(user) / name, "--override-channels", "-c",
                            self.server.url, *specs, **options)

    def downloads(self):
        return sorted(line for line in self.server.requests() if "repodata" not in line)

    def test_a_cache_of_a_group(self):
        shared = self.work / "shared"
        shared.mkdir()
        os.chown(shared, ANN, GROUP)
        shared.chmod(0o2775)
        options = {"umask": 0o002, "caches": [shared]}
        self.create_as(ANN, "two", **options)
        self.create_as(BOB, "two", "three", **options)
        self.create_as(ANN, "three", name="again", **options)
        self.assertEqual(len(self.downloads()), 3)
        for path in [shared, *shared.rglob("*")]:
            status = path.lstat()
            self.assertEqual(status.st_gid, GROUP, path)
            if path.is_dir():
                self.assertEqual(status.st_mode & 0o7777, 0o2775, path)
            elif path.parent in (shared, shared / "cache"):
                self.assertEqual(status.st_mode & 0o666, 0o664, path)
        # Each may replace and remove what the other has made.
        package = next(p for p in self.channel.packages if p.name == "one")
        (shared / "one-1.0-0/share/one").unlink()
        (shared / ".taipan-index").unlink()
        self.as_user(BOB, "install", "-y", "-p", self.place(BOB) / "env", "--force-reinstall", "--override-channels", "-c",
                     self.server.url, "one", **options)
        self.assertEqual(len(self.downloads()), 3)
        self.assertEqual((shared / "one-1.0-0/share/one").stat().st_uid, BOB)
        self.assertEqual(file_sha256(shared / package.fn), package.record["sha256"])
        for user in (ANN, BOB):
            self.as_user(user, "env", "remove", "-y", "-p", self.place(user) / "env", **options)
        self.as_user(ANN, "env", "remove", "-y", "-p", self.place(ANN) / "again", **options)
        self.as_user(BOB, "clean", "-y", "--all", **options)
        self.assertEqual([p.name for p in shared.glob("[a-z]*-1.0-0*")], [])

    def test_a_cache_of_somebody_else_comes_first(self):
        theirs, mine = self.place(ANN) / "pkgs", self.place(BOB) / "pkgs"
        self.create_as(ANN, "two", caches=[theirs])
        before = list(tree(theirs))
        self.create_as(BOB, "two", "three", caches=[theirs, mine])
        self.assertEqual(len(self.downloads()), 3)
        self.assertEqual(sorted(p.name for p in mine.glob("*-1.0-0")), ["three-1.0-0"])
        self.assertEqual(list(tree(theirs)), before)
        record = self.record("one", self.place(BOB) / "env")
        self.assertEqual(record["extracted_package_dir"], str(theirs / "one-1.0-0"))
        self.assertEqual(record["package_tarball_full_path"], str(theirs / "one-1.0-0.conda"))
        # Hard links to files of others are forbidden (protected_hardlinks), then they are copies.
        linked = (self.place(BOB) / "env/share/one").stat().st_nlink > 1
        self.assertEqual(record["link"]["type"], 1 if linked else 3)
        shutil.rmtree(theirs / "one-1.0-0")  # only the archive is left there
        self.create_as(BOB, "one", name="again", caches=[theirs, mine])
        self.assertEqual(len(self.downloads()), 3)
        self.assertTrue((mine / "one-1.0-0/info/index.json").exists())

    def test_nothing_that_can_be_written(self):
        theirs = self.place(ANN) / "pkgs"
        self.create_as(ANN, "two", caches=[theirs])
        before = list(tree(theirs))
        result = self.create_as(BOB, "two", "three", caches=[theirs])
        self.assertIn("no package cache can be written", result.stderr)
        self.assert_installed("one-1.0-0", "three-1.0-0", "two-1.0-0", prefix=self.place(BOB) / "env")
        self.as_user(BOB, "verify", "-p", self.place(BOB) / "env", caches=[theirs])
        self.assertEqual(list(tree(theirs)), before)

    def test_an_empty_directory_of_mine_where_i_may_not_make_others(self):
        closed = self.work / "closed"
        (closed / "mine").mkdir(parents=True)
        os.chown(closed / "mine", ANN, ANN)
        closed.chmod(0o755)
        caches = [self.place(ANN) / "pkgs"]
        create = ("create", "-y", "-p", closed / "mine", "--override-channels", "-c", self.server.url)
        self.as_user(ANN, *create, "two", caches=caches)
        self.assert_installed("one-1.0-0", "two-1.0-0", prefix=closed / "mine")
        result = self.as_user(ANN, *create, "three", caches=caches, code=1)  # a place that cannot be renamed
        self.assertIn("cannot be replaced", result.stderr)
        self.assert_installed("one-1.0-0", "two-1.0-0", prefix=closed / "mine")
        self.as_user(ANN, "env", "remove", "-y", "-p", closed / "mine", caches=caches)
        self.assertEqual(os.listdir(closed), ["mine"])
        self.assertEqual(os.listdir(closed / "mine"), [])
        self.as_user(ANN, *create, "nosuch", caches=caches, code=1)
        self.channel.add("failing", files={"bin/.failing-post-link.sh": File("exit 1\n", mode=0o755)})
        self.channel.write_index()
        self.as_user(ANN, *create, "--repodata-ttl", "0", "failing", caches=caches, code=1)
        self.assertEqual(os.listdir(closed), ["mine"])
        self.assertEqual(os.listdir(closed / "mine"), [])


class LeftoversTest(TaipanTest):
    """What a killed run leaves in the cache goes with the next one."""

    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("big", files={"share/big": os.urandom(6 << 20)})
        self.channel.add("small")
        self.channel.write_index()

    def leftovers(self):
        places = [self.cache, self.cache / "cache"]
        return [name for place in places if place.exists() for name in os.listdir(place)
                if re.search(r"\.taipan-.*-\d+-\d+$", name)]

    def test_of_a_killed_download(self):
        with FaultyServer(self.channel.folder) as server:
            server.fail("*big-*", limited(2 << 20), always=True)
            process = subprocess.Popen([binary_under_test(), "create", "-y", "-p", self.prefix, "--override-channels", "-c",
                                        server.url, "big"], env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 30
            while not list(self.cache.glob(".taipan-spool-*")) and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertTrue(self.leftovers())
            # Another run does not touch what belongs to a living one.
            self.create("small", prefix=self.work / "other", channel=self.channel)
            self.taipan("clean", "-y", "--all")
            self.assertTrue(self.leftovers())
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.create("small", prefix=self.work / "third", channel=self.channel)
        self.assertEqual(self.leftovers(), [])

    def test_of_all_kinds(self):
        self.create("small")
        for name in (".taipan-spool-17-0", "cache/abc.json.taipan-17-1", ".taipan-pyc/python-3-0/.taipan-x-17-2/y"):
            (self.cache / name).parent.mkdir(parents=True, exist_ok=True)
            (self.cache / name).write_text("x")
        self.install("small")  # which has nothing to do
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(os.listdir(self.cache / ".taipan-pyc/python-3-0"), [])


if __name__ == "__main__":
    main()
