"""Activation in the real shells: the same steps must lead to the same variables in each of them."""

import functools
import json
import shutil

from shells import SHELLS, Session, append_line, extension, installed
from taipan_test import TaipanTest, binary_under_test, main

# As names and values may be: everything that some shell gives a meaning to.
HOSTILE = "it's \"$(touch pwned)\" `touch pwned` $HOME \\ ! !! %n * ? [a] {b} ~ # ; & | < > \u00e9 \u2019 \ttab"
HOSTILE_LINES = HOSTILE + "\nsecond line\n  third\\"


def in_each_shell(test):
    """The test once for every shell."""
    @functools.wraps(test)
    def run(self):
        for shell in SHELLS:
            with self.subTest(shell=shell):
                self.assertTrue(installed(shell), f"{shell} is not installed; see cmake/packages.sh")
                test(self, shell)
    return run


class ShellTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.environment |= {"USERS": "own", "LOG": ""}
        self.envs = self.root_prefix / "envs"

    def make(self, name, variables=None, scripts=True, envs=None):
        """An environment as far as activation is concerned."""
        prefix = (envs or self.envs) / name
        shutil.rmtree(prefix, ignore_errors=True)
        (prefix / "bin").mkdir(parents=True)
        (prefix / "conda-meta").mkdir()
        (prefix / "conda-meta/history").write_text("")
        if variables:
            (prefix / "conda-meta/state").write_text(json.dumps({"env_vars": variables}))
        label = "".join(c for c in name.split(".")[0] if c.isalnum())
        for moment in ("activate", "deactivate") if scripts else ():
            folder = prefix / f"etc/conda/{moment}.d"
            folder.mkdir(parents=True)
            for number in (1, 2):
                for shell in ("bash", "fish", "tcsh"):
                    (folder / f"{number}-x{extension(shell)}").write_text(
                        append_line(shell, "LOG", f"{moment[0]}{number}:{label}_"))
        return prefix

    def session(self, shell, **options):
        return Session(shell, binary_under_test(), self.work, self.environment, **options)

