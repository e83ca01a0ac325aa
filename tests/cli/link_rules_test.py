"""What each rule of linking makes of a package: trees, modes, links, contents and records, as written down here.

The packages are those of tests/harness/rule_packages.py. Where conda does otherwise, engine/prefix/COMPATIBILITY.md
says so; bench/trees.py compares the same packages with an installed conda.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from rule_packages import BINARY, PYTHON, RULES, SHORT, add_rule_packages
from taipan_test import TaipanTest, main, tree
from tiny_channel import PLACEHOLDER, TinyChannel

_channel = None


def rule_channel():
    """Made once for all tests of this file: they only read it."""
    global _channel
    if _channel is None:
        folder = tempfile.mkdtemp(prefix="taipan-rules-")
        atexit.register(shutil.rmtree, folder)
        _channel = add_rule_packages(TinyChannel(folder))
    return _channel


class RuleTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = rule_channel()
        self.addCleanup(os.umask, os.umask(0o022))

    def make(self, *specs, prefix=None, flags=()):
        """Creates an environment and checks what is true of each: verified, gone without trace when removed."""
        self.create(*specs, *flags, prefix=prefix)
        self.taipan("verify", "-p", prefix or self.prefix)

    def assert_tree(self, expected, prefix=None):
        """Exactly these paths besides conda-meta: (mode, content) of a file, the target of a link, None for a directory
        that no file implies."""
        implied = {str(parent) for path in expected for parent in Path(path).parents} | {"conda-meta"}
        found = {path: (what, mode) for path, what, mode, _ in tree(prefix or self.prefix)
                 if not path.startswith("conda-meta/") and path not in implied}
        self.assertEqual(sorted(found), sorted(expected))
        for path, item in expected.items():
            at = Path(prefix or self.prefix) / path
            what, mode = found[path]
            if isinstance(item, str):
                self.assertEqual((what, os.readlink(at)), ("link", item), path)
            elif item is None:
                self.assertEqual(what, "folder", path)
            else:
                self.assertEqual((what, oct(mode), at.read_bytes()), ("file", oct(item[0]), item[1]), path)

    def paths_of(self, name, prefix=None):
        return {entry["_path"]: entry for entry in self.record(name, prefix)["paths_data"]["paths"]}

    def assert_gone_after_removal(self, name):
        """Its files and directories, and nothing else, go with the package."""
        self.channel_free_create()
        before = [item for item in tree(self.prefix) if not item[0].startswith("conda-meta")]
        self.install(name, "--no-deps")
        self.remove(name, "--force")
        self.assertEqual([item for item in tree(self.prefix) if not item[0].startswith("conda-meta")], before)

    def channel_free_create(self):
        self.create("menu")


class PrefixTest(RuleTest):
    def text_expected(self, prefix):
        p = str(prefix).encode()
        return {
            "bin/tool": (0o755, b"#!" + p + b"/bin/python -E\nhome=" + p + b"/x:" + p + b"/y\n"),
            "etc/crlf.conf": (0o644, b"a=" + p + b"\r\nb=" + p + b"/no newline at the end"),
            "etc/latin.conf": (0o644, b"\xe9t\xe9=" + p + b"/\xe9\n"),
            "etc/short.conf": (0o644, b"x=" + p + b"/y\n"),
            "etc/only-listed.conf": (0o600, b"nothing to change\n"),
            "etc/read-only.conf": (0o444, p + b"\n"),
        }

    def test_text(self):
        self.make("text-prefix")
        expected = self.text_expected(self.prefix)
        self.assert_tree(expected)
        for path, entry in self.paths_of("text-prefix").items():
            self.assertEqual(entry["sha256_in_prefix"], hashlib.sha256(expected[path][1]).hexdigest(), path)
            self.assertEqual((self.prefix / path).stat().st_nlink, 1, f"{path} is shared with the cache")
        self.assertEqual(self.paths_of("text-prefix")["etc/short.conf"]["prefix_placeholder"], SHORT)

    def test_binary(self):
        self.make("binary-prefix")
        p, room = str(self.prefix).encode(), len(PLACEHOLDER) - len(str(self.prefix))
        wide = (str(self.prefix) + "/l\0").encode("utf-16-le") + b"\0\0" * room + "Z".encode("utf-16-le") + \
            (str(self.prefix) + "\0").encode("utf-32-be") + b"\0\0\0\0" * room
        self.assert_tree({
            "lib/one": (0o755, p + b"/lib\0" + b"\0" * room + b"tail"),
            "lib/two-in-one": (0o644, b"\x7f" + p + b"/lib:" + p + b"/lib64\0" + b"\0" * 2 * room + b"tail"),
            "lib/two-strings": (0o644, p + b"/a\0" + b"\0" * room + p + b"/b\0" + b"\0" * room + b"\xff\xfe"),
            "lib/no-end": (0o644, BINARY["lib/no-end"]),
            "lib/over-lines": (0o644, p + b"/x\ny\0" + b"\0" * room + b"Z"),
            "lib/wide": (0o644, wide),
        })
        for path, data in BINARY.items():
            self.assertEqual(len(data), (self.prefix / path).stat().st_size, path)
            self.assertEqual(self.paths_of("binary-prefix")[path]["file_mode"], "binary")

    def test_a_path_that_a_binary_has_no_room_for(self):
        result = self.create("short-binary", "menu", code=1)
        self.assert_failed(result, "short-binary", "lib/short", self.prefix, len(SHORT))
        self.assert_no_environment()
        self.create("menu")
        before = list(tree(self.prefix))
        self.assert_failed(self.install("short-binary", code=1), "short-binary", "lib/short")
        self.assertEqual(list(tree(self.prefix)), before)

    def test_a_path_with_blanks(self):
        prefix = self.work / "a place" / "with blanks"
        self.make("text-prefix", "binary-prefix", "shebangs", prefix=prefix)
        p = str(prefix)
        text = self.text_expected(prefix)
        for path, (mode, content) in text.items():
            if path != "bin/tool":
                self.assertEqual((prefix / path).read_bytes(), content, path)
        self.assertEqual((prefix / "bin/tool").read_text(), f"#!/usr/bin/env python -E\nhome={p}/x:{p}/y\n")
        self.assertTrue((prefix / "lib/one").read_bytes().startswith(p.encode() + b"/lib\0"))
        self.assert_shebangs(prefix, f"{p}/bin/x", short=False)

    def test_shebangs(self):
        self.make("shebangs")
        self.assert_shebangs(self.prefix, f"{self.prefix}/bin/x", short=True)

    def test_shebangs_longer_than_the_kernel_reads(self):
        prefix = self.work / ("d" * (126 - len(f"#!{self.work}//bin/python")))
        for extra, short in ((1, True), (2, False)):  # 127 bytes, 128 bytes
            place = prefix.with_name(prefix.name + "x" * extra)
            self.assertEqual(len(f"#!{place}/bin/python"), 126 + extra)
            self.make("shebangs", prefix=place)
            first = f"#!{place}/bin/python" if short else "#!/usr/bin/env python"
            self.assertEqual((place / "bin/python-script").read_text(), first + "\nx\n")
            self.assertEqual((place / "bin/no-newline").read_text(), first)
            self.assertEqual((place / "bin/with-options").read_text(), "#!/usr/bin/env python -E -s\nx\n")
        self.assert_shebangs(place, f"{place}/bin/x", short=False)

    def assert_shebangs(self, prefix, program, short):
        def line(name, rest=""):
            return f"#!{prefix}/bin/{name}{rest}" if short else f"#!/usr/bin/env {name}{rest}"
        blank = f"#! {prefix}/bin/perl -w" if short else "#!/usr/bin/env perl -w"
        if " " in str(prefix):
            blank = f"#! {prefix}/bin/perl -w"  # not an escaped blank: the kernel would not have read it either
        self.assert_contents(prefix, {
            "bin/python-script": line("python") + "\nx\n", "bin/with-options": line("python", " -E -s") + "\nx\n",
            "bin/env": f"#!/usr/bin/env python\n{prefix}\n", "bin/shell": f"#!/bin/sh\nexec {program} \"$@\"\n",
            "bin/no-newline": line("python"), "bin/with-blank": blank + "\nx\n"})

    def assert_contents(self, prefix, expected):
        self.assertEqual({path: (prefix / path).read_text() for path in expected}, expected)


class ShapesTest(RuleTest):
    EXPECTED = {
        "lib/libx.so.1": (0o755, b"x"), "lib/libx.so": "libx.so.1", "lib64": "lib", "share/dangling": "nowhere/at/all",
        "share/up": "../lib/libx.so", "etc/own.cfg": (0o644, b"mine\n"), "share/empty": (0o644, b""),
        "share/private": (0o600, b"p"), "share/read-only": (0o444, b"r"), "bin/run": (0o711, b"#!/bin/sh\n"),
        "share/group": (0o644, b"g"),  # 0664 in the package: the umask counts
    }

    def test_files_links_directories_and_modes(self):
        self.make("shapes")
        self.assert_tree(self.EXPECTED)
        own = self.prefix / "etc/own.cfg"
        self.assertEqual(own.stat().st_nlink, 1)
        shared = [path for path, item in self.EXPECTED.items() if isinstance(item, tuple) and path != "etc/own.cfg"]
        for path in shared:
            self.assertTrue((self.prefix / path).samefile(self.cache / "shapes-1.0-0" / path), path)
        kinds = {path: entry["path_type"] for path, entry in self.paths_of("shapes").items()}
        self.assertEqual((kinds["lib64"], kinds["share/empty"]), ("softlink", "hardlink"))
        self.assertTrue(self.paths_of("shapes")["etc/own.cfg"]["no_link"])
        self.assertEqual(sorted(self.record("shapes")["files"]), sorted(self.EXPECTED))

    def test_empty_directories(self):
        self.make("hollow")
        self.assert_tree({"var/empty/place": None, "share/hollow": (0o644, b"h")})
        self.assertEqual(self.paths_of("hollow")["var/empty/place"]["path_type"], "directory")
        self.assertEqual(self.record("hollow")["files"], ["share/hollow"])
        self.assert_gone_after_removal("hollow")

    def test_copies(self):
        self.make("shapes", flags=["--always-copy"])
        self.assert_tree(self.EXPECTED)
        self.assertEqual(self.record("shapes")["link"]["type"], 3)
        for path, item in self.EXPECTED.items():
            if isinstance(item, tuple):
                here, there = (self.prefix / path).stat(), (self.cache / "shapes-1.0-0" / path).stat()
                self.assertEqual((here.st_nlink, here.st_mtime_ns), (1, there.st_mtime_ns), path)

    def test_soft_links(self):
        self.make("shapes", "text-prefix", flags=["--always-softlink"])
        package = self.cache / "shapes-1.0-0"
        self.assertEqual(self.record("shapes")["link"]["type"], 2)
        for path in ("share/empty", "share/private", "share/read-only", "share/group"):
            self.assertEqual(os.readlink(self.prefix / path), str(package / path))
        for path in ("bin/run", "lib/libx.so.1", "etc/own.cfg"):  # programs find their environment by where they lie
            self.assertFalse((self.prefix / path).is_symlink(), path)
        self.assertEqual(os.readlink(self.prefix / "lib/libx.so"), "libx.so.1")
        self.assertFalse((self.prefix / "bin/tool").is_symlink())
        self.remove("shapes", "text-prefix")
        self.assertTrue((package / "share/private").exists())

    def test_hard_links_although_soft_links_are_allowed(self):
        self.make("shapes", flags=["--allow-softlinks"])
        self.assertEqual(self.record("shapes")["link"]["type"], 1)
        self.assert_tree(self.EXPECTED)

    def test_bits_that_give_away_rights_are_dropped(self):
        self.make("special-modes")
        self.assert_tree({"bin/as-root": (0o755, b"#!/bin/sh\n"), "bin/as-group": (0o755, b"#!/bin/sh\n")})

    def test_removal_takes_all_and_no_more(self):
        for name in ("shapes", "text-prefix", "old", "any"):
            with self.subTest(name):
                self.assert_gone_after_removal(name)

    def test_a_package_without_paths_json(self):
        self.make("old")
        p, room = str(self.prefix), len(PLACEHOLDER) - len(str(self.prefix))
        self.assert_tree({
            "bin/old": (0o755, f"#!{p}/bin/sh\n".encode()), "lib/old.bin": (0o644, f"{p}/x\0".encode() + b"\0" * room + b"y"),
            "lib/old.so": "old.bin", "lib/old.so.1": (0o644, b"so"), "etc/old.cfg": (0o644, b"c"),
            "share/with blank/old.txt": (0o644, f"{p}\n".encode())})
        paths = self.paths_of("old")
        self.assertEqual(paths["bin/old"]["sha256_in_prefix"], hashlib.sha256(f"#!{p}/bin/sh\n".encode()).hexdigest())
        self.assertEqual((paths["lib/old.so"]["path_type"], paths["lib/old.bin"]["file_mode"]), ("softlink", "binary"))
        self.assertTrue(paths["etc/old.cfg"]["no_link"])
        self.assertEqual((self.prefix / "etc/old.cfg").stat().st_nlink, 1)
        self.assertNotIn("sha256", paths["lib/old.so.1"])
        self.assertEqual(self.record("old")["paths_data"]["paths_version"], 1)

    def test_menus_are_files_and_left_alone(self):
        result = self.create("menu")
        self.assert_tree({"Menu/menu.json": (0o644, RULES["menu"]["files"]["Menu/menu.json"].encode()),
                          "Menu/icon.png": (0o644, b"\x89PNG")})
        self.assertEqual(sorted(self.record("menu")["files"]), ["Menu/icon.png", "Menu/menu.json"])
        self.assertIn("menu", (result.stdout + result.stderr).lower())


class NoarchTest(RuleTest):
    def body(self, module, attribute, name):
        return ("# -*- coding: utf-8 -*-\nimport re\nimport sys\n\n"
                f"from {module} import {name}\n\nif __name__ == '__main__':\n"
                "    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])\n"
                f"    sys.exit({attribute}())\n")

    def expected(self, prefix, site, shebang):
        """Of `pure` in an environment with python, without bytecode."""
        files = RULES["pure"]["files"]
        found = {f"{site}/{path}": (0o644, files[f"site-packages/{path}"].encode()) for path in (
            "pure/main.py", "pure/broken.py", "pure/data.txt", "pure.pth", "pure-1.0.dist-info/METADATA",
            "pure-1.0.dist-info/RECORD")}
        script = f"#!{prefix}/bin/python\n" if shebang.startswith(f"#!{prefix}/") else "#!/usr/bin/env python\n"
        return found | {
            f"{site}/pure/__init__.py": (0o644, f"here = '{prefix}'\n".encode()),
            "bin/pure-script": (0o755, (script + "print('script')\n").encode()),
            "share/pure/module.py": (0o644, b"not compiled\n"), "etc/pure.conf": (0o644, b"conf\n"),
            "bin/pure-run": (0o755, (shebang + self.body("pure.main", "run", "run")).encode()),
            "bin/pure-deep": (0o755, (shebang + self.body("pure.main", "Tool.start", "Tool")).encode()),
            "bin/python": f"python{PYTHON}", "bin/python3": f"python{PYTHON}",
            f"bin/python{PYTHON}": (0o755, b"#!/bin/sh\nexec /usr/bin/python3 \"$@\"\n"),
        }

    def test_generic(self):
        self.make("any")
        self.assert_tree({"share/any.txt": (0o644, f"at {self.prefix}\n".encode()),
                          "site-packages/not-moved.txt": (0o644, b"generic\n"),
                          "python-scripts/stays": (0o644, b"generic\n")})
        self.assertEqual(self.record("any")["noarch"], "generic")

    def test_python_without_bytecode(self):
        self.make("pure", flags=["--no-pyc"])
        site = f"lib/python{PYTHON}/site-packages"
        self.assert_tree(self.expected(self.prefix, site, f"#!{self.prefix}/bin/python{PYTHON}\n"))
        kinds = {path: entry["path_type"] for path, entry in self.paths_of("pure").items()}
        self.assertEqual(kinds["bin/pure-run"], "unix_python_entry_point")
        self.assertEqual(kinds[f"{site}/pure/main.py"], "hardlink")
        self.assertEqual(set(kinds), set(self.record("pure")["files"]))

    def test_python_with_bytecode(self):
        self.make("pure")
        site, tag = f"lib/python{PYTHON}/site-packages", "cpython-" + PYTHON.replace(".", "")
        compiled = {f"{site}/pure/__pycache__/{name}.{tag}.pyc" for name in ("__init__", "main")}
        found = {str(p.relative_to(self.prefix)) for p in self.prefix.rglob("*.pyc")}
        self.assertEqual(found, compiled)
        recorded = {path for path, e in self.paths_of("pure").items() if e["path_type"] == "pyc_file"}
        self.assertEqual(recorded, compiled | {f"{site}/pure/__pycache__/broken.{tag}.pyc"})  # as conda: tried, listed
        for path in compiled:
            source = self.prefix / site / "pure" / (Path(path).name.split(".")[0] + ".py")
            header = (self.prefix / path).read_bytes()[:16]
            self.assertEqual(int.from_bytes(header[8:12], "little"), int(source.stat().st_mtime), path)
        self.remove("pure")
        self.assertFalse((self.prefix / "lib").exists(), "bytecode stays behind")

    def test_python_that_says_where_its_packages_are(self):
        channel = self.tiny_channel("cep17")
        site = "lib/somewhere/packages"
        channel.add("python", **{**RULES["python"], "record": {"python_site_packages_path": site}})
        channel.add("pure", **RULES["pure"])
        channel.write_index()
        self.create("pure", "--no-pyc", channel=channel)
        self.assert_tree(self.expected(self.prefix, site, f"#!{self.prefix}/bin/python{PYTHON}\n"))
        channel.packages[0].record["python_site_packages_path"] = "../outside"
        channel.write_index()
        other = self.work / "other"
        self.assert_failed(self.create("pure", channel=channel, prefix=other, code=1), "python_site_packages_path")
        self.assert_no_environment(other)

    def test_entry_points_of_interpreters_that_no_shebang_can_name(self):
        for prefix in (self.work / "with blank", self.work / ("l" * 110)):
            self.make("pure", prefix=prefix, flags=["--no-pyc"])
            shebang = f"#!/bin/sh\n'''exec' \"{prefix}/bin/python{PYTHON}\" \"$0\" \"$@\" #'''\n"
            self.assert_tree(self.expected(prefix, f"lib/python{PYTHON}/site-packages", shebang), prefix)


class ScriptsTest(RuleTest):
    def said(self, kind):
        text = (self.prefix.parent / f"said-{kind}.txt").read_text()
        return dict(line.split("=", 1) for line in text.splitlines())

    def test_link_scripts_and_their_environment(self):
        result = self.create("scripted", "variables")
        package = self.cache / "scripted-1.0-h1_3"
        common = {"PREFIX": str(self.prefix), "ROOT_PREFIX": str(self.root_prefix), "PKG_NAME": "scripted",
                  "PKG_VERSION": "1.0", "PKG_BUILDNUM": "3"}
        plain = common | {"CONDA_PREFIX": "(unset)", "CONDA_SHLVL": "(unset)", "CONDA_DEFAULT_ENV": "(unset)",
                          "FROM_STATE": "(unset)", "FROM_VARS": "(unset)"}
        self.assertEqual(self.said("pre-link"), plain | {"cwd": str(package / "bin"), "path": str(package / "bin"),
                                                         "SOURCE_DIR": str(package)})
        self.assertEqual(self.said("post-link"), common | {
            "cwd": str(self.prefix / "bin"), "path": str(self.prefix / "bin"), "SOURCE_DIR": "(unset)",
            "CONDA_PREFIX": str(self.prefix), "CONDA_SHLVL": "1", "CONDA_DEFAULT_ENV": str(self.prefix),
            "FROM_STATE": "(unset)", "FROM_VARS": "of the package"})
        for kind in ("pre-link", "post-link"):
            self.assertEqual(result.stdout.count(f"{kind} of scripted speaks"), 1, str(result))
        self.assertNotIn("not for the user", result.stdout + result.stderr)
        self.assertFalse((self.prefix / ".messages.txt").exists())

        result = self.remove("scripted")
        self.assertEqual(self.said("pre-unlink"), plain | {"cwd": str(self.prefix / "bin"), "path": str(self.prefix / "bin"),
                                                           "SOURCE_DIR": "(unset)"})
        self.assertIn("pre-unlink of scripted speaks", result.stdout)
        self.assertFalse((self.prefix / ".messages.txt").exists())

    def test_messages_with_json_do_not_disturb_the_document(self):
        document = self.taipan_json("create", "-y", "-p", self.prefix, *self.channel_arguments(self.channel), "scripted")
        self.assertTrue(document["success"])

    def test_variables_of_packages_and_of_the_environment(self):
        self.create("variables")
        self.taipan("env", "config", "vars", "set", "-p", self.prefix, "FROM_STATE=of the user", "FROM_VARS=mine")
        self.install("scripted")
        said = self.said("post-link")
        self.assertEqual((said["FROM_STATE"], said["FROM_VARS"]), ("of the user", "mine"))
        shown = self.taipan("run", "-p", self.prefix, "env").stdout.splitlines()
        for line in ("FROM_STATE=of the user", "FROM_VARS=mine", "MIXED_CASE=as it is", f"FROM_ACTIVATE=a {self.prefix} b"):
            self.assertIn(line, shown)
        state = (self.prefix / "conda-meta/state").read_text()
        self.remove("variables")
        self.assertEqual((self.prefix / "conda-meta/state").read_text(), state)


if __name__ == "__main__":
    main()
