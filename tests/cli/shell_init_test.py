"""`init`: what it writes into rc files, takes out of them and leaves alone, and that new shells then know the command."""

import subprocess
from pathlib import Path

from shells import installed
from taipan_test import TaipanTest, binary_under_test, main
from terminal import Terminal

OTHERS = """# my own lines
# >>> conda initialize >>>
# !! Contents within this block are managed by 'conda init' !!
export FROM_CONDA=1
# <<< conda initialize <<<
alias ll='ls -l'
"""


class InitTest(TaipanTest):
    def rc(self, name=".bashrc"):
        return self.home / name

    def link(self, name):
        folder = self.work / "links"
        folder.mkdir(exist_ok=True)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(binary_under_test())
        return folder / name

    def test_written_once_and_taken_out_again(self):
        for before in ("", "alias x=y\n", "no newline at the end", OTHERS):
            with self.subTest(before=before):
                self.rc().write_text(before)
                self.rc().chmod(0o600)
                result = self.taipan("init", "bash")
                self.assertIn(f"modified      {self.rc()}\n", result.stdout)
                once = self.rc().read_text()
                self.assertTrue(once.startswith(before))
                self.assertEqual(once.count("\n# >>> taipan initialize >>>\n"), 1)
                self.assertIn(f"no change     {self.rc()}\n", self.taipan("init", "bash").stdout)
                self.assertEqual(self.rc().read_text(), once)
                self.taipan("init", "bash", "--reverse")
                self.assertEqual(self.rc().read_text().rstrip("\n"), before.rstrip("\n"))
                self.assertEqual(self.rc().stat().st_mode & 0o777, 0o600)

    def test_what_scripts_source_of_an_installation_is_there_without_init(self):
        """`. "$(conda info --base)/etc/profile.d/conda.sh"` is how scripts and Dockerfiles begin."""
        channel = self.tiny_channel()
        channel.add("thing", "1.0")
        channel.write_index()
        root, url = self.root_prefix, channel.folder.as_uri()
        self.taipan("create", "-q", "-y", "-n", "first", "-c", url, "thing", binary=self.link("mamba"))
        self.link("conda")
        for name, base in (("conda", '"$(conda info --base)"'), ("mamba", root)):
            with self.subTest(name=name):
                script = (f". {base}/etc/profile.d/{name}.sh && "
                          f"{name} create -q -y -n made-by-{name} -c {url} thing >/dev/null && "
                          f'{name} activate made-by-{name} && echo "$CONDA_PREFIX" && {name} deactivate')
                done = subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                                      env=self.environment | {"PATH": f"{self.work / 'links'}:/usr/bin:/bin"})
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(done.stdout, f"{root}/envs/made-by-{name}\n")
        self.assertTrue((root / "bin/activate").is_file())
        self.assertEqual((root / "condabin/conda").readlink(), self.link("conda"))
        # Programs find the root prefix from $CONDA_EXE, whether they follow links or not; not a program of others.
        hook = self.taipan("shell.posix", "activate", "made-by-conda", binary=self.link("conda")).stdout
        self.assertIn(f"export CONDA_EXE='{root}/condabin/conda'", hook)
        self.assertTrue(Path(f"{root}/condabin/../etc/profile.d/conda.sh").is_file())
        (root / "condabin/conda").unlink()
        (root / "condabin/conda").write_text("#!/bin/sh\n")
        hook = self.taipan("shell.posix", "activate", "made-by-conda", binary=self.link("conda")).stdout
        self.assertIn(f"export CONDA_EXE='{self.link('conda')}'", hook)
        # base is an environment, though nobody has put anything into it.
        for words in (("list", "-n", "base"), ("env", "export"), ("list", "--revisions")):
            self.taipan(*words, binary=self.link("conda"), env={"MAMBA_ROOT_PREFIX": str(self.work / "other")})
        self.assertIn(f"base                     {self.work / 'third'}\n", self.taipan(
            "env", "list", binary=self.link("conda"), env={"MAMBA_ROOT_PREFIX": str(self.work / "third")}).stdout)
        # What an installation has put there stays.
        (root / "etc/profile.d/conda.sh").write_text("# of a package\n")
        self.taipan("info", "--base", binary=self.link("conda"))
        self.assertEqual((root / "etc/profile.d/conda.sh").read_text(), "# of a package\n")

    def test_dry_run_and_json(self):
        result = self.taipan("init", "bash", "zsh", "--dry-run")
        self.assertIn(f"modified      {self.rc('.zshrc')}\n", result.stdout)
        self.assertEqual(sorted(self.home.iterdir()), [])
        told = self.taipan_json("init", "fish", "--dry-run")
        self.assertEqual((told["success"], told["modified"][-1]), (True, str(self.home / ".config/fish/config.fish")))
        self.assertIn("# >>> taipan initialize >>>", self.taipan("init", "bash", "-v", "-d").stdout)

    def test_a_block_that_does_not_end_is_left_alone(self):
        text = "# >>> taipan initialize >>>\nsomething of mine\n"
        self.rc().write_text(text)
        result = self.taipan("init", "bash", code=1)
        self.assertIn("nothing was changed", result.stderr)
        self.assertEqual(self.rc().read_text(), text)

    def test_a_link_stays_a_link(self):
        (self.home / "dotfiles").mkdir()
        (self.home / "dotfiles/bashrc").write_text("x=1\n")
        self.rc().symlink_to("dotfiles/bashrc")
        self.taipan("init", "bash")
        self.assertTrue(self.rc().is_symlink())
        self.assertIn("taipan initialize", (self.home / "dotfiles/bashrc").read_text())

    def test_as_conda_it_is_conda_s_block(self):
        self.rc().write_text(OTHERS)
        self.taipan("init", "bash", binary=self.link("conda"))
        text = self.rc().read_text()
        self.assertNotIn("FROM_CONDA", text)
        self.assertEqual(text.count("# >>> conda initialize >>>"), 1)
        self.assertIn(f"__conda_setup=\"$('{self.link('conda')}' 'shell.bash' 'hook' 2> /dev/null)\"\n", text)
        self.assertTrue(text.endswith("# <<< conda initialize <<<\nalias ll='ls -l'\n"))
        self.assertTrue((self.root_prefix / "etc/profile.d/conda.sh").is_file())
        self.taipan("init", "bash", binary=self.link("mamba"))
        text = self.rc().read_text()
        self.assertEqual((text.count("# >>> conda initialize >>>"), text.count("# >>> mamba initialize >>>")), (1, 1))
        self.assertIn(f"export MAMBA_EXE='{self.link('mamba')}'\n", text)

    def test_files_of_a_package_are_left_alone(self):
        script = self.root_prefix / "etc/profile.d/conda.sh"
        script.parent.mkdir(parents=True)
        script.write_text("# of the conda package\n")
        self.taipan("init", "bash", binary=self.link("conda"))
        self.assertEqual(script.read_text(), "# of the conda package\n")
        self.taipan("init", "bash", "--reverse", binary=self.link("conda"))
        self.assertEqual(script.read_text(), "# of the conda package\n")

    def test_mamba_s_words(self):
        self.taipan("shell", "init", "-s", "zsh", "-r", self.root_prefix)
        self.assertIn("# >>> taipan initialize >>>", self.rc(".zshrc").read_text())
        moved = self.work / "elsewhere"
        moved.symlink_to(binary_under_test())
        self.taipan("shell", "reinit", binary=moved)
        self.assertIn(f"export TAIPAN_EXE='{moved}'", self.rc(".zshrc").read_text())
        self.taipan("shell", "deinit", "-s", "zsh")
        self.assertEqual(self.rc(".zshrc").read_text(), "")

    def test_only_the_path(self):
        self.taipan("init", "--condabin", "bash")
        self.assertIn(f"export PATH='{self.root_prefix}/condabin':\"$PATH\"\n", self.rc().read_text())
        self.assertEqual((self.root_prefix / "condabin/taipan").readlink().as_posix(), binary_under_test())

    def test_new_shells_know_the_command(self):
        prefix = self.root_prefix / "envs/demo"
        (prefix / "conda-meta").mkdir(parents=True)
        (prefix / "conda-meta/history").write_text("")
        for shell in ("bash", "zsh", "fish", "tcsh"):
            with self.subTest(shell=shell):
                self.assertTrue(installed(shell), f"{shell} is not installed; see cmake/packages.sh")
                self.taipan("init", shell)
                done = subprocess.run([shell, "-ic", "taipan activate demo; env"], env=self.environment,
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
                self.assertIn(f"CONDA_PREFIX={prefix}\n", done.stdout, done.stderr)

    def test_the_prompt(self):
        prefix = self.root_prefix / "envs/demo $(touch pwned)"
        (prefix / "conda-meta").mkdir(parents=True)
        (prefix / "conda-meta/history").write_text("")
        self.rc().write_text("PS1='me> '\n")
        self.rc(".zshrc").write_text("PROMPT='me> '\nsetopt prompt_subst interactive_comments\nunsetopt zle prompt_sp\n")
        for shell in ("bash", "zsh"):
            with self.subTest(shell=shell):
                self.taipan("init", shell)
                terminal = Terminal([shell, "-i"], self.environment, self.work)
                self.addCleanup(terminal.close)
                self.assertEqual(terminal.prompt(), "me> ")
                self.assertEqual(terminal.run("taipan activate 'demo $(touch pwned)'")[0], 0)
                self.assertEqual(terminal.prompt(), "(demo ?(touch pwned)) me> ")
                self.assertEqual(terminal.run("taipan deactivate")[0], 0)
                self.assertEqual(terminal.prompt(), "me> ")
        self.assertEqual(list(self.work.rglob("pwned")), [])


if __name__ == "__main__":
    main()
