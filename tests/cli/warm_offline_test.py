"""`taipan warm -f FILE` fills the cache; afterwards an environment can be made without any network."""

from taipan_test import RealChannelTest, TaipanTest, main
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
