"""Packages and cache entries that are odd but not hostile, and limits of file systems."""

import os
import shutil

from taipan_test import TaipanTest, file_sha256, main, tree
from tiny_channel import PLACEHOLDER, File


class StrangePackageTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()

    def add(self, name, **options):
        self.channel.add(name, **options)
        self.channel.write_index()

    def test_names_that_are_hard_to_handle(self):
        names = ["share/Case", "share/case", "share/CASE", "share/ä/ö", "share/a\u0308", "share/line\nbreak", "share/tab\t",
                 "share/ leading", "share/trailing ", "share/dot.", "share/-rf", "share/back\\slash", "share/quote\"'",
                 "share/*?[x]", "share/$HOME", "share/" + "n" * 255, "share/" + "/".join("d" * 100 for _ in range(30)) + "/f",
                 "share/.hidden", "share/...", "share/x.c~", "share/🐍"]
        self.add("odd", files={name: File(f"{name}{PLACEHOLDER}\n") for name in names})
        self.create("odd")
        for name in names:
            self.assertEqual((self.prefix / name).read_text(), f"{name}{self.prefix}\n")
        self.assertEqual(sorted(self.record("odd")["files"]), sorted(names))
        self.taipan("verify", "-p", self.prefix)
        for path in ("share/line\nbreak", "share/case"):
            (self.prefix / path).unlink()
        self.taipan("verify", "-p", self.prefix, code=1)
        self.taipan("verify", "--repair", "-p", self.prefix)
        self.install("odd", "--force-reinstall")
        self.remove("odd", "--force")
        self.assertEqual(sorted(os.listdir(self.prefix)), ["conda-meta"])

    def test_a_name_too_long_for_a_file(self):
        name = "n" * 245
        self.add("short")
        self.create("short")
        before = list(tree(self.prefix))
        record = {"name": name, "version": "1.0", "build": "0", "build_number": 0, "depends": []}
        self.channel.packages[0].record.update(record)
        package = self.channel.packages[0]
        target = package.path.with_name(f"{name}-1.0-0.conda")
        try:
            package.path.rename(target)
        except OSError:
            self.skipTest("the channel cannot hold such a name")
        package.path = target
        self.channel.write_index()
        result = self.install(name, "--repodata-ttl", "0", code=1)
        self.assert_failed(result, "too long")
        self.assertEqual(list(tree(self.prefix)), before)

    def test_content_that_is_the_same_under_many_names(self):
        self.add("same", files={f"share/{i}": b"" for i in range(300)} | {f"lib/{i}": b"same" for i in range(300)})
        self.create("same")
        self.create("same", prefix=self.work / "second")
        self.taipan("verify", "-p", self.prefix)

    def half_an_entry(self, *, record, info=True, files=True):
        """What conda or mamba leave in a cache when they are killed while they extract."""
        package = self.channel.packages[0]
        self.create(package.name, prefix=self.work / "first")
        entry = self.cache / package.dist
        if not record:
            (entry / "info/repodata_record.json").unlink()
        if not files:
            shutil.rmtree(entry / "share")
        if not info:
            shutil.rmtree(entry / "info")
        shutil.rmtree(self.work / "first")
        for name in (".taipan-index", "urls.txt"):
            (self.cache / name).unlink(missing_ok=True)
        return entry

    def test_entries_that_others_have_half_extracted(self):
        self.add("pkg", files={"share/a": "a", "share/deep/b": "b", "bin/run": File("#!/bin/sh\n", mode=0o755)})
        for state in ({"record": True, "files": False}, {"record": False, "files": False}, {"record": False, "info": False},
                      {"record": False}):
            for archive in (True, False):
                with self.subTest(state=state, archive=archive):
                    entry = self.half_an_entry(**state)
                    if not archive:
                        (self.cache / self.channel.packages[0].fn).unlink()
                    self.create("pkg")
                    self.taipan("verify", "-p", self.prefix)
                    self.assertEqual((self.prefix / "share/deep/b").read_text(), "b")
                    self.assertTrue((entry / "info/repodata_record.json").exists())
                    self.assert_cache_sound(self.channel)
                    shutil.rmtree(self.prefix)
                    shutil.rmtree(self.cache)

    def test_archives_in_the_cache_that_are_not_what_they_are_called(self):
        self.add("pkg", files={"share/a": "a" * 10000})
        package = self.channel.packages[0]
        data = package.path.read_bytes()
        for content in (b"", data[:-1], data[: len(data) // 2], data[:-1] + bytes([data[-1] ^ 1]), os.urandom(len(data))):
            self.cache.mkdir()
            (self.cache / package.fn).write_bytes(content)
            self.create("pkg")
            self.assertEqual(file_sha256(self.cache / package.fn), package.record["sha256"])
            self.taipan("verify", "-p", self.prefix)
            shutil.rmtree(self.cache)
            shutil.rmtree(self.prefix)

    def test_things_in_the_way_in_the_cache(self):
        self.add("pkg", files={"share/a": "a"})
        package = self.channel.packages[0]
        kinds = {"file": lambda p: p.write_text("x"), "link": lambda p: p.symlink_to("/nowhere"), "pipe": os.mkfifo,
                 "directory": lambda p: p.mkdir()}
        for name in (package.dist, package.fn):
            for kind, make in kinds.items():
                with self.subTest(name=name, kind=kind):
                    shutil.rmtree(self.cache, ignore_errors=True)
                    self.cache.mkdir()
                    make(self.cache / name)
                    if (name, kind) == (package.fn, "directory"):
                        self.assert_failed(self.create("pkg", code=1), self.cache / name)
                        self.assertFalse(self.prefix.exists())
                        continue
                    self.create("pkg", timeout=30)
                    self.taipan("verify", "-p", self.prefix)
                    shutil.rmtree(self.prefix)


if __name__ == "__main__":
    main()
