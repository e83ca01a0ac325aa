"""Environments that somebody or something has damaged: each command says what is wrong and where, touches nothing outside,
and verify --repair brings back what can be brought back."""

import json
import os
import shutil
import stat
import time

from taipan_test import TaipanTest, main, tree
from tiny_channel import PLACEHOLDER, File, Link


class StrangePrefixTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("tool", files={
            "bin/tool": File(f"#!{PLACEHOLDER}/bin/sh\n", mode=0o755), "lib/tool/a.so": "a", "lib/tool/b.so": Link("a.so"),
            "lib/tool/c/d": "d", "share/tool": "t"})
        self.channel.add("other", files={"share/other": "o", "lib/other": "l"})
        self.channel.add("third", depends=["other"], files={"share/third": "3"})
        self.channel.write_index()
        self.create("tool", "other")
        self.record_path = self.prefix / "conda-meta/tool-1.0-0.json"
        self.before = list(tree(self.prefix))
        self.outside = self.work / "outside"
        self.outside.mkdir()
        (self.outside / "file").write_text("of somebody else")

    def now(self):
        return list(tree(self.prefix))

    def verify(self, *words, code=0):
        return self.taipan_json("verify", "-p", self.prefix, *words, code=code)

    def repaired(self):
        """--repair brings back what was there, and then all is well."""
        self.verify(code=1)
        self.assertTrue(self.verify("--repair")["repaired"])
        self.assertEqual(self.now(), self.before)
        self.verify()

    def change_record(self, change):
        record = json.loads(self.record_path.read_text())
        change(record)
        self.record_path.write_text(json.dumps(record, indent=2))

    # ---- records

    def test_records_that_cannot_be_read(self):
        def deep(path):
            path.write_text('{"name": ' + "[" * 100000)

        def hole(path):
            with open(path, "wb") as file:
                file.truncate(2 << 30)

        kinds = {
            "empty": lambda path: path.write_text(""), "no JSON": lambda path: path.write_text("{ broken"),
            "a list": lambda path: path.write_text("[]"), "binary": lambda path: path.write_bytes(b"\xff\xfe\0" * 99),
            "cut": lambda path: path.write_text(path.read_text()[:300]), "deep": deep, "huge": hole,
            "of wrong types": lambda path: path.write_text('{"name": 1, "version": [], "build": null}'),
            "a directory": lambda path: path.mkdir(), "a pipe": lambda path: os.mkfifo(path),
            "a link to nothing": lambda path: path.symlink_to("nowhere"),
            "a link to itself": lambda path: path.symlink_to(path.name),
        }
        good = self.record_path.read_bytes()
        for kind, make in kinds.items():
            with self.subTest(kind):
                if kind in ("a directory", "a pipe") or kind.startswith("a link"):
                    self.record_path.unlink()
                make(self.record_path)
                for command in (["list"], ["install", "-y", *self.channel_arguments(None), "third"], ["remove", "-y", "other"],
                                ["update", "-y", "--all", *self.channel_arguments(None)]):
                    result = self.taipan(*command, "-p", self.prefix, code=1, timeout=30)
                    self.assert_failed(result, self.record_path.name)
                self.assertEqual([r["file"] for r in self.verify(code=1)["records"]], ["conda-meta/" + self.record_path.name])
                self.repaired()
                self.assertEqual(self.record_path.read_bytes(), good)

    def test_a_record_that_is_gone(self):
        self.record_path.unlink()
        document = self.verify()
        self.assertEqual(set(document["extra"]), {"bin/tool", "lib/tool/a.so", "lib/tool/b.so", "lib/tool/c/d", "share/tool"})
        self.install("tool")  # its files are in the way of nobody
        self.verify()
        self.assertEqual(self.record("tool")["files"], json.loads(self.record_path.read_text())["files"])

    def test_what_is_unknown_in_a_record_is_kept_and_harmless(self):
        self.change_record(lambda r: r.update(unknown={"a": [1, None]}, link={"source": "/x", "type": 77, "more": 1},
                                              auth="", timestamp="yesterday", size=-1, build_number="7"))
        self.assertEqual(len(self.taipan_json("list", "-p", self.prefix, code=None)), 2)

    def test_paths_of_a_record_that_leave_the_environment(self):
        victim = self.outside / "file"
        up = os.path.relpath(victim, self.prefix)
        (self.prefix / "lib/leads-out").symlink_to(self.outside)
        for path in (up, str(victim), "lib/leads-out/file", "share/../" + up, ".", "", "conda-meta/history", "share//tool/"):
            with self.subTest(path):
                def change(record, path=path):
                    record["files"].append(path)
                    record["paths_data"]["paths"].append({"_path": path, "path_type": "hardlink", "sha256": "0" * 64,
                                                          "size_in_bytes": 16})
                self.change_record(change)
                self.verify(code=None)
                self.verify("--repair", code=None)
                self.taipan("remove", "-y", "-p", self.prefix, "tool", code=None)
                self.assertEqual(victim.read_text(), "of somebody else")
                self.assertTrue((self.prefix / "conda-meta/history").exists())
                self.assertTrue((self.prefix / "share/other").exists())
                self.taipan("remove", "-y", "-p", self.prefix, "--all")
                self.assertEqual(victim.read_text(), "of somebody else")
                self.create("tool", "other")
                (self.prefix / "lib/leads-out").symlink_to(self.outside)

    def test_two_records_of_one_package(self):
        record = json.loads(self.record_path.read_text())
        record.update(version="2.0", fn="tool-2.0-0.conda")
        (self.prefix / "conda-meta/tool-2.0-0.json").write_text(json.dumps(record))
        document = self.verify(code=1)
        self.assertEqual(len(document["records"]), 1)
        self.assertIn("tool", document["records"][0]["reason"])
        self.taipan("list", "-p", self.prefix)

    # ---- history, pins, state

    def test_files_of_the_environment_that_are_something_else(self):
        for name in ("history", "pinned", "state", "created_at", "frozen"):
            for make in (lambda p: os.mkfifo(p), lambda p: p.mkdir(), lambda p: p.symlink_to("nowhere"),
                         lambda p: p.write_bytes(b"\1\0" * 1000)):
                path = self.prefix / "conda-meta" / name
                saved = path.read_bytes() if path.is_file() else None
                path.unlink(missing_ok=True)
                make(path)
                with self.subTest(name=name, mode=oct(path.lstat().st_mode)):
                    for command in (["list"], ["verify"], ["install", "-y", *self.channel_arguments(None), "third"]):
                        result = self.taipan(*command, "-p", self.prefix, code=None, timeout=30)
                        if result.code != 0 and command[0] == "install":
                            self.assertIn(name, result.stderr)
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
                if saved is not None:
                    path.write_bytes(saved)
                self.verify()
                shutil.rmtree(self.prefix)
                self.create("tool", "other")

    # ---- files

    def test_what_can_happen_to_files(self):
        a, c = self.prefix / "lib/tool/a.so", self.prefix / "lib/tool/c"

        def swap(path, make):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            make()

        kinds = {
            "gone": lambda: a.unlink(), "a directory gone": lambda: shutil.rmtree(c),
            "a directory for a file": lambda: swap(a, a.mkdir),
            "a full directory for a file": lambda: swap(a, lambda: (a.mkdir(), (a / "x").mkdir())),
            "a file for a directory": lambda: swap(c, lambda: c.write_text("x")),
            "a dangling link": lambda: swap(a, lambda: a.symlink_to("/nowhere")),
            "a link outside": lambda: swap(a, lambda: a.symlink_to(self.outside / "file")),
            "a link in a circle": lambda: swap(a, lambda: a.symlink_to("b.so")),
            "a pipe": lambda: swap(a, lambda: os.mkfifo(a)),
            "a file for a link": lambda: swap(self.prefix / "lib/tool/b.so", lambda: (self.prefix / "lib/tool/b.so").mkdir()),
            "emptied": lambda: swap(a, lambda: a.write_text("")),
            "everything": lambda: [shutil.rmtree(self.prefix / d) for d in ("bin", "lib", "share")],
        }
        for kind, make in kinds.items():
            with self.subTest(kind):
                make()
                self.repaired()
                self.assertEqual((self.outside / "file").read_text(), "of somebody else")

    def test_a_directory_that_leads_outside(self):
        """Which may be what the user wants, but we write nothing there."""
        c = self.prefix / "lib/tool/c"
        shutil.rmtree(c)
        c.symlink_to(self.outside)
        before = list(tree(self.outside))
        for command in (["verify", "--repair"], ["install", "-y", "--force-reinstall", *self.channel_arguments(None), "tool"]):
            self.assert_failed(self.taipan(*command, "-p", self.prefix, code=1), c, "symlink", "try again")
            self.assertEqual(list(tree(self.outside)), before)
        c.unlink()
        self.repaired()

    def test_damage_does_not_keep_packages_from_going(self):
        shutil.rmtree(self.prefix / "lib/tool/c")
        (self.prefix / "lib/tool/c").symlink_to(self.outside)
        (self.prefix / "share/tool").unlink()
        (self.prefix / "share/tool").mkdir()
        (self.prefix / "share/tool/of-the-user").write_text("mine")
        (self.prefix / "lib/tool/a.so").unlink()
        (self.prefix / "lib/tool/mine").write_text("mine")
        self.remove("tool")
        self.assert_installed("other-1.0-0")
        self.assertTrue((self.outside / "file").exists())
        self.assertEqual((self.prefix / "lib/tool/mine").read_text(), "mine")

    def test_an_environment_that_was_moved(self):
        moved = self.work / "moved"
        self.prefix.rename(moved)
        self.assertIn("tool", self.taipan("list", "-p", moved).stdout)
        self.install("third", prefix=moved)
        self.remove("other", prefix=moved)
        self.assert_installed("tool-1.0-0", prefix=moved)
        self.assertNotIn(str(self.prefix), self.taipan("env", "list").stdout)

    def test_files_from_the_future_and_before_the_epoch(self):
        for moment in (time.time() + 1e9, 2 ** 33, -5):
            for path in (self.prefix, self.cache):
                for folder, names, files in os.walk(path):
                    for name in names + files:
                        os.utime(os.path.join(folder, name), (moment, moment), follow_symlinks=False)
            self.verify()
            self.install("third")
            self.remove("third", "--force")
            self.assert_installed("other-1.0-0", "tool-1.0-0")

    def test_umasks(self):
        for mask, record, folder in ((0o077, 0o600, 0o700), (0o000, 0o666, 0o777), (0o027, 0o640, 0o750)):
            with self.subTest(oct(mask)):
                prefix = self.work / f"umask-{mask}"
                old = os.umask(mask)
                try:
                    self.create("tool", prefix=prefix)
                finally:
                    os.umask(old)
                meta = prefix / "conda-meta"
                for path in meta.glob("*"):
                    self.assertEqual(oct(stat.S_IMODE(path.stat().st_mode)), oct(record), path)
                for path in (prefix, meta, prefix / "lib/tool/c"):
                    self.assertEqual(oct(stat.S_IMODE(path.stat().st_mode)), oct(folder), path)
                self.taipan("verify", "-p", prefix)


if __name__ == "__main__":
    main()
