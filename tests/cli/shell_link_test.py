"""Called through a link named conda, mamba or micromamba: that program's functions, variables, words and exit codes."""

import json
import subprocess

from shells import Session
from taipan_test import TaipanTest, binary_under_test, main

# What conda's own conda.sh does (its function, in our words): programs and Docker images bring that file along.
CONDA_SH = """
__conda_activate() {
    ask_conda="$(PS1="${PS1:-}" "$CONDA_EXE" shell.posix "$@")" || return
    eval "$ask_conda"
}
conda() {
    case "$1" in
        activate|deactivate) __conda_activate "$@" ;;
        install|update|upgrade|remove|uninstall) "$CONDA_EXE" "$@" || return; __conda_activate reactivate ;;
        *) "$CONDA_EXE" "$@" ;;
    esac
}
"""


class LinkTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.links = self.work / "links"
        self.links.mkdir()
        for name in ("conda", "mamba", "micromamba"):
            (self.links / name).symlink_to(binary_under_test())
        for name in ("one", "two"):
            prefix = self.root_prefix / "envs" / name
            (prefix / "conda-meta").mkdir(parents=True)
            (prefix / "conda-meta/history").write_text("")
            (prefix / "conda-meta/state").write_text(json.dumps({"env_vars": {"NAME_OF": name, f"ONLY_{name}": "1"}}))
        self.one, self.two = self.root_prefix / "envs/one", self.root_prefix / "envs/two"

    def run_as(self, name, *arguments, **options):
        return self.taipan(*arguments, binary=self.links / name, **options)

    def session(self, name, shell="bash", **options):
        return Session(shell, self.links / name if name != "taipan" else binary_under_test(), self.work,
                       self.environment, name=name, **options)

    def test_versions(self):
        self.assertRegex(self.run_as("conda", "--version").stdout, r"^conda \d+\.\d+\.\d+\n$")
        for name in ("mamba", "micromamba"):
            self.assertRegex(self.run_as(name, "--version").stdout, r"^2\.\d+\.\d+\n$")
        self.assertEqual(self.run_as("conda", "info", "--base").stdout, f"{self.root_prefix}\n")
        told = json.loads(self.run_as("conda", "info", "--json").stdout)
        self.assertEqual("conda " + told["conda_version"] + "\n", self.run_as("conda", "--version").stdout)

    def test_info_has_the_labels_of_mamba(self):
        for name in ("mamba", "micromamba"):
            told = json.loads(self.run_as(name, "info", "-n", "one", "--json").stdout)
            self.assertEqual(told["environment"], "one")
            self.assertEqual(told["env location"], str(self.one))
            self.assertEqual(told["base environment"], str(self.root_prefix))
            self.assertEqual(told["envs directories"], [str(self.root_prefix / "envs")])
            self.assertIn(name + " version", told)
            text = self.run_as(name, "info", env={"CONDA_PREFIX": str(self.one)}).stdout
            self.assertIn("environment : one (active)\n", text)
            for label in told:
                self.assertIn(f" {label} : ", text)
            self.assertEqual(self.run_as(name, "info", "--base").stdout, f"\n base environment : {self.root_prefix}\n")
            base = json.loads(self.run_as(name, "info", "--base", "--json").stdout)
            self.assertEqual(base, {"base environment": str(self.root_prefix)})
            self.assertIn("two (not found)",
                          self.run_as(name, "info", "-p", self.work / "two").stdout.replace(str(self.work) + "/", ""))
        table = self.run_as("micromamba", "env", "list", env={"CONDA_PREFIX": str(self.two)}).stdout.splitlines()
        self.assertEqual(table[0].split(), ["Name", "Active", "Path"])
        self.assertEqual([line.split() for line in table[2:]],
                         [["base", str(self.root_prefix)], ["one", str(self.one)], ["two", "*", str(self.two)]])

    def test_the_end_of_the_input_is_a_yes_for_conda_and_mamba(self):
        channel = self.tiny_channel()
        channel.add("lib")
        channel.write_index()
        words = ["install", "-p", self.one, "--override-channels", "-c", channel.folder.as_uri(), "lib"]
        self.assertIn("say -y", self.taipan(*words, code=1).stderr)
        self.assertFalse(list(self.one.glob("conda-meta/lib-*.json")))
        self.run_as("conda", *words)
        self.assertTrue(list(self.one.glob("conda-meta/lib-*.json")))

    def test_mambas_words_around_shell(self):
        hook = self.run_as("micromamba", "shell", "hook", "-s", "bash").stdout
        told = json.loads(self.run_as("micromamba", "shell", "hook", "-s", "bash", "--json").stdout)
        self.assertEqual((told["actions"]["print"], told["success"], told["context"]["shell_type"], told["operation"]),
                         (hook, True, "bash", "shell_hook"))
        self.assertEqual(sorted(told), ["actions", "context", "operation", "success"])
        root = self.work / "fresh"
        self.run_as("micromamba", "shell", "-y", "init", "-s", "bash", "-r", root)
        self.assertEqual(self.run_as("micromamba", "list", "-p", root, "--json").stdout.strip(), "[]")
        sourced = subprocess.run(["bash", "-c", f". {root}/etc/profile.d/mamba.sh; type -t micromamba"],
                                 env=self.environment, capture_output=True, text=True)
        self.assertEqual(sourced.stdout, "function\n", sourced.stderr)
        self.run_as("micromamba", "shell", "activate", "-s", "bash", "-r", self.work / "nowhere", "base", code=1)
        self.run_as("micromamba", "shell", "activate", "-s", "bash", "-r", self.work / "nowhere", "-p",
                    self.work / "nowhere", code=1)

    def test_files_of_mamba_that_scripts_source(self):
        for shell, path, ask, answer in (
                ("bash", "etc/profile.d/mamba.sh", "type -t micromamba", "^function$"),
                ("fish", "etc/fish/conf.d/mamba.fish", "type -t micromamba", "^function$"),
                ("tcsh", "etc/profile.d/mamba.csh", "alias micromamba", "__micromamba_dispatch"),
                ("xonsh", "etc/profile.d/mamba.xsh", None, None)):
            with self.subTest(shell):
                root = self.work / f"root-{shell}"
                self.run_as("micromamba", "shell", "init", "-s", shell, "-r", root)
                self.assertTrue((root / path).is_file(), path)
                if ask:
                    done = subprocess.run([shell, "-c", f"source {root / path}; {ask}"], env=self.environment,
                                          capture_output=True, text=True)
                    self.assertRegex(done.stdout, answer, done.stderr)
                self.run_as("micromamba", "shell", "deinit", "-s", shell, "-r", root)
                self.assertFalse((root / path).exists(), path)

    def test_each_has_its_own_function(self):
        for name in ("conda", "mamba", "micromamba"):
            for shell in ("bash", "fish", "tcsh"):
                with self.subTest(name=name, shell=shell):
                    session = self.session(name, shell)
                    session.step("activate", "one")
                    session.step("deactivate")
                    inside, outside = session.run()
                    self.assertEqual(inside["CONDA_PREFIX"], str(self.one), session.done.stderr)
                    self.assertEqual(inside["CONDA_EXE" if name == "conda" else "MAMBA_EXE"], str(self.links / name))
                    self.assertEqual(outside.get("CONDA_PREFIX", ""), "")

    def test_conda_variables(self):
        text = self.run_as("conda", "shell.posix", "activate", "one", env={"PS1": "$ "}).stdout
        condabin = f"{self.root_prefix}/condabin"
        self.assertEqual(text.splitlines(), [
            "export _CE_M=''", "export _CE_CONDA=''", "PS1='(one) $ '",
            f"export PATH='{self.one}/bin:{condabin}:{self.environment['PATH']}'",
            f"export CONDA_PREFIX='{self.one}'", "export CONDA_SHLVL='1'", "export CONDA_DEFAULT_ENV='one'",
            "export CONDA_PROMPT_MODIFIER='(one) '", "export NAME_OF='one'", "export ONLY_ONE='1'",
            f"export CONDA_EXE='{self.links}/conda'", f"export _CONDA_EXE='{self.links}/conda'",
            f"export CONDA_PYTHON_EXE='{self.root_prefix}/bin/python'", f"export _CONDA_ROOT='{self.root_prefix}'"])
        text = self.run_as("conda", "shell.posix", "deactivate",
                           env={"CONDA_PREFIX": str(self.one), "CONDA_SHLVL": "1",
                                "PATH": f"{self.one}/bin:/usr/bin:/bin", "CONDA_PROMPT_MODIFIER": "(one) ",
                                "PS1": "(one) $ ", "CONDA_DEFAULT_ENV": "one"}).stdout.splitlines()
        self.assertEqual(text[0], "export PATH='/usr/bin:/bin'")
        self.assertIn("export CONDA_PREFIX=''", text)
        self.assertIn("PS1='$ '", text)

    def test_json_of_an_activation(self):
        told = json.loads(self.run_as("conda", "shell.posix+json", "activate", "one").stdout)
        self.assertEqual(sorted(told), ["path", "scripts", "vars"])
        self.assertEqual(told["path"]["PATH"][0], f"{self.one}/bin")
        self.assertEqual(told["vars"]["export"]["CONDA_PREFIX"], str(self.one))
        self.assertEqual(sorted(told["vars"]), ["export", "set", "unset"])

    def test_the_conda_sh_of_conda(self):
        session = self.session("conda", "dash", hook=False)
        session.raw(f"CONDA_EXE={self.links}/conda; CONDA_SHLVL=0; export CONDA_EXE CONDA_SHLVL\n{CONDA_SH}")
        session.step("activate", "one")
        session.step("activate", "two")
        session.step("deactivate")
        session.step("activate", "missing")
        one, two, back, missing = session.run()
        self.assertEqual((one["CONDA_DEFAULT_ENV"], two["CONDA_DEFAULT_ENV"], back["CONDA_DEFAULT_ENV"]),
                         ("one", "two", "one"))
        self.assertEqual((missing["STATUS"], missing["CONDA_SHLVL"]), ("1", "1"))
        self.assertIn("EnvironmentNameNotFound: Could not find conda environment: missing", session.done.stderr)

    def test_habits(self):
        """conda leaves variables of a replaced environment behind; mamba steps back to the one below."""
        for name, kept, level in (("conda", "1", "3"), ("mamba", None, "1"), ("taipan", None, "3")):
            with self.subTest(name=name):
                session = self.session(name)
                for environment in ("one", "two", "one"):
                    session.step("activate", environment)
                _, two, again = session.run()
                self.assertEqual(two.get("ONLY_ONE") or None, kept)
                self.assertEqual((again["CONDA_SHLVL"], again["NAME_OF"]), (level, "one"))

    def test_they_take_turns_in_one_shell(self):
        session = self.session("conda")
        session.raw(f'eval "$({binary_under_test()} shell hook -s bash)"')
        session.step("activate", "one")
        session.name = "taipan"
        session.step("activate", "two")
        session.name = "conda"
        session.step("deactivate")
        session.name = "taipan"
        session.step("deactivate")
        one, two, back, out = session.run()
        self.assertEqual([dump.get("CONDA_PREFIX", "") for dump in (one, two, back, out)],
                         [str(self.one), str(self.two), str(self.one), ""])
        self.assertEqual([dump["CONDA_SHLVL"] for dump in (one, two, back, out)], ["1", "2", "1", "0"])
        self.assertEqual(back["PATH"], one["PATH"])

    def test_the_root_that_it_is_installed_in(self):
        root = self.work / "opt/conda"
        for folder in ("bin", "conda-meta", "envs/tool/bin", "envs/tool/conda-meta"):
            (root / folder).mkdir(parents=True)
        environment = {k: v for k, v in self.environment.items() if k != "MAMBA_ROOT_PREFIX"}
        for place in ("bin/conda", "envs/tool/bin/conda"):
            (root / place).symlink_to(binary_under_test())
            done = subprocess.run([root / place, "info", "--base"], env=environment, capture_output=True, text=True)
            self.assertEqual(done.stdout, f"{root}\n", done.stderr)

    def test_base_is_activated_by_the_hook(self):
        (self.root_prefix / "conda-meta").mkdir()
        (self.root_prefix / "conda-meta/history").write_text("")
        for name, expected in (("conda", "base"), ("taipan", "base"), ("mamba", "")):
            with self.subTest(name=name):
                session = self.session(name)
                session.step("info", "--base")
                self.assertEqual(session.run()[0].get("CONDA_DEFAULT_ENV", ""), expected)
        (self.home / ".condarc").write_text("auto_activate_base: false\n")
        session = self.session("conda")
        session.step("info", "--base")
        self.assertEqual(session.run()[0].get("CONDA_DEFAULT_ENV", ""), "")

    def test_words_that_cannot_be(self):
        for words in (["shell.posix"], ["shell.posix", "nonsense"], ["shell.nosuch", "hook"], ["shell.cmd.exe", "hook"],
                      ["shell.posix", "activate", "--stack", "--no-stack", "one"], ["shell.posix+xml", "activate"],
                      ["shell.posix", "deactivate", "one"]):
            result = self.run_as("conda", *words, code=2)
            self.assertIn("ArgumentError", result.stderr)
            self.assertEqual(result.stdout, "")
        self.assertEqual(self.run_as("conda", "shell.bash", "activate", "--help", code=1).stdout, "")
        self.assertIn("create\n", self.run_as("conda", "commands").stdout)


if __name__ == "__main__":
    main()
