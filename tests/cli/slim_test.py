"""--slim leaves out what running programs do not need; records say what is there; the list in the README is complete."""

import re
import subprocess
from pathlib import Path

from taipan_test import RealChannelTest, TaipanTest, main

README = Path(__file__).resolve().parents[2] / "README.md"
SOURCE = Path(__file__).resolve().parents[2] / "engine/link/slim.cpp"

KEPT = ["bin/tool", "lib/libtool.so", "share/doc/tool/LICENSE.txt", "include/python3.11/pyconfig.h",
        "lib/python3.11/site-packages/tool/code.py"]
LEFT_OUT = ["lib/libtool.a", "include/tool.h", "share/man/man1/tool.1", "lib/pkgconfig/tool.pc",
            "lib/python3.11/site-packages/tool/tests/test_code.py", "lib/python3.11/test/test_os.py"]
BYTECODE = "lib/python3.11/__pycache__/os.cpython-311.pyc"
MORE = "share/examples/one.txt"


class SlimTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("tool", files={path: "12345" for path in [*KEPT, *LEFT_OUT, BYTECODE, MORE]})
        self.channel.write_index()

    def assert_has_just(self, expected):
        found = [p.relative_to(self.prefix).as_posix() for p in self.prefix.rglob("*") if p.is_file()]
        self.assertEqual(sorted(p for p in found if not p.startswith("conda-meta/")), sorted(expected))

    def test_the_default(self):
        result = self.create("tool", "--slim")
        self.assert_has_just([*KEPT, BYTECODE, MORE])
        self.assertIn(f"Left out: {len(LEFT_OUT)} files", result.stdout)
        self.assertEqual(sorted(self.record("tool")["files"]), sorted([*KEPT, BYTECODE, MORE]))
        self.taipan("verify", "-p", self.prefix)
        self.remove("tool")
        self.assert_has_just([])

    def test_named_groups_and_patterns(self):
        document = self.taipan_json("create", "-y", "-p", self.prefix, *self.channel_arguments(None), "tool",
                                    "--slim=static,pyc", "--slim-exclude", "share/examples/*", "--direct")
        self.assertEqual(document["slim"], {"bytes": 15, "files": 3})
        self.assert_has_just([*KEPT, *(p for p in LEFT_OUT if not p.endswith(".a"))])

    def test_exceptions_and_configuration(self):
        (self.home / ".condarc").write_text("slim: [default]\nslim_keep: ['*/tests/*']\n")
        self.create("tool", "--slim-keep", "*.h")
        kept = [p for p in LEFT_OUT if "/tests/" in p or p.endswith(".h")]
        self.assert_has_just([*KEPT, BYTECODE, MORE, *kept])

    def test_without_records(self):
        for extra in ([], ["--reproducible"]):
            self.create("tool", "--slim=default,conda-meta", "-p", self.prefix, *extra)
            self.assertFalse((self.prefix / "conda-meta").exists())
            self.assertTrue((self.prefix / "bin/tool").exists())
            self.prefix = self.work / "second"

    def test_an_unknown_group(self):
        result = self.create("tool", "--slim=fat", code=1)
        self.assert_failed(result, "'fat'", "static")
        self.assertFalse(self.prefix.exists())

    def test_bytecode_that_was_shipped_takes_the_place_of_sources(self):
        site = "lib/python3.11/site-packages"
        self.channel.add("python", "3.11.2", files={
            "bin/python3.11": "#!/bin/sh\n", "lib/python3.11/os.py": "12345", BYTECODE: "of os",
            "lib/python3.11/none.py": "has no bytecode",
            f"{site}/old.py": "of another python", f"{site}/__pycache__/old.cpython-310.pyc": "12345",
            f"{site}/kept.py": "1", f"{site}/__pycache__/kept.cpython-311.pyc": "2"})
        self.channel.write_index()
        result = self.create("python", "--slim=py", "--slim-keep", "*/kept.py", "--no-pyc")
        self.assert_has_just(["bin/python3.11", "lib/python3.11/os.pyc", "lib/python3.11/none.py", f"{site}/old.py",
                              f"{site}/__pycache__/old.cpython-310.pyc", f"{site}/kept.py",
                              f"{site}/__pycache__/kept.cpython-311.pyc"])
        self.assertEqual((self.prefix / "lib/python3.11/os.pyc").read_text(), "of os")
        self.assertIn("Left out: 1 file", result.stdout)
        self.taipan("verify", "-p", self.prefix)
        self.remove("python")
        self.assert_has_just([])

    def test_bytecode_and_sources_cannot_both_go(self):
        self.assert_failed(self.create("tool", "--slim=py,pyc", code=1), "'py'", "'pyc'")

    def test_the_readme_names_every_pattern(self):
        table = README.read_text()
        patterns = re.findall(r'"([^" ]*[*/][^" ]*)"', re.sub(r"//.*|#include.*", "", SOURCE.read_text()))
        self.assertGreater(len(patterns), 15)
        for pattern in patterns:
            self.assertIn(f"`{pattern}`", table)


class BytecodeOnlyTest(RealChannelTest):
    """Programs run from bytecode alone, and tools for environments can deal with it."""

    def python(self, code):
        done = subprocess.run([self.prefix / "bin/python", "-c", code], env={"PATH": "/usr/bin:/bin"}, text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def test_programs_run_without_sources(self):
        result = self.create("python", "requests", "idna", "--slim=default,py")
        site = next(self.prefix.glob("lib/python3*/site-packages"))
        self.assertEqual([p.name for p in (site / "requests").rglob("*.py")], [])
        self.assertFalse((site / "requests/__pycache__").exists())
        self.assertEqual(self.python("import requests, idna.core; print(requests.get.__name__, requests.__file__)"),
                         ["get", str(site / "requests/__init__.pyc")])
        self.assertRegex(result.stdout, r"Left out: \d+ files")
        self.taipan("verify", "-p", self.prefix)
        self.remove("requests")
        self.assertFalse((site / "requests").exists())
        self.create("python", "requests", "--slim=py", "--direct", "--reproducible")
        self.assertEqual(self.python("import requests; print(requests.__file__)"), [str(site / "requests/__init__.pyc")])


if __name__ == "__main__":
    main()
