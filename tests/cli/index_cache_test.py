"""The index file beside a cached repodata.json: used while it fits, made anew without a word when it does not."""

import json
import subprocess

from taipan_test import SUBDIR, TaipanTest, binary_under_test, main
import faulty_server as faults  # noqa: I001 (taipan_test says where it is)


class IndexCacheTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("app", depends=["lib"])
        self.channel.add("lib")
        self.channel.write_index()
        self.server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(self.server.close)
        self.count = 0

    def plan(self, *options, specs=("app",)):
        self.count += 1
        result = self.create("--dry-run", *options, *specs, channel=self.server, prefix=self.work / f"env{self.count}")
        self.assertNotIn("warning", result.stderr.lower())
        return result

    def files(self, suffix):
        found = sorted((self.cache / "cache").glob("*" + suffix))
        self.assertEqual(len(found), 2)
        return found

    def test_it_is_made_once_and_conda_finds_its_own_files(self):
        self.plan()
        before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in self.files(".tpi")]
        for json_file in (p for p in (self.cache / "cache").glob("*.json") if not p.name.endswith(".info.json")):
            state = json.loads(json_file.with_suffix(".info.json").read_text())
            self.assertEqual(state["size"], json_file.stat().st_size)
            self.assertEqual(state["mtime_ns"], json_file.stat().st_mtime_ns)
            self.assertEqual(json.loads(json_file.read_text())["info"]["subdir"], state["url"].rsplit("/", 1)[1])
        self.plan()
        self.assertEqual([(path.stat().st_ino, path.stat().st_mtime_ns) for path in self.files(".tpi")], before)

    def test_damage_anywhere_is_repaired_without_the_server(self):
        self.plan()
        good = [path.read_bytes() for path in self.files(".tpi")]
        self.server.log.clear()
        size = max(map(len, good))
        for at in [*range(0, size, max(1, size // 12)), size - 1]:
            for path, data in zip(self.files(".tpi"), good):
                if at < len(data):
                    path.write_bytes(data[:at] + bytes([data[at] ^ 0xff]) + data[at + 1:])
            self.plan("--offline")
        for content in (b"", b"x" * 4096, good[0][:len(good[0]) // 2], good[0] + b"more"):
            for path in self.files(".tpi"):
                path.write_bytes(content)
            self.plan("--offline")
            self.assertEqual([path.read_bytes() for path in self.files(".tpi")], good)
        self.assertEqual(self.server.log, [])

    def test_the_file_of_another_subdir_is_not_taken(self):
        self.plan()
        first, second = self.files(".tpi")
        contents = first.read_bytes(), second.read_bytes()
        first.write_bytes(contents[1])
        second.write_bytes(contents[0])
        self.plan("--offline")
        self.assertEqual((first.read_bytes(), second.read_bytes()), contents)

    def test_a_json_that_somebody_else_replaced_counts(self):
        self.plan()
        self.channel.add("newer")
        self.channel.write_index()
        for path in (self.cache / "cache").glob("*.json"):
            if path.name.endswith(".info.json"):
                continue
            subdir = json.loads(path.read_text())["info"]["subdir"]
            path.write_bytes((self.channel.folder / subdir / "repodata.json").read_bytes())
        self.plan("--offline", specs=("newer",))

    def test_several_processes_make_and_use_it(self):
        for _ in range(2):
            for path in (self.cache / "cache").glob("*.tpi"):
                path.unlink()
            runs = [subprocess.Popen([binary_under_test(), "create", "--dry-run", "-y", "-p", self.work / f"e{number}",
                                      *self.channel_arguments(self.server), "app"], env=self.environment,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                    for number in range(6)]
            for run in runs:
                text = run.communicate(timeout=120)[0].decode()
                self.assertEqual(run.returncode, 0, text)
        self.files(".tpi")
        self.assert_no_leftovers(self.cache / "cache")

    def test_every_field_is_as_the_json_has_it(self):
        record = {"license": "MIT \"x\" \u00e9", "license_family": "MIT", "timestamp": 1700000000, "track_features": "t u",
                  "features": "f", "arch": "x86_64", "platform": "linux", "size": 7, "md5": "0" * 32,
                  "sha256": "0123456789abcdef" * 4, "constrains": ["other <2"], "legacy_bz2_md5": "1" * 32,
                  "legacy_bz2_size": 9}
        package = self.channel.add("full", "1!2.0+local", "py_1", build_number=7, depends=["b >=1,<2", "c"])
        package.record.update(record)
        self.channel.write_index()
        for _ in range(2):                # as it was parsed, and as it was kept
            found = self.taipan_json("search", *self.channel_arguments(self.server), "full")
            shown = found["result"]["pkgs"][0] if "result" in found else found["full"][0]
            for key in ("version", "build", "build_number", "depends", "constrains", "license", "size", "md5", "sha256",
                        "track_features"):
                if key in shown:
                    wanted = package.record[key]
                    same = shown[key] if not isinstance(wanted, str) else str(shown[key])
                    self.assertEqual(same, wanted, key)
            self.assertEqual(shown["fn"], package.fn)
            self.assertIn("subdir", shown)
            self.assertEqual(shown["subdir"], SUBDIR)


if __name__ == "__main__":
    main()
