"""--platform of another system: an environment is made, and nothing of it is run."""

import unittest.mock

import tiny_channel
from taipan_test import TaipanTest, main
from tiny_channel import File

SCRIPT = File('echo "$PREFIX" >> "$PREFIX/ran"\n', mode=0o755)
NOTE = "its programs do not run here"


class ForeignPlatformTest(TaipanTest):
    def setUp(self):
        super().setUp()
        with unittest.mock.patch.object(tiny_channel, "SUBDIR", "osx-arm64"):
            self.channel = self.tiny_channel()
            python = File("#!/bin/sh\necho python was run >&2\nexit 1\n", mode=0o755)
            self.channel.add("python", "3.11.9", files={"bin/python3.11": python, "bin/python": python})
            scripts = {f"bin/.tool-{when}.sh": SCRIPT for when in ("pre-link", "post-link", "pre-unlink")}
            self.channel.add("tool", files={"bin/tool": "x", **scripts})
            self.channel.add("module", noarch="python", files={"site-packages/module.py": "A = 1\n"})
            self.channel.write_index()

    def test_create_and_remove(self):
        for extra in ([], ["--direct"]):
            with self.subTest(extra):
                self.prefix = self.work / f"env{len(extra)}"
                result = self.create("--platform", "osx-arm64", "python", "tool", "module", *extra)
                self.assertEqual((result.stdout + result.stderr).count(NOTE), 1, str(result))
                self.assert_installed("python-3.11.9-0", "tool-1.0-0", "module-1.0-0")
                self.assertTrue((self.prefix / "lib/python3.11/site-packages/module.py").exists())
                self.assertEqual(list(self.prefix.rglob("*.pyc")), [])
                self.assertEqual(self.record("tool")["subdir"], "osx-arm64")
                result = self.remove("tool")  # the environment knows its platform
                self.assertFalse((self.prefix / "bin/tool").exists())
                self.assertFalse((self.prefix / "ran").exists())

    def test_json_stays_one_document(self):
        document = self.taipan_json("create", "-y", "-p", self.prefix, *self.channel_arguments(None), "--platform",
                                    "osx-arm64", "tool")
        self.assertTrue(document["success"])
        self.assertFalse((self.prefix / "ran").exists())


if __name__ == "__main__":
    main()