class ActivateTest(ShellTest):
    @in_each_shell
    def test_in_out_and_over(self, shell):
        one, two = self.make("one", {"SHARED": "1", "USERS": "one's"}), self.make("two", {"SHARED": "2"})
        base_path = self.environment["PATH"]
        session = self.session(shell)
        for words in (["activate", "one"], ["activate", "two"], ["deactivate"], ["deactivate"], ["deactivate"]):
            session.step(*words)
        first, second, back, out, again = session.run()
        self.assertEqual(session.done.stderr, "")
        condabin = f"{self.root_prefix}/condabin"
        self.assertEqual(first["PATH"], f"{one}/bin:{condabin}:{base_path}")
        self.assertEqual((first["CONDA_PREFIX"], first["CONDA_SHLVL"], first["CONDA_DEFAULT_ENV"],
                          first["CONDA_PROMPT_MODIFIER"]), (str(one), "1", "one", "(one) "))
        self.assertEqual((first["SHARED"], first["USERS"], first["LOG"]), ("1", "one's", "a1:one_a2:one_"))
        self.assertEqual(second["PATH"], f"{two}/bin:{condabin}:{base_path}")
        self.assertEqual((second["CONDA_PREFIX"], second["CONDA_PREFIX_1"], second["CONDA_SHLVL"]),
                         (str(two), str(one), "2"))
        self.assertEqual((second["SHARED"], second["USERS"]), ("2", "own"))
        self.assertEqual(second["LOG"], "a1:one_a2:one_d2:one_d1:one_a1:two_a2:two_")
        self.assertEqual((back["CONDA_PREFIX"], back["CONDA_SHLVL"], back["SHARED"], back["USERS"], back["PATH"]),
                         (str(one), "1", "1", "one's", first["PATH"]))
        self.assertNotIn("CONDA_PREFIX_1", back)
        self.assertEqual(out["PATH"], f"{condabin}:{base_path}")
        self.assertEqual((out["CONDA_SHLVL"], out["USERS"]), ("0", "own"))
        for name in ("CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER", "SHARED"):
            self.assertNotIn(name, out)
        self.assertEqual([name for name in out if name.startswith("__CONDA_SHLVL")], [])
        self.assertEqual(again | {"STATUS": ""}, out | {"STATUS": ""})
        self.assertEqual({dump["STATUS"] for dump in (first, second, back, out, again)}, {"0"})
        if shell != "fish":
            self.assertEqual([dump["PROMPT_NOW"] for dump in (first, second, back, out)],
                             ["(one) " + out["PROMPT_NOW"], "(two) " + out["PROMPT_NOW"],
                              "(one) " + out["PROMPT_NOW"], out["PROMPT_NOW"]])

    @in_each_shell
    def test_stacked(self, shell):
        one, two, three = self.make("one"), self.make("two"), self.make("three")
        (self.home / ".condarc").write_text("env_prompt: '[{stacked_env}|{name}] '\n")
        session = self.session(shell)
        for words in (["activate", "one"], ["activate", "--stack", "two"], ["activate", "three"], ["deactivate"],
                      ["deactivate"]):
            session.step(*words)
        first, second, third, back, bottom = session.run()
        rest = first["PATH"].removeprefix(f"{one}/bin")
        self.assertEqual(second["PATH"], f"{two}/bin:{one}/bin{rest}")
        self.assertEqual((second["CONDA_STACKED_2"], second["CONDA_SHLVL"]), ("true", "2"))
        self.assertEqual(second["LOG"], "a1:one_a2:one_a1:two_a2:two_")
        self.assertEqual(third["PATH"], f"{three}/bin:{one}/bin{rest}")
        self.assertEqual(back["PATH"], second["PATH"])
        self.assertEqual(bottom["PATH"], first["PATH"])
        self.assertNotIn("CONDA_STACKED_2", bottom)
        self.assertEqual([dump["CONDA_PROMPT_MODIFIER"] for dump in (first, second, third, back, bottom)],
                         ["[one|one] ", "[two,one|two] ", "[three,one|three] ", "[two,one|two] ", "[one|one] "])

    @in_each_shell
    def test_hostile_names_and_values(self, shell):
        folder = self.work / "a 'b' $(touch pwned) `c` \"d\" e!f \\ %g"
        prefix = self.make("my env's $(touch pwned) !x", {"HOSTILE": HOSTILE, "MULTILINE": HOSTILE_LINES,
                                                          "BAD NAME; TOUCH PWNED": "x", "PATH": "/nowhere"},
                           envs=folder / "envs")
        session = self.session(shell)
        session.step("activate", prefix)
        session.step("deactivate")
        inside, outside = session.run()
        self.assertEqual(inside["CONDA_PREFIX"], str(prefix), session.done.stderr)
        self.assertEqual(inside["CONDA_DEFAULT_ENV"], prefix.name)
        self.assertEqual(inside["HOSTILE"], HOSTILE)
        self.assertEqual(inside["MULTILINE"], HOSTILE_LINES)
        self.assertTrue(inside["PATH"].startswith(f"{prefix}/bin:"), inside["PATH"])
        self.assertTrue(inside["PATH"].endswith(self.environment["PATH"]))
        self.assertTrue(inside["LOG"].startswith("a1:myenv"), inside["LOG"])
        self.assertNotIn("$(", inside["CONDA_PROMPT_MODIFIER"])
        self.assertIn("'PATH'", session.done.stderr)
        self.assertIn("BAD NAME; TOUCH PWNED", session.done.stderr)
        self.assertNotIn("HOSTILE", outside)
        self.assertEqual([*self.work.rglob("pwned"), *self.work.rglob("PWNED")], [])

    def test_strange_paths(self):
        """Empty entries, duplicates and an entry that is gone: only what is ours is touched."""
        one, two = self.make("one", scripts=False), self.make("two", scripts=False)
        bin_one, bin_two = f"{one}/bin", f"{two}/bin"
        session = self.session("bash")
        session.step("activate", "one")
        session.raw(f'PATH="/first:{bin_one}:/x::{bin_one}:/usr/bin:/bin:"')
        session.step("activate", "two")
        session.raw('PATH="/x y:/usr/bin:/bin"')
        session.step("activate", "one")
        session.step("deactivate")
        session.raw(f'PATH="/x:{bin_two}/:/usr/bin:/bin"')
        session.step("activate", "one")
        _, duplicates, gone, back, slash = session.run()
        self.assertEqual(duplicates["PATH"], f"/first:{bin_two}:/x::{bin_one}:/usr/bin:/bin:")
        self.assertEqual(gone["PATH"], f"{bin_one}:/x y:/usr/bin:/bin")
        self.assertEqual(back["PATH"], f"{bin_two}:/x y:/usr/bin:/bin")
        self.assertEqual(slash["PATH"], f"/x:{bin_one}:/usr/bin:/bin")

    @in_each_shell
    def test_again_refreshes(self, shell):
        prefix = self.make("one", {"SETTING": "old", "GONE": "x"})
        self.taipan("env", "config", "vars", "set", "-p", prefix, "SETTING=old", "GONE=x")
        session = self.session(shell)
        session.step("activate", "one")
        session.step("env", "config", "vars", "set", "-n", "one", "SETTING=new")
        session.step("env", "config", "vars", "unset", "-n", "one", "GONE")
        session.step("activate", prefix)
        before, _, _, after = session.run()
        self.assertEqual((before["SETTING"], before["GONE"], after["SETTING"], after.get("GONE")),
                         ("old", "x", "new", None))
        self.assertEqual(after["CONDA_SHLVL"], "1")
        self.assertEqual(after["LOG"], "a1:one_a2:one_d2:one_d1:one_a1:one_a2:one_")

    @in_each_shell
    def test_what_cannot_be_activated(self, shell):
        self.make("one")
        (self.work / "plain").mkdir(exist_ok=True)
        session = self.session(shell)
        session.step("activate", "one")
        for words in (["activate", "missing"], ["activate", self.work / "plain"], ["activate", "a", "b"],
                      ["activate", "--stack", "--no-stack", "one"]):
            session.step(*words)
        first, *others = session.run()
        self.assertEqual([dump["STATUS"] for dump in others], ["1", "1", "2", "2"], session.done.stderr)
        for dump in others:
            self.assertEqual((dump["CONDA_PREFIX"], dump["CONDA_SHLVL"]), (first["CONDA_PREFIX"], "1"))
        self.assertIn("EnvironmentNameNotFound: Could not find conda environment: missing", session.done.stderr)
        self.assertIn(f"EnvironmentLocationNotFound: Not a conda environment: {self.work}/plain",
                      session.done.stderr)

    @in_each_shell
    def test_an_environment_that_is_gone_can_be_left(self, shell):
        one = self.make("one")
        two = self.make("two", {"X": "1"})
        session = self.session(shell)
        session.step("activate", "one")
        session.step("activate", "two")
        session.raw(f"rm -rf {two}")
        session.step("deactivate")
        self.assertEqual(session.run()[-1]["CONDA_PREFIX"], str(one))

    @in_each_shell
    def test_help_and_other_commands_pass_through(self, shell):
        session = self.session(shell)
        session.step("activate", "--help")
        session.step("--version")
        session.step("no-such-command")
        shown, version, wrong = session.run()
        self.assertIn("Enter an environment", session.done.stdout)
        self.assertIn("taipan ", session.done.stdout)
        self.assertEqual([shown["STATUS"], version["STATUS"], wrong["STATUS"]], ["0", "0", "2"])

    def test_strict_shells(self):
        self.make("one")
        for shell in ("bash", "zsh", "dash", "ksh"):
            with self.subTest(shell=shell):
                session = self.session(shell, hook=False)
                session.raw("set -eu")
                session.raw(f'eval "$({binary_under_test()} shell hook -s {shell})"')
                session.step("activate", "one")
                session.step("deactivate")
                self.assertEqual(session.run()[0]["CONDA_DEFAULT_ENV"], "one", session.done.stderr)
                self.assertEqual(session.done.returncode, 0, session.done.stderr)

    @in_each_shell
    def test_reactivation_after_changes(self, shell):
        channel = self.tiny_channel()
        name = extension
        channel.add("hooked", files={f"etc/conda/activate.d/hooked{name(shell)}": append_line(shell, "LOG", "hooked_")
                                     for shell in ("bash", "fish", "tcsh")})
        channel.write_index()
        prefix = self.make(f"env.{shell}", scripts=False)
        session = self.session(shell)
        session.step("activate", prefix)
        session.step("install", "-y", "--override-channels", "-c", channel.folder.as_uri(), "hooked")
        session.step("install", "-y", "--override-channels", "-c", channel.folder.as_uri(), "no-such-package")
        _, installed_it, failed = session.run()
        self.assertEqual((installed_it["LOG"], installed_it["STATUS"]), ("hooked_", "0"), session.done.stderr)
        self.assertEqual((failed["LOG"], failed["STATUS"]), ("hooked_", "1"), session.done.stderr)


class PlainProgramTest(ShellTest):
    def test_without_a_function(self):
        result = self.taipan("activate", "one", code=1)
        self.assertIn("CondaError: Run 'taipan init' before 'taipan activate'.", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_shells_that_are_not_for_us(self):
        self.assertIn("cmd.exe is a shell of Windows", self.taipan("shell", "hook", "-s", "cmd.exe", code=1).stderr)
        self.assertIn("did you mean bash?", self.taipan("shell", "hook", "-s", "bsh", code=1).stderr)

    def test_the_shell_is_guessed(self):
        for shell in ("dash", "fish"):
            session = self.session(shell, hook=False)
            session.raw(f"{binary_under_test()} shell hook")
            session.run()
            self.assertEqual("function taipan\n" in session.done.stdout, shell == "fish", session.done.stdout)


if __name__ == "__main__":
    main()
