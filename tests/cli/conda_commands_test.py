"""Commands that conda has beside the daily ones: rename, compare, doctor, notices, export, and sizes in lists."""

import json
from datetime import datetime, timezone

from taipan_test import TaipanTest, main


class CondaCommandsTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("alpha", "1.2.3", "h1_0", depends=["beta"], files={"bin/alpha": "#!/bin/sh\necho alpha\n"})
        self.channel.add("beta", noarch="generic", files={"share/beta": "beta\n"})
        self.channel.write_index()
        self.envs = self.root_prefix / "envs"

    def make(self, name, *specs):
        self.taipan("create", "-y", "-n", name, *self.channel_arguments(self.channel), *specs)
        return self.envs / name

    def test_rename(self):
        old = self.make("old", "alpha")
        (old / "notes").write_text(f"made at {old}\n")
        self.taipan("rename", "-n", "old", "new", "--dry-run")
        self.assertTrue(old.exists())
        self.assertNotIn("NEW packages", self.taipan("rename", "-n", "old", "new").stdout)
        new = self.envs / "new"
        self.assert_installed("alpha-1.2.3-h1_0", "beta-1.0-0", prefix=new)
        self.assertEqual((new / "notes").read_text(), f"made at {new}\n")
        self.assertFalse(old.exists())
        listed = self.taipan_json("env", "list")["envs"]
        self.assertIn(str(new), listed)
        self.assertNotIn(str(old), listed)

    def test_rename_refuses(self):
        old = self.make("old", "beta")
        self.make("there", "beta")
        active = {"CONDA_PREFIX": str(old)}
        for source, destination, env, needle in (("old", "there", {}, "already exists"), ("base", "x", {}, "'base'"),
                                                 ("old", "x", active, "active"), ("nosuch", "x", {}, "nosuch")):
            self.assertIn(needle, self.taipan("rename", "-n", source, destination, code=1, env=env).stderr)
        self.assertEqual(self.taipan("rename", "--json", "-n", "old", "there", code=1).json["exception_name"],
                         "CondaEnvException")
        self.assertTrue(old.exists())
        self.taipan("rename", "-y", "-n", "old", "there")
        self.assertFalse(old.exists())

    def test_compare(self):
        prefix = self.make("one", "alpha")
        file = self.work / "environment.yml"
        file.write_text("dependencies: [alpha=1.2, beta]\n")
        self.assertIn("Success", self.taipan("compare", "-p", prefix, file).stdout)
        file.write_text("dependencies: [alpha=2, gamma]\n")
        result = self.taipan("compare", "-p", prefix, file, code=1)
        self.assertEqual(result.stdout, "alpha found but mismatch. Specification pkg: alpha=2, Running pkg: "
                                        "alpha=1.2.3=h1_0\ngamma not found\n")
        self.assertEqual(self.taipan("compare", "--json", "-p", prefix, file, code=1).json,
                         result.stdout.splitlines())

    def test_doctor(self):
        prefix = self.make("one", "alpha")
        report = self.taipan_json("doctor", "-p", prefix)["checks"]
        self.assertTrue(all(check["healthy"] for check in report.values()), report)
        (prefix / "bin/alpha").write_text("other\n")
        (prefix / "share/beta").unlink()
        (self.home / ".conda/environments.txt").unlink()
        (prefix / "conda-meta/pinned").write_text("beta ==\n")
        report = self.taipan_json("doctor", "-p", prefix)["checks"]
        self.assertEqual({name for name, check in report.items() if not check["healthy"]},
                         {"altered-files", "missing-files", "environment-txt", "pinned"})
        self.assertIn("alpha-1.2.3-h1_0: 1", self.taipan("doctor", "-p", prefix).stdout)
        self.taipan("doctor", "-p", prefix, "--fix")
        self.assertEqual((prefix / "share/beta").read_text(), "beta\n")
        report = self.taipan_json("check", "-p", prefix, "altered-files", "missing-files", "environment-txt")["checks"]
        self.assertTrue(all(check["healthy"] for check in report.values()), report)
        self.taipan("doctor", "-p", prefix, "nosuch", code=2)

    def test_doctor_finds_what_does_not_fit_together(self):
        prefix = self.make("one", "alpha")
        self.taipan("remove", "-y", "-p", prefix, "--force", "beta")
        self.assertEqual(self.taipan_json("doctor", "-p", prefix, "consistency")["checks"]["consistency"]["findings"],
                         ["alpha: needs beta"])

    def test_notices(self):
        notices = {"notices": [{"id": "1", "level": "warning", "message": "moved \x1b[31mhere",
                                "created_at": "2024-01-01", "expired_at": "2030-01-01"}]}
        (self.channel.folder / "notices.json").write_text(json.dumps(notices))
        server = self.serve(self.channel)
        for url in (server.url, self.channel.folder.as_uri()):
            text = self.taipan("notices", "--override-channels", "-c", url).stdout
            self.assertIn("[warning] -- 2024-01-01\n  moved [31mhere\n", text)
        self.assertEqual(self.taipan_json("notices", "--override-channels", "-c", server.url)[0]["id"], "1")
        (self.channel.folder / "notices.json").unlink()
        self.assertEqual(self.taipan_json("notices", "--override-channels", "-c", server.url), [])

    def test_export_formats(self):
        prefix = self.make("one", "alpha")
        channel = self.channel.folder.name
        self.assertIn(f"{channel}::alpha==1.2.3=h1_0\n",
                      self.taipan("export", "-p", prefix, "--format", "requirements").stdout)
        explicit = self.taipan("export", "-p", prefix, "--format", "explicit").stdout
        self.assertIn("@EXPLICIT\n", explicit)
        self.assertEqual(explicit, self.taipan("list", "-p", prefix, "--explicit").stdout)
        self.assertEqual(self.taipan("env", "export", "-p", prefix, "-e").stdout,
                         self.taipan("list", "-p", prefix, "--explicit", "--md5").stdout)
        self.assertEqual(json.loads(self.taipan("export", "-p", prefix, "--format", "environment-json").stdout),
                         self.taipan_json("export", "-p", prefix))
        self.taipan("export", "-p", prefix, "--format", "nosuch", code=2)

    def test_fields_and_sizes(self):
        prefix = self.make("one", "alpha")
        rows = self.taipan("list", "-p", prefix, "--fields", "name,subdir,depends").stdout.splitlines()
        self.assertEqual([row.split() for row in rows[2:]],
                         [["#", "Name", "Subdir", "Dependencies"], ["alpha", "linux-64", "beta"], ["beta", "noarch"]])
        self.assertRegex(self.taipan("list", "-p", prefix, "--size").stdout, r"(?m)^alpha .* \d+ K?B$")
        self.assertRegex(self.taipan("env", "list", "--size").stdout, rf"(?m)\d K?B {prefix}$")
        self.taipan("list", "-p", prefix, "--fields", "nosuch", code=2)

    def test_revisions_as_json(self):
        self.channel.add("beta", "2.0", noarch="generic")
        self.channel.write_index()
        prefix = self.make("one", "beta=1")
        self.install("beta=2", prefix=prefix)
        self.remove("beta", prefix=prefix)
        place = f"{self.channel.folder.as_uri()}/noarch"
        revisions = self.taipan_json("list", "-p", prefix, "--revisions")
        self.assertEqual([sorted(one) for one in revisions],
                         [["date", "downgrade", "install", "remove", "rev", "upgrade"]] * 3)
        self.assertEqual(revisions[0]["install"], [f"beta-1.0-0-{place}"])
        self.assertEqual(revisions[1]["upgrade"], [{"old": f"beta-1.0-0-{place}", "new": f"beta-2.0-0-{place}"}])
        self.assertEqual(revisions[2]["remove"], [f"beta-2.0-0-{place}"])

    def test_json_that_programs_ask_conda_for(self):
        prefix = self.make("one", "alpha")
        self.assertEqual(self.taipan_json("info", "--base"), {"root_prefix": str(self.root_prefix)})
        listed = self.taipan_json("info", "--envs")
        self.assertEqual(sorted(listed), ["envs", "envs_details"])
        details = listed["envs_details"][str(prefix)]
        self.assertEqual(details["name"], "one")
        for key in ("created", "last_modified"):
            self.assertRegex(details[key], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$")
        changed = (prefix / "conda-meta/history").stat().st_mtime
        self.assertEqual(details["last_modified"], datetime.fromtimestamp(changed, timezone.utc).isoformat())
        info = self.taipan_json("info", env={"CONDA_API_TOKEN": "tk-geheim"})
        self.assertEqual(info["env_vars"]["CIO_TEST"], "<not set>")
        self.assertNotIn("geheim", json.dumps(info))
        missing = self.taipan("list", "--json", "-n", "nosuch", code=1).json
        self.assertEqual((missing["exception_name"], missing["location"]),
                         ("EnvironmentLocationNotFound", str(self.envs / "nosuch")))
        self.assertEqual(missing["message"], f"Not a conda environment: {self.envs / 'nosuch'}")
        unknown = self.taipan("install", "--json", "-y", "-p", prefix, *self.channel_arguments(self.channel), "nosuch",
                              code=1).json
        self.assertEqual((unknown["exception_name"], unknown["packages"]),
                         ("PackagesNotFoundInChannelsError", ["nosuch"]))
        removal = self.taipan_json("remove", "--dry-run", "-p", prefix, "alpha")
        self.assertNotIn("LINK", removal["actions"])

    def test_remove_all_and_keep_the_environment(self):
        prefix = self.make("one", "alpha")
        self.taipan("remove", "-y", "-p", prefix, "--all", "--keep-env")
        self.assert_installed(prefix=prefix)
        self.assertTrue((prefix / "conda-meta/history").exists())

    def test_options_before_the_command(self):
        self.taipan("-r", self.work / "other", "create", "-y", "-n", "x", *self.channel_arguments(self.channel), "beta")
        self.assertTrue((self.work / "other/envs/x/conda-meta/history").exists())
        self.assertIn(str(self.work / "other/envs/x"),
                      self.taipan("env", "-r", self.work / "other", "list").stdout)

    def test_a_flag_without_meaning_is_told(self):
        result = self.create("--solver", "classic", "--experimental", "beta")
        self.assertIn("note: --solver,--experimental-solver has no effect: there is one solver\n", result.stderr)
        self.assertIn("--use-local is not supported", self.taipan("install", "--use-local", "x", code=2).stderr)
        self.assertIn("ps is not supported", self.taipan("ps", "list", code=2).stderr)

    def test_a_frozen_environment_is_changed_when_told_so(self):
        prefix = self.make("one", "beta")
        (prefix / "conda-meta/frozen").write_text("{}")
        self.assert_failed(self.install("alpha", prefix=prefix, code=1), "frozen")
        self.install("alpha", "--override-frozen", prefix=prefix)


if __name__ == "__main__":
    main()
