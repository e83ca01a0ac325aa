"""A package cache packed into one file and unpacked elsewhere: the same afterwards, and nothing damaged gets in."""

import fcntl
import hashlib
import io
import json
import os
import shutil
import struct
import subprocess
import tarfile
import time

import zstandard

from taipan_test import BYTECODE, TaipanTest, file_sha256, main, tree
from tiny_channel import Link

FOOTER = 64


class PackWorld(TaipanTest):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        self.channel.add("lib", files={"lib/liblib.so": b"\0" * 300000, "lib/liblib.so.1": Link("liblib.so"),
                                       "share/\u00e4.txt": "non-ASCII"})
        self.channel.add("app", depends=["lib"], extension=".tar.bz2", files={"bin/app": "#!/bin/sh\necho app\n"})
        self.channel.add("unwanted")
        self.channel.write_index()
        self.server = self.serve(self.channel)
        self.file = self.work / "environment.yml"
        self.file.write_text(f"channels: [{self.server.url}, nodefaults]\ndependencies: [app]\n")
        self.pack = self.work / "packages.tar.zst"
        self.other = self.work / "restored"

    def fill(self, *arguments):
        self.taipan("warm", "-f", self.file, *arguments)

    def restore(self, **options):
        return self.taipan("cache", "unpack", self.pack, "--pkgs-dir", self.other, **options)

    def offline_create(self):
        self.server.close()
        self.taipan("env", "create", "--offline", "-f", self.file, "-p", self.prefix,
                    env={"CONDA_PKGS_DIRS": str(self.other)})
        self.assert_installed("app-1.0-0", "lib-1.0-0")


