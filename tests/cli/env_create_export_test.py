"""`taipan env create -f environment.yml` and `taipan env export`: into an environment and back into a file."""

import json

from taipan_test import TaipanTest, main, records, tree


class EnvCreateExportTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        for version in ("1.0", "1.5", "2.0"):
            self.channel.add("lib", version, "h1_0")
        self.channel.add("app", depends=["lib"])
        self.channel.add("tool", noarch="generic")
        self.channel.write_index()
        self.url = self.channel.folder.as_uri()

    def environment_file(self, text, name="environment.yml"):
        file = self.work / name
        file.write_text(text)
        return file

    def simple_file(self, *dependencies, name="from-file", extra=""):
        lines = "".join(f"  - {dependency}\n" for dependency in dependencies)
        return self.environment_file(
            f"name: {name}\nchannels:\n  - {self.url}\n  - nodefaults\ndependencies:\n{lines}{extra}")

    def test_the_name_in_the_file_is_used(self):
        file = self.simple_file("app", "lib <2")
        self.taipan("env", "create", "-f", file)
        prefix = self.root_prefix / "envs/from-file"
        self.assert_installed("app-1.0-0", "lib-1.5-h1_0", prefix=prefix)
        self.assertIn("# update specs: ", (prefix / "conda-meta/history").read_text())

    def test_environment_yml_of_the_folder_is_the_default(self):
        self.simple_file("tool")
        self.taipan("env", "create")
        self.assert_installed("tool-1.0-0", prefix=self.root_prefix / "envs/from-file")

    def test_name_and_path_of_the_command_line_win(self):
        file = self.simple_file("tool", extra="prefix: /nowhere/at/all\n")
        self.taipan("env", "create", "-f", file, "-n", "another")
        self.assert_installed("tool-1.0-0", prefix=self.root_prefix / "envs/another")
        self.taipan("env", "create", "-f", file, "-p", self.prefix)
        self.assert_installed("tool-1.0-0")

    def test_plain_create_takes_environment_files_too(self):
        self.taipan("create", "-y", "-p", self.prefix, "-f", self.simple_file("tool"))
        self.assert_installed("tool-1.0-0")

    def test_variables_are_recorded(self):
        file = self.simple_file("tool", extra="variables:\n  COLOUR: blue\n")
        self.taipan("env", "create", "-p", self.prefix, "-f", file)
        self.assertRegex((self.prefix / "conda-meta/state").read_text(), r'"env_vars":\s*\{\s*"COLOUR":\s*"blue"\s*\}')

    def test_an_existing_environment_is_not_overwritten(self):
        file = self.simple_file("tool")
        self.taipan("env", "create", "-f", file, "-p", self.prefix)
        before = list(tree(self.prefix))
        result = self.taipan("env", "create", "-f", self.simple_file("app"), "-p", self.prefix, code=1)
        self.assert_failed(result, self.prefix)
        self.assertEqual(list(tree(self.prefix)), before)

    def test_bad_files_are_explained(self):
        for text, needle in (("name: x\ndependencies:\n  - [broken\n", "environment.yml"),
                             ("just text", "environment.yml"),
                             (f"name: x\nchannels: [{self.url}]\ndependencies:\n  - 'lib >>1'\n", "lib >>1")):
            with self.subTest(text=text):
                result = self.taipan("env", "create", "-p", self.prefix, "-f", self.environment_file(text), code=1)
                self.assert_failed(result, needle)
                self.assert_no_environment()
        self.assert_failed(self.taipan("env", "create", "-p", self.prefix, "-f", self.work / "missing.yml", code=1),
                           "missing.yml")

    def test_export_is_condas_text(self):
        self.taipan("env", "create", "-f", self.simple_file("app", "lib=1.5"))
        result = self.taipan("env", "export", "-n", "from-file")
        self.assertEqual(result.stdout, f"""\
name: from-file
channels:
  - {self.url}
dependencies:
  - app=1.0=0
  - lib=1.5=h1_0
prefix: {self.root_prefix}/envs/from-file
""")
        short = self.taipan("env", "export", "-n", "from-file", "--no-builds").stdout
        self.assertIn("  - lib=1.5\n", short)
        asked = self.taipan("env", "export", "-n", "from-file", "--from-history").stdout
        self.assertIn("  - app\n  - lib=1.5\n", asked)

    def test_an_export_makes_the_same_environment_again(self):
        self.taipan("env", "create", "-f", self.simple_file("app", "lib=1.0", "tool"))
        text = self.taipan("env", "export", "-n", "from-file").stdout
        self.taipan("env", "create", "-p", self.prefix, "-f", self.environment_file(text, "exported.yml"))
        first = {r["url"] for r in records(self.root_prefix / "envs/from-file")}
        self.assertEqual({r["url"] for r in records(self.prefix)}, first)
        self.assertEqual(len(first), 3)

    def test_export_formats(self):
        self.taipan("env", "create", "-f", self.simple_file("app", "lib=1.5"))
        export = ("export", "-n", "from-file")
        requirements = self.taipan(*export, "--format", "requirements").stdout
        self.assertTrue(requirements.endswith("\n\nchannel::app==1.0=0\nchannel::lib==1.5=h1_0\n"), requirements)
        urls = self.taipan(*export, "--format", "explicit").stdout
        self.assertEqual(urls.split("@EXPLICIT\n")[1].count(self.url + "/"), 2)
        self.taipan(*export, "-f", "explicit.txt")
        self.assertEqual((self.work / "explicit.txt").read_text(), urls)
        self.assertEqual(self.taipan_json(*export, "-f", "environment.json"),
                         {"success": True, "file": "environment.json", "format": "environment-json", "warnings": []})
        self.assertEqual(json.loads((self.work / "environment.json").read_text())["dependencies"],
                         ["app=1.0=0", "lib=1.5=h1_0"])
        self.taipan(*export, "--format", "toml", code=2)
        self.assert_failed(self.taipan(*export, "-f", "some.txt", code=1), "--format")

    def test_export_of_nothing_fails(self):
        self.assert_failed(self.taipan("env", "export", "-n", "nosuch", code=1), "nosuch")

    def test_a_directory_with_files_of_its_own_becomes_an_environment(self):
        """As snakemake has it: it puts a file there before it calls `conda env create --prefix`."""
        channel = self.tiny_channel("own")
        channel.add("alpha", noarch="generic", files={"share/alpha": "alpha\n"})
        channel.write_index()
        prefix = self.work / "made"
        prefix.mkdir()
        (prefix / "env_setup_start").write_text("mine\n")
        file = self.work / "own.yml"
        file.write_text(f"channels: [{channel.folder.as_uri()}, nodefaults]\ndependencies: [alpha]\n")
        wrong = self.work / "wrong.yml"
        wrong.write_text(file.read_text().replace("alpha", "nosuch"))
        for kept in ([], ["conda-meta"]):
            for name in kept:
                (prefix / name).mkdir()
                (prefix / name / "pinned").write_text("alpha 1.*\n")
            self.taipan("env", "create", "--quiet", "--file", wrong, "--prefix", prefix, code=1)
            self.assertEqual(sorted(p.name for p in prefix.rglob("*")),
                             sorted(["env_setup_start", *kept, *(["pinned"] if kept else [])]))
        self.taipan("env", "create", "--quiet", "--file", file, "--prefix", prefix)
        self.assert_installed("alpha-1.0-0", prefix=prefix)
        self.assertEqual((prefix / "env_setup_start").read_text(), "mine\n")


if __name__ == "__main__":
    main()
