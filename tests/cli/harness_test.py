"""The checks of the harness notice what they are made for (a check that cannot fail says nothing)."""

import json
import os

from taipan_test import TaipanTest, main, records, tree
from tiny_channel import PLACEHOLDER, File, Link
from verify import verify_environment


class HarnessTest(TaipanTest):
    def setUp(self):
        super().setUp()
        channel = self.tiny_channel()
        channel.add("thing", files={
            "lib/plain.txt": "plain\n", "lib/other.txt": "other\n", "lib/link": Link("plain.txt"),
            "etc/where": File(f"{PLACEHOLDER}/x\n"), "share/own": File("own", no_link=True)})
        channel.write_index()
        self.create("thing", channel=channel)
        self.record_path = self.prefix / "conda-meta/thing-1.0-0.json"

    def replace(self, path, text):
        (self.prefix / path).unlink()
        (self.prefix / path).write_text(text)

    def assert_noticed(self, needle):
        problems = verify_environment(self.prefix)
        self.assertTrue(any(needle in problem for problem in problems), f"{needle!r} is not in {problems}")

    def test_a_good_environment_passes(self):
        self.assertEqual(verify_environment(self.prefix), [])

    def test_missing_files_are_noticed(self):
        (self.prefix / "lib/plain.txt").unlink()
        self.assert_noticed("lib/plain.txt is missing")

    def test_changed_files_are_noticed(self):
        self.replace("lib/plain.txt", "PLAIN\n")
        self.assert_noticed("lib/plain.txt does not have the recorded sha256")

    def test_copies_that_should_be_links_are_noticed(self):
        self.replace("lib/plain.txt", "plain\n")
        self.assert_noticed("lib/plain.txt is a copy")

    def test_left_placeholders_are_noticed(self):
        self.replace("lib/plain.txt", f"see {PLACEHOLDER}\n")
        self.assert_noticed("lib/plain.txt still mentions the placeholder")

    def test_wrong_links_are_noticed(self):
        self.replace("lib/link", "plain\n")
        self.assert_noticed("lib/link should be a symbolic link")
        (self.prefix / "lib/link").unlink()
        os.symlink("other.txt", self.prefix / "lib/link")
        self.assert_noticed("lib/link leads to other.txt")

    def test_strangers_are_noticed(self):
        (self.prefix / "lib/stranger").write_text("hello")
        self.assert_noticed("lib/stranger belongs to no package")

    def test_wrong_records_are_noticed(self):
        record = records(self.prefix)[0]
        record["files"].remove("lib/other.txt")
        self.record_path.write_text(json.dumps(record))
        self.assert_noticed("files and paths_data differ")

    def test_scripts_that_do_not_start_are_noticed(self):
        record = records(self.prefix)[0]
        (self.prefix / "bin").mkdir()
        (self.prefix / "bin/tool").write_text("#!/no/such/interpreter\n")
        (self.prefix / "bin/tool").chmod(0o755)
        record["files"].append("bin/tool")
        record["paths_data"]["paths"].append({"_path": "bin/tool", "path_type": "unix_python_entry_point"})
        self.record_path.write_text(json.dumps(record))
        self.assert_noticed("bin/tool does not start")

    def test_the_tree_tells_any_change(self):
        before = list(tree(self.prefix))
        lib = self.prefix / "lib"
        for change in (lambda: (lib / "new").mkdir(), lambda: (lib / "new").chmod(0o700),
                       lambda: self.replace("lib/plain.txt", "PLAIN\n"), lambda: (lib / "other.txt").unlink()):
            change()
            after = list(tree(self.prefix))
            self.assertNotEqual(before, after)
            before = after

    def test_leftovers_and_broken_entries_of_the_cache_are_noticed(self):
        for name in (".taipan-thing-1-2", "thing-1.0-0.conda.partial"):
            (self.cache / name).mkdir()
            with self.assertRaises(AssertionError):
                self.assert_cache_sound()
            (self.cache / name).rmdir()
        (self.cache / "thing-1.0-0/lib/other.txt").unlink()
        with self.assertRaises(AssertionError):
            self.assert_cache_sound()


if __name__ == "__main__":
    main()