class PackTest(PackWorld):
    def test_archives_serve_an_offline_create_elsewhere(self):
        self.fill()
        self.taipan("cache", "pack", "-o", self.pack)
        names = subprocess.run(["tar", "--zstd", "-tf", self.pack], capture_output=True, text=True, check=True).stdout
        self.assertEqual([n for n in names.split() if not n.startswith("cache/")],
                         ["app-1.0-0.tar.bz2", "lib-1.0-0.conda", ".taipan-pack.json"])
        self.restore()
        self.cache, kept = self.other, self.cache
        self.assert_cache_sound(self.channel)
        for name in ("app-1.0-0.tar.bz2", "lib-1.0-0.conda"):
            self.assertEqual(file_sha256(kept / name), file_sha256(self.other / name))
        self.assertFalse((self.other / "app-1.0-0").exists())
        self.assertIn(f"{self.server.url}/", (self.other / "urls.txt").read_text())
        self.offline_create()

    def test_extracted_packages_are_the_same_afterwards(self):
        self.fill()
        self.taipan("cache", "pack", "-o", self.pack, "--extracted")
        self.restore()
        for name in ("app-1.0-0", "lib-1.0-0"):
            self.assertEqual(list(tree(self.cache / name)), list(tree(self.other / name)))
            for path in (self.cache / name).rglob("*"):
                if path.is_file() and path.name != "repodata_record.json":
                    self.assertEqual(path.stat().st_mtime_ns,
                                     (self.other / name / path.relative_to(self.cache / name)).stat().st_mtime_ns)
        self.assertFalse(list(self.other.glob("*.conda")))
        self.assertTrue((self.other / ".taipan-index").exists(), "what was checked is remembered")
        self.offline_create()

    def test_bytecode_goes_along(self):
        entry = self.cache / BYTECODE / "python-3.11.0-0" / "app-1.0-0-0123456789abcdef"
        self.fill()
        entry.mkdir(parents=True)
        (entry / "manifest").write_bytes(b"taipan-pyc 1\0")
        self.taipan("cache", "pack", "-o", self.pack)
        self.restore()
        self.assertEqual((self.other / entry.relative_to(self.cache) / "manifest").read_bytes(), b"taipan-pyc 1\0")
        self.taipan("cache", "pack", "-o", self.pack, "--no-bytecode")
        shutil.rmtree(self.other)
        self.restore()
        self.assertFalse((self.other / BYTECODE).exists())

    def test_the_same_content_gives_the_same_bytes(self):
        self.fill()
        for form in ("--archives", "--extracted"):
            self.taipan("cache", "pack", "-o", self.pack, form)
            first = file_sha256(self.pack)
            copy = self.work / "copy"
            shutil.copytree(self.cache, copy, symlinks=True)
            for name in ("app-1.0-0.tar.bz2", "lib-1.0-0.conda"):
                os.utime(copy / name, (1, 1))
            self.taipan("cache", "pack", "-o", self.pack, form, "--pkgs-dir", copy, env={"CONDA_EXTRACT_THREADS": "1"})
            self.assertEqual(first, file_sha256(self.pack))
            shutil.rmtree(copy)

    def test_only_what_files_need_is_packed(self):
        self.fill()
        other = self.tiny_channel("other")
        other.add("stranger")
        other.write_index()
        server = self.serve(other)
        self.taipan("warm", "--override-channels", "-c", server.url, "stranger")
        self.taipan("cache", "pack", "-o", self.pack, "-f", self.file)
        self.restore()
        self.assertEqual(sorted(p.name for p in self.other.glob("*.*") if p.name != "urls.txt" and p.is_file()
                                and not p.name.startswith(".")), ["app-1.0-0.tar.bz2", "lib-1.0-0.conda"])
        urls = [json.loads(p.read_text())["url"] for p in (self.other / "cache").glob("*.info.json")]
        self.assertTrue(urls and all(self.server.url in url for url in urls), urls)
        self.offline_create()

    def test_a_list_of_urls_needs_no_index(self):
        self.fill()
        lines = [f"{self.server.url}/{p.record['subdir']}/{p.fn}#{p.record['md5']}" for p in self.channel.packages
                 if p.name != "unwanted"]
        explicit = self.work / "explicit.txt"
        explicit.write_text("@EXPLICIT\n" + "\n".join(lines) + "\n")
        document = self.taipan_json("cache", "pack", "-o", self.pack, "-f", explicit)
        self.assertEqual(document["archives"]["entries"], 2)
        self.assertEqual(document["index"]["entries"], 0)

    def test_what_is_not_there_is_not_packed(self):
        self.taipan("create", "--dry-run", "-p", self.prefix, "-f", self.file)
        result = self.taipan("cache", "pack", "-o", self.pack, "-f", self.file, code=1)
        self.assert_failed(result, "app-1.0-0.tar.bz2", "lib-1.0-0.conda", "taipan warm")
        self.assertFalse(self.pack.exists())
        self.fill()
        archive = self.cache / "lib-1.0-0.conda"
        archive.write_bytes(archive.read_bytes()[:-1] + b"!")
        result = self.taipan("cache", "pack", "-o", self.pack, "-f", self.file, code=1)
        self.assert_failed(result, "lib-1.0-0.conda")
        self.assertNotIn("app-1.0-0", result.stderr)
        self.assert_no_leftovers(self.work)

    def test_what_is_there_stays(self):
        self.fill()
        self.taipan("cache", "pack", "-o", self.pack, "--extracted", "--archives")
        before = {p: p.stat().st_ino for p in self.cache.rglob("*") if not p.name.startswith(".")}
        document = self.taipan_json("cache", "unpack", self.pack)
        self.assertEqual(document["already_there"], sum(document[k]["entries"] for k in
                                                        ("archives", "packages", "bytecode", "index")))
        self.assertEqual(before, {p: p.stat().st_ino for p in self.cache.rglob("*") if not p.name.startswith(".")})

    def test_another_writer_of_the_same_package_is_waited_for(self):
        """Unpacking takes the locks of packages: it ends although another process holds them for a while."""
        self.fill("--archives")
        self.taipan("cache", "pack", "-o", self.pack)
        self.other.mkdir()
        with open(self.other / ".taipan.lock", "w+b") as lock:
            # All package locks; the locks of runs are above.
            request = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1 << 62, 0)
            fcntl.fcntl(lock, 37, request)  # F_OFD_SETLK
            running = subprocess.Popen([os.environ["TAIPAN_BINARY"], "cache", "unpack", self.pack, "--pkgs-dir",
                                        self.other], env=self.environment, stdout=subprocess.DEVNULL)
            with self.assertRaises(subprocess.TimeoutExpired):
                running.wait(0.5)
            self.assertFalse(list(self.other.glob("*.conda")))
        self.assertEqual(running.wait(60), 0)
        self.assertTrue(list(self.other.glob("*.conda")))

    def test_a_killed_unpack_leaves_whole_entries_and_is_continued(self):
        self.fill()
        self.taipan("cache", "pack", "-o", self.pack, "--archives", "--extracted")
        for milliseconds in (3, 8, 15, 30):
            with subprocess.Popen([os.environ["TAIPAN_BINARY"], "cache", "unpack", self.pack, "--pkgs-dir", self.other],
                                  env=self.environment, stdout=subprocess.DEVNULL) as running:
                time.sleep(milliseconds / 1000)
                running.kill()
            for folder in self.other.glob("[!.]*/info"):
                self._assert_extracted_whole(folder.parent)
        self.restore()
        self.cache = self.other
        self.assert_cache_sound(self.channel)
        self.offline_create()

    def stream(self, data, *arguments, code=0):
        """Unpacks what comes over a pipe."""
        done = subprocess.run([os.environ["TAIPAN_BINARY"], "cache", "unpack", "-", "--pkgs-dir", self.other, *arguments],
                              env=self.environment, input=data, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done

    def test_a_pack_is_unpacked_while_it_arrives(self):
        self.channel.add("large", files={"share/large": os.urandom(9 << 20)})  # several frames
        self.channel.write_index()
        self.file.write_text(f"channels: [{self.server.url}, nodefaults]\ndependencies: [app, large]\n")
        self.fill()
        for form in ("--archives", "--extracted"):
            self.taipan("cache", "pack", "-o", self.pack, form)
            self.restore()
            whole = [line for line in tree(self.other) if not line[0].startswith(".taipan-")]
            shutil.rmtree(self.other)
            self.stream(self.pack.read_bytes())
            self.assertEqual([line for line in tree(self.other) if not line[0].startswith(".taipan-")], whole)
            shutil.rmtree(self.other)

    def test_archives_are_extracted_at_once_on_request(self):
        self.fill()
        self.taipan("cache", "pack", "-o", self.pack)
        for stream in (False, True):
            shutil.rmtree(self.other, ignore_errors=True)
            if stream:
                self.stream(self.pack.read_bytes(), "--extracted")
            else:
                self.taipan("cache", "unpack", self.pack, "--pkgs-dir", self.other, "--extracted")
            self.assertEqual(sorted(p.name for p in self.other.iterdir() if p.suffix in (".conda", ".bz2")), [])
            for name in ("app-1.0-0", "lib-1.0-0"):
                self.assertEqual([line for line in tree(self.cache / name) if "repodata_record" not in line[0]],
                                 [line for line in tree(self.other / name) if "repodata_record" not in line[0]])
                records = [json.loads((cache / name / "info/repodata_record.json").read_text())
                           for cache in (self.cache, self.other)]
                for key in ("url", "channel", "fn", "sha256", "size", "depends", "subdir"):
                    self.assertEqual(records[0][key], records[1][key], key)
        self.offline_create()

    def test_another_package_of_the_same_name_is_not_taken_for_it(self):
        """An extracted archive says what it was; whoever wants another one does not use it."""
        self.fill()
        self.taipan("cache", "pack", "-o", self.pack)
        self.taipan("cache", "unpack", self.pack, "--pkgs-dir", self.other, "--extracted")
        package = next(p for p in self.channel.packages if p.name == "lib")
        self.channel.packages.remove(package)
        shutil.rmtree(self.other / "cache")
        self.channel.add("lib", files={"lib/other": "another build of the same name"})
        self.channel.write_index()
        self.taipan("env", "create", "-f", self.file, "-p", self.prefix, env={"CONDA_PKGS_DIRS": str(self.other)})
        self.assertTrue((self.prefix / "lib/other").exists())

    def test_a_stream_that_is_cut_short_or_changed(self):
        self.fill()
        self.taipan("cache", "pack", "-o", self.pack)
        good = self.pack.read_bytes()
        for length in (0, 5, 100, len(good) // 2, len(good) - 1):
            shutil.rmtree(self.other, ignore_errors=True)
            done = self.stream(good[:length], code=1)
            self.assertIn(b"cut short", done.stderr)
            self.cache, kept = self.other, self.cache
            self.assert_cache_sound(self.channel)
            self.cache = kept
        for at in range(3, len(good), max(1, len(good) // 60)):
            shutil.rmtree(self.other, ignore_errors=True)
            done = self.stream(good[:at] + bytes([good[at] ^ 4]) + good[at + 1:], code=1)
            self.assertNotIn(b"internal", done.stderr)
            self.cache, kept = self.other, self.cache
            self.assert_cache_sound(self.channel)
            self.cache = kept
        self.stream(b"PK" + good, code=1)


class DamagedPackTest(PackWorld):
    def setUp(self):
        super().setUp()
        self.fill()
        self.taipan("cache", "pack", "-o", self.pack, "--archives", "--extracted")
        self.good = self.pack.read_bytes()

    def assert_refused(self, data, *needles):
        self.pack.write_bytes(data)
        result = self.restore(code=1)
        self.assert_failed(result, self.pack, *needles)
        self.cache, kept = self.other, self.cache
        self.assert_cache_sound(self.channel)
        self.cache = kept

    def test_a_pack_that_was_cut_short(self):
        for size in (0, 1, FOOTER - 1, FOOTER, len(self.good) // 2, len(self.good) - 1):
            self.assert_refused(self.good[:size], "cut short")
        self.assert_refused(self.good + b"\0")
        self.assert_refused(b"PK" + b"\0" * 5000, "cut short")

    def test_every_changed_byte_is_noticed(self):
        """One bit at many places: never anything but an error, and never anything wrong in the cache."""
        for place in range(3, len(self.good), max(1, len(self.good) // 24)):
            data = bytearray(self.good)
            data[place] ^= 0x10
            if self.other.exists():
                shutil.rmtree(self.other)
            self.assert_refused(bytes(data))

    def test_the_rest_of_a_damaged_pack_can_be_used(self):
        data = bytearray(self.good)
        data[200] ^= 1  # in the first entry
        self.assert_refused(bytes(data), "app-1.0-0.tar.bz2", "changed")
        self.assertTrue((self.other / "lib-1.0-0.conda").exists())
        self.taipan("warm", "-f", self.file, env={"CONDA_PKGS_DIRS": str(self.other)})
        self.offline_create()

    def hostile(self, change):
        """The pack with another list, whose digests are right."""
        offset = struct.unpack("<Q", self.good[-48:-40])[0]
        document = self.list_of(self.good)
        change(document)
        text = json.dumps(document).encode()
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            member = tarfile.TarInfo(".taipan-pack.json")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
        frame = zstandard.ZstdCompressor().compress(out.getvalue())
        footer = self.good[-FOOTER:-48] + struct.pack("<QQ", offset, len(frame)) + hashlib.sha256(frame).digest()
        return self.good[:offset] + frame + footer

    def list_of(self, data):
        offset, size = struct.unpack("<QQ", data[-48:-32])
        tar = zstandard.ZstdDecompressor().decompressobj().decompress(data[offset:offset + size])
        return json.loads(tar[512:tar.index(b"\0", 512)])

    def test_hostile_lists(self):
        self.pack.write_bytes(self.hostile(lambda document: None))
        self.restore()
        shutil.rmtree(self.other)
        for name in ("../escaped-1-0.conda", "/tmp/escaped-1-0.conda", "urls.txt", ".taipan-index", "cache/../x.json"):
            self.assert_refused(self.hostile(lambda d, n=name: d["entries"][0].update(name=n)))
        self.assert_refused(self.hostile(lambda d: d["entries"][0].update(offset=1 << 60)))
        self.assert_refused(self.hostile(lambda d: d["entries"].append(d["entries"][0])))
        self.assert_refused(self.hostile(lambda d: d["entries"][0].update(name="other-1-0.conda")))
        self.assertFalse((self.work / "escaped-1-0.conda").exists())

    def test_hostile_trees(self):
        """An extracted package that leads out of its directory, or is none."""

        def with_tree(*members):
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w") as tar:
                for name, kind, content in members:
                    member = tarfile.TarInfo(name)
                    member.type = kind
                    member.mode = 0o755
                    member.linkname = content if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
                    data = content.encode() if kind == tarfile.REGTYPE else b""
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
            frame = zstandard.ZstdCompressor().compress(out.getvalue())

            def change(document):
                document["entries"] = [{"kind": "package", "name": "evil-1-0", "offset": 0, "size": len(frame),
                                        "sha256": hashlib.sha256(frame).hexdigest()}]
            good, offset = self.good, len(frame)
            try:
                self.good = frame + good[-FOOTER:-48] + struct.pack("<QQ", offset, 0) + good[-32:]
                self.list_of = lambda data: {"version": 1}
                return self.hostile(change)
            finally:
                self.good = good
                del self.list_of

        victim = self.work / "victim"
        victim.mkdir()
        index = ("evil-1-0/info/index.json", tarfile.REGTYPE, '{"name": "evil", "version": "1", "build": "0"}')
        record = ("evil-1-0/info/repodata_record.json", tarfile.REGTYPE, index[2])
        bad = [
            [index, record, ("evil-1-0/../victim/x", tarfile.REGTYPE, "x")],
            [index, record, ("victim/x", tarfile.REGTYPE, "x")],
            [index, record, ("evil-1-0/out", tarfile.SYMTYPE, str(victim)), ("evil-1-0/out/x", tarfile.REGTYPE, "x")],
            [("evil-1-0/info", tarfile.SYMTYPE, str(victim))],
            [index, ("evil-1-0/info/repodata_record.json", tarfile.SYMTYPE, "/etc/passwd")],
            [index, ("evil-1-0/info/repodata_record.json", tarfile.REGTYPE,
                     '{"name": "zlib", "version": "1", "build": "0"}')],
            [index],
            [record],
            [("evil-1-0/link", tarfile.LNKTYPE, "/etc/passwd"), index, record],
        ]
        for members in bad:
            self.assert_refused(with_tree(*members))
            self.assertFalse((self.other / "evil-1-0").exists(), members)
            self.assertEqual(list(victim.iterdir()), [], members)
        self.pack.write_bytes(with_tree(index, record))
        self.restore()
        self.assertTrue((self.other / "evil-1-0/info/repodata_record.json").exists())


if __name__ == "__main__":
    main()
