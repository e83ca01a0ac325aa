"""`taipan install` and `taipan remove` on an environment that is already there."""

from taipan_test import TaipanTest, main, tree
from tiny_channel import File


class InstallRemoveTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        for version in ("1.0", "2.0"):
            self.channel.add("lib", version, files={"lib/lib.txt": f"lib {version}\n", f"lib/only-{version}.txt": b"x"})
        self.channel.add("app", depends=["lib"], files={"bin/app": File("#!/bin/sh\n", mode=0o755)})
        self.channel.add("other", files={"share/deep/down/other.txt": b"other"})
        self.channel.write_index()

    def history(self):
        return (self.prefix / "conda-meta/history").read_text()

    def test_install_adds_and_remove_takes_away_exactly_that(self):
        self.create("app")
        before = [entry for entry in tree(self.prefix) if entry[0] != "conda-meta/history"]
        self.install("other")
        self.assert_installed("app-1.0-0", "lib-2.0-0", "other-1.0-0")
        self.assertEqual((self.prefix / "share/deep/down/other.txt").read_text(), "other")
        self.remove("other")
        self.assert_installed("app-1.0-0", "lib-2.0-0")
        self.assertEqual([entry for entry in tree(self.prefix) if entry[0] != "conda-meta/history"], before)
        self.assertEqual(self.history().count("==> "), 3)
        self.assertIn("# remove specs: ['other']", self.history())

    def test_install_another_version(self):
        self.create("lib=1.0")
        self.install("lib=2.0")
        self.assert_installed("lib-2.0-0")
        self.assertEqual((self.prefix / "lib/lib.txt").read_text(), "lib 2.0\n")
        self.assertFalse((self.prefix / "lib/only-1.0.txt").exists())
        block = self.history().split("==> ")[-1]
        self.assertRegex(block, r"\n-\S*::lib-1\.0-0\n\+\S*::lib-2\.0-0\n")
        self.install("lib=1.0")
        self.assert_installed("lib-1.0-0")
        self.assertFalse((self.prefix / "lib/only-2.0.txt").exists())

    def test_what_was_requested_earlier_stays_as_requested(self):
        self.create("lib=1.0")
        self.install("app")
        self.assert_installed("app-1.0-0", "lib-1.0-0")

    def test_a_request_that_is_already_fulfilled_changes_nothing(self):
        self.create("app")
        before = list(tree(self.prefix))
        self.install("app")
        self.assertEqual(list(tree(self.prefix)), before)

    def test_remove_takes_dependents_and_orphaned_dependencies_along(self):
        self.create("app", "other")
        self.remove("app")
        self.assert_installed("other-1.0-0")
        self.install("app")
        self.remove("lib")
        self.assert_installed("other-1.0-0")

    def test_files_of_the_user_stay(self):
        self.create("app", "other")
        (self.prefix / "share/deep/mine.txt").write_text("mine")
        (self.prefix / "lib/notes").mkdir()
        self.remove("other", "app")
        self.assertEqual((self.prefix / "share/deep/mine.txt").read_text(), "mine")
        self.assertTrue((self.prefix / "lib/notes").is_dir())
        self.assertFalse((self.prefix / "share/deep/down").exists())

    def test_remove_all_removes_the_environment(self):
        self.create("app")
        self.remove("--all")
        self.assert_no_environment()

    def test_names_that_are_not_installed_cannot_be_removed(self):
        self.create("app")
        before = list(tree(self.prefix))
        self.assert_failed(self.remove("nosuch", code=1), "nosuch")
        self.assertEqual(list(tree(self.prefix)), before)

    def test_install_and_remove_need_an_environment(self):
        self.assert_failed(self.install("app", code=1), self.prefix)
        self.assert_failed(self.remove("app", code=1), self.prefix)
        self.assert_no_environment()

    def test_dry_runs_change_nothing(self):
        self.create("app")
        before = list(tree(self.prefix))
        self.assertIn("other", self.install("other", "--dry-run").stdout)
        self.assertIn("app", self.remove("app", "--dry-run").stdout)
        self.assertEqual(list(tree(self.prefix)), before)

    def test_changed_files_are_never_written_through_to_the_cache(self):
        self.create("lib=1.0")
        cached = self.cache / "lib-1.0-0/lib/lib.txt"
        self.install("lib=2.0")
        self.assertEqual(cached.read_text(), "lib 1.0\n")
        self.assert_cache_sound(self.channel)


if __name__ == "__main__":
    main()
