"""Why a request cannot be fulfilled: what only the command can know, on top of the solver's own explanation."""

import json

from shards import write_shards
from taipan_test import SUBDIR, TaipanTest, main
import faulty_server as faults  # noqa: I001 (taipan_test says where it is)


class OtherPlatformTest(TaipanTest):
    """Something exists, but not for this platform."""

    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("app", depends=["maclib >=2"])
        self.channel.add("lib", "1.0")
        self.channel.write_index()
        elsewhere = {"osx-arm64": [("maclib", "2.0"), ("lib", "2.0")], "win-64": [("wintool", "1.0"), ("maclib", "1.0")]}
        for subdir, packages in elsewhere.items():
            records = {f"{name}-{version}-0.conda": {"name": name, "version": version, "build": "0", "build_number": 0, "depends": [],
                                                     "subdir": subdir, "size": 1, "sha256": "0" * 64} for name, version in packages}
            (self.channel.folder / subdir).mkdir()
            (self.channel.folder / subdir / "repodata.json").write_text(
                json.dumps({"info": {"subdir": subdir}, "packages": {}, "packages.conda": records, "repodata_version": 1}))

    def fail(self, *specs, channel=None, options=()):
        return self.create("--dry-run", *options, *specs, channel=channel or self.channel, code=1)

    def check(self, **where):
        self.assert_failed(self.fail("wintool", **where), "wintool (exists for win-64 only)")
        self.assert_failed(self.fail("maclib", "lib=2", **where), "maclib (exists for osx-arm64, win-64 only)",
                           "lib=2 (there is 1.0; it exists for osx-arm64)")
        self.assert_failed(self.fail("app", **where), "needs maclib >=2: it exists for osx-arm64 only")

    def test_a_channel_on_disk(self):
        self.check()
        document = json.loads(self.fail("wintool", options=["--json"]).stdout)
        self.assertEqual([m["platforms"] for m in document["details"]["missing"]], [["win-64"]])

    def test_a_server_is_asked_once_and_only_then(self):
        server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(server.close)
        self.create("--dry-run", "lib", channel=server)
        self.assertEqual([line for line in server.log if "osx-" in str(line) or "win-" in str(line)], [])
        self.check(channel=server)
        server.log.clear()
        self.assertNotIn("exists for", self.fail("wintool", channel=server, options=["--offline"]).stderr)
        self.assertEqual(server.log, [])

    def test_shards_tell_the_names(self):
        for subdir in (SUBDIR, "noarch", "osx-arm64", "win-64"):
            write_shards(self.channel.folder / subdir)
        server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(server.close)
        self.assert_failed(self.fail("maclib", channel=server), "maclib (exists for osx-arm64, win-64 only)")

    def test_what_is_in_the_cache_will_do(self):
        server = faults.FaultyServer(self.channel.folder)
        self.addCleanup(server.close)
        self.create("--dry-run", "lib", channel=server)
        self.create("--dry-run", "--platform", "win-64", "wintool", channel=server, prefix=self.work / "win")
        self.assert_failed(self.fail("wintool", channel=server, options=["--offline"]), "wintool (exists for win-64 only)")


if __name__ == "__main__":
    main()
