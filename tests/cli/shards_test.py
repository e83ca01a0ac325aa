"""Sharded repodata: only what is reachable is fetched, verified, and kept."""

import functools
import hashlib
import http.server
import json
import shutil
import threading

from shards import write_shards
from taipan_test import SUBDIR, TaipanTest, main
import faulty_server as faults  # noqa: I001 (taipan_test says where it is)

SHARDS = "*/shards/*.msgpack.zst"


def serve_one_at_a_time(test, folder):
    """A server as small scripts have it: HTTP/1.0, one connection after the other. It waits for the request on each."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)
    asked = []
    server = http.server.HTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    test.addCleanup(server.server_close)
    test.addCleanup(thread.join)
    test.addCleanup(server.shutdown)
    return f"http://127.0.0.1:{server.server_address[1]}", asked


class ShardsTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("app", depends=["lib >=1", "data", "__unix"])
        self.channel.add("lib", "1.0", depends=["base"])
        self.channel.add("lib", "2.0", depends=["base", "other"], extension=".tar.bz2")
        self.channel.add("base", record={"timestamp": 1700000000123})
        self.channel.add("other")
        self.channel.add("data", noarch="generic")
        self.channel.add("unrelated", depends=["far"])
        self.channel.add("far")
        self.channel.write_index()

    def shard(self, **options):
        self.hashes = {}
        for subdir in (SUBDIR, "noarch"):
            self.hashes |= write_shards(self.channel.folder / subdir, **options)
        self.server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(self.server.close)

    def asked_shards(self):
        return sorted(path.rsplit("/", 1)[1].split(".")[0] for _, path, _ in self.server.log if "/shards/" in path)

    def hashes_of(self, *names):
        return sorted(self.hashes[name] for name in names)

    def test_only_what_can_be_reached_is_fetched_and_once(self):
        self.shard()
        self.create("app", channel=self.server)
        self.assert_installed("app-1.0-0", "lib-2.0-0", "base-1.0-0", "other-1.0-0", "data-1.0-0")
        self.assertEqual(self.asked_shards(), self.hashes_of("app", "lib", "base", "other", "data"))
        self.assertEqual(self.server.requests("*/repodata.json*"), [])
        record = self.record("base")
        self.assertEqual(record["timestamp"], 1700000000123)
        self.assertEqual(record["sha256"], next(p for p in self.channel.packages if p.name == "base").record["sha256"])

    def test_two_hundred_names_are_two_hundred_requests(self):
        """In four levels, among others; each name that can be reached is asked for once, whoever needs it."""
        levels = [["top"], *([f"level{depth}-{number}" for number in range(count)] for depth, count in ((1, 30), (2, 80), (3, 89)))]
        packages = {SUBDIR: {}, "noarch": {}}

        def add(name, depends):
            record = {"name": name, "version": "1.0", "build": "0", "build_number": 0, "size": 1, "depends": depends,
                      "sha256": hashlib.sha256(name.encode()).hexdigest()}
            packages["noarch" if len(depends) % 2 else SUBDIR][f"{name}-1.0-0.conda"] = record

        for level, below in zip(levels, [*levels[1:], []]):
            for place, name in enumerate(level):
                add(name, [other for number, other in enumerate(below) if place in (number % len(level), number // 2 % len(level))])
        for number in range(50):
            add(f"other{number}", ["top"])
        reached = [name for level in levels for name in level]
        self.assertEqual(len(reached), 200)
        for subdir, records in packages.items():
            content = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": records}
            (self.channel.folder / subdir / "repodata.json").write_text(json.dumps(content))
        self.shard()
        self.create("--dry-run", "top", channel=self.server)
        self.assertEqual(self.asked_shards(), self.hashes_of(*reached))
        self.server.log.clear()
        self.create("--dry-run", "top", channel=self.server, prefix=self.work / "second")
        self.assertEqual(self.asked_shards(), [])

    def test_a_server_of_one_connection_at_a_time(self):
        """Connections that are opened in advance must not keep it from those that ask for something."""
        self.shard(keep_repodata=True)
        for shards in (True, False):
            with self.subTest(shards=shards):
                url, asked = serve_one_at_a_time(self, self.channel.folder)
                self.create("app", channel=url, prefix=self.work / f"env{shards}")
                self.assert_installed("app-1.0-0", "lib-2.0-0", "base-1.0-0", "other-1.0-0", "data-1.0-0",
                                      prefix=self.work / f"env{shards}")
                self.assertEqual(len([path for path in asked if "/shards/" in path]), 5 if shards else 0)
                for subdir in (SUBDIR, "noarch"):
                    (self.channel.folder / subdir / "repodata_shards.msgpack.zst").unlink(missing_ok=True)

    def test_shards_are_kept_and_the_index_is_validated(self):
        self.shard()
        self.create("app", channel=self.server)
        self.server.log.clear()
        self.create("app", channel=self.server, prefix=self.work / "second")
        self.assertEqual(self.asked_shards(), [])
        for headers in self.server.requests("*/repodata_shards.msgpack.zst"):
            self.assertTrue(headers.get("If-None-Match"))
        self.server.log.clear()
        self.create("app", "--offline", channel=self.server, prefix=self.work / "third")
        self.assertEqual(self.server.log, [])

    def test_a_changed_package_costs_its_shard(self):
        self.shard()
        self.create("app", channel=self.server)
        self.server.log.clear()
        self.channel.add("base", "2.0")
        self.channel.write_index()
        old = self.hashes
        self.hashes = {n: h for s in (SUBDIR, "noarch") for n, h in write_shards(self.channel.folder / s).items()}
        self.create("app", channel=self.server, prefix=self.work / "second")
        self.assertNotEqual(old["base"], self.hashes["base"])
        self.assertEqual(self.asked_shards(), self.hashes_of("base"))
        self.assertEqual({p.name for p in (self.work / "second/conda-meta").glob("base-*")}, {"base-2.0-0.json"})

    def test_what_changed_is_asked_for_without_levels(self):
        """lib's new shard comes when that of base was asked for: the old one said that lib needs it."""
        self.shard()
        self.create("app", channel=self.server)
        self.channel.add("lib", "3.0", depends=["base"])
        self.channel.add("base", "2.0")
        self.channel.write_index()
        self.hashes = {n: h for s in (SUBDIR, "noarch") for n, h in write_shards(self.channel.folder / s).items()}
        asked, in_time = threading.Event(), []
        self.server.log.clear()
        self.server.fail(f"*{self.hashes['base']}*", lambda handler: (asked.set(), handler.answer()))
        self.server.fail(f"*{self.hashes['lib']}*", lambda handler: (in_time.append(asked.wait(20)), handler.answer()))
        self.create("app", channel=self.server, prefix=self.work / "second")
        self.assertEqual(in_time, [True])
        self.assertEqual(self.asked_shards(), self.hashes_of("base", "lib"))
        self.assertTrue((self.work / "second/conda-meta/lib-3.0-0.json").exists())

    def test_those_of_one_package_are_fetched_at_the_same_time(self):
        """Each answer about what app needs waits until all of them are asked for."""
        self.shard()
        together = threading.Barrier(2, timeout=30)
        for name in ("lib", "data"):
            self.server.fail(f"*{self.hashes[name]}*", lambda handler: (together.wait(), handler.answer()))
        self.create("app", channel=self.server)
        self.assert_installed("app-1.0-0", "lib-2.0-0", "base-1.0-0", "other-1.0-0", "data-1.0-0")

    def test_no_level_waits_for_another(self):
        """data's shard comes when base's, two levels further down, was asked for."""
        self.shard()
        asked, in_time = threading.Event(), []
        self.server.fail(f"*{self.hashes['base']}*", lambda handler: (asked.set(), handler.answer()))
        self.server.fail(f"*{self.hashes['data']}*", lambda handler: (in_time.append(asked.wait(20)), handler.answer()))
        self.create("app", channel=self.server)
        self.assertEqual(in_time, [True])
        self.assert_installed("app-1.0-0", "lib-2.0-0", "base-1.0-0", "other-1.0-0", "data-1.0-0")

    def test_a_shard_with_another_hash_is_refused(self):
        self.shard()
        path = self.channel.folder / SUBDIR / "shards" / f"{self.hashes['lib']}.msgpack.zst"
        good = path.read_bytes()
        path.write_bytes((self.channel.folder / SUBDIR / "shards" / f"{self.hashes['base']}.msgpack.zst").read_bytes())
        result = self.create("app", channel=self.server, code=1)
        self.assert_failed(result, "lib", "sha256")
        self.assert_no_environment()
        path.write_bytes(good)
        self.create("app", channel=self.server)

    def test_damaged_shards_in_the_cache_are_fetched_again(self):
        self.shard()
        self.create("app", channel=self.server)
        kept = sorted((self.cache / "cache/shards").iterdir())
        self.assertEqual(len(kept), 5)
        for number, path in enumerate(kept):
            data = bytearray(path.read_bytes())
            if number % 2:
                data[len(data) // 2] ^= 0x20
            path.write_bytes(data if number % 2 else data[:-9])
        self.server.log.clear()
        self.create("app", channel=self.server, prefix=self.work / "second")
        self.assertEqual(len(self.asked_shards()), 5)

    def test_a_channel_without_shards_is_asked_once(self):
        self.server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(self.server.close)
        self.create("app", channel=self.server)
        self.assertGreater(len(self.server.requests("*/repodata_shards.msgpack.zst")), 1)
        self.server.log.clear()
        self.create("app", channel=self.server, prefix=self.work / "second")
        self.assertEqual(self.server.requests("*/repodata_shards.msgpack.zst"), [])

    def test_a_broken_index_of_shards_is_no_obstacle(self):
        self.shard(keep_repodata=True)
        for subdir in (SUBDIR, "noarch"):
            (self.channel.folder / subdir / "repodata_shards.msgpack.zst").write_bytes(b"no index")
        self.create("app", channel=self.server)
        self.assert_installed("app-1.0-0", "lib-2.0-0", "base-1.0-0", "other-1.0-0", "data-1.0-0")

    def large_index(self):
        """Makes the index of shards larger than a part of it; a fault for its later parts is what is returned."""
        path = self.channel.folder / SUBDIR / "repodata.json"
        content = json.loads(path.read_text())
        for number in range(2000):
            content["packages.conda"][f"filler{number}-1.0-0.conda"] = {
                "name": f"filler{number}", "version": "1.0", "build": "0", "build_number": 0, "size": 1, "depends": []}
        path.write_text(json.dumps(content))
        self.shard()
        file = self.channel.folder / SUBDIR / "repodata_shards.msgpack.zst"
        self.assertGreater(file.stat().st_size, 60_000)

        def fail_later_parts(fault):
            def choose(handler):
                later = handler.headers.get("Range", "bytes=0-").split("=")[1].split("-")[0] != "0"
                return fault(handler) if later else handler.answer()
            self.server.fail(f"/{SUBDIR}/repodata_shards.msgpack.zst", choose, always=True)
        return file, fail_later_parts

    def assert_index_kept(self, file):
        kept = [path.read_bytes() for path in (self.cache / "cache").glob("*.msgpack.zst")]
        self.assertIn(file.read_bytes(), kept)

    def ranges(self):
        return [headers.get("Range") for headers in self.server.requests(f"/{SUBDIR}/repodata_shards.msgpack.zst")]

    def test_a_large_index_comes_in_parts_at_the_same_time(self):
        """The first part's answer waits until another one is asked for; together they are the file, each byte once."""
        file, fail_later_parts = self.large_index()
        asked, in_time = threading.Event(), []
        fail_later_parts(lambda handler: (asked.set(), handler.answer()))
        self.server.fail("/noarch/repodata_shards.msgpack.zst", lambda handler: (in_time.append(asked.wait(20)), handler.answer()))
        self.create("app", channel=self.server)
        self.assertEqual(in_time, [True])
        self.assert_index_kept(file)
        ends = [tuple(map(int, text.split("=")[1].split("-"))) for text in self.ranges()]
        size, position = file.stat().st_size, 0
        for first, last in sorted(ends):
            self.assertEqual(first, position)
            position = last + 1
        self.assertGreaterEqual(position, size)
        self.assertGreater(len(ends), 4)

    def test_a_server_that_knows_no_parts(self):
        file, _ = self.large_index()

        def whole(handler):
            del handler.headers["Range"]
            handler.answer()
        self.server.fail("*/repodata_shards.msgpack.zst", whole, always=True)
        self.create("app", channel=self.server)
        self.assert_index_kept(file)

    def test_parts_of_different_indexes_do_not_go_together(self):
        file, fail_later_parts = self.large_index()

        def newer(handler):
            """As if the file had been replaced after the first part was read."""
            begin = handler.begin
            handler.begin = lambda code, headers, length: begin(code, headers | {"ETag": '"another"'}, length)
            handler.answer()
            del handler.begin
        fail_later_parts(newer)
        self.create("app", channel=self.server)
        self.assert_index_kept(file)
        self.assertIn(None, self.ranges())

    def test_parts_without_a_validator_do_not_go_together(self):
        file, _ = self.large_index()

        def without(handler):
            begin = handler.begin
            handler.begin = lambda code, headers, length: begin(
                code, {key: value for key, value in headers.items() if key not in ("ETag", "Last-Modified")}, length)
            handler.answer()
            del handler.begin
        self.server.fail("*/repodata_shards.msgpack.zst", without, always=True)
        self.create("app", channel=self.server)
        self.assert_index_kept(file)
        self.assertIn(None, self.ranges())

    def test_a_part_that_does_not_come_is_no_obstacle(self):
        file, fail_later_parts = self.large_index()
        for number, fault in enumerate((faults.silent(), faults.status(503), faults.reset(None), faults.status(429))):
            with self.subTest(number):
                self.server._faults.clear()
                fail_later_parts(fault)
                self.create("app", channel=self.server, prefix=self.work / "env2", env={"CONDA_PKGS_DIRS": str(self.work / "pkgs2")})
                kept = [path.read_bytes() for path in (self.work / "pkgs2/cache").glob("*.msgpack.zst")]
                self.assertIn(file.read_bytes(), kept)
                for folder in ("env2", "pkgs2"):
                    shutil.rmtree(self.work / folder)

    def test_searching_takes_the_whole_index(self):
        self.shard(keep_repodata=True)
        found = self.taipan_json("search", *self.channel_arguments(self.server), "*")
        self.assertIn("far", str(found))
        self.assertEqual(self.asked_shards(), [])

    def test_shards_and_packages_may_lie_elsewhere(self):
        self.shard(shards_base_url="../elsewhere", base_url="../packages")
        for subdir in (SUBDIR, "noarch"):
            for path in (self.channel.folder / subdir / "shards").iterdir():
                (self.channel.folder / "elsewhere").mkdir(exist_ok=True)
                path.rename(self.channel.folder / "elsewhere" / path.name)
        (self.channel.folder / "packages").mkdir()
        for package in self.channel.packages:
            package.path.rename(self.channel.folder / "packages" / package.path.name)
        self.create("app", channel=self.server)
        self.assertEqual(self.record("app")["url"], f"{self.server.url}/packages/app-1.0-0.conda")

    def test_shards_can_be_switched_off(self):
        self.shard(keep_repodata=True)
        self.create("app", channel=self.server, env={"CONDA_REPODATA_USE_SHARDS": "false"})
        self.assertEqual(self.server.requests("*shards*"), [])


if __name__ == "__main__":
    main()
