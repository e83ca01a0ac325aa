"""What keeps an environment as it is: marked as frozen, pinned packages; and `env update --prune`, which does not."""

import json

from taipan_test import TaipanTest, main, tree


class GuardsTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        for version in ("1", "2", "3"):
            self.channel.add("app", version=version, depends=["lib"])
            self.channel.add("lib", version=version)
        self.channel.add("other", depends=["lib"])
        self.channel.write_index()

    def write_file(self, *specs):
        file = self.work / "environment.yml"
        text = f"channels: [{self.channel.folder.as_uri()}]\ndependencies:\n"
        file.write_text(text + "".join(f"  - {spec}\n" for spec in specs))
        return file

    def env_update(self, *specs, arguments=(), **options):
        return self.taipan("env", "update", "-p", self.prefix, "-f", self.write_file(*specs), *arguments, **options)

    # ---- frozen (CEP 22)

    def test_a_frozen_environment_is_not_changed_unless_that_is_overridden(self):
        self.create("app=1")
        frozen = self.prefix / "conda-meta/frozen"
        changes = [["install", "-y", *self.channel_arguments(None), "other"], ["update", "-y", *self.channel_arguments(None), "lib"],
                   ["remove", "-y", "app"], ["remove", "-y", "--all"], ["env", "remove", "-y"],
                   ["install", "-y", "--revision", "0"], ["env", "update", "-f", self.write_file("other")]]
        for content, reason in (("", ""), ('{"message": "Ask Ann.\\nOr Bob."}', "Reason:\n\n    Ask Ann.\n    Or Bob.\n\n")):
            frozen.write_text(content)
            before = list(tree(self.prefix))
            for command in changes:
                result = self.taipan(*command, "-p", self.prefix, code=1)
                self.assertIn(f"EnvironmentIsFrozenError: Cannot modify '{self.prefix}'. The environment is marked as frozen. "
                              f"{reason}You can bypass these protections with the `--override-frozen` flag, at your own risk.",
                              result.stderr)
                self.assertEqual(list(tree(self.prefix)), before)
        document = json.loads(self.taipan("remove", "-y", "app", "-p", self.prefix, "--json", code=1).stdout)
        self.assertEqual(document["exception_name"], "EnvironmentIsFrozenError")
        self.assertIn("Ask Ann.", document["message"])
        self.taipan("list", "-p", self.prefix)
        self.install("other", "--override-frozen")
        self.install("app=2", env={"CONDA_PROTECT_FROZEN_ENVS": "false"})
        self.env_update("lib=2", arguments=["--override-frozen"])
        self.remove("other", "--override-frozen")
        self.assert_installed("app-2-0", "lib-2-0")
        self.assertTrue(frozen.exists())
        self.taipan("env", "remove", "-y", "-p", self.prefix, "--override-frozen")
        self.assert_no_environment()

    # ---- pinned

    def test_pinned_packages_stay_where_they_are(self):
        self.create("app=1", "lib=1")
        pinned = self.prefix / "conda-meta/pinned"
        pinned.write_text("# reasons\n\nlib <3\n")
        self.taipan("update", "-y", "-p", self.prefix, *self.channel_arguments(None), "lib")
        self.assertEqual(self.record("lib")["version"], "2")
        self.assert_failed(self.install("lib=3", code=1), "lib")
        self.assertEqual(self.record("lib")["version"], "2")
        self.install("lib=3", "--no-pin")
        self.assertEqual(self.record("lib")["version"], "3")

    # ---- env update --prune

    def test_pruning_makes_the_environment_what_the_file_says(self):
        self.create("app=2", "other", "lib")
        self.env_update("app")
        self.assertEqual({"app", "lib", "other"}, {name for name in ("app", "lib", "other") if self.record(name)})
        self.env_update("app", arguments=["--prune"])
        self.assertEqual([p.name.split("-")[0] for p in sorted((self.prefix / "conda-meta").glob("*.json"))], ["app", "lib"])
        history = (self.prefix / "conda-meta/history").read_text()
        self.assertIn("# remove specs: ['lib', 'other']", history)
        self.env_update("other", arguments=["--prune"])
        self.assertEqual([p.name.split("-")[0] for p in sorted((self.prefix / "conda-meta").glob("*.json"))], ["lib", "other"])
        self.taipan("verify", "-p", self.prefix)
        result = self.env_update("other", arguments=["--prune", "--json"])
        self.assertTrue(json.loads(result.stdout)["success"])

    # ---- kinds of links

    def test_link_options(self):
        for arguments, kind in ((["--always-softlink"], 2), (["--copy"], 3), (["--allow-softlinks"], 1), ([], 1)):
            self.create("lib=1", *arguments)
            self.assertEqual(self.record("lib")["link"]["type"], kind)
            self.assertEqual((self.prefix / "share/lib.txt").is_symlink(), kind == 2)
            self.taipan("verify", "-p", self.prefix)


if __name__ == "__main__":
    main()
