"""Where environments and packages go: options, variables, configuration and defaults, as micromamba has them."""

import os

from taipan_test import TaipanTest, main


class PlacesTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("thing")
        self.channel.write_index()

    def create_named(self, *arguments, without=(), **env):
        for name in without:
            self.environment.pop(name)
        self.taipan(*arguments, "create", "-y", "-n", "named", *self.channel_arguments(None), "thing", env=env)

    def test_root_prefix_from_the_option(self):
        other = self.work / "another-root"
        self.taipan("create", "-r", other, "-y", "-n", "named", *self.channel_arguments(None), "thing")
        self.assert_installed("thing-1.0-0", prefix=other / "envs/named")

    def test_packages_below_the_root_prefix_unless_told_otherwise(self):
        self.create_named(without=["CONDA_PKGS_DIRS"])
        self.assertTrue((self.root_prefix / "pkgs/thing-1.0-0/info/index.json").exists())
        self.assertTrue((self.root_prefix / "pkgs/urls.txt").exists())

    def test_envs_dirs(self):
        self.create_named(CONDA_ENVS_DIRS=f"{self.work}/envs-one:{self.work}/envs-two")
        self.assert_installed("thing-1.0-0", prefix=self.work / "envs-one/named")

    def test_the_first_writable_cache_is_filled_and_all_are_used(self):
        self.create("thing", env={"CONDA_PKGS_DIRS": str(self.work / "shared")})
        second = self.work / "second"
        self.create("thing", prefix=second, env={"CONDA_PKGS_DIRS": f"{self.cache},{self.work / 'shared'}"})
        self.assertFalse((self.cache / "thing-1.0-0").exists())
        self.assertEqual(os.stat(second / "share/thing.txt").st_ino,
                         os.stat(self.work / "shared/thing-1.0-0/share/thing.txt").st_ino)

    def test_everything_is_below_home_by_default(self):
        self.create_named(without=["CONDA_PKGS_DIRS", "MAMBA_ROOT_PREFIX"])
        roots = [p for p in self.home.rglob("envs/named") if p.is_dir()]
        self.assertEqual(len(roots), 1, list(self.home.rglob("*"))[:20])
        self.assertEqual(roots[0].parents[1], self.home / ".local/share/mamba")
        self.assertTrue((roots[0].parents[1] / "pkgs/thing-1.0-0").is_dir())

    def test_condarc_is_read(self):
        (self.home / ".condarc").write_text(
            f"pkgs_dirs: [{self.work}/from-rc]\nchannels: ['{self.channel.folder.as_uri()}']\n")
        self.environment.pop("CONDA_PKGS_DIRS")
        self.taipan("create", "-y", "-p", self.prefix, "thing")
        self.assertTrue((self.work / "from-rc/thing-1.0-0").is_dir())

    def test_the_active_environment_is_the_default_target(self):
        self.create()
        self.taipan("install", "-y", *self.channel_arguments(None), "thing", env={"CONDA_PREFIX": str(self.prefix)})
        self.assert_installed("thing-1.0-0")

    def test_relative_paths(self):
        self.taipan("create", "-y", "-p", "./here", "--override-channels", "-c", "./channel", "thing")
        self.assert_installed("thing-1.0-0", prefix=self.work / "here")
        self.assertEqual(self.record("thing", self.work / "here")["channel"].rsplit("/", 1)[0],
                         self.channel.folder.as_uri())

    def test_copies_on_request(self):
        self.create("--copy", "thing")
        self.assertEqual((self.prefix / "share/thing.txt").stat().st_nlink, 1)
        self.assertEqual(self.record("thing")["link"]["type"], 3)


if __name__ == "__main__":
    main()
