"""Commands that look: `list`, `info`, `env list`, and `env remove`."""

from taipan_test import TaipanTest, main, tree


class ListInfoEnvTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("alpha", "1.2.3", "h1_0", depends=["beta"])
        self.channel.add("beta", noarch="generic")
        self.channel.write_index()

    def test_list_shows_a_table(self):
        self.create("alpha")
        result = self.taipan("list", "-p", self.prefix)
        rows = [line.split() for line in result.stdout.splitlines() if line and not line.startswith("#")]
        self.assertEqual([row[:3] for row in rows], [["alpha", "1.2.3", "h1_0"], ["beta", "1.0", "0"]])
        self.assertIn(str(self.prefix), result.stdout.splitlines()[0])

    def test_list_json_has_condas_keys(self):
        self.create("alpha")
        rows = self.taipan_json("list", "-p", self.prefix)
        self.assertEqual([row["name"] for row in rows], ["alpha", "beta"])
        expected = {"base_url": self.channel.folder.as_uri(), "build_number": 0, "build_string": "h1_0",
                    "dist_name": "alpha-1.2.3-h1_0", "name": "alpha", "version": "1.2.3"}
        self.assertEqual({key: rows[0][key] for key in expected}, expected)
        self.assertEqual(rows[1]["platform"], "noarch")

    def test_list_filters_by_pattern(self):
        self.create("alpha")
        rows = self.taipan_json("list", "-p", self.prefix, "^al")
        self.assertEqual([row["name"] for row in rows], ["alpha"])

    def test_list_of_something_else_fails(self):
        (self.work / "folder").mkdir()
        for target in (self.work / "folder", self.work / "missing"):
            self.assert_failed(self.taipan("list", "-p", target, code=1), target)
        self.assert_failed(self.taipan("list", "-n", "nosuch", code=1), "nosuch")

    def test_info_tells_where_things_are(self):
        info = self.taipan_json("info")
        self.assertEqual(info["root_prefix"], str(self.root_prefix))
        self.assertEqual(info["pkgs_dirs"], [str(self.cache)])
        self.assertEqual(info["envs_dirs"][0], str(self.root_prefix / "envs"))
        self.assertTrue(any("__glibc" in str(entry) for entry in info["virtual_pkgs"]))
        text = self.taipan("info").stdout
        self.assertIn(str(self.root_prefix), text)
        self.assertIn(str(self.cache), text)

    def test_environments_by_name_and_by_path_are_listed(self):
        self.taipan("create", "-y", "-n", "named", *self.channel_arguments(self.channel), "beta")
        self.create("beta")
        named = self.root_prefix / "envs/named"
        self.assert_installed("beta-1.0-0", prefix=named)
        listed = self.taipan_json("env", "list")["envs"]
        self.assertIn(str(named), listed)
        self.assertIn(str(self.prefix), listed)
        text = self.taipan("env", "list").stdout
        self.assertRegex(text, rf"(?m)^\s*named\s.*{named}$")
        self.assertIn(str(self.prefix), text)

    def test_env_remove_takes_the_environment_and_nothing_else(self):
        self.taipan("create", "-y", "-n", "named", *self.channel_arguments(self.channel), "beta")
        self.create("beta")
        self.taipan("env", "remove", "-y", "-n", "named")
        self.assertFalse((self.root_prefix / "envs/named").exists())
        self.assertEqual((self.home / ".conda/environments.txt").read_text().split("\n"), [str(self.prefix), ""])
        self.assert_installed("beta-1.0-0")
        self.taipan("env", "remove", "-y", "-p", self.prefix)
        self.assert_no_environment()

    def test_env_remove_does_not_touch_other_folders(self):
        folder = self.work / "precious"
        folder.mkdir()
        (folder / "thesis.tex").write_text("words")
        before = list(tree(folder))
        self.assert_failed(self.taipan("env", "remove", "-y", "-p", folder, code=1), folder)
        self.assertEqual(list(tree(folder)), before)

    def test_version_and_help(self):
        self.assertRegex(self.taipan("--version").stdout, r"\b\d+\.\d+\.\d+\b")
        for command in ([], ["create"], ["install"], ["remove"], ["list"], ["info"], ["env"], ["env", "create"],
                        ["env", "export"], ["env", "list"], ["env", "remove"], ["run"], ["clean"], ["warm"]):
            self.assertIn("sage", self.taipan(*command, "--help").stdout, command)


if __name__ == "__main__":
    main()
