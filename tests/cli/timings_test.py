"""--timings and --trace: files that are whole and valid however the run ends, and that hold no secrets."""

import json
import re
import signal
import subprocess
import time

from taipan_test import TaipanTest, binary_under_test, main  # first: it tells where the next one is

import faulty_server as faults


class TimingsTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("lib", files={"share/lib.bin": "x" * 100_000})
        self.channel.add("app", depends=["lib"])
        self.channel.write_index()
        self.server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(self.server.close)
        self.page, self.trace = self.work / "page.html", self.work / "trace.json"
        self.files = [f"--timings={self.page}", "--trace", self.trace]

    def data(self, page=None):
        text = (page or self.page).read_text()
        return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S).group(1))

    def events(self, stage=None):
        events = json.loads(self.trace.read_text())["traceEvents"]
        return [event for event in events if stage is None or event.get("cat") == stage]

    def assert_has_ways_of(self, *dists):
        data = self.data()
        for dist in dists:
            row = data["rows"].index(dist)
            stages = [data["stages"][span[1]] for span in data["spans"] if span[0] == row]
            self.assertEqual(stages, ["fetch", "extract", "link"])
        for stage in ("fetch", "extract", "link"):
            self.assertEqual(sorted(event["name"] for event in self.events(stage)), sorted(dists))

    def test_create_install_update_remove(self):
        self.create("lib", *self.files, channel=self.server)
        self.assert_has_ways_of("lib-1.0-0")
        self.install("app<2", *self.files, channel=self.server)
        self.assert_has_ways_of("app-1.0-0")
        self.assertIn("app<2", self.data()["command"])
        self.channel.add("app", "1.1", depends=["lib"])
        self.channel.write_index()
        self.taipan("update", "-y", "-p", self.prefix, *self.channel_arguments(self.server), "--repodata-ttl", "0", "app",
                    *self.files)
        self.assert_has_ways_of("app-1.1-0")
        self.remove("app", *self.files)
        self.assertTrue(self.data()["ok"])

    def test_env_create_and_update_and_warm(self):
        file = self.work / "environment.yml"
        file.write_text(f"name: e\nchannels: ['{self.server.url}', nodefaults]\ndependencies: [lib]\n")
        self.taipan("warm", "-f", file, *self.files)
        self.assertEqual(len(self.events("fetch")), 1)
        self.taipan("env", "create", "-f", file, *self.files)
        self.assertEqual(len(self.events("link")), 1)
        file.write_text(f"name: e\nchannels: ['{self.server.url}', nodefaults]\ndependencies: [lib, app]\n")
        self.taipan("env", "update", "-f", file, *self.files)
        self.assertEqual([event["name"] for event in self.events("link")], ["app-1.0-0"])

    def test_timings_without_a_name(self):
        """The next word is a package, not the file."""
        result = self.create("--timings", "app", channel=self.server)
        self.assertEqual(self.data(self.work / "taipan-timings.html")["rows"].count("app-1.0-0"), 1)
        self.assertIn("taipan-timings.html", result.stderr)
        quiet = self.taipan("create", "-y", "-q", "-p", self.prefix, *self.channel_arguments(self.server), "--timings", "lib")
        self.assertEqual(quiet.stderr, "")

    def test_json_stays_one_document(self):
        done = self.taipan_json("create", "-y", "-p", self.prefix, *self.channel_arguments(self.server), "app", *self.files)
        self.assertTrue(done["success"])
        self.assertTrue(self.page.exists())

    def test_nothing_is_written_unless_asked_for(self):
        before = set(self.work.iterdir())
        self.create("app", channel=self.server)
        self.assertEqual({path.name for path in set(self.work.iterdir()) - before}, {"env", "pkgs"})

    def test_a_failed_run(self):
        self.server.fail("/*/lib-*.conda", faults.status(404), always=True)
        self.create("app", *self.files, channel=self.server, code=1)
        data = self.data()
        self.assertFalse(data["ok"])
        self.assertIn("404", data["outcome"])
        outcomes = {event["name"]: event["args"]["outcome"] for event in self.events("fetch")}
        self.assertEqual(outcomes["lib-1.0-0"], "failed")

    def test_a_run_that_is_stopped(self):
        self.server.fail("/*/lib-*.conda", faults.stall(), always=True)
        run = subprocess.Popen([binary_under_test(), "create", "-y", "-p", self.prefix, *self.channel_arguments(self.server),
                                "app", *map(str, self.files)], env=self.environment, cwd=self.work,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not self.server.requests("/*/lib-*.conda") and time.monotonic() < deadline:
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        self.assertNotEqual(run.returncode, 0)
        self.assertFalse(self.data()["ok"])
        self.assertTrue(any(event["args"]["outcome"] != "succeeded" for event in self.events("fetch")))
        self.assert_no_environment()

    def test_a_file_that_cannot_be_made_is_told_first(self):
        for option in (f"--timings={self.work}/no/such/folder/x.html", f"--trace={self.work}"):
            result = self.create("app", option, channel=self.server, code=1)
            self.assert_failed(result, option.split("=")[1])
        self.assertEqual(self.server.requests("*"), [])


if __name__ == "__main__":
    main()
