"""`index` makes a channel out of a folder. The judge is another indexer: tests/channel/index.py."""

import hashlib
import json
import shutil
import struct
import sys
from pathlib import Path

import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "channel"))

from index import record as independent_record  # noqa: E402
from taipan_test import SUBDIR, TaipanTest, main  # noqa: E402


def msgpack(data):
    """Decodes MessagePack: what the format's specification says, no more than is needed here."""
    at = 0

    def take(count):
        nonlocal at
        at += count
        return data[at - count:at]

    def number(count):
        return int.from_bytes(take(count), "big")

    def value():
        tag = number(1)
        if tag < 0x80:
            return tag
        if tag < 0x90:
            return dict(pairs(tag & 15))
        if tag < 0xa0:
            return [value() for _ in range(tag & 15)]
        if tag < 0xc0:
            return take(tag & 31).decode()
        if tag in (0xc0, 0xc2, 0xc3):
            return {0xc0: None, 0xc2: False, 0xc3: True}[tag]
        if 0xc4 <= tag <= 0xc6:
            return take(number(1 << (tag - 0xc4)))
        if tag == 0xcb:
            return struct.unpack(">d", take(8))[0]
        if 0xcc <= tag <= 0xcf:
            return number(1 << (tag - 0xcc))
        if 0xd9 <= tag <= 0xdb:
            return take(number(1 << (tag - 0xd9))).decode()
        if tag in (0xdc, 0xdd):
            return [value() for _ in range(number(2 << (tag - 0xdc)))]
        if tag in (0xde, 0xdf):
            return dict(pairs(number(2 << (tag - 0xde))))
        raise AssertionError(f"unexpected tag {tag:#x}")

    def pairs(count):
        return [(value(), value()) for _ in range(count)]

    result = value()
    assert at == len(data), "bytes are left over"
    return result


def unzst(path):
    return zstandard.ZstdDecompressor().decompressobj().decompress(Path(path).read_bytes())


class IndexTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.folder = self.channel.folder
        self.channel.add("alpha", "1.0", "h1_0", depends=["beta"], record={"license": "MIT — ü", "x-new-key": {"a": [1.5]}})
        self.channel.add("alpha", "1.0", "h2_1", build_number=1, extension=".tar.bz2")
        self.channel.add("alpha-tools", "2.0", "0",
                         files={"share/x": "x", "info/run_exports.json": '{"weak": ["alpha >=1"]}'})
        self.channel.add("beta", noarch="generic")
        for index in self.folder.glob("*/repodata.json*"):
            index.unlink()

    def repodata(self, subdir=SUBDIR):
        return json.loads((self.folder / subdir / "repodata.json").read_text())

    def index(self, *arguments, **options):
        return self.taipan_json("index", self.folder, *arguments, **options)

    def test_the_records_are_those_of_an_independent_indexer(self):
        self.index()
        for subdir in (SUBDIR, "noarch"):
            repodata = self.repodata(subdir)
            self.assertEqual(repodata["info"], {"subdir": subdir})
            self.assertEqual((repodata["removed"], repodata["repodata_version"]), ([], 1))
            files = sorted(p for p in (self.folder / subdir).iterdir() if p.name.endswith((".conda", ".tar.bz2")))
            expected = {path.name: independent_record(path) for path in files}
            self.assertEqual({**repodata["packages"], **repodata["packages.conda"]}, expected)
            self.assertTrue(all(fn.endswith(".tar.bz2") for fn in repodata["packages"]))
            self.assertEqual(unzst(self.folder / subdir / "repodata.json.zst"),
                             (self.folder / subdir / "repodata.json").read_bytes())
        self.assertEqual(self.repodata()["packages.conda"]["alpha-1.0-h1_0.conda"]["x-new-key"], {"a": [1.5]})
        exports = json.loads((self.folder / SUBDIR / "run_exports.json").read_text())
        self.assertEqual(exports["packages.conda"]["alpha-tools-2.0-0.conda"], {"run_exports": {"weak": ["alpha >=1"]}})
        self.assertEqual(exports["packages"]["alpha-1.0-h2_1.tar.bz2"], {"run_exports": {}})

    def test_the_channel_can_be_installed_from(self):
        self.taipan("index", self.folder)
        self.create("alpha=1.0=h1_0")
        self.assert_installed("alpha-1.0-h1_0", "beta-1.0-0")

    def test_only_news_are_read_and_only_changes_are_written(self):
        first = self.index()["subdirs"]
        self.assertEqual((first[SUBDIR]["read"], first["noarch"]["read"]), (3, 1))
        before = {p: (p.read_bytes(), p.stat().st_ino) for p in self.folder.rglob("*") if p.is_file()}
        again = self.index()["subdirs"][SUBDIR]
        self.assertEqual((again["read"], again["packages"], again["written"]), (0, 3, []))
        self.assertEqual(before, {p: (p.read_bytes(), p.stat().st_ino) for p in before})

        self.channel.add("gamma")
        (self.folder / SUBDIR / "alpha-tools-2.0-0.conda").unlink()
        later = self.index()["subdirs"][SUBDIR]
        self.assertEqual((later["read"], later["gone"], later["packages"]), (1, 1, 3))
        self.assertEqual(list(self.repodata()["packages.conda"]), ["alpha-1.0-h1_0.conda", "gamma-1.0-0.conda"])
        incremental = (self.folder / SUBDIR / "repodata.json").read_bytes()
        shutil.rmtree(self.folder / SUBDIR / ".cache")
        self.index()
        self.assertEqual((self.folder / SUBDIR / "repodata.json").read_bytes(), incremental)

    def test_a_replaced_archive_is_read_again(self):
        self.index()
        self.channel.add("alpha", "1.0", "h1_0", depends=["gamma"])
        self.assertEqual(self.index()["subdirs"][SUBDIR]["read"], 1)
        self.assertEqual(self.repodata()["packages.conda"]["alpha-1.0-h1_0.conda"]["depends"], ["gamma"])
        cache = self.folder / SUBDIR / ".cache/taipan-index.jsonl"
        cache.write_bytes(cache.read_bytes()[:-40])  # damage costs time only
        self.index()
        self.assertEqual(len(self.repodata()["packages.conda"]), 2)

    def test_shards(self):
        self.index("--write-shards")
        index = msgpack(unzst(self.folder / SUBDIR / "repodata_shards.msgpack.zst"))
        self.assertEqual(index["version"], 1)
        self.assertEqual((index["info"]["subdir"], index["info"]["base_url"]), (SUBDIR, ""))
        self.assertEqual(list(index["shards"]), ["alpha", "alpha-tools"])
        repodata, found = self.repodata(), {"packages": {}, "packages.conda": {}}
        for digest in index["shards"].values():
            path = self.folder / SUBDIR / index["info"]["shards_base_url"] / (digest.hex() + ".msgpack.zst")
            self.assertEqual(hashlib.sha256(path.read_bytes()).digest(), digest)
            shard = msgpack(unzst(path))
            for section in found:
                for fn, record in shard[section].items():
                    exports = record.pop("run_exports")
                    self.assertEqual(exports, {"weak": ["alpha >=1"]} if fn.startswith("alpha-tools") else {})
                    record.update(md5=record["md5"].hex(), sha256=record["sha256"].hex())
                    found[section][fn] = record
        self.assertEqual(found, {section: repodata[section] for section in found})

        # Once there, they follow; the shards of the index before stay for those who are reading by it.
        shards = self.folder / SUBDIR / "shards"
        self.channel.add("alpha", "2.0")
        self.index()
        self.assertEqual(len(list(shards.iterdir())), 3)
        self.channel.add("alpha", "3.0")
        self.index()
        self.assertEqual(len(list(shards.iterdir())), 3)

    def test_packages_elsewhere(self):
        self.index("--base-url", "https://example.org/packages/", "--no-zst", "--no-run-exports")
        repodata = self.repodata()
        self.assertEqual(repodata["info"]["base_url"], f"https://example.org/packages/{SUBDIR}/")
        self.assertEqual(repodata["repodata_version"], 2)
        self.assertFalse((self.folder / SUBDIR / "repodata.json.zst").exists())
        self.assertFalse((self.folder / SUBDIR / "run_exports.json").exists())

    def test_repairs(self):
        instructions = {"patch_instructions_version": 1,
                        "packages": {"alpha-1.0-h1_0.tar.bz2": {"depends": ["beta <2"], "license": None}},
                        "remove": ["alpha-tools-2.0-0.conda"], "revoke": ["alpha-1.0-h2_1.tar.bz2"]}
        (self.folder / SUBDIR / "patch_instructions.json").write_text(json.dumps(instructions))
        self.assertEqual(self.index()["subdirs"][SUBDIR]["removed"], 1)
        repodata = self.repodata()
        record = repodata["packages.conda"]["alpha-1.0-h1_0.conda"]
        self.assertEqual(record["depends"], ["beta <2"])
        self.assertNotIn("license", record)
        self.assertEqual(repodata["removed"], ["alpha-tools-2.0-0.conda"])
        self.assertNotIn("alpha-tools-2.0-0.conda", repodata["packages.conda"])
        revoked = repodata["packages"]["alpha-1.0-h2_1.tar.bz2"]
        self.assertEqual((revoked["revoked"], revoked["depends"]), (True, ["package_has_been_revoked"]))
        unpatched = json.loads((self.folder / SUBDIR / "repodata_from_packages.json").read_text())
        self.assertEqual(len(unpatched["packages.conda"]), 2)

    def test_bad_packages_are_named_and_left_out(self):
        bad = self.folder / SUBDIR / "broken-1.0-0.conda"
        bad.write_bytes(b"PK\x03\x04 no package")
        shutil.copy(self.folder / SUBDIR / "alpha-1.0-h1_0.conda", self.folder / SUBDIR / "renamed-1.0-0.conda")
        document = self.index()
        unusable = {entry["path"]: entry["error"] for entry in document["subdirs"][SUBDIR]["unusable"]}
        self.assertEqual(sorted(unusable), [f"{SUBDIR}/broken-1.0-0.conda", f"{SUBDIR}/renamed-1.0-0.conda"])
        self.assertIn("is that of alpha-1.0-h1_0", unusable[f"{SUBDIR}/renamed-1.0-0.conda"])
        self.assertEqual(len(self.repodata()["packages.conda"]), 2)
        self.assertIn("broken-1.0-0.conda is left out", self.taipan("index", self.folder).stderr)
        before = (self.folder / SUBDIR / "repodata.json").read_bytes()
        self.channel.add("gamma")
        self.assert_failed(self.taipan("index", "--strict", self.folder, code=1), "broken-1.0-0.conda")
        self.assertEqual((self.folder / SUBDIR / "repodata.json").read_bytes(), before)
        for path in (self.folder / SUBDIR).glob("*-*-*.*"):
            if path != bad:
                path.unlink()
        (self.folder / "noarch/beta-1.0-0.conda").unlink()
        self.assert_failed(self.taipan("index", self.folder, code=1), "cannot be indexed")

    def test_a_trial_run_is_refused_and_writes_nothing(self):
        channel = self.tiny_channel("trial")
        channel.add("app")
        for path in channel.folder.glob("*/repodata*"):
            path.unlink()
        result = self.taipan("index", "--dry-run", channel.folder, code=None)
        self.assertNotEqual(result.code, 0)
        self.assertIn("--dry-run", result.stderr)
        self.assertEqual(list(channel.folder.glob("*/repodata*")), [])

    def test_other_folders(self):
        empty = self.work / "empty"
        empty.mkdir()
        self.taipan("index", empty)
        self.assertEqual(json.loads((empty / "noarch/repodata.json").read_text())["packages"], {})
        self.assertEqual(sorted(p.name for p in empty.iterdir()), ["noarch"])
        self.assert_failed(self.taipan("index", self.folder / SUBDIR, code=1), "beside the platform folders")
        self.assert_failed(self.taipan("index", self.work / "no", code=1), "there is no directory")
        stale = self.folder / SUBDIR / "current_repodata.json"
        stale.write_text("{}")
        self.taipan("index", self.folder, "--subdir", SUBDIR)
        self.assertFalse(stale.exists())
        self.assertIn("name the one folder", self.taipan("index", code=2).stderr)


if __name__ == "__main__":
    main()
