"""`taipan cache prune` leaves what files need; `taipan cache stats` tells what is there and how it was used."""

import os
import subprocess

from taipan_test import BYTECODE, TaipanTest, main


class PruneTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("lib", files={"lib/lib.so": b"\0" * 100000})
        self.channel.add("app", depends=["lib"])
        self.channel.add("unwanted", files={"share/large": b"x" * 50000})
        self.channel.write_index()
        self.server = self.serve(self.channel)
        self.file = self.work / "environment.yml"
        self.file.write_text(f"channels: [{self.server.url}, nodefaults]\ndependencies: [app]\n")
        self.channels = ["--override-channels", "-c", self.server.url]

    def entries(self):
        return sorted(p.name for p in self.cache.iterdir() if not p.name.startswith(".") and not
                      p.name.startswith("urls") and p.name != "cache")

    NEEDED = ["app-1.0-0", "app-1.0-0.conda", "lib-1.0-0", "lib-1.0-0.conda"]

    def test_what_is_not_needed_goes(self):
        self.taipan("warm", "app", "unwanted", *self.channels)
        stale = self.cache / BYTECODE / "python-3.11.0-0" / "unwanted-1.0-0-0123456789abcdef"
        stale.mkdir(parents=True)
        (stale / "manifest").write_text("x")
        strange = self.cache / "cache/ffffffff.json"
        strange.write_text("{}")
        before = self.entries()
        result = self.taipan("cache", "prune", "-f", self.file, "--dry-run")
        self.assertIn("Would free", result.stdout)
        self.assertEqual(self.entries(), before)
        self.assertTrue(stale.exists() and strange.exists())
        document = self.taipan_json("cache", "prune", "-f", self.file)
        self.assertEqual(sorted(entry["name"] for entry in document["removed"]),
                         sorted(["unwanted-1.0-0", "unwanted-1.0-0.conda", str(stale.relative_to(self.cache)),
                                 "cache/ffffffff.json"]))
        self.assertGreater(document["freed"], 50000)
        self.assertEqual(self.entries(), self.NEEDED)
        self.assertFalse(stale.exists() or strange.exists())
        self.assert_cache_sound(self.channel)
        self.server.close()
        self.assertIn("nothing", self.taipan("cache", "prune", "-f", self.file, "--offline").stdout)
        self.taipan("env", "create", "--offline", "-f", self.file, "-p", self.prefix)

    def test_one_form_only(self):
        self.taipan("warm", "-f", self.file)
        self.taipan("cache", "prune", "-f", self.file, "--archives")
        self.assertEqual(self.entries(), ["app-1.0-0.conda", "lib-1.0-0.conda"])
        self.taipan("warm", "-f", self.file)
        self.taipan("cache", "prune", "-f", self.file, "--extracted")
        self.assertEqual(self.entries(), ["app-1.0-0", "lib-1.0-0"])
        self.taipan("env", "create", "--offline", "-f", self.file, "-p", self.prefix)

    def test_environments_keep_their_files(self):
        self.taipan("create", "-y", "-p", self.prefix, "unwanted", *self.channels)
        document = self.taipan_json("cache", "prune", "-f", self.file)
        linked = {entry["name"]: entry["linked"] for entry in document["removed"]}
        self.assertTrue(linked["unwanted-1.0-0"])
        self.assertEqual((self.prefix / "share/large").read_bytes(), b"x" * 50000)
        self.assertLess(document["freed"], 50000)

    def test_nothing_goes_while_another_run_uses_the_cache(self):
        """A create that is stopped in the middle keeps the whole cache; when it has ended, pruning goes on."""
        self.taipan("warm", "app", "unwanted", *self.channels)
        script = "#!/bin/sh\necho $$ > \"$PREFIX/../pid\"\nwhile [ -e \"$PREFIX/../pid\" ]; do sleep 0.05; done\n"
        self.channel.add("slow", depends=["unwanted"], files={"bin/.slow-post-link.sh": script})
        self.channel.write_index()
        with subprocess.Popen([os.environ["TAIPAN_BINARY"], "create", "-y", "-p", self.prefix, "slow", *self.channels,
                               "--repodata-ttl", "0"], env=self.environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as running:
            while not (self.work / "pid").exists():
                self.assertIsNone(running.poll(), "the create ended before its script ran")
            pruning = subprocess.Popen([os.environ["TAIPAN_BINARY"], "cache", "prune", "-f", self.file],
                                       env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            with self.assertRaises(subprocess.TimeoutExpired):
                pruning.wait(1)
            self.assertTrue((self.cache / "unwanted-1.0-0").exists())
            (self.work / "pid").unlink()
            self.assertEqual(running.wait(60), 0, running.stderr.read())
        _, errors = pruning.communicate(timeout=60)
        self.assertEqual(pruning.returncode, 0, errors)
        self.assertEqual(self.entries(), self.NEEDED)

    def test_what_is_wrong_is_said(self):
        self.taipan("cache", "prune", code=2)
        self.assert_failed(self.taipan("cache", "prune", "-f", "missing.yml", code=1), "missing.yml")
        self.assertFalse(self.cache.exists() and self.entries())


class StatsTest(TaipanTest):
    def stats(self):
        return self.taipan_json("cache", "stats")["caches"][0]

    def test_numbers_sizes_and_hits(self):
        self.assertIn("no package cache", self.taipan("cache", "stats").stdout)
        channel = self.tiny_channel()
        channel.add("a", files={"share/a": b"a" * 1000})
        channel.add("b")
        channel.write_index()
        self.channel = self.serve(channel)
        self.taipan("warm", "--archives", "--override-channels", "-c", self.channel.url, "a", "b")
        stats = self.stats()
        self.assertEqual(stats["archives"], {"entries": 2, "files": 2, "size": sum(
            p.record["size"] for p in channel.packages)})
        self.assertEqual(stats["extracted"]["entries"], 0)
        self.assertGreater(stats["index"]["entries"], 0)
        self.assertEqual((stats["uses"]["runs"], stats["uses"]["misses"], stats["uses"]["hits"]), (1, 2, 0))
        self.create("a")
        self.create("a", prefix=self.work / "second")
        stats = self.stats()
        self.assertEqual(stats["extracted"]["entries"], 1)
        self.assertEqual(stats["used_by_environments"]["entries"], 1)
        uses = stats["uses"]
        self.assertEqual((uses["runs"], uses["hits_archives"], uses["hits_extracted"], uses["misses"]), (3, 1, 1, 2))
        self.assertEqual(uses["hit_rate"], 0.5)
        text = self.taipan("cache", "stats").stdout
        self.assertIn(str(self.cache), text)
        self.assertIn("50 %", text)

    def test_a_cache_that_cannot_be_written_is_read(self):
        channel = self.tiny_channel()
        channel.add("a")
        channel.write_index()
        self.channel = channel
        self.create("a")
        uses = (self.cache / ".taipan-uses").read_text()
        read_only = {"CONDA_PKGS_DIRS": f"{self.work / 'mine'},{self.cache}"}
        self.create("a", prefix=self.work / "second", env=read_only)
        self.assertEqual((self.cache / ".taipan-uses").read_text(), uses)
        caches = self.taipan_json("cache", "stats", env=read_only)["caches"]
        self.assertEqual([c["directory"] for c in caches], [str(self.work / "mine"), str(self.cache)])


if __name__ == "__main__":
    main()
