"""`taipan warm -f FILE` fills the cache; afterwards an environment can be made without any network."""

import json

from taipan_test import SUBDIR, RealChannelTest, TaipanTest, main
from verify import verify_environment


def environment_file(folder, url, *dependencies):
    file = folder / "environment.yml"
    lines = "".join(f"  - {dependency}\n" for dependency in dependencies)
    file.write_text(f"name: warmed\nchannels:\n  - {url}\n  - nodefaults\ndependencies:\n{lines}")
    return file


class WarmTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("lib")
        self.channel.add("app", depends=["lib"], extension=".tar.bz2")
        self.channel.add("unwanted")
        self.channel.write_index()
        self.server = self.serve(self.channel)
        self.file = environment_file(self.work, self.server.url, "app")

    def test_warm_fetches_exactly_what_is_needed(self):
        self.taipan("warm", "-f", self.file)
        fetched = sorted(line.split()[1].split("/")[-1] for line in self.server.requests() if "repodata" not in line)
        self.assertEqual(fetched, ["app-1.0-0.tar.bz2", "lib-1.0-0.conda"])
        self.assert_cache_sound(self.channel)
        self.assertFalse((self.root_prefix / "envs").exists())

    def test_then_no_network_is_needed(self):
        self.taipan("warm", "-f", self.file)
        self.server.close()
        self.taipan("env", "create", "--offline", "-f", self.file)
        self.assert_installed("app-1.0-0", "lib-1.0-0", prefix=self.root_prefix / "envs/warmed")
        self.taipan("create", "-y", "-p", self.prefix, "--offline", "--override-channels", "-c", self.server.url, "app")
        self.assert_installed("app-1.0-0", "lib-1.0-0")

    def test_warming_twice_downloads_once(self):
        self.taipan("warm", "-f", self.file)
        count = len([line for line in self.server.requests() if "repodata" not in line])
        self.taipan("warm", "-f", self.file)
        self.assertEqual(len([line for line in self.server.requests() if "repodata" not in line]), count)

    def test_offline_without_what_is_needed_says_what(self):
        result = self.taipan("env", "create", "--offline", "-f", self.file, "-p", self.prefix, code=1)
        self.assert_failed(result, "offline", self.server.url)
        self.assert_no_environment()
        self.assertEqual(self.server.requests(), [])
        # The index is known, the packages are not.
        self.taipan("env", "create", "--dry-run", "-f", self.file, "-p", self.prefix)
        before = len(self.server.requests())
        result = self.taipan("env", "create", "--offline", "-f", self.file, "-p", self.prefix, code=1)
        self.assertRegex(result.stderr, r"(app|lib)-1\.0-0")
        self.assert_failed(result, "offline")
        self.assert_no_environment()
        self.assertEqual(len(self.server.requests()), before)

    def downloads(self):
        return sorted(line.split()[1].split("/")[-1] for line in self.server.requests() if "repodata" not in line)

    def test_archives_are_verified_and_not_extracted(self):
        self.taipan("warm", "-f", self.file, "--archives")
        self.assertTrue((self.cache / "lib-1.0-0.conda").exists())
        self.assertFalse((self.cache / "lib-1.0-0").exists())
        self.assert_cache_sound(self.channel)
        archive = self.cache / "lib-1.0-0.conda"
        good = archive.read_bytes()
        archive.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        result = self.taipan("warm", "-f", self.file, "--archives")
        self.assertIn("lib-1.0-0.conda", result.stderr)
        self.assertEqual(archive.read_bytes(), good)
        self.server.close()
        self.taipan("env", "create", "--offline", "-f", self.file, "-p", self.prefix)
        self.assert_installed("app-1.0-0", "lib-1.0-0")

    def test_archives_are_fetched_although_the_package_is_extracted(self):
        self.taipan("warm", "-f", self.file)
        (self.cache / "lib-1.0-0.conda").unlink()
        document = self.taipan_json("warm", "-f", self.file, "--archives")
        self.assertEqual([record["fn"] for record in document["fetched"]], ["lib-1.0-0.conda"])
        self.assertTrue((self.cache / "lib-1.0-0.conda").exists())

    def test_a_wrong_archive_is_not_kept(self):
        package = next(p for p in self.channel.packages if p.name == "lib")
        package.path.write_bytes(b"?" * len(package.path.read_bytes()))
        result = self.taipan("warm", "-f", self.file, "--archives", code=1)
        self.assert_failed(result, "lib-1.0-0.conda", "sha256")
        self.assertFalse((self.cache / "lib-1.0-0.conda").exists())
        self.assert_no_leftovers(self.cache)

    def test_files_and_platforms_share_work(self):
        foreign = "linux-aarch64" if SUBDIR != "linux-aarch64" else "linux-64"
        self.channel.add("common", noarch="generic")
        self.channel.write_index()
        second = self.work / "second.yml"
        second.write_text(f"channels: [{self.server.url}, nodefaults]\ndependencies: [lib, common]\n")
        document = self.taipan_json("warm", "-f", self.file, "-f", second)
        self.assertEqual(self.downloads(), ["app-1.0-0.tar.bz2", "common-1.0-0.conda", "lib-1.0-0.conda"])
        self.assertEqual(sorted(record["fn"] for record in document["fetched"]), self.downloads())
        third = self.work / "third.yml"
        third.write_text(f"channels: [{self.server.url}, nodefaults]\ndependencies: [common]\n")
        result = self.taipan("warm", "-f", third, "--platform", SUBDIR, "--platform", foreign)
        self.assertIn(foreign, result.stdout)
        self.assertEqual(len(self.downloads()), 3)

    def test_two_packages_of_one_name_are_refused(self):
        other = self.tiny_channel("other")
        other.add("lib", files={"lib/other": "another lib"})
        other.write_index()
        server = self.serve(other)
        second = self.work / "second.yml"
        second.write_text(f"channels: [{server.url}, nodefaults]\ndependencies: [lib]\n")
        result = self.taipan("warm", "-f", self.file, "-f", second, code=1)
        self.assert_failed(result, "lib-1.0-0", self.server.url, server.url)
        self.assertEqual(self.downloads(), [])

    def test_offline_names_all_that_is_missing(self):
        self.taipan("create", "--dry-run", "-p", self.prefix, "-f", self.file)
        for form in ("--archives", "--extracted"):
            result = self.taipan("warm", "-f", self.file, "--offline", form, code=1)
            self.assert_failed(result, "app-1.0-0.tar.bz2", "lib-1.0-0.conda", "2 of 2", "--offline")
        self.taipan("warm", "--override-channels", "-c", self.server.url, "lib")
        result = self.taipan("warm", "-f", self.file, "--offline", code=1)
        self.assert_failed(result, "app-1.0-0.tar.bz2", "1 of 2")
        self.assertNotIn("lib-1.0-0", result.stderr)
        document = self.taipan("warm", "-f", self.file, "--offline", "--json", code=1).json
        self.assertIn("app-1.0-0", json.dumps(document))
        self.taipan("warm", "-f", self.file)
        self.taipan("warm", "-f", self.file, "--offline")

    def test_what_excludes_each_other(self):
        self.taipan("warm", "-f", self.file, "--archives", "--extracted", code=2)
        self.taipan("warm", code=2)

    def test_a_file_url_channel_works_offline(self):
        self.create("app", "--offline", channel=self.channel)
        self.assert_installed("app-1.0-0", "lib-1.0-0")


class WarmRealPackagesTest(RealChannelTest):
    def test_a_python_environment_without_network(self):
        file = environment_file(self.work, self.server.url, "python=3.11", "requests", "pyyaml")
        self.taipan("warm", "-f", file)
        before = len(self.server.requests())
        self.taipan("env", "create", "--offline", "-f", file, "-p", self.prefix)
        self.assertEqual(len(self.server.requests()), before)
        self.assertEqual(verify_environment(self.prefix), [])


if __name__ == "__main__":
    main()
