"""`search` in conda's forms, `repoquery` in mamba's."""

from taipan_test import TaipanTest, main


class SearchTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("alpha", "1.2.3", "h1_0", depends=["beta", "__glibc >=2.17"])
        self.channel.add("alpha", "1.10", "h1_0", depends=["beta >=1", "gamma 7"])
        self.channel.add("beta", noarch="generic")
        self.channel.write_index()
        self.where = self.channel_arguments(self.channel)

    def rows(self, *arguments):
        lines = self.taipan("search", *self.where, *arguments).stdout.splitlines()
        self.assertEqual(lines[0], "Loading channels: ...working... done")
        return [line.split()[:3] for line in lines if not line.startswith(("#", "Loading", "No match"))]

    def test_a_table_of_versions_in_order(self):
        expected = [["alpha", "1.2.3", "h1_0"], ["alpha", "1.10", "h1_0"]]
        self.assertEqual(self.rows("alpha"), expected)
        self.assertEqual(self.rows("ALPHA>1.2.3"), expected[1:])
        self.assertEqual(self.rows("al*"), expected)
        self.assertEqual(self.rows(), [*expected, ["beta", "1.0", "0"]])
        self.assertEqual(self.rows("beta", "alpha=1.10"), [["beta", "1.0", "0"], expected[1]])

    def test_a_part_of_a_name_is_enough(self):
        self.assertEqual(self.rows("lph"), [["alpha", "1.2.3", "h1_0"], ["alpha", "1.10", "h1_0"]])
        self.assertIn("No match found for: lph. Search: *lph*", self.taipan("search", *self.where, "lph").stdout)
        self.assert_failed(self.taipan("search", *self.where, "--skip-flexible-search", "lph", code=1), "lph")

    def test_info_tells_all(self):
        text = self.taipan("search", *self.where, "alpha=1.10", "--info").stdout
        for line in ("alpha 1.10 h1_0\n---------------\n", "file name   : alpha-1.10-h1_0", "build number: 0",
                     "url         : " + self.channel.folder.as_uri(), "sha256      : ",
                     "dependencies: \n  - beta >=1\n  - gamma 7\n"):
            self.assertIn(line, text)

    def test_json_has_a_list_for_each_name(self):
        found = self.taipan_json("search", *self.where, "*a*")
        self.assertEqual({name: [r["version"] for r in records] for name, records in found.items()},
                         {"alpha": ["1.2.3", "1.10"], "beta": ["1.0"]})
        self.assertEqual(found["alpha"][1]["depends"], ["beta >=1", "gamma 7"])
        self.assertTrue(found["alpha"][0]["url"].startswith(self.channel.folder.as_uri()))

    def test_nothing_found(self):
        result = self.taipan("search", *self.where, "nosuch", code=1)
        self.assertIn("PackagesNotFoundInChannelsError: The following packages are not available", result.stderr)
        self.assertIn("  - nosuch", result.stderr)
        document = self.taipan_json("search", *self.where, "nosuch", code=1)
        self.assertEqual(document["packages"], ["nosuch"])
        self.assertEqual(document["exception_name"], "PackagesNotFoundInChannelsError")
        self.assertIn(self.channel.folder.as_uri() + "/noarch", document["channel_urls"])
        self.assert_failed(self.taipan("search", "--no-rc", "alpha", code=1), "No channels")

    def test_dependencies(self):
        lines = self.taipan("repoquery", "depends", *self.where, "alpha=1.2.3").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["Name", "Version", "Build", "Channel", "Subdir"])
        self.assertEqual([line.split()[0] for line in lines[2:]], ["__glibc", "alpha", "beta"])
        tree = self.taipan("repoquery", "depends", *self.where, "--tree", "alpha").stdout
        self.assertEqual(tree, "alpha[1.10]\n  ├─ beta[1.0]\n  └─ gamma 7 >>> NOT FOUND <<<\n")
        document = self.taipan_json("repoquery", "depends", *self.where, "alpha")
        self.assertEqual(document["query"], {"query": "alpha", "type": "depends"})
        self.assertEqual([p["name"] for p in document["result"]["pkgs"]], ["alpha", "beta"])
        self.assertEqual([p["version"] for p in document["result"]["graph_roots"]], ["1.10"])

    def test_dependents(self):
        lines = self.taipan("repoquery", "whoneeds", *self.where, "beta").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["Name", "Version", "Build", "Depends", "Channel", "Subdir"])
        self.assertEqual([line.split()[:4] for line in lines[2:]], [["alpha", v, "h1_0", "beta"] for v in ("1.10", "1.2.3")])
        result = self.taipan_json("repoquery", "whoneeds", *self.where, "beta")["result"]
        self.assertEqual((result["graph_roots"], [p["version"] for p in result["pkgs"]]), (["beta"], ["1.10", "1.2.3"]))
        tree = self.taipan("repoquery", "whoneeds", *self.where, "--tree", "beta").stdout
        self.assertEqual(tree, "beta[1.0]\n  └─ alpha[1.10]\n")
        nothing = self.taipan("repoquery", "whoneeds", *self.where, "nosuch").stdout
        self.assertEqual(nothing, 'No entries matching "nosuch" found\n')

    def test_an_environment_is_asked(self):
        self.create("alpha=1.2.3")
        tree = self.taipan("repoquery", "depends", "-p", self.prefix, "--tree", "alpha").stdout
        self.assertEqual(tree, "alpha[1.2.3]\n  ├─ beta[1.0]\n  └─ __glibc >=2.17 (virtual package)\n")
        found = self.taipan_json("repoquery", "search", "--local", "-p", self.prefix, "*")
        self.assertEqual([p["name"] for p in found["result"]["pkgs"]], ["alpha", "beta"])
        self.assert_failed(self.taipan("repoquery", "search", "--local", "-p", self.work / "no", "x", code=1), "no")

    def test_all_environments_are_asked(self):
        self.create("alpha=1.2.3")
        other = self.root_prefix / "envs/other"
        self.create("alpha=1.10", prefix=other, code=1)  # gamma 7 is nowhere
        self.create("beta", prefix=other)
        lines = [line.split() for line in self.taipan("search", "--envs", "beta").stdout.splitlines()]
        self.assertEqual(lines[0], ["#", "Name", "Version", "Build", "Channel", "Location"])
        self.assertEqual(sorted(line[4] for line in lines[1:]), sorted([str(self.prefix), str(other)]))
        found = self.taipan_json("search", "--envs", "alpha>1")
        self.assertEqual([(e["location"], [r["version"] for r in e["package_records"]]) for e in found],
                         [(str(self.prefix), ["1.2.3"])])
        self.assertIn("None of the environments", self.taipan("search", "--envs", "gamma", code=1).stderr)

    def test_a_found_package_in_full(self):
        for number in (1, 2):
            self.channel.add("alpha", "1.10", f"h2_{number}", build_number=number)
        self.channel.write_index()
        for flags in ((), ("--pretty",)):
            text = self.taipan("repoquery", "search", *self.where, *flags, "alpha").stdout
            title, line, _, *facts = text.splitlines()
            self.assertEqual((title.strip(), line), ("alpha 1.10 h2_2 (+ 2 builds)", "─" * 40))
            self.assertIn(" Build           h2_2", facts)
            self.assertIn(" Other Versions (1):", facts)
            self.assertEqual(facts[-2].split(), ["1.2.3", "h1_0"])
        lines = self.taipan("repoquery", "search", *self.where, "a*").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["Name", "Version", "Build", "Channel", "Subdir"])
        self.assertEqual([line.split()[:6] for line in lines[2:]],
                         [["alpha", "1.10", "h2_2", "(+", "2", "builds)"], ["alpha", "1.2.3", "h1_0", self.channel.folder.as_uri(), "linux-64"]])

    def test_usage(self):
        self.assertIn("name at least one package", self.taipan("repoquery", "depends", code=2).stderr)
        self.assertIn("exclude each other", self.taipan("repoquery", "search", "--local", "--remote", "x",
                                                        code=2).stderr)


if __name__ == "__main__":
    main()
