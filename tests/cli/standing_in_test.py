"""In the place of conda and mamba: what programs read of them, where it is not what taipan says under its own name."""

import json
import os

from taipan_test import TaipanTest, binary_under_test, main
from tiny_channel import File

# Stands in for the real uv, which no channel here has: writes down how it was called and what it was to install.
UV = """#!/bin/sh
here="$(dirname "$0")/.."
echo "$@" > "$here/uv-arguments.txt"
while [ $# -gt 0 ]; do [ "$1" = -r ] && cat "$2" > "$here/uv-requirements.txt"; shift; done
"""


class StandingInTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.links = self.work / "links"
        self.links.mkdir()
        for name in ("conda", "mamba", "micromamba"):
            (self.links / name).symlink_to(binary_under_test())
        self.channel = self.tiny_channel()
        self.channel.add("base-lib", "1.0")
        self.channel.add("thing", "2.0", depends=["base-lib"])
        self.channel.write_index()
        self.url = self.channel.folder.as_uri()
        (self.home / ".condarc").write_text(f"channels: ['{self.url}']\n")

    def run_as(self, name, *arguments, **options):
        return self.taipan(*arguments, binary=self.links / name, **options)

    def told(self, name, *arguments, code=0, **options):
        return json.loads(self.run_as(name, *arguments, "--json", code=code, **options).stdout)

    def test_lists_of_mamba(self):
        self.create("thing")
        listed = self.told("micromamba", "list", "-p", self.prefix)
        self.assertEqual([one["name"] for one in listed], ["base-lib", "thing"])
        self.assertEqual(listed[1]["channel"], self.url)
        self.assertRegex(listed[1]["url"], "thing-2.0-0.conda$")
        self.assertEqual(len(listed[1]["sha256"]), 64)
        heading = f'List of packages in environment: "{self.prefix}"\n\n'
        text = self.run_as("micromamba", "list", "-p", self.prefix).stdout
        self.assertTrue(text.startswith(heading + "  Name      Version  Build  Channel"), text)
        self.assertEqual(self.run_as("mamba", "list", "-p", self.prefix, "--export").stdout,
                         heading + "base-lib=1.0=0\nthing=2.0=0\n")
        self.assertRegex(self.run_as("mamba", "list", "-p", self.prefix, "--explicit", "--md5").stdout,
                         r"thing-2.0-0.conda#[0-9a-f]{32}\n$")

    def test_all_settings_of_mamba_tell_the_platform(self):
        """metaflow asks for platform, channels, envs_dirs and pkgs_dirs in this way, with MAMBA_JSON for --json."""
        shown = json.loads(self.run_as("micromamba", "config", "list", "-a",
                                       env={"MAMBA_JSON": "true", "CONDA_SUBDIR": "osx-64"}).stdout)
        self.assertEqual(shown["platform"], "osx-64")
        self.assertEqual(shown["channels"], [self.url])
        self.assertNotIn("subdir", shown)
        self.assertTrue(shown["root_prefix"].startswith("/") and shown["envs_dirs"] and shown["pkgs_dirs"])
        self.assertEqual(self.run_as("mamba", "config", "list", "platform", env={"CONDA_SUBDIR": "osx-64"}).stdout,
                         "platform: osx-64\n")

    def test_what_cannot_be_solved_is_told_in_the_words_of_libsolv(self):
        self.channel.add("newer", "1.0", depends=["base-lib >=2"])
        self.channel.add("driven", "1.0", depends=["__cuda >=99"])
        self.channel.write_index()
        for spec, problem in (("newer", "nothing provides base-lib >=2 needed by newer-1.0-0"),
                              ("driven", "nothing provides __cuda >=99 needed by driven-1.0-0"),
                              ("absent", "nothing provides requested absent")):
            told = self.told("micromamba", "create", "-p", self.prefix, "--dry-run", spec, code=1)
            self.assertEqual((told["success"], told["solver_problems"]), (False, [problem]))

    def test_updating_the_program_itself_in_base(self):
        """Lines of many Dockerfiles."""
        for words in (("-n", "base", "conda"), ("-n", "base", "-c", self.url, "conda"), ("conda",),
                      ("-n", "base", "conda", "mamba>=2")):
            updated = self.run_as("conda", "update", "-y", *words)
            self.assertIn("note: conda is taipan here", updated.stderr)
            self.assertIn("# All requested packages already installed", updated.stdout)
        self.create("thing")
        failed = self.run_as("conda", "update", "-y", "-p", self.prefix, "conda", code=1)
        self.assertIn("PackageNotInstalledError", failed.stderr)
        self.run_as("conda", "install", "-y", "-n", "base", "base-lib")
        self.assertIn("PackageNotInstalledError",
                      self.run_as("conda", "update", "-y", "-n", "base", "conda", "thing", code=1).stderr)

    def test_programs_of_others_are_commands_of_conda(self):
        """conda-pack, conda-lock and conda-build come in this way."""
        folder = self.work / "programs"
        folder.mkdir()
        for name in ("conda-greet", "conda-lock"):
            (folder / name).write_text('#!/bin/sh\nprintf "%s|" "${0##*/}" "$@"\nexit 3\n')
            (folder / name).chmod(0o755)
        path = {"PATH": f"{folder}:/usr/bin:/bin"}
        self.assertEqual(self.run_as("conda", "greet", "-n", "two words", "--flag", env=path, code=3).stdout,
                         "conda-greet|-n|two words|--flag|")
        self.assertEqual(self.run_as("conda", "lock", "-f", "x", env=path, code=3).stdout, "conda-lock|-f|x|")
        self.assertIn("there is no command 'greet'", self.run_as("conda", "greet", code=2).stderr)
        self.assertIn("conda-build", self.run_as("conda", "build", ".", code=2).stderr)
        self.assertIn("lock: error", self.run_as("mamba", "lock", "--absurd", env=path, code=2).stderr)

    def test_progress_in_logs_goes_to_the_output(self):
        """What watches conda takes its stderr for trouble: the action setup-miniconda makes warnings of it."""
        for name in ("conda", "mamba"):
            made = self.run_as(name, "create", "-y", "-p", self.work / name, "thing")
            self.assertEqual(made.stderr, "")
            self.assertIn("Linking 2 packages\n", made.stdout)
        self.assertIn("Linking 2 packages\n", self.taipan("create", "-y", "-p", self.prefix, "thing").stderr)
        self.assertEqual(self.run_as("conda", "remove", "-y", "-p", self.prefix, "thing").stderr, "")

    def test_empty_words_are_nothing_to_mamba(self):
        (self.work / "env.yml").write_text("name: one\ndependencies: [thing]\n")
        self.run_as("micromamba", "create", "-y", "-f", self.work / "env.yml", "")
        self.assertEqual(len(self.told("micromamba", "list", "-n", "one")), 2)
        self.assertIn("is no package specification", self.run_as("conda", "create", "-y", "-n", "x", "", code=1).stderr)

    def test_mistakes_are_told_under_the_name_that_was_called(self):
        wrong = self.run_as("conda", "install", "--absurd", "x", code=2).stderr
        self.assertEqual(wrong, "conda install: error: unknown option --absurd\nTry `conda install --help`.\n")
        self.assertIn("`conda run` needs no shell", self.run_as("conda", "activate", "x", code=1).stderr)

    def test_long_options_can_be_cut_short(self):
        """As argparse has it: `conda install --rev 1` is in conda's manual."""
        self.create("base-lib")
        self.run_as("conda", "install", "-y", "-p", self.prefix, "thing")
        self.run_as("conda", "install", "--yes", "--pre", self.prefix, "--rev=0")
        self.assertEqual([one["name"] for one in self.told("conda", "list", "-p", self.prefix)], ["base-lib"])
        self.run_as("conda", "install", "-y", "--prefix", self.prefix, "--revis", "1", "--dry")
        ambiguous = self.run_as("conda", "install", "-y", "-p", self.prefix, "--no-p", "thing", code=2).stderr
        self.assertIn("ambiguous option --no-p: it could be --no-pin, ", ambiguous)
        self.assertIn("unknown option --rev", self.run_as("micromamba", "install", "--rev", "0", code=2).stderr)
        self.assertEqual(self.run_as("conda", "run", "--pre", self.prefix, "echo", "--pre").stdout, "--pre\n")
    def test_revisions_of_mamba(self):
        self.channel.add("thing", "3.0")
        self.channel.write_index()
        self.create("thing=2.0")
        self.install("thing=3.0")
        told = self.told("micromamba", "list", "-p", self.prefix, "--revisions")
        self.assertEqual([sorted(one) for one in told], [["date", "install", "remove", "rev"]] * 2)
        self.assertEqual([dist.split("::")[1] for dist in told[1]["remove"]], ["thing-2.0-0"])
        self.assertEqual([dist.split("::")[1] for dist in told[1]["install"]], ["thing-3.0-0"])
        text = self.run_as("micromamba", "list", "-p", self.prefix, "--revisions").stdout
        self.assertRegex(text, r"\(rev 1\)\n-\S+::thing-2.0-0\n\+\S+::thing-3.0-0\n")

    def test_pip_in_the_list_of_mamba(self):
        self.create("thing")
        info = self.prefix / "lib/python3.11/site-packages/wheel_of-1.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wheel-of\nVersion: 1.5\n")
        (info / "INSTALLER").write_text("pip\n")
        (info / "RECORD").write_text("")
        self.channel.add("python", "3.11.0")
        self.channel.write_index()
        self.install("python")
        found = [one for one in self.told("micromamba", "list", "-p", self.prefix) if one["name"] == "wheel-of"]
        machine = os.uname()
        self.assertEqual(found, [{
            "base_url": "https://pypi.org/", "build_number": 0, "build_string": "pypi_0", "channel": "pypi",
            "dist_name": "wheel-of-1.5-pypi_0", "md5": "", "name": "wheel-of",
            "platform": f"{machine.sysname.lower()}-{machine.machine}", "sha256": "", "url": "", "version": "1.5"}])

    def test_packages_of_mambas_plans(self):
        server = self.serve(self.work)
        told = self.told("micromamba", "create", "-p", self.prefix, "--dry-run", "--override-channels", "-c",
                         f"{server.url}/channel", "thing")
        for action in ("FETCH", "LINK"):
            self.assertEqual([(one["build_string"], one["channel"]) for one in told["actions"][action]],
                             [("0", f"{server.url}/channel")] * 2, action)

    def test_files_of_mamba(self):
        self.told("micromamba", "env", "create", "-y", "-p", self.prefix)
        self.assert_installed()
        files = []
        for name in ("first", "second"):
            files += ["-f", self.work / f"{name}.yml"]
            files[-1].write_text(f"name: {name}\nvariables: {{{name.upper()}: '1'}}\ndependencies: [thing]\n")
        self.run_as("micromamba", "create", "-y", *files, "--no-env")
        one = self.root_prefix / "envs/first"
        self.assert_installed("base-lib-1.0-0", "thing-2.0-0", prefix=one)
        self.assertFalse((one / "conda-meta/state").exists())
        self.run_as("micromamba", "create", "-y", *files)
        self.assertEqual(json.loads((one / "conda-meta/state").read_text())["env_vars"], {"FIRST": "1", "SECOND": "1"})

    def test_channels_overridden_by_none(self):
        listing = self.work / "list.txt"
        listing.write_text("@EXPLICIT\n" + "".join(f"{self.url}/{p.record['subdir']}/{p.fn}\n"
                                                   for p in self.channel.packages))
        words = ("create", "-y", "-p", self.prefix, "--override-channels", "-f", listing)
        told = self.told("conda", *words, code=2)
        self.assertEqual(told["exception_name"], "ArgumentError")
        self.assertIn("--override-channels needs", told["message"])
        self.run_as("micromamba", *words)
        self.assert_installed("base-lib-1.0-0", "thing-2.0-0")

    def test_channels_of_an_export_from_history(self):
        self.create("thing")
        (self.home / ".condarc").unlink()
        for name, expected in (("micromamba", [self.url]), ("conda", [])):
            exported = self.told(name, "env", "export", "-p", self.prefix, "--from-history")
            self.assertEqual((exported.get("channels", []), exported["dependencies"]), (expected, ["thing"]), name)

    def test_names_with_blanks_are_names_to_mamba(self):
        self.run_as("micromamba", "create", "-y", "-n", "two words", "thing")
        self.assertEqual(len(self.told("mamba", "list", "-n", "two words")), 2)
        self.run_as("conda", "create", "-y", "-n", "two words", "thing", code=1)

    def test_where_a_python_keeps_its_packages_is_told(self):
        path = "lib/python3.13t/site-packages"
        self.channel.add("python", "3.13.1", "h_cp313t", record={"python_site_packages_path": path})
        self.channel.write_index()
        found = self.told("micromamba", "repoquery", "search", "python")["result"]["pkgs"]
        self.assertEqual([one["python_site_packages_path"] for one in found], [path])
        self.assertEqual(self.told("conda", "search", "python")["python"][0]["python_site_packages_path"], path)
        for name in ("micromamba", "conda"):
            actions = self.told(name, "create", "-p", self.prefix, "--dry-run", "python", "thing")["actions"]
            for key in ("FETCH", "LINK") if name == "micromamba" else ("FETCH",):
                told = {one["name"]: one.get("python_site_packages_path") for one in actions[key]}
                self.assertEqual((told["python"], told["thing"]), (path, None), f"{name} {key}")

    def test_export_of_mamba(self):
        self.create("thing")
        text = self.run_as("micromamba", "env", "export", "-p", self.prefix, "--md5", "--channel-subdir").stdout
        self.assertRegex(text, r"/[a-z0-9-]+::thing=2.0=0\[md5=[0-9a-f]{32}\]")
        text = self.run_as("micromamba", "env", "export", "-p", self.prefix, "--md5", "--no-builds").stdout
        self.assertRegex(text, r"- ['\"]?thing=2.0\[md5=[0-9a-f]{32}\]")

    def test_variables_and_channels_of_an_empty_environment_of_mamba(self):
        (self.home / ".condarc").unlink()
        self.run_as("micromamba", "create", "-y", "-p", self.prefix)
        self.assertEqual(self.run_as("micromamba", "env", "config", "vars", "list", "-p", self.prefix).stdout,
                         "No environment variables set.\n")
        self.run_as("micromamba", "env", "config", "vars", "set", "-p", self.prefix, "A=1")
        self.assertEqual(self.told("micromamba", "env", "config", "vars", "list", "-p", self.prefix),
                         {"env_vars": {"A": "1"}})
        self.assertEqual(self.told("conda", "env", "config", "vars", "list", "-p", self.prefix), {"A": "1"})
        self.assertIn("channels: []\n", self.run_as("micromamba", "env", "export", "-p", self.prefix).stdout)

    def test_order_and_case_of_variables(self):
        self.create("thing")

        def variables(name, *arguments):
            return self.run_as(name, "env", "config", "vars", *arguments, "-p", self.prefix)

        state = self.prefix / "conda-meta/state"
        for name in ("conda", "micromamba"):
            state.unlink(missing_ok=True)
            variables(name, "set", "Z=1", "A=2")
            variables(name, "set", "M=3", "Z=4")
            self.assertEqual(variables(name, "list").stdout, "Z = 4\nA = 2\nM = 3\n", name)
            self.assertIn("reserved", variables(name, "set", "PATH=/x:/y=z").stderr)
            self.assertEqual(list(json.loads(state.read_text())["env_vars"].items())[-1], ("PATH", "/x:/y=z"), name)
            variables(name, "unset", "PATH", "A")
            self.assertEqual(variables(name, "list").stdout, "Z = 4\nM = 3\n", name)
        # mamba forgets what is unset, where conda marks it; mamba's names are in upper case.
        self.assertEqual(json.loads(state.read_text())["env_vars"], {"Z": "4", "M": "3"})
        variables("micromamba", "set", "lower=1")
        variables("micromamba", "unset", "z")
        self.assertEqual(self.told("micromamba", "env", "config", "vars", "list", "-p", self.prefix),
                         {"env_vars": {"M": "3", "LOWER": "1"}})
        variables("conda", "set", "lower=2")
        variables("conda", "unset", "M")
        self.assertEqual(json.loads(state.read_text())["env_vars"], {"M": "***unset***", "LOWER": "1", "lower": "2"})

    def test_where_a_request_of_mamba_goes(self):
        def understood(*arguments, **options):
            text = self.run_as("micromamba", *arguments, "--print-config-only", **options).stdout
            return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)

        self.create("thing", prefix=self.root_prefix / "envs/one")
        self.assertEqual(understood("install", "-n", "one", "thing")["target_prefix"], f"{self.root_prefix}/envs/one")
        self.assertEqual(understood("install", "thing", env={"MAMBA_TARGET_PREFIX": "one"})["target_prefix"],
                         f"{self.root_prefix}/envs/one")
        (self.work / "env.yml").write_text("name: one\ndependencies: [thing]\n")
        self.assertEqual(understood("install", "-f", self.work / "env.yml")["env_name"], "one")
        made = understood("create", "-p", self.work / "new", "thing")
        self.assertEqual((made["use_root_prefix_fallback"], made["target_prefix_checks"]), ("false", "10"))
        self.assertFalse((self.work / "new").exists())
        self.run_as("micromamba", "remove", "thing", "--print-config-only", code=2)

    def test_a_quiet_run_of_mamba_says_nothing(self):
        result = self.run_as("micromamba", "create", "-y", "-q", "-p", self.prefix, "thing")
        self.assertEqual((result.stdout, result.stderr), ("", ""))
        self.assertEqual(self.taipan("install", "-y", "-q", "-p", self.prefix, "thing").stdout, "")
        told = self.told("mamba", "install", "-y", "-p", self.prefix, "thing")
        self.assertIs(told["dry_run"], False)
        self.assertEqual(told["prefix"], str(self.prefix))

    def test_quiet_conda_shows_the_plan(self):
        result = self.run_as("conda", "create", "-y", "-q", "-p", self.prefix, "thing")
        self.assertIn("base-lib", result.stdout)
        self.assertNotIn("To activate", result.stdout)

    def test_nothing_to_do_has_the_keys_of_conda(self):
        self.create("thing")
        self.assertEqual(self.told("conda", "install", "-y", "-p", self.prefix, "thing"),
                         {"message": "All requested packages already installed.", "success": True})

    def test_errors_have_the_members_of_conda(self):
        self.create("thing")
        missing = self.told("conda", "install", "-y", "-p", self.prefix, "nosuch", code=1)
        self.assertEqual(missing["exception_name"], "PackagesNotFoundInChannelsError")
        self.assertEqual(missing["channel_urls"], [
            {"auth": None, "location": str(self.channel.folder.parent), "name": self.channel.folder.name,
             "package_filename": None, "platform": None, "scheme": "file", "token": None}])
        gone = self.told("conda", "remove", "-y", "-p", self.prefix, "nosuch", code=1)
        self.assertEqual((gone["exception_name"], gone["package_name"], gone["packages_formatted"], gone["prefix"]),
                         ("PackagesNotFoundInPrefixError", ["nosuch"], "\n  - nosuch", str(self.prefix)))
        self.assertEqual(self.told("conda", "list", "-p", self.work, code=1)["target_directory"], str(self.work))
        self.assertEqual(self.told("conda", "create", "-y", "thing", code=2)["exception_name"], "ArgumentError")
        self.assertEqual(self.told("conda", "install", "-p", self.prefix, "===bad", code=1)["exception_name"],
                         "InvalidMatchSpec")
        key = self.told("conda", "config", "--set", "nosuch", "1", code=1)
        self.assertEqual((key["exception_name"], key["key"]), ("CondaKeyError", "nosuch"))

    def test_create_of_conda(self):
        self.create("thing")
        self.told("conda", "create", "--dry-run", "-p", self.prefix, "thing", code=1)
        self.assertIn("unused-env-name", self.told("conda", "create", "--dry-run", "thing")["prefix"])
        used = self.work / "used"
        used.mkdir()
        (used / "own.txt").write_text("mine\n")
        self.run_as("micromamba", "create", "-y", "-p", used, "thing", code=1)
        self.run_as("conda", "create", "-y", "-p", used, "thing")
        self.assert_installed("thing-2.0-0", "base-lib-1.0-0", prefix=used)
        self.assertEqual((used / "own.txt").read_text(), "mine\n")

    def test_places_and_facts_of_conda(self):
        self.environment.pop("CONDA_PKGS_DIRS", None)
        told = self.told("conda", "info")
        self.assertEqual(told["pkgs_dirs"], [f"{self.root_prefix}/pkgs", f"{self.home}/.conda/pkgs"])
        self.assertEqual(told["envs_dirs"], [f"{self.root_prefix}/envs", f"{self.home}/.conda/envs"])
        self.assertIn(["__conda", told["conda_version"], "0"], told["virtual_pkgs"])
        self.assertIn("conda version : " + told["conda_version"], self.run_as("conda", "info").stdout)
        self.assertEqual(self.told("conda", "info", "--unsafe-channels"), {"channels": [self.url]})
        self.create("thing")
        sizes = self.told("conda", "list", "-p", self.prefix, "--size")
        self.assertGreater(sizes[0]["size"], 0)
        self.assertEqual(self.run_as("conda", "list", "-p", self.prefix, "^THING").stdout.splitlines()[-1].split()[0],
                         "thing")

    def test_env_update_makes_what_is_not_there(self):
        (self.work / "env.yml").write_text("dependencies: [thing]\n")
        self.run_as("mamba", "env", "update", "-p", self.prefix, "-f", self.work / "env.yml", code=1)
        self.run_as("conda", "env", "update", "-p", self.prefix, "-f", self.work / "env.yml")
        self.assert_installed("thing-2.0-0", "base-lib-1.0-0")
        self.run_as("conda", "env", "update", "-p", self.prefix, "-f", self.work / "env.yml")

    def test_a_root_prefix_that_is_no_environment_yet(self):
        """The images of micromamba begin like that."""
        for name, *words in (("micromamba", "install", "-n", "base"), ("micromamba", "create", "-n", "base"),
                             ("mamba", "install"), ("taipan", "install", "-n", "base")):
            root = self.work / ("root-" + "-".join([name, *words]))
            (root / "envs").mkdir(parents=True)
            run = self.taipan if name == "taipan" else lambda *w, **o: self.run_as(name, *w, **o)
            run(*words, "--dry-run", "-y", "thing", env={"MAMBA_ROOT_PREFIX": str(root)})
            self.assertFalse((root / "conda-meta").exists())
            run(*words, "-y", "thing", env={"MAMBA_ROOT_PREFIX": str(root)})
            self.assert_installed("thing-2.0-0", "base-lib-1.0-0", prefix=root)

    def test_words_of_env_create_are_packages_to_mamba(self):
        self.run_as("micromamba", "env", "create", "-y", "-p", self.prefix, "thing")
        self.assert_installed("thing-2.0-0", "base-lib-1.0-0")
        told = self.told("micromamba", "install", "-y", "--dry-run", "--force-reinstall", "-p", self.prefix, "thing")
        self.assertEqual(told["actions"]["LINK"][0]["fn"], "thing-2.0-0.conda")
        self.assertIn("Nothing to do.", self.run_as("micromamba", "install", "-y", "-p", self.prefix).stdout)
        self.taipan("install", "-y", "-p", self.prefix, code=1)
        self.taipan("install", "--channel-priority", "flexible", "--strict-channel-priority", "thing", code=2)

    def test_what_mamba_passes_over(self):
        self.create("thing")
        told = self.told("mamba", "update", "-y", "-p", self.prefix, "nosuch")
        self.assertEqual(told["message"], "All requested packages already installed")
        self.taipan("update", "-y", "-p", self.prefix, "nosuch", code=1)
        self.run_as("micromamba", "remove", "-y", "--no-prune-deps", "-p", self.prefix, "thing")
        self.assert_installed("base-lib-1.0-0")

    def test_a_channel_alias_with_a_slash(self):
        self.create("thing", env={"CONDA_CHANNEL_ALIAS": self.channel.folder.parent.as_uri() + "/"})
        told = self.told("conda", "list", "-p", self.prefix)
        self.assertEqual({one["channel"] for one in told}, {self.channel.folder.name})

    def test_uv_in_the_place_of_pip(self):
        self.channel.add("python", "3.11.9", files={"bin/python": File("#!/bin/sh\n", mode=0o755)})
        self.channel.add("uv", "0.5", files={"bin/uv": File(UV, mode=0o755)})
        self.channel.write_index()
        (self.work / "env.yml").write_text("dependencies:\n  - python\n  - pip:\n    - foo==1.0\n    - bar\n")
        (self.home / ".condarc").write_text(f"channels: ['{self.url}']\nuse_uv: true\n")
        result = self.taipan("env", "create", "-y", "-p", self.prefix, "-f", self.work / "env.yml")
        self.assertIn("'uv' is not among its dependencies", result.stderr)
        self.assertEqual((self.prefix / "uv-requirements.txt").read_text(), "foo==1.0\nbar\n")
        words = (self.prefix / "uv-arguments.txt").read_text().split()
        self.assertEqual(words[:4], ["pip", "install", "--python", f"{self.prefix}/bin/python"])
        quiet = self.taipan("env", "create", "-y", "-q", "-p", self.work / "quiet", "-f", self.work / "env.yml")
        self.assertEqual(quiet.stdout, "")


if __name__ == "__main__":
    main()
