"""The Dockerfile of the README, word for word, and its other ways, built by buildah; the programs in the images run.

These take minutes, so they are left out unless TAIPAN_TEST_DOCKER_BASE names a root file system of Debian 12, made by

    debootstrap --variant=minbase bookworm DIR

whose apt can reach a mirror. The channel stands where the network would be: in environment.yml, with a server on the
loopback device.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from buildah import Buildah
from taipan_test import RealChannelTest, binary_under_test, main

README = Path(__file__).resolve().parents[2] / "README.md"
BASE = os.environ.get("TAIPAN_TEST_DOCKER_BASE", "")
MISSING = ("TAIPAN_TEST_DOCKER_BASE names no root file system" if not BASE or not os.path.isdir(f"{BASE}/etc") else
           "buildah is not installed" if shutil.which("buildah") is None else
           "only root can make files of other users here" if os.geteuid() != 0 else "")
LIBRARIES = """FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends \\
        ca-certificates libcurl4 libfmt9 libsimdjson14 libtbb12 && rm -rf /var/lib/apt/lists/*
COPY taipan /usr/local/bin/taipan
COPY environment.yml /
"""
ENVIRONMENT = "channels: [{url}, nodefaults]\ndependencies: [python, requests]\n"


@unittest.skipIf(MISSING, MISSING)
class DockerfileTest(RealChannelTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.context = Path(cls.enterClassContext(_folder()))
        cls.buildah = Buildah(cls.context / "buildah")
        cls.addClassCleanup(cls.buildah.close)
        cls.buildah.import_base(BASE)
        files = cls.context / "files"
        files.mkdir()
        shutil.copy2(binary_under_test(), files / "taipan")
        (files / "environment.yml").write_text(ENVIRONMENT.format(url=cls.server.url))
        cls.files = files

    def build(self, dockerfile, tag, *flags):
        (self.files / "Dockerfile").write_text(dockerfile)
        return self.buildah.build(self.files, tag, *flags)

    def assert_program_runs(self, tag, prefix="/opt/env"):
        printed = self.buildah.run(tag, f"{prefix}/bin/python", "-c",
                                   "import requests, ssl, sys; print(sys.prefix, requests.__name__)")
        self.assertEqual(printed.split(), [prefix, "requests"])

    def test_1_the_readme_word_for_word(self):
        section = README.read_text().split("### In a Dockerfile")[1].split("\n### ")[0]
        dockerfile = re.search(r"```Dockerfile\n(.*?)```", section, re.S).group(1)
        self.build(dockerfile, "readme")
        self.assert_program_runs("readme")
        config = self.buildah.config("readme")
        self.assertEqual(config["Cmd"], ["python"])
        self.assertTrue(any(v.startswith("PATH=/opt/env/bin:") for v in config["Env"]))
        # The second stage has the environment and nothing else.
        left = self.buildah.run("readme", "find", "/", "-xdev", "-path", "/proc", "-prune", "-o", "-name", "*taipan*",
                                "-print", "-o", "-name", "*.conda", "-print", "-o", "-name", ".conda", "-print")
        self.assertEqual([line for line in left.split() if not line.startswith("/opt/env/conda-meta/")], [])
        size = self.buildah.top_layer("readme")
        self.assertGreater(size, 1_000_000)

    def test_2_the_other_ways_beside_it(self):
        self.build(LIBRARIES, "libraries")
        # A cache mount: the second build finds all packages in it and needs no network.
        line = ("RUN --mount=type=cache,target=/pkgs CONDA_PKGS_DIRS=/pkgs "
                "taipan env create -p /opt/env -f environment.yml")
        printed = self.build(f"FROM localhost/libraries\n{line}\n", "mounted")
        self.assertIn("by unpacking in place", printed)
        self.build(f"FROM localhost/libraries\n{line} --offline\n", "again")
        for tag in ("mounted", "again"):
            self.assert_program_runs(tag)
        # Another user than root, with a home that cannot be written.
        self.build("FROM localhost/libraries\nRUN useradd --home-dir /nonexistent user && mkdir -p /srv/env && "
                   "chown user /srv/env\nUSER user\n"
                   "RUN taipan env create -y -p /srv/env/tools -f /environment.yml\n", "user")
        self.assert_program_runs("user", "/srv/env/tools")
        owners = self.buildah.run("user", "find", "/srv/env", "!", "-user", "user")
        self.assertEqual(owners, "")
        self.assertEqual(self.buildah.run("user", "sh", "-c", "taipan verify -p /srv/env/tools && id -un").split()[-1],
                         "user")
        # Direct, without anything around it: the layer is the environment.
        line = "RUN taipan env create -p /opt/env -f environment.yml --direct"
        self.build(f"FROM localhost/libraries\n{line}\n", "direct")
        self.assert_program_runs("direct")
        content = int(self.buildah.run("direct", "sh", "-c", "tar -C / -cf - opt/env | wc -c"))
        self.assertLess(self.buildah.top_layer("direct"), content * 1.01)

    def test_3_an_image_without_a_container(self):
        """`taipan image` upon the base: buildah runs it, podman and skopeo (where they are installed) read it."""
        self.buildah.call("push", "docker.io/library/debian:12", f"oci:{self.work}/base")
        self.taipan("image", "-o", "image", "--base", "base", "-f", self.files / "environment.yml", "--entrypoint",
                    "python", "--tag", "app:1.0")
        name = self.buildah.call("from", f"oci:{self.work}/image").strip()
        printed = self.buildah.call("run", "--isolation", "chroot", name, "--", "python", "-c",
                                    "import requests, ssl, sys; print(sys.prefix)")
        self.assertEqual(printed.strip(), "/opt/env")
        self.buildah.call("rm", name)
        if shutil.which("skopeo"):
            inspected = json.loads(self.tool("skopeo", "inspect", f"oci:{self.work}/image:app:1.0"))
            self.assertIn("PATH=/opt/env/bin:", inspected["Env"][0])
            self.tool("skopeo", "copy", "--insecure-policy", f"oci:{self.work}/image:app:1.0", f"dir:{self.work}/copied")
        if shutil.which("podman"):
            places = ["--root", self.work / "podman", "--runroot", self.work / "run", "--storage-driver", "vfs"]
            self.taipan("image", "-o", "image.tar", "--base", "base", "-f", self.files / "environment.yml", "--tag",
                        "localhost/app:1.0")
            self.assertIn("localhost/app:1.0", self.tool("podman", *places, "load", "-i", self.work / "image.tar"))
            self.assertIn("/opt/env", self.tool("podman", *places, "inspect", "localhost/app:1.0"))

    def tool(self, *command):
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env=os.environ | {"TMPDIR": str(self.work)})
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr


def _folder():
    return tempfile.TemporaryDirectory(prefix="taipan-docker-", dir=os.environ.get("TMPDIR", "/var/tmp"))


if __name__ == "__main__":
    main()
