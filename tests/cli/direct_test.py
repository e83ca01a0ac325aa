"""--direct: packages go straight into the environment, nothing stays in a cache, and the environment is the same."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import clobber_test
from taipan_test import TaipanTest, binary_under_test, main, tree
from tiny_channel import PLACEHOLDER, File, Link


def without_names_of_the_cache(prefix):
    """The tree, without what the cached way says of the cache, and without times."""
    for path, what, mode, content in tree(prefix):
        if path.startswith("conda-meta/") and what == "file":
            content = (prefix / path).read_text()
            content = re.sub(r'"(package_tarball_full_path|extracted_package_dir|source)": ".*"', "", content)
            content = re.sub(r"==> .* <==|# cmd: .*", "", content)
        if path == "conda-meta/created_at":
            content = ""
        yield path, what, mode, content


class DirectTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        tool = File(f"#!{PLACEHOLDER}/bin/sh\necho tool\n", mode=0o755)
        script = File('echo "$PREFIX" > "$PREFIX/share/linked"\n', mode=0o755)
        self.channel.add("tool", "1", files={
            "bin/tool": tool, "lib/tool.bin": File(b"\0" + PLACEHOLDER.encode() + b"\0rest", file_mode="binary"),
            "lib/alone": File("alone", no_link=True), "lib/link": Link("alone"), "lib/gone/link": Link("nowhere"),
            "share/tool/read-only": File("x", mode=0o444), "bin/.tool-post-link.sh": script})
        self.channel.add("tool", "2", files={"bin/tool": tool, "share/tool/new": "2"})
        self.channel.add("old", extension=".tar.bz2", files={"share/old": f"{PLACEHOLDER}", "share/old-too": "x"})
        self.channel.write_index()
        self.server = self.serve(self.channel)

    def assert_nothing_kept(self):
        self.assertFalse(self.cache.exists(), "there is a cache")
        self.assertEqual([p for p in os.listdir(self.work) if p.startswith(".taipan")], [])
        self.assertEqual(list(self.prefix.rglob(".taipan*")), [])

    def test_the_tree_is_that_of_the_cached_way(self):
        self.create("tool=1", "old", channel=self.server)
        cached = list(without_names_of_the_cache(self.prefix))
        shutil.rmtree(self.prefix)
        shutil.rmtree(self.cache)
        result = self.create("tool=1", "old", "--direct", channel=self.server)
        self.assertIn("unpacking in place", result.stdout)
        self.assertEqual(list(without_names_of_the_cache(self.prefix)), cached)
        self.assert_nothing_kept()
        self.taipan("verify", "-p", self.prefix)
        self.assertEqual((self.prefix / "share/linked").read_text().strip(), str(self.prefix))

    def test_an_existing_environment(self):
        self.create("tool=1", "--direct", channel=self.server)
        self.install("tool=2", "old", "--no-cache", channel=self.server)
        self.assert_installed("tool-2-0", "old-1.0-0")
        self.assertFalse((self.prefix / "lib/alone").exists())
        self.taipan("verify", "-p", self.prefix)
        self.remove("old")
        self.assertFalse((self.prefix / "share/old").exists())
        self.install("tool=1", "--direct", channel=self.server)
        self.assert_installed("tool-1-0")
        self.taipan("verify", "-p", self.prefix)

    def test_what_a_cache_has_is_used(self):
        self.create("tool=1", channel=self.server)
        shutil.rmtree(self.cache / "tool-1-0")  # the archive stays
        before = sorted(os.listdir(self.cache))
        self.environment["CONDA_PKGS_DIRS"] = str(self.cache)
        self.create("tool=1", "--direct", "--offline", prefix=self.work / "second", channel=self.server)
        self.assertEqual(sorted(os.listdir(self.cache)), before)
        self.taipan("verify", "-p", self.work / "second")

    def test_a_wrong_hash_leaves_nothing(self):
        package = self.channel.packages[0]
        self.create("old", "--direct", channel=self.server, prefix=self.work / "other")
        package.record["sha256"] = "0" * 64
        self.channel.write_index()
        result = self.create("tool=1", "--direct", channel=self.server, code=1)
        self.assert_failed(result, package.fn, "sha256")
        self.assert_no_environment()
        before = list(tree(self.work / "other"))
        result = self.install("tool=1", "--direct", channel=self.server, prefix=self.work / "other", code=1)
        self.assert_failed(result, package.fn, "sha256")
        self.assertEqual(list(tree(self.work / "other")), before)
        self.assertFalse(self.cache.exists())

    def test_without_a_cache_that_can_be_written(self):
        self.environment["CONDA_PKGS_DIRS"] = "/proc/no/such/place"
        result = self.create("tool=1", channel=self.server)
        self.assertIn("no package cache can be written", result.stderr + result.stdout)
        self.assert_installed("tool-1-0")
        self.assert_nothing_kept()
        result = self.taipan("search", *self.channel_arguments(self.server), "tool")
        self.assertIn("tool", result.stdout)
        result = self.install("old", "--no-direct", channel=self.server, code=1)
        self.assertIn("no package cache is writable", result.stderr)

    def test_without_a_home(self):
        del self.environment["HOME"], self.environment["CONDA_PKGS_DIRS"], self.environment["MAMBA_ROOT_PREFIX"]
        self.create("tool=1", "--direct", channel=self.server)
        self.assert_installed("tool-1-0")
        self.assert_nothing_kept()

    @unittest.skipIf(os.geteuid() != 0, "only root can put something over /tmp")
    def test_without_a_place_for_temporary_files(self):
        """As in an image made FROM scratch."""
        place = Path(tempfile.mkdtemp(prefix="taipan-test-", dir="/dev/shm"))
        self.addCleanup(shutil.rmtree, place)
        del self.environment["CONDA_PKGS_DIRS"]
        self.environment.pop("TMPDIR", None)
        self.environment |= {"HOME": str(place / "home"), "MAMBA_ROOT_PREFIX": str(place / "home/root")}
        hide = 'for folder in /tmp /var/tmp; do mount -t tmpfs -o ro none "$folder" || exit 99; done; exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", hide, "sh", binary_under_test()]
        for arguments in (["create", "-y", "-p", place / "envs/one", "--direct", *self.channel_arguments(self.server),
                           "tool=1"], ["search", *self.channel_arguments(self.server), "tool", "--json"]):
            self.environment["CONDA_DIRECT"] = "true"
            done = subprocess.run([*command, *arguments], env=self.environment, cwd=place, capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_installed("tool-1-0", prefix=place / "envs/one")
        self.assertEqual([*place.rglob(".taipan-index*"), *place.rglob("repodata*"), *place.rglob("pkgs")], [])
        self.assertEqual((os.listdir(place / "envs"), os.listdir(place / "home")), (["one"], [".conda"]))

    def test_by_configuration(self):
        (self.home / ".condarc").write_text("direct: true\n")
        self.create("tool=1", channel=self.server)
        self.assert_nothing_kept()

    def test_only_to_download_makes_no_sense(self):
        result = self.create("tool=1", "--direct", "--download-only", channel=self.server, code=2)
        self.assertIn("--download-only", result.stderr)

    def test_by_url(self):
        url = self.channel.packages[0].path.as_uri()
        self.taipan("create", "-y", "-p", self.prefix, "--direct", url)
        self.assert_installed("tool-1-0")
        self.assert_nothing_kept()


class DirectClobberTest(clobber_test.ClobberTest):
    """Who has a path that several packages want does not depend on where they were unpacked."""

    def setUp(self):
        super().setUp()
        self.environment["CONDA_DIRECT"] = "true"
        self.cache.mkdir()  # for tests that remove what there is in it


if __name__ == "__main__":
    main()
