"""`taipan verify`: what is not as recorded is found, and --repair brings it back as it was."""

import json
import os
import shutil

from taipan_test import TaipanTest, main, tree
from tiny_channel import PLACEHOLDER, File, Link


class VerifyTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("tool", files={
            "bin/tool": File(f"#!{PLACEHOLDER}/bin/sh\n", mode=0o755), "lib/tool.so": b"\x7fELF tool",
            "lib/link": Link("tool.so"), "share/empty": b"", "etc/tool.cfg": File("x=1\n", no_link=True)})
        self.channel.add("other", files={"share/other": "other", "share/both": "other"})
        self.channel.add("shadow", files={"share/both": "shadow"}, depends=["other"])
        self.channel.write_index()
        self.create("tool", "shadow")
        self.before = self.snapshot()

    def snapshot(self):
        """Files are compared as records and content say; what happened is no part of the history either."""
        return list(tree(self.prefix))

    def verify(self, *arguments, code=0, **options):
        return self.taipan_json("verify", "-p", self.prefix, *arguments, code=code, **options)

    def findings(self, document):
        return {p["name"]: (p["missing"], p["modified"]) for p in document["packages"]}

    def replace(self, path, content):
        """As an editor does that keeps the other names of the file; see test_a_change_that_reached_the_cache."""
        (self.prefix / path).unlink()
        (self.prefix / path).write_bytes(content)

    def test_an_environment_as_it_was_made(self):
        document = self.verify()
        self.assertEqual((document["success"], document["packages"], document["records"], document["extra"]),
                         (True, [], [], []))
        self.assertEqual(document["checked"]["packages"], 3)
        self.assertEqual(document["checked"]["files"], 8)
        self.assertIn("as recorded", self.taipan("verify", "-p", self.prefix).stdout)

    def test_missing_modified_and_extra_files(self):
        (self.prefix / "share/other").unlink()
        self.replace("bin/tool", b"#!/bin/false\n")
        self.replace("lib/tool.so", b"\x7fELF evil")
        (self.prefix / "lib/link").unlink()
        (self.prefix / "lib/link").symlink_to("elsewhere")
        (self.prefix / "share/mine").write_text("mine")
        document = self.verify(code=1)
        self.assertEqual(self.findings(document), {"other": (["share/other"], []),
                                                   "tool": ([], ["bin/tool", "lib/link", "lib/tool.so"])})
        self.assertEqual(document["extra"], ["share/mine"])
        result = self.taipan("verify", "-p", self.prefix, code=1)
        for word in ("share/other", "lib/tool.so", "--repair"):
            self.assertIn(word, result.stdout)

        document = self.verify("--repair")
        self.assertTrue(document["repaired"])
        (self.prefix / "share/mine").unlink()
        self.assertEqual(self.snapshot(), self.before)
        self.assertEqual(self.verify()["packages"], [])

    def test_a_file_that_another_package_has_taken_is_right(self):
        self.assertEqual((self.prefix / "share/both").read_text(), "shadow")
        self.assertEqual(self.verify()["packages"], [])
        self.replace("share/both", b"nobody's")
        self.assertEqual(set(self.findings(self.verify(code=1))), {"other", "shadow"})
        self.verify("--repair")
        self.assertEqual(self.snapshot(), self.before)

    def test_a_directory_or_a_file_in_the_way(self):
        shutil.rmtree(self.prefix / "share")
        (self.prefix / "share").write_text("a file")
        (self.prefix / "bin/tool").unlink()
        (self.prefix / "bin/tool").mkdir()
        self.verify(code=1)
        self.verify("--repair")
        self.assertEqual(self.snapshot(), self.before)

    def test_a_change_that_reached_the_cache_is_no_source_of_repair(self):
        with open(self.prefix / "lib/tool.so", "wb") as stream:  # writes through the hard link
            stream.write(b"\x7fELF evil")
        self.assertEqual((self.cache / "tool-1.0-0/lib/tool.so").read_bytes(), b"\x7fELF evil")
        self.verify("--repair")
        self.assertEqual(self.snapshot(), self.before)
        self.assert_cache_sound(self.channel)

    def test_the_cache_is_gone_and_the_archive_is_fetched_again(self):
        shutil.rmtree(self.cache)
        (self.prefix / "lib/tool.so").unlink()
        self.verify("--repair")
        self.assertEqual(self.snapshot(), self.before)

    def test_what_cannot_be_repaired_is_an_error_and_changes_nothing(self):
        shutil.rmtree(self.cache)
        shutil.rmtree(self.channel.folder)
        (self.prefix / "lib/tool.so").unlink()
        before = self.snapshot()
        self.assert_failed(self.taipan("verify", "-p", self.prefix, "--repair", code=1), "tool-1.0-0")
        self.assertEqual(self.snapshot(), before)

    def test_records_that_are_none(self):
        record = self.prefix / "conda-meta/tool-1.0-0.json"
        record.write_text("{")
        shutil.copy(self.prefix / "conda-meta/other-1.0-0.json", self.prefix / "conda-meta/wrong-1.0-0.json")
        document = self.verify(code=1)
        self.assertEqual([r["file"] for r in document["records"]],
                         ["conda-meta/tool-1.0-0.json", "conda-meta/wrong-1.0-0.json"])
        (self.prefix / "conda-meta/wrong-1.0-0.json").unlink()
        self.verify("--repair")
        self.assertEqual(self.snapshot(), self.before)

    def test_records_of_other_tools(self):
        """conda names the files of noarch python packages as they are in the package; mamba sorts and indents."""
        path = self.prefix / "conda-meta/tool-1.0-0.json"
        record = json.loads(path.read_text())
        for entry in record["paths_data"]["paths"]:
            if entry["_path"] == "bin/tool":
                entry["_path"] = "python-scripts/tool"
        path.write_text(json.dumps(record, indent=4, sort_keys=True))
        self.assertEqual(self.verify()["packages"], [])
        self.replace("bin/tool", b"changed")
        self.assertEqual(self.findings(self.verify(code=1)), {"tool": ([], ["bin/tool"])})

    def test_no_environment(self):
        self.assert_failed(self.taipan("verify", "-p", self.work / "nowhere", code=1), "nowhere")

    def test_permissions_of_what_is_verified_are_not_needed_for_writing(self):
        os.chmod(self.prefix / "lib/tool.so", 0o444)
        self.assertEqual(self.verify()["packages"], [])


if __name__ == "__main__":
    main()
