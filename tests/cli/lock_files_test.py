"""Locked and explicit installs: conda-lock.yml, pixi.lock and @EXPLICIT lists, from files, URLs and standard input."""

import json

from taipan_test import TaipanTest, main, records
from tiny_channel import SUBDIR, File

OTHER = "linux-aarch64" if SUBDIR == "linux-64" else "linux-64"


class LockFilesTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        say = File("#!/bin/sh\necho $PKG_NAME >> $PREFIX/order.txt\n", 0o755)
        # Alphabetically it is the other way round, so only the dependencies can make the order right.
        self.base = self.channel.add("zz-base", files={"bin/.zz-base-post-link.sh": say, "share/both.txt": "base\n"})
        self.app = self.channel.add("aa-app", depends=["zz-base >=1", "__unix"],
                                    files={"bin/.aa-app-post-link.sh": say, "share/both.txt": "app\n"})
        self.dev = self.channel.add("dev-tool", noarch="generic", extension=".tar.bz2")
        for file in self.channel.folder.rglob("repodata*"):
            file.unlink()  # nobody may ask for an index

    def write(self, name, text):
        file = self.work / "files" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    def url(self, package, base=None):
        return f"{base or self.channel.folder.as_uri()}/{package.record['subdir']}/{package.fn}"

    def conda_lock(self, base=None, **changes):
        entries = []
        for package, category in ((self.app, "main"), (self.base, "main"), (self.dev, "dev")):
            entry = {"name": package.name, "version": package.record["version"], "manager": "conda", "platform": SUBDIR,
                     "dependencies": {d.split()[0]: " ".join(d.split()[1:]) for d in package.record["depends"]},
                     "url": self.url(package, base), "category": category, "optional": category != "main",
                     "hash": {"md5": package.record["md5"], "sha256": package.record["sha256"]}}
            entries += [entry | changes.get(package.name, {}), entry | {"platform": OTHER, "url": "https://h.invalid/x"}]
        return json.dumps({"version": 1, "package": entries,
                           "metadata": {"content_hash": {SUBDIR: "0"}, "channels": [], "sources": ["environment.yml"],
                                        "platforms": [SUBDIR, OTHER]}})

    def pixi_lock(self, base=None, version=6):
        names = {"linux-64": "linux-64"} if version == 6 else {"here": SUBDIR}
        here = SUBDIR if version == 6 else next(iter(names))
        lines = [f"version: {version}"]
        if version > 6:
            lines += ["platforms:", "- name: here", f"  subdir: {SUBDIR}"]
        lines += ["environments:", "  default:", "    channels:", "    - url: https://h.invalid/c", "    packages:",
                  f"      {here}:"]
        lines += [f"      - conda: {self.url(p, base)}" for p in (self.app, self.base)]
        lines += ["  dev:", "    channels: []", "    packages:", f"      {here}:",
                  f"      - conda: {self.url(self.dev, base)}", "packages:"]
        for package in (self.app, self.base, self.dev):
            lines += [f"- conda: {self.url(package, base)}", f"  sha256: {package.record['sha256']}",
                      f"  size: {package.record['size']}", "  license: MIT"]
            if package.record["depends"]:
                lines += ["  depends:", *(f"  - '{d}'" for d in package.record["depends"]), "  - from-the-lock"]
        return "\n".join(lines) + "\n"

    def explicit(self, base=None, md5=True):
        lines = [f"# platform: {SUBDIR}", "@EXPLICIT"]
        for package, key in ((self.app, "md5"), (self.base, "sha256")):
            mark = {"md5": "#", "sha256": "#sha256:"}[key]
            lines.append(self.url(package, base) + (mark + package.record[key] if md5 else ""))
        return "\n".join(lines) + "\n"

    def assert_in_order(self, depends=("zz-base >=1", "__unix")):
        """Dependencies first, whatever the file's order; and records as complete as from an index."""
        self.assertEqual((self.prefix / "order.txt").read_text(), "zz-base\naa-app\n")
        self.assertEqual((self.prefix / "share/both.txt").read_text(), "app\n")
        record = self.record("aa-app")
        self.assertEqual(record["depends"], list(depends))
        for key in ("md5", "sha256", "size"):
            self.assertEqual(record[key], self.app.record[key], key)
        self.assertEqual(record["subdir"], SUBDIR)
        self.assertTrue(record["channel"].endswith("/" + SUBDIR), record["channel"])
        self.assertTrue(record["requested_spec"].endswith(f"/{SUBDIR}::aa-app==1.0=0"), record["requested_spec"])
        history = (self.prefix / "conda-meta/history").read_text()
        self.assertIn(f"'{record['requested_spec']}'", history.split("# update specs: ")[1])

    def test_conda_lock(self):
        self.create("-f", self.write("conda-lock.yml", self.conda_lock()))
        self.assert_installed("aa-app-1.0-0", "zz-base-1.0-0")
        self.assert_in_order()

    def test_categories(self):
        file = self.write("other-name.yaml", self.conda_lock())
        self.create("-f", file, "--category", "main", "--category", "dev")
        self.assert_installed("aa-app-1.0-0", "dev-tool-1.0-0", "zz-base-1.0-0")
        self.create("-f", file, "--category", "dev")
        self.assert_installed("dev-tool-1.0-0")
        self.assert_failed(self.create("-f", file, "--category", "docs", code=1), "docs", "dev and main")

    def test_a_platform_that_is_not_locked(self):
        for text in (self.conda_lock(), self.pixi_lock()):
            result = self.create("-f", self.write("x.lock", text), "--platform", "osx-arm64", code=1)
            self.assert_failed(result, "osx-arm64", SUBDIR)
            self.assert_no_environment()

    def test_pixi_locks(self):
        for version in (6, 7):
            with self.subTest(version=version):
                file = self.write("pixi.lock", self.pixi_lock(version=version))
                self.create("-f", file)
                self.assert_in_order(("zz-base >=1", "__unix", "from-the-lock"))
                self.assertEqual(self.record("aa-app")["license"], "MIT")
                self.create("-f", file, "-e", "dev")
                self.assert_installed("dev-tool-1.0-0")
                self.assert_failed(self.create("-f", file, "-e", "prod", code=1), "prod", "default and dev")

    def test_explicit_lists(self):
        for md5 in (True, False):
            with self.subTest(md5=md5):
                self.create("-f", self.write("any.txt", self.explicit(md5=md5)))
                self.assert_in_order()

    def test_local_paths_in_explicit_lists(self):
        text = f"@EXPLICIT\nchannel/{SUBDIR}/{self.base.fn}\n$CHAN/{SUBDIR}/{self.app.fn}#{self.app.record['md5']}\n"
        self.create("-f", self.write("any.txt", text), env={"CHAN": str(self.channel.folder)})
        self.assert_in_order()

    def test_over_the_network_and_from_standard_input(self):
        server = self.serve(self.channel)
        for name, text in (("c-lock.yml", self.conda_lock(server.url)), ("pixi.lock", self.pixi_lock(server.url)),
                           ("explicit", self.explicit(server.url))):
            (self.channel.folder / name).write_text(text)
            for word, stdin in ((f"{server.url}/{name}", None), ("-", text),
                                ((self.channel.folder / name).as_uri(), None)):
                with self.subTest(file=name, word=word):
                    self.create("-f", word, stdin=stdin)
                    self.assert_installed("aa-app-1.0-0", "zz-base-1.0-0")
                    self.assertEqual((self.prefix / "order.txt").read_text(), "zz-base\naa-app\n")
        self.assertFalse([r for r in server.requests() if "repodata" in r])
        self.assertEqual(len([r for r in server.requests() if self.app.fn in r]), 1)

    def test_a_file_that_is_not_served_is_an_error(self):
        server = self.serve(self.channel)
        result = self.create("-f", f"{server.url}/nosuch-lock.yml", code=1)
        self.assert_failed(result, "404", "nosuch-lock.yml")
        self.assert_no_environment()

    def test_another_file_than_the_locked_one_is_refused(self):
        wrong = {"md5": "0" * 32, "sha256": "0" * 64}
        texts = (("a-lock.yml", self.conda_lock(**{"zz-base": {"hash": wrong}})),
                 ("pixi.lock", self.pixi_lock().replace(self.base.record["sha256"], wrong["sha256"])),
                 ("list.txt", self.explicit().replace(self.base.record["sha256"], wrong["sha256"])),
                 ("list.txt", self.explicit().replace(self.app.record["md5"], wrong["md5"])))
        for name, text in texts:
            with self.subTest(text=text):
                self.assert_failed(self.create("-f", self.write(name, text), code=1), "expected " + "0" * 32)
                self.assert_no_environment()

    def test_offline_when_everything_is_in_the_cache(self):
        server = self.serve(self.channel)
        file = self.write("conda-lock.yml", self.conda_lock(server.url))
        self.assert_failed(self.create("--offline", "-f", file, code=1), "offline")
        self.taipan("warm", "-f", file)
        server.close()
        self.create("--offline", "-f", file)
        self.assert_in_order()

    def test_what_is_there_stays_and_other_builds_make_room(self):
        self.create("-f", self.write("conda-lock.yml", self.conda_lock()))
        self.assertIn("already installed", self.install("-f", self.work / "files/conda-lock.yml").stdout)
        newer = self.channel.add("zz-base", "2.0")
        self.channel.write_index()
        self.install("-f", self.write("new.txt", f"@EXPLICIT\n{self.url(newer)}\n"))
        self.assert_installed("aa-app-1.0-0", "zz-base-2.0-0")
        self.taipan("env", "update", "--prune", "-p", self.prefix, "-f", self.work / "files/new.txt")
        self.assert_installed("zz-base-2.0-0")

    def test_lists_that_contradict_themselves(self):
        newer = self.channel.add("zz-base", "2.0")
        lock = self.write("conda-lock.yml", self.conda_lock())
        result = self.create("-f", lock, "-f", self.write("b.txt", f"@EXPLICIT\n{self.url(newer)}\n"), code=1)
        self.assert_failed(result, "two packages of the name 'zz-base'")
        self.assert_failed(self.create("-f", lock, "-f", self.write("c.txt", "aa-app\n"), code=1), "c.txt", "not solved")
        self.assert_failed(self.create("-f", lock, "aa-app", code=1), "lock file")
        # The same twice is the same once.
        self.create("-f", lock, "-f", lock, "-f", self.write("d.txt", self.explicit()))
        self.assert_installed("aa-app-1.0-0", "zz-base-1.0-0")

    def test_credentials_in_a_locked_url_are_used_and_kept_out_of_records(self):
        server = self.serve(self.channel, 'location /t/ { rewrite ^/t/s3cret/(.*)$ /$1; deny all; }')
        file = self.write("a-lock.yml", self.conda_lock(server.url + "/t/$TOKEN"))
        self.create("-f", file, env={"TOKEN": "s3cret"})
        self.assertTrue(any("/t/s3cret/" in r for r in server.requests()))
        for record in records(self.prefix):
            self.assertNotIn("s3cret", json.dumps(record))
            self.assertTrue(record["url"].startswith(server.url + "/" + SUBDIR))
        self.assertNotIn("s3cret", (self.prefix / "conda-meta/history").read_text())

    def test_hostile_yaml_is_refused(self):
        bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
        for name, before in zip("bcdefghij", "abcdefghi"):
            bomb += f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for text in (bomb, "version: 1\npackage: " + "[" * 100000, "version: 1\npackage: [1, 2]\n",
                     "version: 1\npackage: [{name: x}]\nmetadata: {platforms: [" + SUBDIR + "]}\n" * 2):
            result = self.create("-f", self.write("x-lock.yml", text), code=1)
            self.assert_failed(result, "x-lock.yml")


if __name__ == "__main__":
    main()
