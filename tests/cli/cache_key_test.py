"""`taipan cache key` depends on what files ask for, on the platform, and on nothing else."""

import re

from taipan_test import TaipanTest, main

ENVIRONMENT = """\
name: one
channels:
  - conda-forge
  - nodefaults
dependencies:
  - numpy>=1.20
  - python=3.11
"""
SAME = """\
# Another layout of the same.
dependencies: [ "python =3.11" , 'numpy >=1.20' ]

channels:   # where from
- https://conda.anaconda.org/conda-forge
- nodefaults
name: another
"""
EXPLICIT = """\
# platform: linux-64
@EXPLICIT
https://host/chan/linux-64/a-1-0.conda#{0}
https://host/chan/noarch/b-1-0.conda#{1}
"""


class CacheKeyTest(TaipanTest):
    def file(self, name, text):
        path = self.work / name
        path.write_text(text)
        return path

    def key(self, *arguments, **options):
        return self.taipan("cache", "key", *arguments, **options).stdout.strip()

    def test_the_key_is_short_and_names_version_and_platform(self):
        key = self.key("-f", self.file("environment.yml", ENVIRONMENT), "--platform", "linux-64")
        self.assertRegex(key, r"^taipan\d+-linux-64-[0-9a-f]{16}$")

    def test_comments_order_layout_and_names_do_not_matter(self):
        a = self.key("-f", self.file("environment.yml", ENVIRONMENT))
        b = self.key("-f", self.file("other.yml", SAME))
        self.assertEqual(a, b)

    def test_specs_channels_and_platform_matter(self):
        base = self.file("environment.yml", ENVIRONMENT)
        keys = [self.key("-f", base, "--platform", "linux-64")]
        keys.append(self.key("-f", base, "--platform", "osx-arm64"))
        keys.append(self.key("-f", base, "--platform", "linux-64", "--platform", "osx-arm64"))
        changed = self.file("changed.yml", ENVIRONMENT.replace("1.20", "1.21"))
        keys.append(self.key("-f", changed, "--platform", "linux-64"))
        keys.append(self.key("-f", self.file("more.yml", ENVIRONMENT + "  - scipy\n"), "--platform", "linux-64"))
        other = self.file("channels.yml", ENVIRONMENT.replace("conda-forge", "bioconda"))
        keys.append(self.key("-f", other, "--platform", "linux-64"))
        keys.append(self.key("-f", base, "-f", changed, "--platform", "linux-64"))
        self.assertEqual(len(set(keys)), len(keys), keys)

    def test_order_of_files_and_platforms_does_not_matter(self):
        a = self.file("a.yml", ENVIRONMENT)
        b = self.file("b.yml", ENVIRONMENT.replace("numpy", "scipy"))
        self.assertEqual(self.key("-f", a, "-f", b, "--platform", "linux-64", "--platform", "osx-64"),
                         self.key("-f", b, "-f", a, "-f", b, "--platform", "osx-64", "--platform", "linux-64"))

    def test_machines_have_the_same_key(self):
        file = self.file("environment.yml", ENVIRONMENT)
        here = self.key("-f", file)
        folder = self.work / "elsewhere"
        folder.mkdir()
        (folder / "environment.yml").write_text(ENVIRONMENT)
        (self.home / ".condarc").write_text("channels: [bioconda]\n")
        there = self.key("-f", "environment.yml", cwd=folder, env={"CONDA_PKGS_DIRS": str(folder / "pkgs")})
        self.assertEqual(here, there)
        self.assertFalse((folder / "pkgs").exists(), "a key needs no cache")

    def test_configured_channels_count_where_a_file_names_none(self):
        file = self.file("specs.txt", "numpy\n")
        (self.home / ".condarc").write_text("channels: [bioconda]\n")
        a = self.key("-f", file)
        (self.home / ".condarc").write_text("channels: [conda-forge]\n")
        self.assertNotEqual(a, self.key("-f", file))
        (self.home / ".condarc").write_text("channels: [bioconda]\n")
        self.assertEqual(self.key("-f", file, "-c", "conda-forge"),
                         self.key("-f", file, "-c", "conda-forge", env={"HOME": str(self.work)}))

    def test_lists_of_packages_count_by_content(self):
        one, two, three = "a" * 32, "b" * 32, "c" * 32
        text = EXPLICIT.format(one, two)
        key = self.key("-f", self.file("a.txt", text), "--platform", "linux-64")
        lines = text.splitlines()
        moved = "\n".join([lines[1], lines[3], "# a comment", lines[2].replace("host", "user:secret@mirror")]) + "\n"
        self.assertEqual(key, self.key("-f", self.file("b.txt", moved), "--platform", "linux-64"))
        other = self.file("c.txt", EXPLICIT.format(one, three))
        self.assertNotEqual(key, self.key("-f", other, "--platform", "linux-64"))

    def test_prefix_and_json(self):
        file = self.file("environment.yml", ENVIRONMENT)
        key = self.key("-f", file)
        self.assertEqual(self.key("-f", file, "--prefix", "week-12-"), "week-12-" + key)
        document = self.taipan_json("cache", "key", "-f", file)
        self.assertEqual(document["key"], key)
        self.assertTrue(document["success"])
        self.assertTrue(re.fullmatch(r"[0-9a-f]{64}", document["files"][0]["digest"]))

    def test_what_is_wrong_is_said(self):
        self.taipan("cache", "key", code=2)
        self.assert_failed(self.taipan("cache", "key", "-f", "missing.yml", code=1), "missing.yml")
        file = self.file("environment.yml", ENVIRONMENT)
        self.assert_failed(self.taipan("cache", "key", "-f", file, "--platform", "toaster-64", code=1), "toaster-64")


if __name__ == "__main__":
    main()
