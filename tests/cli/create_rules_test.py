"""`taipan create` on small packages, one rule at a time: formats, prefixes, links, scripts, indexes, requests."""

import json
import os
import stat

from taipan_test import SUBDIR, TaipanTest, main
from tiny_channel import PLACEHOLDER, File, Link


class CreateRulesTest(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()

    def add(self, *arguments, **options):
        package = self.channel.add(*arguments, **options)
        self.channel.write_index()
        return package

    # ---- packages

    def test_both_archive_formats(self):
        self.add("new", extension=".conda")
        self.add("old", extension=".tar.bz2")
        self.create("new", "old")
        self.assert_installed("new-1.0-0", "old-1.0-0")
        self.assertEqual((self.prefix / "share/new.txt").read_text(), "new-1.0-0\n")
        self.assertEqual((self.prefix / "share/old.txt").read_text(), "old-1.0-0\n")
        self.assert_cache_sound(self.channel)

    def test_a_conda_file_hides_its_tar_bz2_twin(self):
        self.add("twin", extension=".tar.bz2")
        self.add("twin", extension=".conda")
        self.create("twin")
        record = self.record("twin")
        self.assertEqual(record["fn"], "twin-1.0-0.conda")
        old = self.channel.packages[0].record
        self.assertEqual((record["legacy_bz2_md5"], record["legacy_bz2_size"]), (old["md5"], old["size"]))

    def test_text_and_binary_prefixes(self):
        binary = b"\x7f" + PLACEHOLDER.encode() + b"/lib:" + PLACEHOLDER.encode() + b"/lib64\0tail"
        self.add("where", files={
            "bin/tool": File(f"#!{PLACEHOLDER}/bin/python -E\nhome={PLACEHOLDER}/x\n", mode=0o755),
            "lib/tool.bin": File(binary, file_mode="binary")})
        self.create("where")
        prefix = str(self.prefix)
        self.assertEqual((self.prefix / "bin/tool").read_text(), f"#!{prefix}/bin/python -E\nhome={prefix}/x\n")
        self.assertEqual(stat.S_IMODE((self.prefix / "bin/tool").stat().st_mode), 0o755)
        data = (self.prefix / "lib/tool.bin").read_bytes()
        text = f"{prefix}/lib:{prefix}/lib64".encode()
        self.assertEqual(data, b"\x7f" + text + b"\0" * (len(binary) - len(text) - 5) + b"tail")
        cached = self.cache / "where-1.0-0/bin/tool"
        self.assertIn(PLACEHOLDER, cached.read_text())
        entry = next(e for e in self.record("where")["paths_data"]["paths"] if e["_path"] == "bin/tool")
        self.assertEqual((entry["prefix_placeholder"], entry["file_mode"]), (PLACEHOLDER, "text"))
        self.assertNotEqual(entry["sha256"], entry["sha256_in_prefix"])

    def test_links_and_files_that_must_not_be_linked(self):
        self.add("shapes", files={"lib/libx.so.1": b"x", "lib/libx.so": Link("libx.so.1"),
                                  "share/dangling": Link("nowhere/at/all"), "lib64": Link("lib"),
                                  "etc/own.cfg": File("mine\n", no_link=True), "share/empty": b""})
        self.create("shapes")
        self.assertEqual(os.readlink(self.prefix / "lib/libx.so"), "libx.so.1")
        self.assertEqual(os.readlink(self.prefix / "share/dangling"), "nowhere/at/all")
        self.assertEqual(os.readlink(self.prefix / "lib64"), "lib")
        self.assertEqual((self.prefix / "etc/own.cfg").stat().st_nlink, 1)
        self.assertGreater((self.prefix / "lib/libx.so.1").stat().st_nlink, 1)
        self.assertEqual(sorted(self.record("shapes")["files"]),
                         ["etc/own.cfg", "lib/libx.so", "lib/libx.so.1", "lib64", "share/dangling", "share/empty"])

    def test_scripts_are_left_out_when_asked_for(self):
        self.add("wilful", files={"bin/.wilful-post-link.sh": File("exit 1\n", mode=0o755),
                                  "bin/.wilful-pre-unlink.sh": File('touch "$PREFIX/said"\n', mode=0o755)})
        made = self.create("--skip-run-link-scripts", "wilful")
        self.assertIn("bin/.wilful-post-link.sh of wilful-1.0-0 was not run", made.stdout + made.stderr)
        self.assert_installed("wilful-1.0-0")
        self.taipan("remove", "-y", "-p", self.prefix, "wilful", env={"MAMBA_SKIP_RUN_LINK_SCRIPTS": "true"})
        self.assertFalse((self.prefix / "said").exists())

    def test_post_link_script_runs_in_the_environment_and_may_speak(self):
        script = 'echo "$PREFIX $PKG_NAME $PKG_VERSION $PKG_BUILDNUM" > "$PREFIX/share/said"\n' \
                 'echo "hello from the script" >> "$PREFIX/.messages.txt"\n'
        self.add("talker", build="h1_3", build_number=3,
                 files={"bin/.talker-post-link.sh": File(script, mode=0o755), "share/x": b"x"})
        result = self.create("talker")
        self.assertEqual((self.prefix / "share/said").read_text(), f"{self.prefix} talker 1.0 3\n")
        self.assertIn("hello from the script", result.stdout)
        self.assertFalse((self.prefix / ".messages.txt").exists())

    def test_a_package_with_hundreds_of_small_files(self):
        files = {f"share/deep/{i % 17}/{i % 5}/file-{i}.txt": f"content {i}\n" for i in range(900)}
        self.add("many", files=files)
        self.create("many")
        for path, content in files.items():
            self.assertEqual((self.prefix / path).read_text(), content)
        self.assertEqual(len(self.record("many")["files"]), 900)

    def test_only_md5_is_known(self):
        package = self.add("ancient", extension=".tar.bz2")
        del package.record["sha256"]
        self.channel.write_index()
        self.create("ancient")
        self.assert_installed("ancient-1.0-0")

    # ---- requests

    def test_versions_and_dependencies_are_respected(self):
        for version in ("1.0", "1.9", "2.0"):
            self.add("lib", version)
        self.add("app", depends=["lib >=1.5,<2"])
        self.create("app")
        self.assert_installed("app-1.0-0", "lib-1.9-0")
        self.assertEqual(self.record("lib").get("requested_spec", ""), "")

    def test_many_ways_to_name_a_version(self):
        for version in ("1.0", "1.0.1", "1.1", "2.0"):
            self.add("lib", version)
        expected = {"lib=1.0": "1.0.1", "lib==1.0": "1.0", "lib<2": "1.1", "lib>=1,<1.1": "1.0.1", "lib": "2.0",
                    "lib[version='1.0.*']": "1.0.1", "lib=1.0=0": "1.0", "lib!=2.0": "1.1"}
        for spec, version in expected.items():
            prefix = self.work / "by-spec" / str(abs(hash(spec)))
            self.create(spec, prefix=prefix)
            self.assertEqual(self.record("lib", prefix)["version"], version, spec)

    def test_virtual_packages(self):
        self.add("on-linux", depends=["__linux", "__unix", "__glibc >=2.17", "__archspec"])
        self.add("on-gpu", depends=["__cuda >=12"])
        self.create("on-linux")
        self.assert_installed("on-linux-1.0-0")
        self.create("on-gpu", prefix=self.work / "gpu", env={"CONDA_OVERRIDE_CUDA": "12.4"})
        self.assert_installed("on-gpu-1.0-0", prefix=self.work / "gpu")
        result = self.create("on-gpu", prefix=self.work / "no-gpu", env={"CONDA_OVERRIDE_CUDA": ""}, code=1)
        self.assert_failed(result, "on-gpu", "__cuda")

    def test_dry_run_touches_nothing_but_shows_the_plan(self):
        self.add("lib")
        self.add("app", depends=["lib"])
        result = self.create("--dry-run", "app")
        for name in ("app", "lib"):
            self.assertRegex(result.stdout, rf"\b{name}\b")
        self.assert_no_environment()
        self.assertEqual([p for p in self.cache.glob("*") if p.name.startswith("app") or p.name.startswith("lib")], [])

    def test_an_environment_without_packages(self):
        self.create()
        self.assert_installed()
        self.assertTrue((self.prefix / "conda-meta/history").exists())

    # ---- indexes

    def test_index_without_zst(self):
        self.add("plain")
        self.channel.write_index(zst=False)
        server = self.serve(self.channel)
        self.create("plain", channel=server)
        self.assert_installed("plain-1.0-0")
        self.assertIn(f"GET /{SUBDIR}/repodata.json HTTP", "\n".join(server.requests()))

    def test_index_with_zst_is_preferred(self):
        self.add("plain")
        server = self.serve(self.channel)
        self.create("plain", channel=server)
        asked = "\n".join(server.requests())
        self.assertIn(f"GET /{SUBDIR}/repodata.json.zst HTTP", asked)
        self.assertNotIn("repodata.json HTTP", asked)

    def test_a_fresh_index_is_asked_for_but_not_sent_again(self):
        self.add("plain")
        server = self.serve(self.channel)
        self.create("plain", channel=server)
        self.create("plain", channel=server, prefix=self.work / "again")
        log = server.log()
        self.assertEqual([line for line in log[-2:] if '" 304 ' not in line], [], "\n".join(log))

    def test_a_channel_without_the_platform_is_only_noarch(self):
        self.add("everywhere", noarch="generic")
        for file in (self.channel.folder / SUBDIR).iterdir():
            file.unlink()
        (self.channel.folder / SUBDIR).rmdir()
        self.create("everywhere", channel=self.serve(self.channel))
        self.assert_installed("everywhere-1.0-0")

    def test_records_win_over_the_archive(self):
        """Channels repair `depends` in the index: that is what must be solved with and recorded."""
        self.add("lib")
        package = self.add("app", depends=["no-such-thing"])
        package.record["depends"] = ["lib"]
        self.channel.write_index()
        self.create("app")
        self.assertEqual(self.record("app")["depends"], ["lib"])
        cached = json.loads((self.cache / "app-1.0-0/info/repodata_record.json").read_text())
        self.assertEqual(cached["depends"], ["lib"])

    def test_credentials_do_not_reach_the_disk(self):
        self.add("secret")
        server = self.serve(self.channel)
        url = server.url.replace("http://", "http://someone:hunter2@")
        result = self.create("secret", channel=url)
        self.assertNotIn("hunter2", result.stdout + result.stderr)
        for folder in (self.prefix, self.cache, self.home):
            for path in folder.rglob("*"):
                if path.is_file():
                    self.assertNotIn(b"hunter2", path.read_bytes(), str(path))

    # ---- output

    def test_the_last_words_tell_how_to_get_in(self):
        self.channel.add("a")
        self.channel.write_index()
        shown = self.taipan("create", "-y", "-n", "fresh", *self.channel_arguments(None), "a").stdout
        for words in ("$ taipan activate fresh\n", "$ taipan deactivate\n", "$ taipan run -n fresh PROGRAM\n"):
            self.assertIn(words, shown)

    def test_output_in_a_pipe_is_plain_lines(self):
        self.add("plain")
        result = self.create("plain", channel=self.serve(self.channel))
        self.assertNotRegex(result.stdout + result.stderr, r"[\r\x1b\x08]")
        self.assertIn("plain", result.stdout)


if __name__ == "__main__":
    main()
