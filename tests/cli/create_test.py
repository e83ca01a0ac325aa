"""`taipan create` on real packages: what is made is what the records say, and it works."""

import json
import os
import stat

from taipan_test import RealChannelTest, file_sha256, main, records, tree
from verify import run_bare, verify_environment

SPECS = ["python=3.11", "requests", "pyyaml"]


class CreateTest(RealChannelTest):
    def test_environment_from_http_works_and_is_as_recorded(self):
        self.create(*SPECS)
        self.assertEqual(verify_environment(self.prefix), [])
        program = "import ssl, sqlite3, requests, yaml; print(requests.__file__)"
        done = run_bare([self.prefix / "bin/python", "-c", program])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith(str(self.prefix)), done.stdout)
        self.assert_cache_sound()
        registered = (self.home / ".conda/environments.txt").read_text().splitlines()
        self.assertEqual(registered, [str(self.prefix)])

    def test_records_say_what_was_asked_for(self):
        self.create(*SPECS)
        by_name = {r["name"]: r for r in records(self.prefix)}
        requested = {name: r["requested_spec"] for name, r in by_name.items() if r.get("requested_spec")}
        self.assertEqual(requested, {"python": "python=3.11", "requests": "requests", "pyyaml": "pyyaml"})
        history = (self.prefix / "conda-meta/history").read_text()
        self.assertRegex(history, r"(?m)\A==> \d{4}-\d\d-\d\d \d\d:\d\d:\d\d <==\n# cmd: .*create ")
        added = sorted(line[1:] for line in history.splitlines() if line.startswith("+"))
        self.assertEqual(added, sorted("{}::{}-{}-{}".format(r["channel"], r["name"], r["version"], r["build"])
                                       for r in by_name.values()))
        self.assertIn("# update specs: ['python=3.11', 'requests', 'pyyaml']", history)

    def test_the_same_tree_from_a_folder_as_from_http(self):
        self.create(*SPECS)
        other = self.work / "two"
        other.mkdir()
        from_http = {path: rest for path, *rest in tree(self.prefix) if not path.startswith("conda-meta/")}
        os.rename(self.prefix, other / "env")
        self.create(*SPECS, channel=self.real_channel.as_uri(), env={"CONDA_PKGS_DIRS": str(self.work / "pkgs2")})
        from_folder = {path: rest for path, *rest in tree(self.prefix) if not path.startswith("conda-meta/")}
        self.assertEqual(sorted(from_http), sorted(from_folder))
        differing = [path for path in from_http if from_http[path] != from_folder[path]]
        self.assertEqual([path for path in differing if not path.endswith(".pyc")], [])

    def test_compiled_modules_are_made_and_recorded_unless_told_not_to(self):
        self.create(*SPECS)
        record = self.record("requests")
        compiled = [path for path in record["files"] if path.endswith(".pyc")]
        self.assertEqual(len(compiled), len([path for path in record["files"] if path.endswith(".py")]))
        # Valid for the linked source: Python does not write them again.
        before = {path: file_sha256(self.prefix / path) for path in compiled}
        probe = "import sys; sys.dont_write_bytecode = False; import requests.sessions"
        done = run_bare(["env", "-u", "PYTHONDONTWRITEBYTECODE", self.prefix / "bin/python", "-v", "-c", probe])
        self.assertEqual(done.stderr.count("wrote"), 0)
        self.assertEqual(before, {path: file_sha256(self.prefix / path) for path in compiled})

        other = self.work / "without"
        self.create("--no-pyc", *SPECS, prefix=other)
        site_packages = [path for r in records(other) if r.get("noarch") == "python" for path in r["files"]]
        self.assertTrue(site_packages)
        self.assertEqual([path for path in site_packages if path.endswith(".pyc")], [])
        self.assertEqual(verify_environment(other), [])

    def test_a_second_create_downloads_nothing(self):
        self.create(*SPECS)
        before = len(self.server.requests())
        self.create(*SPECS, prefix=self.work / "second")
        again = [line for line in self.server.requests()[before:] if ".conda" in line or ".tar.bz2" in line]
        self.assertEqual(again, [])
        self.assertEqual(verify_environment(self.work / "second"), [])

    def test_files_are_hard_links_into_the_cache(self):
        self.create(*SPECS)
        record = self.record("requests")
        self.assertEqual(record["link"]["type"], 1)
        shared = [path for path in record["files"] if os.stat(self.prefix / path).st_nlink > 1]
        self.assertTrue(shared)

    def test_a_path_with_blanks(self):
        prefix = self.work / "my environments" / "first one"
        self.create(*SPECS, prefix=prefix)
        self.assertEqual(verify_environment(prefix), [])
        done = run_bare([prefix / "bin/python", "-c", "import ssl, sqlite3, requests, yaml"])
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_package_of_the_channel_links(self):
        """Everything that the builder makes, in one environment: symlinks, binary prefixes, old formats and all."""
        wanted = set()
        for index in self.real_channel.glob("*/repodata.json"):
            content = json.loads(index.read_text())
            wanted |= {r["name"] for r in [*content["packages"].values(), *content["packages.conda"].values()]}
        self.create(*sorted(wanted))
        self.assertEqual(verify_environment(self.prefix), [])

    def test_modes_and_times_of_the_package_are_kept(self):
        self.create("python=3.11")
        interpreter = (self.prefix / "bin/python3.11").stat()
        self.assertEqual(stat.S_IMODE(interpreter.st_mode) & 0o555, 0o555)
        record = self.record("python")
        source = os.path.join(record["extracted_package_dir"], "lib/python3.11/os.py")
        self.assertLess(os.stat(source).st_mtime, os.stat(self.prefix / "conda-meta/history").st_mtime - 86400)


if __name__ == "__main__":
    main()
