"""Completion: the candidates, and that bash, zsh and fish show them."""

import subprocess

from shells import hook_line
from taipan_test import TaipanTest, binary_under_test, main


class CompletionTest(TaipanTest):
    def setUp(self):
        super().setUp()
        for name in ("alpha", "beta"):
            (self.root_prefix / "envs" / name / "conda-meta").mkdir(parents=True)
            (self.root_prefix / "envs" / name / "conda-meta/history").write_text("")

    def candidates(self, *words, described=False):
        lines = self.taipan("completer", *(["--described"] if described else []), "--", *words).stdout.splitlines()
        return [line.partition("\t")[::2] for line in lines] if described else lines

    def test_commands_and_their_words(self):
        self.assertEqual(self.candidates("crea"), ["create"])
        self.assertLessEqual({"create", "env", "shell", "run"}, set(self.candidates("")))
        self.assertEqual(self.candidates("env", "config", "vars", "s"), ["set"])
        self.assertEqual(self.candidates("repoquery", "w"), ["whoneeds"])
        self.assertIn(("create", "Make a new environment."), self.candidates("cre", described=True))

    def test_options(self):
        self.assertEqual(self.candidates("create", "--channel-p"), ["--channel-priority"])
        self.assertEqual(self.candidates("create", "--channel-priority", "s"), ["strict"])
        self.assertEqual(self.candidates("create", "--channel-priority=f"), ["--channel-priority=flexible"])
        self.assertIn("--help", self.candidates("env", "export", "--h"))
        self.assertEqual(self.candidates("no-such-command", "--x"), [])

    def test_environments(self):
        for words in (["list", "-n", ""], ["activate", ""], ["run", "--name", ""], ["env", "remove", "-n", ""]):
            self.assertEqual([line for line in self.candidates(*words) if ":" not in line][:2], ["alpha", "beta"], words)
        self.assertEqual(self.candidates("install", "-n", "b"), ["beta"])
        self.assertEqual(self.candidates("list", "--name=b"), ["--name=beta"])

    def test_paths(self):
        self.assertEqual(self.candidates("env", "create", "-f", ""), [":files"])
        self.assertEqual(self.candidates("create", "-p", ""), [":folders"])
        self.assertEqual(self.candidates("run", "-n", "alpha", "python", ""), [":files"])

    def test_packages_of_the_cached_index(self):
        channel = self.tiny_channel()
        for name in ("numpy", "numba", "zlib"):
            channel.add(name)
        channel.write_index()
        server = self.serve(channel)
        (self.home / ".condarc").write_text(f"channels: ['{server.url}']\n")
        self.assertEqual(self.candidates("install", "num"), [])
        self.taipan("create", "-y", "-n", "gamma", "zlib")
        before = len(server.requests())
        self.assertEqual(self.candidates("install", "-n", "beta", "num"), ["numba", "numpy"])
        self.assertEqual(self.candidates("create", "-n", "new", "zlib", "nump"), ["numpy"])
        self.assertEqual(self.candidates("remove", "-n", "gamma", ""), ["zlib"])
        self.assertEqual(len(server.requests()), before, "completion asked the server")
        channel.add("numexpr")
        channel.write_index()
        self.taipan("create", "-y", "-n", "delta", "zlib", "--repodata-ttl", "0")
        self.assertEqual(self.candidates("install", "num"), ["numba", "numexpr", "numpy"])

    def test_half_a_command_line(self):
        for line, expected in (("taipan create --name=al", ["alpha"]), ("taipan list -n 'be", ["beta"]),
                               ("taipan activate al", ["alpha"])):
            result = self.taipan("completer", "--breaks", " \t\n\"'><=;|&(:", "--line", line)
            self.assertEqual(result.stdout.splitlines(), expected, line)

    def in_shell(self, shell, script):
        file = self.work / "script"
        file.write_text(hook_line(shell, binary_under_test()) + script)
        start = {"bash": ["bash", "--norc"], "fish": ["fish", "--no-config"]}[shell]
        done = subprocess.run([*start, file], env=self.environment, cwd=self.work, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split("\n")[:-1]

    def test_in_bash(self):
        script = """
        COMP_LINE='taipan activate b'; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(taipan activate b); COMP_CWORD=2
        complete -p taipan >/dev/null && __taipan_complete && printf '%s\\n' "${COMPREPLY[@]}"
        touch environment.yml
        COMP_LINE='taipan env create -f env'; COMP_POINT=${#COMP_LINE}
        COMP_WORDS=(taipan env create -f env); COMP_CWORD=4
        __taipan_complete && printf '%s\\n' "${COMPREPLY[@]}"
        """
        self.assertEqual(self.in_shell("bash", script), ["beta", "environment.yml"])

    def test_in_fish(self):
        shown = self.in_shell("fish", "touch environment.yml\ncomplete -C 'taipan activate b'\n"
                                      "complete -C 'taipan env create -f env'\ncomplete -C 'taipan upda'\n")
        self.assertEqual([line.split("\t")[0] for line in shown], ["beta", "environment.yml", "update"])

    def test_in_zsh(self):
        """At a terminal: zsh completes only there."""
        from terminal import Terminal
        (self.home / ".zshrc").write_text(hook_line("zsh", binary_under_test()) + "PROMPT='> '\n")
        terminal = Terminal(["zsh", "-i"], self.environment, self.work)
        self.addCleanup(terminal.close)
        terminal.type("echo taipan; taipan run -n bet\t")
        terminal.wait_for("taipan run -n beta ")

    def test_the_text_by_itself(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("completer", self.taipan("completion", shell).stdout)
        self.assertIn("there is for bash, zsh and fish", self.taipan("completion", "tcsh", code=1).stderr)


if __name__ == "__main__":
    main()
