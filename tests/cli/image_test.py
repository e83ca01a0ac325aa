"""`taipan image`: the layers put over each other are the environment that create makes; the same request gives the same
bytes; another package changes its own layer and that of the records. What skopeo and buildah make of it is tested where
they are installed."""

import gzip
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

import zstandard
from taipan_test import RealChannelTest, TaipanTest, main
from tiny_channel import PLACEHOLDER, SUBDIR, TIMESTAMP, File, Link

ARCHITECTURE = {"linux-64": "amd64", "linux-aarch64": "arm64"}[SUBDIR]


class Layout:
    """An OCI image layout with one image, in a directory or a tar archive; every digest is checked."""

    def __init__(self, path):
        self.path = Path(path)
        if self.path.is_dir():
            self.files = {str(p.relative_to(self.path)): p.read_bytes() for p in self.path.rglob("*") if p.is_file()}
        else:
            with tarfile.open(self.path) as archive:
                self.files = {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}
        assert json.loads(self.files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
        for name, data in self.files.items():
            if name.startswith("blobs/"):
                assert name == "blobs/sha256/" + hashlib.sha256(data).hexdigest(), f"{name} is something else"
        index = json.loads(self.files["index.json"])
        (self.entry,) = index["manifests"]
        self.manifest = json.loads(self.blob(self.entry))
        self.config = json.loads(self.blob(self.manifest["config"]))
        referred = {self.entry["digest"], self.manifest["config"]["digest"],
                    *(layer["digest"] for layer in self.manifest["layers"])}
        assert {"sha256:" + n.split("/")[-1] for n in self.files if n.startswith("blobs/")} == referred

    def blob(self, descriptor):
        data = self.files["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")]
        assert len(data) == descriptor["size"]
        return data

    def digests(self):
        return [layer["digest"] for layer in self.manifest["layers"]]

    def tars(self):
        """The layers, unpacked; their diff_ids are checked."""
        unpack = {"tar": bytes, "tar+gzip": gzip.decompress,
                  "tar+zstd": lambda data: zstandard.ZstdDecompressor().stream_reader(
                      io.BytesIO(data), read_across_frames=True).read()}
        for layer, diff_id in zip(self.manifest["layers"], self.config["rootfs"]["diff_ids"], strict=True):
            data = unpack[layer["mediaType"].removeprefix("application/vnd.oci.image.layer.v1.")](self.blob(layer))
            assert "sha256:" + hashlib.sha256(data).hexdigest() == diff_id
            yield data

    def members(self):
        """Path -> (member, content) of all layers put over each other, and how often files come."""
        found = {}
        for data in self.tars():
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                names = []
                for member in archive:
                    names.append(member.name)
                    assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
                    assert member.isdir() or member.name not in found, f"{member.name} is in two layers"
                    content = archive.extractfile(member).read() if member.isfile() else b""
                    found[member.name] = (member, content)
                assert len(names) == len(set(names)), "a path is twice in one layer"
                assert names == sorted(names, key=lambda name: name.encode())
        return found


def without_traces(text):
    """A record as it is when nothing of the machine is in it."""
    record = json.loads(text)
    for key in ("package_tarball_full_path", "extracted_package_dir"):
        record[key] = ""
    record["link"] = {}
    return record


def settled(mode):
    owner = mode & 0o700
    return owner | (owner & 0o500) >> 3 | (owner & 0o500) >> 6


