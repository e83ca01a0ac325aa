"""`taipan create --clone`: the same packages, and the files of no package with the paths in them changed."""

import os
import shutil

from taipan_test import TaipanTest, main, tree
from tiny_channel import PLACEHOLDER, SUBDIR, File, Link


class CloneTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("base", files={"lib/base": "base", "etc/base.conf": f"home={PLACEHOLDER}\n"})
        self.channel.add("tool", files={"bin/tool": File(f"#!{PLACEHOLDER}/bin/sh\n", mode=0o755), "share/l": Link("x")},
                         depends=["base"])
        self.channel.write_index()
        self.create("tool")
        self.copy = self.work / "copy"

    def put(self, path, content, mode=0o644):
        file = self.prefix / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        file.chmod(mode)
        os.utime(file, (1600000000, 1600000000))
        return file

    def clone(self, *arguments, source=None, **options):
        return self.taipan("create", "-y", "-p", self.copy, "--clone", source or self.prefix, *arguments, **options)

    def without_meta(self, prefix):
        return [entry for entry in tree(prefix) if not entry[0].startswith("conda-meta")]

    def test_the_packages_are_the_same_and_asked_for_exactly(self):
        self.clone("--offline")
        self.assert_installed("base-1.0-0", "tool-1.0-0", prefix=self.copy)
        self.assertEqual((self.copy / "etc/base.conf").read_text(), f"home={self.copy}\n")
        place = f"{self.channel.folder.as_uri()}/{SUBDIR}::"
        history = (self.copy / "conda-meta/history").read_text()
        self.assertIn(f"# update specs: ['{place}base==1.0=0', '{place}tool==1.0=0']\n", history)
        self.assertIn(f"+{place}tool-1.0-0\n", history)
        self.assertEqual(self.record("base", self.copy)["requested_specs"], [f"{place}base==1.0=0"])
        for name in ("base", "tool"):
            ours, theirs = self.record(name), self.record(name, self.copy)
            for record in (ours, theirs):
                record.pop("requested_spec", None), record.pop("requested_specs", None), record.pop("paths_data")
            self.assertEqual(ours, theirs)
        self.assertIn(str(self.copy), (self.home / ".conda/environments.txt").read_text())

    def test_it_is_as_if_it_had_been_made_there(self):
        self.clone()
        made = self.work / "made"
        self.create("tool", prefix=made)
        # Hashes of files with the prefix in them cannot agree.
        plain = [e[:3] for e in self.without_meta(self.copy)]
        self.assertEqual(plain, [e[:3] for e in self.without_meta(made)])

    def test_files_of_no_package_come_along_with_changed_paths(self):
        own = {"bin/own": (f"#!{self.prefix}/bin/python\n", 0o755), "lib/own/data.txt": (f"a {self.prefix}/x é\n", 0o444),
               "lib/own/blob": (f"\xff{self.prefix}\0".encode("latin-1"), 0o600), "lib/own/plain": ("plain", 0o644)}
        for path, (content, mode) in own.items():
            self.put(path, content, mode)
        (self.prefix / "lib/own/link").symlink_to("../../bin/own")
        (self.prefix / "lib/own/away").symlink_to(self.prefix / "bin")
        (self.prefix / "lib/empty").mkdir()
        self.clone()
        for path, (content, mode) in own.items():
            status = (self.copy / path).stat()
            self.assertEqual((status.st_mode & 0o7777, status.st_mtime), (mode, 1600000000), path)
        self.assertEqual((self.copy / "bin/own").read_text(), f"#!{self.copy}/bin/python\n")
        self.assertEqual((self.copy / "lib/own/data.txt").read_text(), f"a {self.copy}/x é\n")
        for path in ("lib/own/blob", "lib/own/plain"):
            self.assertEqual((self.copy / path).read_bytes(), (self.prefix / path).read_bytes())
        self.assertEqual(os.readlink(self.copy / "lib/own/link"), "../../bin/own")
        self.assertEqual(os.readlink(self.copy / "lib/own/away"), str(self.prefix / "bin"))
        self.assertFalse((self.copy / "lib/empty").exists())

    def test_a_path_at_the_edge_of_what_is_read_at_once_is_found(self):
        for offset in (-len(str(self.prefix)), -3, 0):
            before = "x" * ((1 << 18) + offset)
            self.put("share/big.txt", before + str(self.prefix) + "\n")
            self.clone()
            self.assertEqual((self.copy / "share/big.txt").read_text(), before + str(self.copy) + "\n")

    def test_what_is_of_the_installation_stays(self):
        for path in ("pkgs/x-1-0/file", "envs/other/file", "conda-meta/pinned", "conda-meta/state", "conda-bld/f", "bin/conda",
                     "lib/old.c~"):
            self.put(path, "x")
        before = self.without_meta(self.prefix)
        self.clone()
        for path in ("pkgs", "envs", "conda-meta/pinned", "conda-meta/state", "conda-bld", "bin/conda", "lib/old.c~"):
            self.assertFalse((self.copy / path).exists(), path)
        self.assertEqual(self.without_meta(self.prefix), before)

    def test_a_file_where_a_package_has_one_gives_way(self):
        (self.prefix / "lib/base").unlink()
        (self.prefix / "lib/base").mkdir()
        self.put("lib/base/thesis", "words")
        shutil.rmtree(self.prefix / "etc")
        (self.prefix / "etc").symlink_to(self.home)
        result = self.clone()
        self.assertIn("lib/base", result.stderr)
        self.assertEqual((self.copy / "lib/base").read_text(), "base")
        self.assertTrue((self.copy / "etc/base.conf").exists())
        self.assertEqual(os.listdir(self.home), [".conda"])

    def test_by_name_and_from_an_empty_cache(self):
        self.taipan("create", "-y", "-n", "named", *self.channel_arguments(self.channel), "base")
        shutil.rmtree(self.cache)
        self.taipan("create", "-y", "-n", "second", "--clone", "named")
        self.assert_installed("base-1.0-0", prefix=self.root_prefix / "envs/second")
        self.assert_cache_sound(self.channel)
        shutil.rmtree(self.cache)
        server = self.serve(self.channel)
        self.create("base", prefix=self.work / "served", channel=server)
        shutil.rmtree(self.cache)
        result = self.clone("--offline", source=self.work / "served", code=1)
        self.assert_failed(result, "base-1.0-0")
        self.assert_no_environment(self.copy)

    def test_json(self):
        self.put("share/own", "own")
        for dry in (["--dry-run"], []):
            document = self.taipan_json("create", "-y", "-p", self.copy, "--clone", self.prefix, *dry)
            self.assertEqual((document["src_prefix"], document["dst_prefix"]), (str(self.prefix), str(self.copy)))
            self.assertEqual(document["untracked_files"], ["share/own"])
            self.assertEqual([p["name"] for p in document["actions"]["LINK"]], ["base", "tool"])
            self.assertEqual(self.copy.exists(), not dry)

    def test_what_cannot_be_cloned(self):
        for source in ("nosuch", self.work / "nosuch"):
            self.assert_failed(self.clone(source=source, code=1), "Not a conda environment")
        self.assert_failed(self.clone(source=self.home, code=1), "is a directory, but no environment")
        for arguments in (["base"], ["-f", "x.yml"]):
            self.clone(*arguments, code=2)
        before = list(tree(self.prefix))
        result = self.taipan("create", "-y", "-p", self.prefix, "--clone", self.prefix, code=1)
        self.assert_failed(result, "cannot be cloned")
        self.assertEqual(list(tree(self.prefix)), before)
        self.assert_no_environment(self.copy)

    def test_a_record_without_url_is_looked_for_in_the_channels(self):
        path = self.prefix / "conda-meta/base-1.0-0.json"
        path.write_text("\n".join(line for line in path.read_text().split("\n") if '"url"' not in line))
        self.clone(*self.channel_arguments(self.channel))
        self.assertTrue(self.record("base", self.copy)["url"].endswith("/base-1.0-0.conda"))
        other = self.tiny_channel("other")
        self.assert_failed(self.clone(*self.channel_arguments(other), code=1), "base-1.0-0")


if __name__ == "__main__":
    main()
