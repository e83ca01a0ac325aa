"""An environment in which files or directories belong to somebody else: all or nothing, and a message that names the path."""

import os
import subprocess
import unittest

from taipan_test import Done, TaipanTest, main, tree

ANN = 47001


@unittest.skipUnless(os.getuid() == 0, "only root can run commands as others")
class OtherOwnerTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.binary = self.binary_for_others()
        self.channel = self.tiny_channel()
        for version in ("1", "2"):
            self.channel.add("lib", version, files={"lib/deep/lib.so": version, f"share/lib/{version}": version})
        self.channel.add("app", depends=["lib"], files={"bin/app": "a", "share/app": "a"})
        self.channel.write_index()
        self.prefix = self.work / "ann" / "env"
        self.cache = self.work / "ann" / "pkgs"
        self.place = self.work / "ann"
        self.place.mkdir()
        os.chown(self.place, ANN, ANN)
        self.environment |= {"HOME": str(self.place), "CONDA_PKGS_DIRS": str(self.cache), "TMPDIR": "/tmp",
                             "MAMBA_ROOT_PREFIX": str(self.place / "root")}

    def as_ann(self, verb, *words, code=0):
        channel = [] if verb in ("remove", "list", "verify") else self.channel_arguments(None)
        yes = [] if verb in ("list", "verify") else ["-y"]
        done = subprocess.run([self.binary, verb, *yes, "-p", self.prefix, *channel, *words], env=self.environment, user=ANN,
                              group=ANN, extra_groups=[], cwd=self.place, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60)
        result = Done([verb, *words], done.returncode, done.stdout, done.stderr)
        self.assertEqual(done.returncode, code, str(result))
        return result

    def give_to_root(self, path):
        os.chown(self.prefix / path, 0, 0)

    def unchanged(self, before):
        self.assertEqual(list(tree(self.prefix)), before)
        self.as_ann("verify")

    def test_a_directory_of_somebody_else(self):
        self.as_ann("create", "app", "lib=1")
        self.give_to_root("lib/deep")
        before = list(tree(self.prefix))
        for words in (("install", "lib=2"), ("remove", "lib"), ("update", "--all"), ("install", "--force-reinstall", "lib")):
            result = self.as_ann(*words, code=1)
            self.assert_failed(result, self.prefix / "lib/deep")
            self.unchanged(before)
        self.as_ann("remove", "app")  # which has nothing there
        os.chown(self.prefix / "lib/deep", ANN, ANN)
        self.as_ann("install", "lib=2")

    def test_files_of_somebody_else_in_my_directories(self):
        self.as_ann("create", "app", "lib=1")
        for path in ("lib/deep/lib.so", "share/app", "conda-meta/lib-1-0.json"):
            os.unlink(self.prefix / path) if path.startswith("lib") else None
            if path.startswith("lib"):
                (self.prefix / path).write_text("1")
            self.give_to_root(path)
        self.as_ann("verify")
        self.as_ann("install", "lib=2")
        self.as_ann("verify")

    def test_records_or_history_of_somebody_else(self):
        self.as_ann("create", "app", "lib=1")
        for path, mode in (("conda-meta/history", 0o600), ("conda-meta/lib-1-0.json", 0o600)):
            self.give_to_root(path)
            (self.prefix / path).chmod(mode)
            before = list(tree(self.prefix))
            for words in (("install", "lib=2"), ("remove", "lib")):
                self.assert_failed(self.as_ann(*words, code=1), self.prefix / path)
                self.assertEqual(list(tree(self.prefix)), before)
            os.chown(self.prefix / path, ANN, ANN)
            (self.prefix / path).chmod(0o644)
        self.as_ann("install", "lib=2")

    def test_conda_meta_of_somebody_else(self):
        self.as_ann("create", "app", "lib=1")
        self.give_to_root("conda-meta")
        before = list(tree(self.prefix))
        for words in (("install", "lib=2"), ("remove", "lib")):
            self.assert_failed(self.as_ann(*words, code=1), self.prefix)
            self.unchanged(before)
        self.as_ann("list")

    def test_an_environment_of_which_only_the_root_directory_is_mine(self):
        self.taipan("create", "-y", "-p", self.prefix, *self.channel_arguments(None), "app", "lib=1")
        os.chown(self.prefix, ANN, ANN)
        before = list(tree(self.prefix))
        self.assert_failed(self.as_ann("install", "lib=2", code=1), self.prefix)
        self.assert_failed(self.as_ann("remove", "--all", code=1), self.prefix)
        self.assertEqual(list(tree(self.prefix)), before)
        self.taipan("verify", "-p", self.prefix)


if __name__ == "__main__":
    main()