class ImageTestCase(TaipanTest):
    def image(self, *arguments, output="image", channel=None, **options):
        out = self.work / output
        self.taipan("image", "-o", out, *self.channel_arguments(channel), *arguments, **options)
        return Layout(out)

    def assert_is_the_environment(self, image, prefix):
        """Content, modes, times and links of a created environment; of conda-meta, what does not name the machine."""
        root = str(prefix).strip("/")
        found = {name.removeprefix(root + "/"): item for name, item in image.members().items()
                 if name.startswith(root + "/")}
        wanted = set()
        for directory, directories, files in os.walk(prefix):
            for name in directories + files:
                path = Path(directory, name)
                wanted.add(str(path.relative_to(prefix)))
        wanted.discard("conda-meta/.taipan.lock")
        self.assertEqual(set(found), wanted)
        for name, (member, content) in found.items():
            status = os.lstat(prefix / name)
            if member.isdir():
                self.assertTrue(stat.S_ISDIR(status.st_mode), name)
                self.assertEqual(member.mode, 0o755, name)
            elif member.issym():
                self.assertEqual(member.linkname, os.readlink(prefix / name), name)
            else:
                self.assertTrue(stat.S_ISREG(status.st_mode), name)
                self.assertEqual(oct(member.mode), oct(settled(status.st_mode)), name)
                self.assert_same_content(name, content, (prefix / name).read_bytes())

    def assert_same_content(self, name, content, wanted):
        if name == "conda-meta/history":
            self.assertEqual(content.decode().splitlines()[3:-1], wanted.decode().splitlines()[3:-1])
        elif name == "conda-meta/created_at":
            float(content)
        elif name.startswith("conda-meta/") and name.endswith(".json"):
            self.assertEqual(without_traces(content), without_traces(wanted), name)
        else:
            self.assertEqual(content, wanted, name)


