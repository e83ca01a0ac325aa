"""`taipan package extract`, `create` and `transmute`: archives that other readers take for the same package."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import conda_package_handling.api
import zstandard

from taipan_test import TaipanTest, main
from tiny_channel import File, Link

LONG = "share/" + "/".join(["deep-directory-name"] * 12) + "/" + "f" * 120


def content(folder):
    """Every path below a folder with kind, mode, time and bytes."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        name = str(path.relative_to(folder))
        status = path.lstat()
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))
        elif path.is_file():
            found[name] = (status.st_mode & 0o7777, int(status.st_mtime), path.read_bytes())
    return found


class PackageTest(TaipanTest):
    def setUp(self):
        super().setUp()
        channel = self.tiny_channel()
        files = {"bin/run": File("#!/bin/sh\n", 0o755), "lib/a": b"\0" * 70000, "lib/b": Link("a"), LONG: "long\n",
                 "share/" + "x" * 99: "edge\n", "share/é": "name\n", "share/empty": b"", "lib/c": Link("../" + LONG)}
        self.packages = [channel.add("demo", "1.0", "0", files=files, extension=e) for e in (".conda", ".tar.bz2")]

    def members_of_conda(self, path):
        """By Python's zipfile, zstandard and tarfile."""
        parts = {}
        with zipfile.ZipFile(path) as archive:
            self.assertIsNone(archive.testzip())
            self.assertTrue(all(i.compress_type == zipfile.ZIP_STORED for i in archive.infolist()))
            self.assertEqual(archive.namelist(), ["metadata.json", "pkg-demo-1.0-0.tar.zst", "info-demo-1.0-0.tar.zst"])
            for name in archive.namelist()[1:]:
                raw = zstandard.ZstdDecompressor().decompressobj().decompress(archive.read(name))
                with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
                    parts[name.split("-")[0]] = tar.getmembers()
        return parts

    def test_extract_is_what_others_extract(self):
        for package in self.packages:
            with self.subTest(package=package.fn):
                self.taipan("package", "extract", package.path, "ours")
                conda_package_handling.api.extract(str(package.path), str(self.work / "theirs"))
                self.assertEqual(content(self.work / "ours"), content(self.work / "theirs"))
                self.assert_failed(self.taipan("package", "extract", package.path, "ours", code=1), "there already")
                for folder in ("ours", "theirs"):
                    (self.work / folder).rename(self.work / (folder + package.path.suffix))
        self.taipan("package", "extract", self.packages[0].path)
        self.assertTrue((self.work / "demo-1.0-0/info/index.json").is_file())

    def test_create_gives_what_others_read(self):
        self.taipan("package", "extract", self.packages[0].path, "tree")
        (self.work / "tree/info/repodata_record.json").write_text("{}")
        for extension in (".conda", ".tar.bz2"):
            with self.subTest(extension=extension):
                archive = self.work / ("demo-1.0-0" + extension)
                self.taipan("package", "create", "tree", archive, "-c", "3")
                conda_package_handling.api.extract(str(archive), str(self.work / ("theirs" + extension)))
                expected = content(self.work / "tree")
                del expected["info/repodata_record.json"]
                self.assertEqual(content(self.work / ("theirs" + extension)), expected)
        parts = self.members_of_conda(self.work / "demo-1.0-0.conda")
        self.assertTrue(all(m.name.startswith("info/") for m in parts["info"]))
        self.assertFalse([m.name for m in parts["pkg"] if m.name.startswith("info/")])
        for member in parts["pkg"]:
            self.assertEqual((member.uid, member.gid, member.uname, member.gname), (0, 0, "", ""))

    def test_the_same_tree_gives_the_same_bytes(self):
        self.taipan("package", "extract", self.packages[0].path, "tree")
        for extension in (".conda", ".tar.bz2"):
            first, second = (self.work / f"{n}/demo-1.0-0{extension}" for n in "12")
            for archive, threads in ((first, "1"), (second, "3")):
                archive.parent.mkdir(exist_ok=True)
                self.taipan("package", "compress", "tree", archive, "--compression-threads", threads,
                            env={"SOURCE_DATE_EPOCH": "1000"})
                os.utime(self.work / "tree/lib/a")
            self.assertEqual(first.read_bytes(), second.read_bytes())

    def test_transmute_there_and_back(self):
        conda, bz2 = (p.path for p in self.packages)
        out = self.work / "out"
        self.taipan("package", "transmute", conda, bz2, "-o", out)
        self.assertEqual(sorted(p.name for p in out.iterdir()), ["demo-1.0-0.conda", "demo-1.0-0.tar.bz2"])
        self.taipan("package", "extract", conda, "original")
        for archive in list(out.iterdir()):
            self.taipan("package", "extract", archive, "made" + archive.suffix)
            self.assertEqual({k: v[-1] for k, v in content(self.work / ("made" + archive.suffix)).items()},
                             {k: v[-1] for k, v in content(self.work / "original").items()})
        self.assert_failed(self.taipan("package", "transmute", conda, "-o", out, code=1), "--force")
        self.taipan("package", "transmute", conda, "-o", out, "--force")

    def test_what_is_no_package(self):
        (self.work / "broken.conda").write_bytes(b"PK nothing")
        (self.work / "empty").mkdir()
        self.assert_failed(self.taipan("package", "extract", "broken.conda", code=1), "broken.conda")
        self.assertFalse((self.work / "broken").exists())
        self.assert_failed(self.taipan("package", "extract", "x.zip", code=1), "x.zip")
        self.assert_failed(self.taipan("package", "create", "empty", "a-1-0.conda", code=1), "index.json")
        self.assert_failed(self.taipan("package", "create", "empty", "a.zip", code=1), "a.zip")
        self.assertFalse([p for p in self.work.iterdir() if p.name.startswith(".taipan")])


if __name__ == "__main__":
    main()
