"""`taipan lock`: from environment files to lock files that can be read back, for several platforms."""

import re

from taipan_test import TaipanTest, main
from tiny_channel import SUBDIR

OTHER = "linux-aarch64" if SUBDIR == "linux-64" else "linux-64"


class LockTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("app", "1.0", depends=["lib >=1", "lib <3", "__glibc >=2.17"], constrains=["old <1"])
        self.channel.add("lib", "1.5", noarch="generic")
        self.channel.add("lib", "3.0", noarch="generic")
        self.channel.add("tool", depends=["lib"], noarch="generic")
        self.channel.add("needs-new", depends=["__glibc >=2.99"], noarch="generic")
        self.channel.write_index()
        self.folder = self.work / "project"
        self.folder.mkdir()
        self.write("environment.yml", "app")

    def write(self, name, *dependencies, extra=""):
        lines = "".join(f"  - {d}\n" for d in dependencies)
        (self.folder / name).write_text(
            f"{extra}channels: ['{self.channel.folder.as_uri()}', nodefaults]\ndependencies:\n{lines}")

    def lock(self, *arguments, **options):
        return self.taipan("lock", *arguments, cwd=self.folder, **options)

    def text(self, name="conda-lock.yml"):
        return (self.folder / name).read_text()

    def test_what_is_locked_is_what_is_made_of_it(self):
        self.lock()
        text = self.text()
        self.assertIn("  sources:\n  - environment.yml\n", text)
        self.assertIn("    lib: '>=1,<3'\n", text)
        self.assertIn("    __glibc: '>=2.17'\n", text)
        self.assertEqual(re.findall(r"^- name: (.*)", text, re.M), ["app", "lib"])
        self.channel.add("lib", "1.9", noarch="generic")
        self.channel.write_index()
        self.taipan("create", "-y", "-p", self.prefix, "-f", self.folder / "conda-lock.yml")
        self.assert_installed("app-1.0-0", "lib-1.5-0")
        self.assertEqual(self.record("app")["constrains"], ["old <1"])

    def test_lines_for_platforms(self):
        self.write("environment.yml", "app", f"tool  # [{'linux64' if SUBDIR == 'linux-64' else 'aarch64'}]",
                   "nosuch # [win]", "neither # comment [osx]", "whatever # [py38]")
        result = self.lock()
        self.assertIn("[py38]", result.stderr)
        self.assertEqual(re.findall(r"^- name: (.*)", self.text(), re.M), ["app", "lib", "tool"])

    def test_one_package_is_updated(self):
        self.write("environment.yml", "app", "tool")
        self.lock()
        self.channel.add("lib", "1.9", noarch="generic")
        self.channel.add("tool", "1.1", depends=["lib"], noarch="generic")
        self.channel.write_index()
        before = self.text()
        self.lock("--update", "tool")
        versions = dict(re.findall(r"^- name: (.*)\n  version: (.*)", self.text(), re.M))
        self.assertEqual(versions, {"app": "'1.0'", "lib": "'1.5'", "tool": "'1.1'"})
        self.assertEqual(self.text().count("\n"), before.count("\n"))
        self.lock("--update", "lib")
        self.assertIn("lib-1.9-0", self.text())
        self.lock("--update", "nosuch", code=1)

    def test_the_same_request_gives_the_same_bytes(self):
        self.lock()
        first = self.text()
        self.lock("-f", "environment.yml", "-o", "conda-lock.yml")
        self.assertEqual(self.text(), first)
        self.assertEqual(self.lock("-o", "-").stdout, first)

    def test_platforms(self):
        self.write("environment.yml", "lib <3", extra=f"platforms: [{OTHER}, {SUBDIR}]\n")
        self.lock()
        text = self.text()
        self.assertIn("  platforms:\n" + "".join(f"  - {s}\n" for s in sorted((SUBDIR, OTHER))), text)
        self.assertEqual(text.count("- name: lib\n"), 2)
        self.lock("-p", SUBDIR)
        self.assertEqual(self.text().count("- name: lib\n"), 1)
        self.assert_failed(self.lock("-p", "mars-64", code=1), "mars-64")

    def test_categories(self):
        self.write("dev.yml", "tool", extra="category: dev\n")
        self.lock("-f", "environment.yml", "-f", "dev.yml")
        entries = dict(re.findall(r"- name: (\w+)\n(?:  .*\n)*?  category: (\w+)", self.text()))
        self.assertEqual(entries, {"app": "main", "lib": "main", "tool": "dev"})
        self.taipan("create", "-y", "-p", self.prefix, "-f", self.folder / "conda-lock.yml")
        self.assert_installed("app-1.0-0", "lib-1.5-0")
        self.lock("-f", "environment.yml", "-f", "dev.yml", "--explicit")
        self.assertNotIn("tool", self.text(f"conda-{SUBDIR}.lock"))
        self.lock("-f", "environment.yml", "-f", "dev.yml", "--explicit", "--category", "dev", "-o", "all.txt")
        self.assertIn("tool", self.text("all.txt"))

    def test_explicit_lists(self):
        self.assert_failed(self.lock("tool", "--explicit", "-p", SUBDIR, "-p", OTHER, "-o", "one", "-O", "-c",
                                     self.channel.folder.as_uri(), code=1), "{platform}")
        self.lock("tool", "--explicit", "-p", SUBDIR, "-p", OTHER, "-o", "{platform}.txt", "-O", "-c",
                  self.channel.folder.as_uri())
        lines = self.text(f"{OTHER}.txt").splitlines()
        self.assertIn(f"# platform: {OTHER}", lines)
        self.assertRegex(lines[-2], r"/noarch/lib-3.0-0.conda#[0-9a-f]{32}$")
        self.taipan("create", "-y", "-p", self.prefix, "-f", self.folder / f"{SUBDIR}.txt")
        self.assert_installed("lib-3.0-0", "tool-1.0-0")

    def test_check(self):
        self.lock()
        self.assertIn("up to date", self.lock("--check").stdout)
        self.write("environment.yml", "app", "tool")
        self.assert_failed(self.lock("--check", code=1), "conda-lock.yml", "taipan lock")
        self.assertNotIn("tool", self.text())

    def test_virtual_packages_are_not_those_of_this_machine(self):
        self.write("environment.yml", "needs-new")
        self.assert_failed(self.lock(code=1), "2.28")
        self.lock("--virtual-package", "__glibc=2.99")
        (self.folder / "virtual.yml").write_text(f"subdirs: {{{SUBDIR}: {{packages: {{__glibc: '2.100'}}}}}}\n")
        self.lock("--virtual-package-spec", "virtual.yml")
        self.lock(env={"CONDA_OVERRIDE_GLIBC": "3.0"})
        self.assertIn("needs-new", self.text())

    def test_what_cannot_be_locked_is_refused(self):
        self.write("environment.yml", "lib", "pip: [six]")
        self.assert_failed(self.lock(code=1), "--no-pip")
        self.lock("--no-pip")
        self.assert_failed(self.lock("-f", "conda-lock.yml", code=1), "locked already")
        self.write("environment.yml", "nosuch")
        self.assert_failed(self.lock(code=1), "nosuch")
        self.assertIn("lib", self.text())


if __name__ == "__main__":
    main()