class TinyImageTest(ImageTestCase):
    def setUp(self):
        super().setUp()
        self.channel = self.tiny_channel()
        script = File(f"#!{PLACEHOLDER}/bin/sh\necho tool\n", mode=0o755)
        long = "share/" + "/".join(["long" * 12] * 4)
        self.channel.add("tool", "1", files={
            "bin/tool": script, "lib/tool.bin": File(b"\0" + PLACEHOLDER.encode() + b"\0rest", file_mode="binary"),
            "lib/alone": File("alone", no_link=True), "lib/link": Link("alone"), "lib/gone/link": Link("no" + "where" * 40),
            "share/tool/read-only": File("x", mode=0o444), "share/tool/grüße": "ü", long + "/file": "deep"})
        self.channel.add("lib", "1")
        self.channel.add("lib", "2")
        self.channel.add("app", "1", depends=["tool", "lib"])
        self.channel.write_index()

    def test_the_layers_are_the_environment(self):
        self.create("app")
        for compression in ("zstd", "gzip", "none"):
            image = self.image("app", "--prefix", self.prefix, "--compression", compression, output=compression)
            self.assert_is_the_environment(image, self.prefix)
            self.assertEqual(image.config["architecture"], ARCHITECTURE)
        self.assert_no_leftovers(self.work)

    def test_slim(self):
        self.channel.add("fat", files={"include/fat.h": "h", "lib/fat.a": "a", "lib/fat.txt": "x"})
        self.channel.write_index()
        self.create("fat", "--slim")
        image = self.image("fat", "--slim", "--prefix", self.prefix)
        self.assert_is_the_environment(image, self.prefix)
        names = self.image("fat", "--slim=conda-meta,static").members()
        self.assertIn("opt/env/include/fat.h", names)
        self.assertEqual([name for name in names if "conda-meta" in name or name.endswith(".a")], [])

    def test_contested_paths_and_linked_directories(self):
        for name, depends in (("zz", []), ("mm", ["zz"]), ("aa", ["mm", "links"])):
            self.channel.add(name, files={"share/x": f"{name} {PLACEHOLDER}", f"share/{name}": name}, depends=depends)
        self.channel.add("links", files={"lib64": Link("lib"), "lib/one": "1"}, depends=["below"])
        self.channel.add("below", files={"lib64/two": "2"})
        self.channel.write_index()
        self.create("aa")
        image = self.image("aa", "--prefix", self.prefix)
        self.assertEqual((self.prefix / "lib/two").read_text(), "2")
        self.assert_is_the_environment(image, self.prefix)

    def test_a_file_in_place_of_a_directory_is_refused(self):
        self.channel.add("file", files={"share/x": "file"})
        self.channel.add("folder", files={"share/x/y": "y"})
        self.channel.write_index()
        result = self.taipan("image", "-o", self.work / "image", *self.channel_arguments(None), "file", "folder", code=1)
        self.assert_failed(result, "share/x", "directory")
        self.assertFalse((self.work / "image").exists())

    def test_entry_points_of_noarch_python(self):
        self.channel.add("python", "3.11.0", files={"bin/python3.11": File("#!/bin/sh\n", mode=0o755)})
        self.channel.add("pure", noarch="python", depends=["python"], entry_points=["pure = pure.main:run"],
                         files={"site-packages/pure/main.py": "def run(): pass\n", "python-scripts/other": "x"})
        self.channel.write_index()
        self.create("pure", "--no-pyc")
        image = self.image("pure", "--prefix", self.prefix)
        self.assertIn(f"{str(self.prefix).strip('/')}/bin/pure", image.members())
        self.assert_is_the_environment(image, self.prefix)

    def test_times_come_from_the_packages(self):
        image = self.image("app")
        for name, (member, _) in image.members().items():
            self.assertEqual(member.mtime, TIMESTAMP, name)
        self.assertEqual(image.config["created"], "2023-11-14T22:13:20Z")
        image = self.image("app", env={"SOURCE_DATE_EPOCH": "1600000000"})
        self.assertEqual(image.config["created"], "2020-09-13T12:26:40Z")
        times = {name: member.mtime for name, (member, _) in image.members().items()}
        self.assertEqual(times["opt/env/conda-meta/history"], 1600000000)
        self.assertEqual(times["opt/env/bin/tool"], TIMESTAMP)

    def test_what_a_container_will_find(self):
        image = self.image("app", "--entrypoint", "tool --loud", "--cmd", '["a b", "c"]', "--env", "X=1=2", "--user",
                           "1000", "--workdir", "/srv", "--label", "org.example=yes", "--tag", "app:1")
        self.assertEqual(image.config["config"], {
            "Entrypoint": ["tool", "--loud"], "Cmd": ["a b", "c"], "User": "1000", "WorkingDir": "/srv",
            "Labels": {"org.example": "yes"},
            "Env": ["PATH=/opt/env/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "CONDA_PREFIX=/opt/env", "X=1=2"]})
        self.assertEqual(image.entry["annotations"], {"org.opencontainers.image.ref.name": "app:1"})
        self.assertEqual(len(image.config["history"]), len(image.manifest["layers"]))

    def test_the_archive_has_the_same_image(self):
        directory = self.image("app")
        archive = self.image("app", output="image.tar")
        docker = json.loads(archive.files.pop("manifest.json"))
        self.assertEqual(archive.files, directory.files)
        # And it is in Docker's form as well.
        self.assertEqual(docker, [{
            "Config": "blobs/sha256/" + archive.manifest["config"]["digest"].removeprefix("sha256:"), "RepoTags": [],
            "Layers": ["blobs/sha256/" + digest.removeprefix("sha256:") for digest in archive.digests()]}])
        for tag, name in (("app", "app:latest"), ("app:1.0", "app:1.0"), ("example.org:80/a/b", "example.org:80/a/b:latest"),
                          ("example.org:80/a/b:X", "example.org:80/a/b:X"), ("App:1", None), ("latest", None)):
            docker = json.loads(self.image("lib", "--tag", tag, output="image.tar").files["manifest.json"])
            self.assertEqual(docker[0]["RepoTags"], [name] if name else [])

    def test_an_image_is_replaced_and_nothing_else(self):
        self.image("tool")
        self.image("app")
        (self.work / "folder").mkdir()
        (self.work / "folder/mine").write_text("mine")
        arguments = [*self.channel_arguments(None), "app"]
        self.assert_failed(self.taipan("image", "-o", "folder", *arguments, code=1), "folder")
        self.assertEqual((self.work / "folder/mine").read_text(), "mine")

    def test_a_base_image_lies_below(self):
        base = self.image("lib=1", "--prefix", "/base", "--env", "BASE=1", "--cmd", "sh", "--label", "a=b",
                          "--compression", "gzip", output="base")
        for path in ("base", "base.tar"):
            if path == "base.tar":
                self.image("lib=1", "--prefix", "/base", "--env", "BASE=1", "--cmd", "sh", "--label", "a=b",
                           "--compression", "gzip", output=path)
            image = self.image("tool", "--base", self.work / path, "--entrypoint", "tool", output="over-" + path)
            self.assertEqual(image.digests()[:len(base.digests())], base.digests())
            self.assertEqual(image.config["config"]["Labels"], {"a": "b"})
            self.assertNotIn("Cmd", image.config["config"])
            variables = dict(word.split("=", 1) for word in image.config["config"]["Env"])
            self.assertEqual(variables["BASE"], "1")
            self.assertRegex(variables["PATH"], "^/opt/env/bin:/base/bin:")
            self.assertEqual({name.split("/")[0] for name in image.members()}, {"base", "opt"})

    def test_a_damaged_base_is_refused(self):
        base = self.image("lib=1", "--prefix", "/base", output="base")
        blob = self.work / "base/blobs/sha256" / base.digests()[0].removeprefix("sha256:")
        data = bytearray(blob.read_bytes())
        data[len(data) // 2] ^= 1
        blob.unlink()  # it may be a hard link
        blob.write_bytes(data)
        arguments = ["-o", self.work / "image", "--base", self.work / "base", *self.channel_arguments(None), "tool"]
        self.assert_failed(self.taipan("image", *arguments, code=1), blob.name)
        self.assertFalse((self.work / "image").exists())
        (self.work / "base/index.json").write_text("{}")
        self.assert_failed(self.taipan("image", *arguments, code=1), "base")

    def test_what_cannot_be(self):
        for arguments, needle in ((["--compression", "lzma"], "lzma"), (["--env", "X"], "NAME=VALUE"),
                                  (["--prefix", "relative"], "--prefix"), (["--max-layers", "200"], "127"),
                                  (["--base", "/nowhere"], "/nowhere"), (["--platform", "osx-arm64"], "osx-arm64"),
                                  (["--prefix", "/" + "long" * 80], "bytes long")):
            result = self.taipan("image", "-o", "image", *self.channel_arguments(None), "tool", *arguments, code=1)
            self.assert_failed(result, needle)
        file = self.work / "environment.yml"
        file.write_text(f"channels: [{self.channel.folder.as_uri()}]\ndependencies: [app, {{pip: [requests]}}]\n")
        self.assert_failed(self.taipan("image", "-o", "image", "-f", file, code=1), "pip")
        self.assertFalse((self.work / "image").exists())

    def test_link_scripts_are_named(self):
        self.channel.add("scripted", files={"bin/.scripted-post-link.sh": File("exit 1\n", mode=0o755)})
        self.channel.write_index()
        done = self.taipan("image", "-o", self.work / "image", *self.channel_arguments(None), "scripted")
        self.assertEqual(done.stderr.count("bin/.scripted-post-link.sh"), 1, str(done))


    @unittest.skipUnless(shutil.which("buildah") and os.geteuid() == 0, "buildah is not installed, or not for root")
    def test_buildah_runs_it(self):
        source = self.work / "hello.c"
        source.write_text('#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(getenv("CONDA_PREFIX")); }\n')
        subprocess.run(["g++", "-x", "c", "-static", "-o", self.work / "hello", source], check=True)
        self.channel.add("hello", files={"bin/hello": File((self.work / "hello").read_bytes(), mode=0o755)})
        self.channel.write_index()
        for compression in ("zstd", "gzip"):
            self.image("hello", "--compression", compression)
            name = self.buildah("from", "oci:image").strip()
            self.assertEqual(self.buildah("run", "--isolation", "chroot", name, "--", "hello"), "/opt/env\n")

    def buildah(self, *arguments):
        policy = self.work / "policy.json"
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        places = ["--storage-driver", "vfs", "--root", self.work / "storage", "--runroot", self.work / "run"]
        after = [arguments[0], "--signature-policy", policy] if arguments[0] == "from" else [arguments[0]]
        # In the folder, since buildah makes a name of the path, which must have the form of one.
        done = subprocess.run(["buildah", *places, *after, *arguments[1:]], capture_output=True, text=True,
                              cwd=self.work, env=self.environment | {"PATH": os.environ["PATH"]})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class RealImageTest(RealChannelTest, ImageTestCase):
    wanted = ("flask", "requests", "pyyaml")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = Path(tempfile.mkdtemp(prefix="taipan-images-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared)

    def setUp(self):
        """The packages are extracted once, and each layer is made once."""
        super().setUp()
        self.cache = self.shared / "pkgs"
        self.environment["CONDA_PKGS_DIRS"] = str(self.cache)

    def test_the_layers_are_the_environment(self):
        self.create(*self.wanted, "--no-pyc")
        image = self.image(*self.wanted, "--prefix", self.prefix)
        self.assert_is_the_environment(image, self.prefix)

    def test_the_same_bytes_on_any_number_of_cores_from_any_cache(self):
        first = self.image(*self.wanted, "--compression", "gzip")
        self.environment["CONDA_PKGS_DIRS"] = str(self.work / "fresh")
        one = f"taskset -c {min(os.sched_getaffinity(0))}"
        command = [*one.split(), os.environ["TAIPAN_BINARY"], "image", "-o", str(self.work / "second"),
                   *self.channel_arguments(None), *self.wanted, "--compression", "gzip"]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)
        self.assertEqual(Layout(self.work / "second").files, first.files)

    def test_another_package_changes_its_layer_and_that_of_the_records(self):
        before = self.image(*self.wanted, "tzdata=2026b")
        done = self.taipan_json("image", "-o", self.work / "image", *self.channel_arguments(None), *self.wanted,
                                "tzdata=2026f")
        after = Layout(self.work / "image")
        self.assertEqual(len(before.digests()), len(after.digests()))
        new = [digest for digest in after.digests() if digest not in before.digests()]
        self.assertEqual(len(new), 2)
        packages = {layer["digest"]: layer["packages"] for layer in done["image"]["layers"]}
        self.assertEqual([any("tzdata-2026f" in name for name in packages[digest]) for digest in new],
                         [True, False])
        self.assertEqual(packages[new[-1]], [], "the records are the last layer")

    def test_from_a_lock(self):
        self.create(*self.wanted, "--no-pyc")
        lock = self.work / "lock.txt"
        lock.write_text(self.taipan("list", "-p", self.prefix, "--explicit", "--md5").stdout)
        image = self.image("-f", lock, "--prefix", self.prefix)
        solved = self.image(*self.wanted, "--prefix", self.prefix, output="solved")
        self.assertEqual(image.digests()[:-1], solved.digests()[:-1])

    @unittest.skipUnless(shutil.which("skopeo"), "skopeo is not installed")
    def test_skopeo_reads_it(self):
        for compression in ("zstd", "gzip"):
            image = self.image(*self.wanted, "--compression", compression)
            seen = json.loads(self.skopeo("inspect", f"oci:{self.work}/image"))
            self.assertEqual(seen["Layers"], image.digests())
            self.skopeo("copy", f"oci:{self.work}/image", f"dir:{self.work}/copied-{compression}")
            archive = self.image(*self.wanted, "--compression", compression, "--tag", "app:1.0", output="image.tar")
            for form in ("oci-archive", "docker-archive"):
                target = self.work / f"{form}-{compression}"
                self.skopeo("copy", f"{form}:{self.work}/image.tar:app:1.0", f"dir:{target}")
                config = json.loads((target / "manifest.json").read_text())["config"]["digest"]
                self.assertEqual(config, archive.manifest["config"]["digest"])

    def skopeo(self, *arguments):
        policy = self.work / "policy.json"
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        done = subprocess.run(["skopeo", "--policy", policy, *arguments], capture_output=True, text=True,
                              env=self.environment | {"PATH": os.environ["PATH"]})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


if __name__ == "__main__":
    main()
