"""Two packages with one path: who has it, what `path_conflict` says, and that the other's file comes back."""

import os
import shutil

from taipan_test import TaipanTest, main, tree
from tiny_channel import PLACEHOLDER, File, Link


class ClobberTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()

    def add(self, name, files, **options):
        self.channel.add(name, files=files, **options)
        self.channel.write_index()

    def text(self, path):
        return (self.prefix / path).read_text()

    def three_owners(self):
        """In dependency order: zz, then mm, then aa."""
        self.add("zz", {"share/x": f"zz {PLACEHOLDER}", "share/zz": "zz"})
        self.add("mm", {"share/x": f"mm {PLACEHOLDER}"}, depends=["zz"])
        self.add("aa", {"share/x": f"aa {PLACEHOLDER}"}, depends=["mm"])

    def in_prefix(self, name):
        return next(p for p in self.record(name)["paths_data"]["paths"] if p["_path"] == "share/x")["sha256_in_prefix"]

    # ---- who wins

    def test_the_last_in_dependency_order_has_the_path(self):
        self.three_owners()
        hashes = set()
        for _ in range(5):
            self.create("aa")
            self.assertEqual(self.text("share/x"), f"aa {self.prefix}")
            hashes.add(tuple(self.in_prefix(name) for name in ("aa", "mm", "zz")))
        self.assertEqual(len(hashes), 1, "what the records say depends on who came first")
        self.assertEqual(len(set(hashes.pop())), 3)

    def test_a_package_that_is_installed_later_has_the_path(self):
        self.three_owners()
        self.add("later", {"share/x": "later"})
        self.create("aa")
        self.install("later")
        self.assertEqual(self.text("share/x"), "later")
        for name in ("aa", "mm", "zz", "later"):
            self.assertIn("share/x", self.record(name)["files"])

    # ---- when the owner goes

    def test_the_file_of_the_next_one_comes_back(self):
        self.three_owners()
        self.create("aa")
        self.remove("aa", "--force")
        self.assertEqual(self.text("share/x"), f"mm {self.prefix}")
        self.remove("zz", "--force")
        self.assertEqual(self.text("share/x"), f"mm {self.prefix}")
        self.remove("mm", "--force")
        self.assertFalse((self.prefix / "share").exists())

    def test_it_is_fetched_again_when_the_cache_has_lost_it(self):
        self.three_owners()
        self.create("aa")
        shutil.rmtree(self.cache)
        self.remove("aa", "--force")
        self.assertEqual(self.text("share/x"), f"mm {self.prefix}")

    def test_offline_a_lost_file_is_told_about(self):
        self.three_owners()
        self.create("aa")
        shutil.rmtree(self.cache)
        result = self.remove("aa", "--force", "--offline")
        self.assertIn("mm-1.0-0", result.stderr)
        self.assertFalse((self.prefix / "share/x").exists())

    def test_an_upgrade_that_has_the_path_no_more_gives_it_back(self):
        self.add("base", {"share/x": "base"})
        self.add("over", {"share/x": "over"}, version="1", depends=["base"])
        self.add("over", {"share/y": "over"}, version="2", depends=["base"])
        self.create("over=1")
        self.assertEqual(self.text("share/x"), "over")
        self.install("over=2")
        self.assertEqual(self.text("share/x"), "base")
        self.install("over=1")
        self.assertEqual(self.text("share/x"), "over")

    def test_a_script_and_a_symlink_come_back_as_they_were(self):
        self.add("base", {"bin/tool": File("#!/bin/sh\n", mode=0o755), "lib/link": Link("target")})
        self.add("over", {"bin/tool": File("over", mode=0o644), "lib/link": Link("elsewhere")}, depends=["base"])
        self.create("over", "base")
        self.assertEqual(os.readlink(self.prefix / "lib/link"), "elsewhere")
        self.remove("over")
        self.create("base", prefix=self.work / "other")
        for path in ("bin/tool", "lib/link"):
            self.assertEqual([i for i in tree(self.prefix) if i[0] == path],
                             [i for i in tree(self.work / "other") if i[0] == path])

    # ---- what path_conflict says

    def test_prevent_refuses_before_anything_is_touched(self):
        self.three_owners()
        self.add("other", {"share/x": "other", "share/other": "x"})
        self.create("zz")
        (self.prefix / "share/mine").write_text("mine")
        self.add("over_mine", {"share/mine": "x"})
        before = list(tree(self.prefix))
        prevent = {"CONDA_PATH_CONFLICT": "prevent"}
        for specs, needles in ((["mm"], ["share/x", "mm-1.0-0", "zz-1.0-0"]), (["over_mine"], ["share/mine"]),
                               (["mm", "other"], ["share/x"])):
            self.assert_failed(self.install(*specs, env=prevent, code=1), *needles)
            self.assertEqual(list(tree(self.prefix)), before)
        witness = self.work / "witness"
        self.add("first", {"bin/.first-pre-link.sh": File(f"touch {witness}\n", mode=0o755)})
        self.add("a_dir", {"x/one": "1"})
        self.add("a_file", {"x": "file"})
        self.add("libs", {"lib64/both": "libs", "lib": Link("lib64")})
        self.add("through", {"lib/both": "through"})
        self.add("beside", {"lib/other": "other"})
        for specs, needles in ((["aa"], ["share/x", "mm-1.0-0", "aa-1.0-0"]), (["a_dir", "a_file"], ["x is a file"]),
                               (["libs", "through"], ["lib64/both", "libs-1.0-0", "through-1.0-0"])):
            self.assert_failed(self.create(*specs, "first", prefix=self.work / "new", env=prevent, code=1), *needles)
            self.assert_no_environment(self.work / "new")
            self.create("first", prefix=self.work / "old")
            witness.unlink()
            before = list(tree(self.work / "old"))
            self.assert_failed(self.install(*specs, prefix=self.work / "old", env=prevent, code=1), *needles)
            self.assertEqual(list(tree(self.work / "old")), before)
            self.assertFalse(witness.exists(), "linking had begun")
        self.create("libs", "beside", prefix=self.work / "new", env=prevent)
        self.assertEqual((self.work / "new/lib64/other").read_text(), "other")
        self.create("zz", "first", prefix=self.work / "new", env=prevent)
        self.assert_installed("first-1.0-0", "zz-1.0-0", prefix=self.work / "new")

    def test_warn_warns_and_clobber_is_silent(self):
        self.three_owners()
        self.create("zz")
        self.assertIn("share/x", self.install("mm", env={"CONDA_PATH_CONFLICT": "warn"}).stderr)
        self.assertNotIn("share/x", self.install("aa").stderr)
        self.assertIn("share/x", self.create("aa", prefix=self.work / "new",
                                             env={"CONDA_PATH_CONFLICT": "warn"}).stderr)

    # ---- files, directories and symlinks

    def test_a_file_where_another_package_has_a_directory(self):
        self.add("a_dir", {"x/one": "1", "x/two": "2", "share/a": "a"})
        self.add("b_file", {"x": "file", "share/b": "b"}, depends=["a_dir"])
        self.add("c_dir", {"x/three": "3", "share/c": "c"}, depends=["b_file"])
        for _ in range(3):
            self.create("b_file")
            self.assertEqual(self.text("x"), "file")
            self.create("c_dir")
            self.assertEqual(os.listdir(self.prefix / "x"), ["three"])
            self.assertEqual(sorted(os.listdir(self.prefix / "share")), ["a", "b", "c"])

    def test_a_symlink_to_a_directory_is_followed_whoever_comes_first(self):
        self.add("root", {"lib64/base": "base", "lib": Link("lib64"), "lib64/both": "root"})
        self.add("user", {"lib/user": "user", "lib/both": "user"}, depends=["root"])
        self.add("early", {"lib/early": "early", "lib/deep/er": "x"})
        self.add("root2", {"lib64/base": "base", "lib": Link("lib64")}, depends=["early"])
        for _ in range(3):
            self.create("user")
            self.assertEqual(os.readlink(self.prefix / "lib"), "lib64")
            self.assertEqual(sorted(os.listdir(self.prefix / "lib64")), ["base", "both", "user"])
            self.assertEqual(self.text("lib64/both"), "user")
            self.create("root2")
            self.assertEqual(os.readlink(self.prefix / "lib"), "lib64")
            self.assertEqual(sorted(os.listdir(self.prefix / "lib64")), ["base", "deep", "early"])

    def test_an_upgrade_from_a_directory_to_a_file_and_back(self):
        self.add("p", {"xbin/content": "initial"}, version="1")
        self.add("p", {"bin/content": "initial", "xbin": "file"}, version="2")
        self.add("p", {"bin/content": "initial", "xbin": Link("bin")}, version="3")
        self.create("p=1")
        for version, kind in (("2", "is_file"), ("1", "is_dir"), ("3", "is_symlink"), ("1", "is_dir")):
            self.install(f"p={version}")
            self.assertTrue(getattr(self.prefix / "xbin", kind)(), version)
            self.assert_installed(f"p-{version}-0")

    def test_a_directory_with_files_of_the_user_is_not_replaced(self):
        self.add("p", {"xbin/content": "initial"}, version="1")
        self.add("p", {"xbin": "file"}, version="2")
        self.create("p=1")
        (self.prefix / "xbin/thesis").write_text("words")
        before = list(tree(self.prefix))
        self.assert_failed(self.install("p=2", code=1), "xbin/thesis")
        self.assertEqual(list(tree(self.prefix)), before)


if __name__ == "__main__":
    main()
