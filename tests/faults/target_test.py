"""Places that cannot be written, or must not be: the target of an environment, and the package cache."""

import os
import shutil
import subprocess

from taipan_test import Done, TaipanTest, binary_under_test, main, tree


class TargetTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("thing")
        self.channel.write_index()

    def unprivileged(self, *arguments):
        """Runs the command as somebody whom permissions stop (root is stopped by nothing)."""
        if os.getuid() != 0:
            return self.taipan(*arguments, code=None)
        binary = shutil.copy(binary_under_test(), self.work / "taipan")
        self.work.chmod(0o755)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(binary), *map(str, arguments)]
        done = subprocess.run(command, env=self.environment, cwd=self.work, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=120)
        return Done(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def give_away(self, *folders):
        for folder in folders:
            folder.mkdir(exist_ok=True)
            if os.getuid() == 0:
                os.chown(folder, 65534, 65534)

    def test_a_folder_with_something_else_in_it(self):
        self.prefix.mkdir()
        (self.prefix / "thesis.tex").write_text("words")
        before = list(tree(self.prefix))
        for command in ("create", "install"):
            result = self.taipan(command, "-y", "-p", self.prefix, *self.channel_arguments(None), "thing", code=1)
            self.assert_failed(result, self.prefix)
            self.assertEqual(list(tree(self.prefix)), before)
        self.assert_failed(self.remove("thing", code=1), self.prefix)
        self.assert_failed(self.remove("--all", code=1), self.prefix)
        self.assertEqual(list(tree(self.prefix)), before)

    def test_an_empty_folder_becomes_an_environment(self):
        self.prefix.mkdir()
        self.create("thing")
        self.assert_installed("thing-1.0-0")

    def test_a_file_where_the_environment_should_be(self):
        self.prefix.write_text("a file")
        self.assert_failed(self.create("thing", code=1), self.prefix)
        self.assertEqual(self.prefix.read_text(), "a file")
        below = self.prefix / "below" / "env"
        self.assert_failed(self.create("thing", prefix=below, code=1), below)

    def test_a_parent_that_cannot_be_written(self):
        self.give_away(self.cache, self.home, self.root_prefix)
        locked = self.work / "locked"
        locked.mkdir(mode=0o555)
        result = self.unprivileged("create", "-y", "-p", locked / "env", *self.channel_arguments(None), "thing")
        self.assert_failed(result, locked / "env")
        self.assertEqual(os.listdir(locked), [])

    def test_an_environment_that_cannot_be_written(self):
        self.create()
        self.give_away(self.cache, self.home, self.root_prefix)
        for directory, _, _ in os.walk(self.prefix):
            os.chmod(directory, 0o555)
        before = list(tree(self.prefix))
        result = self.unprivileged("install", "-y", "-p", self.prefix, *self.channel_arguments(None), "thing")
        self.assert_failed(result, self.prefix)
        self.assertEqual(list(tree(self.prefix)), before)

    def test_a_cache_that_cannot_be_written(self):
        self.give_away(self.home, self.root_prefix, self.work / "mine")
        self.cache.mkdir()
        self.cache.chmod(0o555)
        prefix = self.work / "mine/env"
        result = self.unprivileged("create", "-y", "-p", prefix, *self.channel_arguments(None), "thing")
        self.assert_failed(result, self.cache)
        self.assert_no_environment(prefix)

    def test_a_read_only_cache_that_has_everything_is_enough(self):
        self.create("thing", prefix=self.work / "first")
        self.give_away(self.home, self.root_prefix, self.work / "mine", self.work / "own-cache")
        for directory, _, _ in os.walk(self.cache):
            os.chmod(directory, 0o555)
        self.environment["CONDA_PKGS_DIRS"] = f"{self.cache},{self.work}/own-cache"
        prefix = self.work / "mine/env"
        result = self.unprivileged("create", "-y", "-p", prefix, *self.channel_arguments(None), "thing")
        self.assertEqual(result.code, 0, str(result))
        self.assert_installed("thing-1.0-0", prefix=prefix)
        self.assertFalse((self.work / "own-cache/thing-1.0-0.conda").exists())

    def test_names_that_cannot_be_names(self):
        for name in ("a/b", "a b", "a:b", "a#b", ""):
            result = self.taipan("create", "-y", "-n", name, *self.channel_arguments(None), "thing", code=None)
            self.assertIn(result.code, (1, 2), str(result))
        self.assertFalse((self.root_prefix / "envs").exists())

    def test_a_prefix_with_a_colon_is_refused(self):
        result = self.create("thing", prefix=self.work / "a:b", code=None)
        self.assertIn(result.code, (1, 2), str(result))
        self.assertFalse((self.work / "a:b").exists())


if __name__ == "__main__":
    main()
