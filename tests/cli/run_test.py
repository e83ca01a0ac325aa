"""`taipan run`: a program in its environment, as if it had been activated."""

import os
import signal
import subprocess
import time

from taipan_test import RealChannelTest, TaipanTest, binary_under_test, main
from tiny_channel import File

SHOW = """#!/bin/sh
echo "prefix=$CONDA_PREFIX"
echo "default=$CONDA_DEFAULT_ENV"
echo "level=$CONDA_SHLVL"
echo "first=${PATH%%:*}"
echo "hook=$FROM_HOOK"
echo "colour=$COLOUR"
for word; do echo "arg=[$word]"; done
"""


class RunTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("tools", files={
            "bin/show": File(SHOW, mode=0o755),
            "bin/fail": File("#!/bin/sh\necho to-stderr >&2\nexit 7\n", mode=0o755),
            "bin/echo-input": File("#!/bin/sh\nexec cat\n", mode=0o755),
            "bin/die": File("#!/bin/sh\nkill -TERM $$\n", mode=0o755),
            "etc/conda/activate.d/tools.sh": File("export FROM_HOOK='it ran'\n")})
        self.channel.write_index()
        self.create("tools")

    def shown(self, *arguments, **options):
        result = self.taipan("run", *arguments, **options)
        return [line.partition("=")[::2] for line in result.stdout.splitlines()]

    def test_the_environment_is_active(self):
        shown = dict(self.shown("-p", self.prefix, "show"))
        self.assertEqual(shown, {"prefix": str(self.prefix), "default": str(self.prefix), "level": "1",
                                 "first": str(self.prefix / "bin"), "hook": "it ran", "colour": ""})

    def test_variables_of_the_environment_are_set(self):
        (self.prefix / "conda-meta/state").write_text('{"env_vars": {"COLOUR": "blue"}}')
        self.assertEqual(dict(self.shown("-p", self.prefix, "show"))["colour"], "blue")

    def test_arguments_arrive_unchanged(self):
        words = ["two words", "", "$HOME", "a'b\"c", "*", "--flag", "-n", "back\\slash", "new\nline"]
        result = self.taipan("run", "-p", self.prefix, "show", *words)
        self.assertIn("".join(f"arg=[{word}]\n" for word in words), result.stdout)

    def test_exit_code_and_output_are_those_of_the_program(self):
        result = self.taipan("run", "-p", self.prefix, "fail", code=7)
        self.assertIn("to-stderr", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_a_program_that_a_signal_ended(self):
        """taipan ends by the same signal, so that a shell or a supervisor sees what it would see without taipan."""
        done = subprocess.run([binary_under_test(), "run", "-p", self.prefix, "die"], env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, -signal.SIGTERM, done.stderr)

    def test_input_is_passed_on(self):
        done = subprocess.run([binary_under_test(), "run", "-p", self.prefix, "echo-input"], input=b"one\ntwo\n",
                              env=self.environment, capture_output=True, timeout=60)
        self.assertEqual(done.stdout, b"one\ntwo\n", done.stderr)

    def test_only_what_is_attached(self):
        self.assertEqual(self.taipan("run", "-p", self.prefix, "-a", "", "show").stdout, "")
        result = self.taipan("run", "-p", self.prefix, "-a", "stderr", "fail", code=7)
        self.assertEqual((result.stdout, result.stderr), ("", "to-stderr\n"))
        self.assertIn("prefix=", self.taipan("run", "-p", self.prefix, "-a", "stdout,stdin", "show").stdout)
        self.assertIn("cannot be attached", self.taipan("run", "-p", self.prefix, "-a", "out", "show", code=2).stderr)

    def test_left_running(self):
        """The command is back while the program waits for us, in a session of its own."""
        gate, done = self.work / "gate", self.work / "done"
        os.mkfifo(gate)
        self.taipan("run", "-d", "-p", self.prefix, "sh", "-c", f'read word < {gate}; ps -o sid= $$ > {done}.new; '
                    f"mv {done}.new {done}")
        self.assertFalse(done.exists())
        gate.write_text("go\n")
        deadline = time.monotonic() + 60
        while not done.exists():
            self.assertLess(time.monotonic(), deadline, "the program does not end")
            time.sleep(0.01)
        self.assertNotEqual(int(done.read_text()), os.getsid(0))

    def test_what_cannot_be_left_running_is_explained(self):
        bare = self.work / "bare"  # no activation scripts: no shell in between
        self.taipan("create", "-y", "-p", bare)
        self.assertIn("no such program", self.taipan("run", "-d", "-p", bare, "/no/such/program", code=127).stderr)

    def test_one_argument_of_several_lines_is_a_script(self):
        result = self.taipan("run", "-p", self.prefix, 'echo "$CONDA_SHLVL"\nfalse\nexit 5', code=5)
        self.assertEqual(result.stdout, "1\n")

    def test_by_name(self):
        self.taipan("create", "-y", "-n", "named", *self.channel_arguments(None), "tools")
        shown = dict(self.shown("-n", "named", "show"))
        self.assertEqual((shown["default"], shown["prefix"]), ("named", str(self.root_prefix / "envs/named")))

    def test_what_cannot_run_is_explained(self):
        self.assert_failed(self.taipan("run", "-p", self.work / "missing", "show", code=1), self.work / "missing")
        result = self.taipan("run", "-p", self.prefix, "no-such-program", code=None)
        self.assertEqual(result.code, 127, str(result))
        self.assertIn("no-such-program", result.stderr)


class RunPythonTest(RealChannelTest):
    def test_python_and_a_console_script(self):
        self.create("python=3.11", "requests", "pyyaml", "pygments")
        result = self.taipan("run", "-p", self.prefix, "python", "-c", "import sys, yaml; print(sys.prefix)")
        self.assertEqual(result.stdout.strip(), str(self.prefix))
        result = self.taipan("run", "-p", self.prefix, "pygmentize", "-V")
        self.assertIn("Pygments", result.stdout)


if __name__ == "__main__":
    main()
