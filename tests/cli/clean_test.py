"""`taipan clean`: what the cache can do without goes, what environments are made of stays."""

import os

from taipan_test import TaipanTest, binary_under_test, main, tree


class CleanTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("used")
        self.channel.add("unused")
        self.channel.write_index()
        self.server = self.serve(self.channel)
        self.create("used", channel=self.server)
        self.create("unused", prefix=self.work / "short-lived", channel=self.server)
        self.taipan("env", "remove", "-y", "-p", self.work / "short-lived")

    def cached(self):
        return sorted(p.name for p in self.cache.iterdir() if "-1.0-0" in p.name)

    def index_cache(self):
        return os.listdir(self.cache / "cache") if (self.cache / "cache").exists() else []

    def test_tarballs(self):
        self.taipan("clean", "-y", "--tarballs")
        self.assertEqual(self.cached(), ["unused-1.0-0", "used-1.0-0"])

    def test_packages_that_no_environment_uses(self):
        self.taipan("clean", "-y", "--packages")
        self.assertNotIn("unused-1.0-0", self.cached())
        self.assertIn("used-1.0-0", self.cached())

    def test_index_cache(self):
        self.assertTrue(self.index_cache())
        self.taipan("clean", "-y", "--index-cache")
        self.assertEqual(self.index_cache(), [])
        self.assertIn("used-1.0-0", self.cached())

    def test_what_mamba_keeps_beside_its_caches(self):
        (self.work / "micromamba").symlink_to(binary_under_test())
        shared = self.home / ".cache/conda"
        shards = shared / "pkgs/cache/shards"

        def clean(*arguments, binary=None, **options):
            shards.mkdir(parents=True, exist_ok=True)
            (shards / "one.msgpack.zst").write_bytes(b"shard")
            (shared / "notices.json").write_text("{}")
            return self.taipan("clean", "-y", *arguments, binary=binary, **options)

        clean("--all")
        self.assertTrue((shards / "one.msgpack.zst").exists())
        clean("--all", "--dry-run", binary=self.work / "micromamba")
        self.assertTrue((shards / "one.msgpack.zst").exists())
        clean("--index-cache", binary=self.work / "micromamba")
        self.assertFalse(shards.exists())
        self.assertTrue((shared / "notices.json").exists())
        clean("--all", binary=self.work / "micromamba", env={"CONDA_PKGS_DIRS": str(shared / "pkgs")})
        self.assertFalse(shared.exists())

    def test_all_and_then_everything_still_works(self):
        before = list(tree(self.prefix))
        self.taipan("clean", "-y", "--all")
        self.assertEqual([name for name in self.cached() if name != "used-1.0-0"], [])
        self.assertEqual(list(tree(self.prefix)), before)
        self.create("used", "unused", prefix=self.work / "again", channel=self.server)
        self.assert_installed("unused-1.0-0", "used-1.0-0", prefix=self.work / "again")
        self.assert_cache_sound(self.channel)

    def test_unused_for_some_days(self):
        before = self.cached()
        self.taipan("clean", "-y", "--unused", "1")
        self.assertEqual(self.cached(), before)
        self.taipan("clean", "-y", "--unused", "0")
        self.assertEqual(self.cached(), ["used-1.0-0", "used-1.0-0.conda"])
        self.taipan("env", "remove", "-y", "-p", self.prefix)
        self.taipan("clean", "-y", "--unused", "1")  # it was used just now
        self.assertEqual(self.cached(), ["used-1.0-0", "used-1.0-0.conda"])
        self.assert_failed(self.taipan("clean", "-y", "--unused", "soon", code=1), "soon")

    def test_dry_run_removes_nothing(self):
        before = list(tree(self.cache))
        result = self.taipan("clean", "--dry-run", "--all")
        self.assertRegex(result.stdout, r"Will remove 2 \(.+\) tarball\(s\)\.\n")
        self.assertRegex(result.stdout, r"Will remove 1 \(.+\) package\(s\)\.\n")
        self.assertIn("There are no tempfile(s) to remove.", result.stdout)
        self.assertIn("DryRunExit: Dry run. Exiting.", result.stderr)
        self.assertEqual(list(tree(self.cache)), before)

    def test_json_as_conda_writes_it(self):
        result = self.taipan_json("clean", "--dry-run", "--all")
        cache = str(self.cache)
        self.assertEqual(result["index_cache"], {"files": [f"{cache}/cache"]})
        self.assertEqual(result["packages"]["pkgs_dirs"], {cache: ["unused-1.0-0"]})
        tarballs = result["tarballs"]
        self.assertEqual(tarballs["pkgs_dirs"], {cache: ["unused-1.0-0.conda", "used-1.0-0.conda"]})
        sizes = {p.fn: p.record["size"] for p in self.channel.packages}
        self.assertEqual((tarballs["pkg_sizes"], tarballs["total_size"]), ({cache: sizes}, sum(sizes.values())))
        self.assertEqual((result["tempfiles"], result["logfiles"], result["success"]), ([], [], True))
        self.assertEqual(sorted(self.taipan_json("clean", "-y", "--tarballs")), ["success", "tarballs"])
        self.assertEqual(self.cached(), ["unused-1.0-0", "used-1.0-0"])

    def test_tempfiles_of_environments(self):
        (self.root_prefix / "bin").mkdir(parents=True)
        in_root = self.root_prefix / "bin/x.c~"
        in_env = [self.prefix / "share/a.trash", self.prefix / "b.mamba_trash"]
        for path in [in_root, *in_env, self.cache / ".taipan-spool-17-0"]:
            path.write_text("x")
        self.assertEqual(self.taipan_json("clean", "-y", "--tempfiles")["tempfiles"],
                         [str(self.cache / ".taipan-spool-17-0"), str(in_root)])
        self.assertFalse(in_root.exists())
        self.assertEqual(self.taipan_json("clean", "-y", "-c", self.prefix)["tempfiles"],
                         sorted(map(str, in_env)))
        self.assertFalse(any(path.exists() for path in in_env))
        self.taipan("clean", "-y", "--tarballs", self.prefix, code=2)

    def test_logs_and_locks(self):
        (self.cache / ".logs").mkdir()
        for switch, logs, locks in (("--logfiles", 1, None), ("--locks", None, 1), ("-l", 1, 1)):
            (self.cache / ".logs/one.log").write_text("x")
            (self.cache / "pkgs.lock").write_text("")
            result = self.taipan_json("clean", "-y", switch)
            counts = [None if key not in result else len(result[key]) for key in ("logfiles", "locks")]
            self.assertEqual(counts, [logs, locks], switch)
        self.assertEqual(os.listdir(self.cache / ".logs"), [])

    def test_the_whole_cache(self):
        result = self.taipan_json("clean", "-y", "--force-pkgs-dirs", "--dry-run")
        self.assertEqual(result, {"pkgs_dirs": [str(self.cache)], "success": True})
        self.taipan("clean", "-y", "-f")
        self.assertFalse(self.cache.exists())
        self.assertTrue((self.prefix / "share/used.txt").exists())

    def test_folders_that_mamba_keeps_for_channels(self):
        folder = self.cache / "https/host/chan/noarch"
        folder.mkdir(parents=True)
        for name in self.cached():
            (self.cache / name).rename(folder / name)
        self.taipan("clean", "-y", "--all")
        self.assertEqual(os.listdir(folder), ["used-1.0-0"])

    def test_a_target_must_be_named(self):
        self.taipan("clean", "-y", code=2)

    def test_an_empty_cache_is_fine(self):
        self.taipan("clean", "-y", "--all", env={"CONDA_PKGS_DIRS": str(self.work / "nothing-here")})


if __name__ == "__main__":
    main()
