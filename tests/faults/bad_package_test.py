"""Packages that arrive as the index says and are still no good: damaged, malicious, or not for this place.

The index has the right hash of the bad archive, so that nothing but the reader of the archive can notice.
"""

import bz2
import io
import json
import tarfile
import zipfile

import zstandard

from taipan_test import TaipanTest, main, tree
from tiny_channel import PLACEHOLDER, File, Link


def member(name, content=b"", **fields):
    info = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    info.size = len(content)
    return info, content


def tar(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def conda(dist, info, payload, metadata=b'{"conda_pkg_format_version": 2}', compressed=True):
    pack = zstandard.compress if compressed else bytes
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("metadata.json", metadata)
        archive.writestr(f"pkg-{dist}.tar.zst", pack(payload))
        archive.writestr(f"info-{dist}.tar.zst", pack(info))
    return out.getvalue()


class BadPackageTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("good")
        self.package = self.channel.add("bad", depends=["good"], files={"share/bad.txt": b"content " * 5000})
        self.old = self.channel.add("bad-old", depends=["good"], extension=".tar.bz2",
                                    files={"share/old.txt": b"content " * 5000})
        self.channel.write_index()
        self.outside = self.work / "outside"
        self.outside.mkdir()
        self.work.chmod(0o755)

    def info(self, package, paths=()):
        entries = [{"_path": path, "path_type": "hardlink"} for path in paths]
        return tar(member("info/index.json", json.dumps(package.record).encode()),
                   member("info/paths.json", json.dumps({"paths_version": 1, "paths": entries}).encode()))

    def assert_refused(self, package, data=None, needle=None, found_while_linking=False):
        """Neither create nor install take the package, and nothing is left of the attempt.

        What only linking can notice stays in the cache, which has what the channel ships."""
        if data is not None:
            package.path.write_bytes(data)
            package.rehash()
            self.channel.write_index()
        everything = list(tree(self.outside))
        result = self.create(package.name, code=1)
        self.assert_failed(result, package.dist, *([needle] if needle else []))
        self.assert_no_environment()
        if not found_while_linking:
            self.assertFalse((self.cache / package.dist).exists())
            self.assert_cache_sound(self.channel)

        existing = self.work / "existing"
        if not existing.exists():
            self.create("good", prefix=existing)
        before = list(tree(existing))
        self.assert_failed(self.install(package.name, prefix=existing, code=1), package.dist)
        self.assertEqual(list(tree(existing)), before)
        self.assertEqual(list(tree(self.outside)), everything)
        self.assertFalse((self.work / "evil").exists() or (self.cache / "evil").exists())

    # ---- damaged

    def test_truncated_archives(self):
        for package in (self.package, self.old):
            data = package.path.read_bytes()
            for keep in (len(data) - 1, len(data) // 2, 10, 0):
                with self.subTest(package=package.fn, keep=keep):
                    self.assert_refused(package, data[:keep])

    def test_flipped_bits(self):
        for package in (self.package, self.old):
            data = bytearray(package.path.read_bytes())
            data[len(data) // 3:len(data) // 3 + 40] = b"\xa5" * 40
            with self.subTest(package=package.fn):
                self.assert_refused(package, bytes(data))

    def test_other_things_under_the_name_of_a_package(self):
        for package in (self.package, self.old):
            for data in (b"<html>404</html>", b"PK\x03\x04", b"BZh9", bz2.compress(b"no tar"), b"\0" * 4096):
                with self.subTest(package=package.fn, data=data[:12]):
                    self.assert_refused(package, data)

    def test_a_zip_with_the_wrong_things_inside(self):
        dist = self.package.dist
        good = self.info(self.package)
        self.assert_refused(self.package, conda(dist, good, b"", metadata=b'{"conda_pkg_format_version": 3}'))
        self.assert_refused(self.package, conda(dist, good, b"no tar" * 200))
        self.assert_refused(self.package, conda(dist, good, tar(), compressed=False))
        empty = io.BytesIO()
        zipfile.ZipFile(empty, "w").close()
        self.assert_refused(self.package, empty.getvalue())

    def test_metadata_is_missing_or_broken(self):
        index = member("info/index.json", json.dumps(self.package.record).encode())
        newer = member("info/paths.json", b'{"paths_version": 2, "paths": []}')
        for name, info in (("no index.json", tar(member("info/files"))),
                           ("broken paths.json", tar(index, member("info/paths.json", b"{ broken"))),
                           ("unknown paths_version", tar(index, newer))):
            with self.subTest(name):
                self.assert_refused(self.package, conda(self.package.dist, info, tar()),
                                    found_while_linking="paths" in name)

    def test_a_listed_file_is_missing(self):
        info, payload = self.info(self.package, ["share/not-there"]), tar(member("share/x", b"x"))
        self.assert_refused(self.package, conda(self.package.dist, info, payload), "share/not-there",
                            found_while_linking=True)

    # ---- malicious

    def test_paths_that_leave_the_tree(self):
        target = str(self.outside / "evil")
        for name in ("../evil", "share/../../evil", "/evil", target, "./../evil"):
            payload = tar(member(name, b"evil"))
            with self.subTest(name=name):
                self.assert_refused(self.package, conda(self.package.dist, self.info(self.package), payload))
                old = tar(member("info/index.json", json.dumps(self.old.record).encode()), member(name, b"evil"))
                self.assert_refused(self.old, bz2.compress(old))

    def test_symlinks_are_not_written_through(self):
        for link, path in ((str(self.outside), "link/evil"), ("../../..", "link/evil"),
                           (str(self.outside / "evil"), "link")):
            payload = tar(member("link", type=tarfile.SYMTYPE, linkname=link), member(path, b"evil"))
            with self.subTest(link=link):
                package = self.package
                package.path.write_bytes(conda(package.dist, self.info(package, ["link"]), payload))
                package.rehash()
                self.channel.write_index()
                self.create("bad", code=None, prefix=self.work / "whatever")
                self.assertEqual(list(tree(self.outside)), [])
                self.assertFalse((self.work / "evil").exists())

    def test_hard_links_to_files_outside(self):
        (self.outside / "secret").write_text("secret")
        for linkname in (str(self.outside / "secret"), "../../outside/secret"):
            payload = tar(member("stolen", type=tarfile.LNKTYPE, linkname=linkname))
            with self.subTest(linkname=linkname):
                info = self.info(self.package, ["stolen"])
                self.assert_refused(self.package, conda(self.package.dist, info, payload))

    def test_paths_json_that_leaves_the_prefix(self):
        for path in ("../evil", "/tmp/evil", "share/../../evil", ""):
            with self.subTest(path=path):
                payload = tar(member("share/x", b"x"))
                self.assert_refused(self.package, conda(self.package.dist, self.info(self.package, [path]), payload),
                                    found_while_linking=True)

    def test_records_of_other_packages_cannot_be_smuggled_in(self):
        package = self.package
        name = "conda-meta/history"
        payload = tar(member(name, b"==> forged <==\n"))
        package.path.write_bytes(conda(package.dist, self.info(package, [name]), payload))
        package.rehash()
        self.channel.write_index()
        result = self.create("bad", code=None)
        if result.code == 0:
            self.assertNotIn("forged", (self.prefix / "conda-meta/history").read_text())
        else:
            self.assert_failed(result, package.dist)
            self.assert_no_environment()

    # ---- not for this place

    def test_a_prefix_that_is_too_long(self):
        binary = File(PLACEHOLDER.encode() + b"\0", file_mode="binary")
        package = self.channel.add("fixed", files={"lib/fixed.bin": binary})
        self.channel.write_index()
        deep = self.work / ("d" * 120) / ("e" * 120) / "env"
        result = self.create("fixed", prefix=deep, code=1)
        self.assert_failed(result, package.name, deep)
        self.assert_no_environment(deep)
        self.assert_cache_sound(self.channel)

    def test_a_python_package_without_python(self):
        self.channel.add("module", noarch="python", files={"site-packages/module.py": "x = 1\n"})
        self.channel.write_index()
        result = self.create("module", code=1)
        self.assert_failed(result, "module", "python")
        self.assert_no_environment()

    def test_a_failing_post_link_script_takes_everything_back(self):
        script = "echo this is why >&2\nexit 3\n"
        self.channel.add("scripted", depends=["good"], files={"bin/.scripted-post-link.sh": File(script, mode=0o755),
                                                              "share/s": b"s", "share/l": Link("s")})
        self.channel.write_index()
        result = self.create("scripted", code=1)
        self.assert_failed(result, "scripted", "this is why")
        self.assert_no_environment()
        self.create("good")
        before = list(tree(self.prefix))
        result = self.install("scripted", code=1)
        self.assert_failed(result, "scripted")
        self.assertEqual(list(tree(self.prefix)), before)

    def test_a_damaged_entry_of_the_cache_is_replaced(self):
        self.create("good")
        entry = self.cache / "good-1.0-0"
        (entry / "info/index.json").write_text("{ broken")
        (entry / "info/repodata_record.json").unlink()
        self.create("good", prefix=self.work / "second")
        self.assert_installed("good-1.0-0", prefix=self.work / "second")
        self.assert_cache_sound(self.channel)


if __name__ == "__main__":
    main()
