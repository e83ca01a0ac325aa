"""--slim leaves out what running programs do not need; records say what is there; the list in the README is complete."""

import re
from pathlib import Path

from taipan_test import TaipanTest, main

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

    def test_the_readme_names_every_pattern(self):
        table = README.read_text()
        patterns = re.findall(r'"([^" ]*[*/][^" ]*)"', re.sub(r"//.*|#include.*", "", SOURCE.read_text()))
        self.assertGreater(len(patterns), 15)
        for pattern in patterns:
            self.assertIn(f"`{pattern}`", table)


if __name__ == "__main__":
    main()
