"""Indexes that are missing, broken or lie."""

import gzip
import hashlib
import json
import os
import subprocess
import time

import faulty_server as faults
import zstandard
from taipan_test import SUBDIR, TaipanTest, binary_under_test, main

SOON = {"CONDA_REMOTE_READ_TIMEOUT_SECS": "1", "CONDA_REMOTE_MAX_RETRIES": "1"}


class IndexTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.package = self.channel.add("app")
        self.channel.write_index()
        self.server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(self.server.close)

    def assert_refused(self, *needles, specs=("app",), **options):
        result = self.create(*specs, channel=self.server, code=1, **options)
        self.assert_failed(result, *needles)
        self.assert_no_environment()
        self.assert_cache_sound(self.channel)
        return result

    def assert_works_afterwards(self):
        self.server._faults.clear()
        self.channel.write_index()
        self.create("app", channel=self.server)
        self.assert_installed("app-1.0-0")

    def test_no_channel_there(self):
        self.server.fail("*", faults.status(404), always=True)
        self.assert_refused(self.server.url, "404")
        self.assert_works_afterwards()

    def test_a_missing_noarch_is_an_error_and_a_missing_platform_is_not(self):
        self.channel.add("everywhere", noarch="generic")
        self.channel.write_index()
        self.server.fail(f"/{SUBDIR}/*", faults.status(404), always=True)
        self.create("everywhere", channel=self.server)
        self.assert_installed("everywhere-1.0-0")
        self.server._faults.clear()
        self.taipan("env", "remove", "-y", "-p", self.prefix)
        self.server.fail("/noarch/*", faults.status(404), always=True)
        self.taipan("clean", "-y", "--index-cache")
        self.assert_refused(f"{self.server.url}/noarch")

    def test_forbidden_is_not_the_same_as_missing(self):
        for code in (401, 403):
            with self.subTest(code=code):
                self.server.fail(f"/{SUBDIR}/*", faults.status(code), always=True)
                self.assert_refused(str(code), f"{self.server.url}/{SUBDIR}")
                self.server._faults.clear()

    def test_server_errors(self):
        self.server.fail(f"/{SUBDIR}/*", faults.status(500), always=True)
        self.assert_refused("500", f"{self.server.url}/{SUBDIR}")
        self.assert_works_afterwards()

    def test_a_damaged_zst(self):
        path = self.channel.folder / SUBDIR / "repodata.json.zst"
        good = path.read_bytes()
        for bad in (good[:len(good) // 2], b"no zstd at all", good[:20] + b"\xff" * 20 + good[40:], b""):
            with self.subTest(size=len(bad)):
                path.write_bytes(bad)
                result = self.create("app", channel=self.server)
                self.assert_installed("app-1.0-0")
                self.assertIn(f"{self.server.url}/{SUBDIR}/repodata.json.zst", result.stderr)
                self.taipan("env", "remove", "-y", "-p", self.prefix)
                self.assert_cache_sound(self.channel)
        path.write_bytes(good)
        self.server.log.clear()
        self.assert_works_afterwards()
        self.assertEqual(len(self.server.requests(f"/{SUBDIR}/repodata.json.zst")), 1)

    def test_a_damaged_zst_without_a_good_json(self):
        for suffix in ("", ".zst"):
            (self.channel.folder / SUBDIR / f"repodata.json{suffix}").write_bytes(b"no index")
        self.assert_refused(f"{self.server.url}/{SUBDIR}/repodata.json")
        (self.channel.folder / SUBDIR / "repodata.json").unlink()
        self.assert_refused(f"{self.server.url}/{SUBDIR}/repodata.json")

    def test_text_that_is_no_index(self):
        path = self.channel.folder / SUBDIR / "repodata.json"
        good = path.read_bytes()
        url = f"{self.server.url}/{SUBDIR}"
        for bad, needle in ((good[:len(good) // 2], url), (b"<html>Please log in</html>", url), (b"", url),
                            (b'"text"', url), (b"[1, 2, 3]", url), (b"\xff\xfe\x00", url), (b"[" * 100000, url),
                            (b'{"packages": 17}', ""), (b'{"packages.conda": {"app-1.0-0.conda": []}}', "app")):
            with self.subTest(start=bad[:30]):
                self.channel.write_index(zst=False)
                path.write_bytes(bad)
                self.assert_refused(needle)
        self.assert_works_afterwards()

    def test_a_newer_kind_of_index(self):
        path = self.channel.folder / SUBDIR / "repodata.json"
        content = json.loads(path.read_text()) | {"repodata_version": 9}
        self.channel.write_index(zst=False)
        path.write_text(json.dumps(content))
        self.assert_refused(f"{self.server.url}/{SUBDIR}")

    def test_a_truncated_index_is_fetched_again(self):
        self.server.fail("*.zst", faults.truncated())
        self.create("app", channel=self.server)
        self.assert_installed("app-1.0-0")

    def test_a_server_that_has_trouble_with_zst_only(self):
        for code in (204, 304, 400, 403, 405, 416, 500):
            with self.subTest(code=code):
                self.server.fail("*.zst", faults.status(code, body=b""), always=True)
                prefix = self.work / f"env{code}"
                self.create("--dry-run", "app", channel=self.server, prefix=prefix, env=SOON)
                self.taipan("clean", "-y", "--index-cache")
                self.server._faults.clear()

    def test_trouble_is_not_taken_for_a_subdir_that_is_not_there(self):
        self.server.fail(f"/{SUBDIR}/*.zst", faults.status(500), always=True)
        self.server.fail(f"/{SUBDIR}/repodata.json", faults.status(404), always=True)
        self.assert_refused("500", f"{self.server.url}/{SUBDIR}", env=SOON)

    def test_an_index_that_is_sent_compressed(self):
        """As object stores do, whose files have been stored like that."""
        self.channel.write_index(zst=False)
        for subdir in (SUBDIR, "noarch"):
            path = self.channel.folder / subdir / "repodata.json"
            path.write_bytes(gzip.compress(path.read_bytes()))

        def encoded(change=lambda data: data):
            def fault(handler):
                data = handler.content()
                handler.begin(200, handler.validators(data) | {"Content-Encoding": "gzip"}, len(data))
                handler.wfile.write(change(data))
                if len(change(data)) < len(data):
                    handler.hang_up()
            return fault

        self.server.fail("*/repodata.json", encoded(lambda data: data[:-30]), encoded(lambda data: data[:-30]), encoded(),
                         always=True)
        self.create("--dry-run", "app", channel=self.server)
        for path in (self.cache / "cache").glob("????????.json"):
            self.assertIn("info", json.loads(path.read_text()))

    def test_a_large_index_is_read_while_it_arrives(self):
        """However it arrives, it is the same index in the end."""
        records = {}
        for number in range(45_000):
            digest = hashlib.sha256(str(number).encode()).hexdigest()
            records[f"p{number}-1.0-0.conda"] = {"name": f"p{number}", "version": "1.0", "build": "0", "build_number": 0,
                                                 "depends": ["app"], "md5": digest[:32], "sha256": digest, "size": 1}
        path = self.channel.folder / SUBDIR / "repodata.json"
        content = json.loads(path.read_text())
        content["packages.conda"] |= records
        path.write_text(json.dumps(content))
        zst = zstandard.compress(path.read_bytes())
        self.assertGreater(len(zst), 2 << 20)
        path.with_name("repodata.json.zst").write_bytes(zst)

        def cut_off(handler):  # and nothing that says whether it is still the same file afterwards
            data = handler.content()
            handler.begin(200, {}, len(data))
            handler.wfile.write(data[:len(data) * 4 // 5])
            handler.hang_up()

        kept = []
        for name, answers in {"whole": [], "slow": [faults.drip(1)], "resumed": [faults.reset(0.8)],
                              "begun anew": [cut_off]}.items():
            with self.subTest(name):
                self.server.fail(f"/{SUBDIR}/repodata.json.zst", *answers)
                self.create("--dry-run", "p44999", channel=self.server, prefix=self.work / name, env=SOON)
                kept.append(sorted((file.name[8:], file.stat().st_size) for file in (self.cache / "cache").iterdir()
                                   if not file.name.endswith(".info.json")))
                self.assertEqual(kept[-1], kept[0])
                self.taipan("clean", "-y", "--index-cache")
        path.with_name("repodata.json.zst").write_bytes(zst[:-1000])
        path.unlink()
        self.assert_refused(f"{self.server.url}/{SUBDIR}", specs=("p44999",))
        self.assert_no_leftovers(self.cache / "cache")

    def test_a_stalled_index(self):
        self.server.fail(f"/{SUBDIR}/*", faults.stall(0.2), always=True)
        self.assert_refused(f"{self.server.url}/{SUBDIR}", env=SOON)

    def test_records_that_lead_out_of_the_cache(self):
        """File names and package names come from outside too."""
        for key, record in (("../../evil-1.0-0.conda", {"name": "evil"}), ("evil-1.0-0.conda", {"name": "../../evil"}),
                            ("a/b-1.0-0.conda", {"name": "evil"}), ("evil-1.0-0.conda", {"build": "../../0"})):
            with self.subTest(key=key, record=record):
                self.channel.write_index(zst=False)
                path = self.channel.folder / SUBDIR / "repodata.json"
                content = json.loads(path.read_text())
                content["packages.conda"][key] = self.package.record | {"name": "evil"} | record
                path.write_text(json.dumps(content))
                before = {p.name for p in self.work.iterdir()} | {"pkgs", "root"}
                result = self.create("evil", channel=self.server, code=1)
                self.assert_failed(result, "evil")
                self.assertEqual({p.name for p in self.work.iterdir()} - before, set())
                self.assert_no_environment()

    def test_a_damaged_cached_index_is_fetched_again(self):
        self.create("app", channel=self.server)
        for path in (self.cache / "cache").glob("*.json"):
            path.write_text("{ broken")
        self.create("app", channel=self.server, prefix=self.work / "second")
        self.assert_installed("app-1.0-0", prefix=self.work / "second")

    def test_an_index_file_that_is_cut_short_while_it_is_read(self):
        channel, other = self.tiny_channel(), self.tiny_channel("other")
        for name in ("a", "b", "c"):
            channel.add(name, depends=["zz"] if name == "a" else [])
        channel.add("zz")
        channel.write_index()
        other.add("late")
        other.write_index()
        fast = self.serve(channel)
        with faults.FaultyServer(other.folder) as slow:
            slow.fail("*/repodata.json*", faults.drip(0.6), always=True)
            arguments = ["create", "-y", "-p", self.prefix, "--repodata-ttl", "600", "--override-channels", "-c",
                         fast.url, "-c", slow.url, "a", "late"]
            self.create("b", channel=fast, prefix=self.work / "first")
            process = subprocess.Popen([binary_under_test(), *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            while not slow.requests("*/repodata.json*"):
                time.sleep(0.01)
            time.sleep(0.3)  # by now the other index is mapped, on any machine that is not asleep
            for index in (self.cache / "cache").glob("*.tpi"):
                os.truncate(index, 0)
            _, error = process.communicate(timeout=60)
            # On a machine that was asleep it was mapped afterwards, and made anew.
            self.assertIn(process.returncode, (0, 1), error.decode())
            if process.returncode == 1:
                self.assertIn("cut short", error.decode())
                self.assert_no_environment()
            self.taipan(*arguments)
        self.assert_installed("a-1.0-0", "late-1.0-0", "zz-1.0-0")


if __name__ == "__main__":
    main()
