"""`taipan clean`: what the cache can do without goes, what environments are made of stays."""

import os

from taipan_test import TaipanTest, main, tree


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
        self.assertRegex(result.stdout, r"package archives +2\b")
        self.assertRegex(result.stdout, r"unused packages +1\b")
        self.assertEqual(list(tree(self.cache)), before)

    def test_an_empty_cache_is_fine(self):
        self.taipan("clean", "-y", "--all", env={"CONDA_PKGS_DIRS": str(self.work / "nothing-here")})


if __name__ == "__main__":
    main()
