"""The Debian package and the self-contained program, each installed where users will have them, by buildah.

These take minutes, so each is left out unless the environment names what it needs:

    TAIPAN_TEST_DOCKER_BASE  root file system of Debian 12 (debootstrap --variant=minbase bookworm DIR)
    TAIPAN_TEST_DEB          what `cmake --build --preset release -t package-deb` has made
    TAIPAN_TEST_TARBALL      what `-t package-tarball` has made
    TAIPAN_TEST_OLD_BASE     root file system with an older C library than this machine's (debootstrap bullseye DIR)
"""

import os
import shutil
import tarfile
import tempfile
import unittest
from pathlib import Path

from buildah import Buildah
from taipan_test import RealChannelTest, main

BASE, OLD_BASE, DEB, TARBALL = (os.environ.get("TAIPAN_TEST_" + name, "")
                                for name in ("DOCKER_BASE", "OLD_BASE", "DEB", "TARBALL"))
NO_BUILDAH = ("buildah is not installed" if shutil.which("buildah") is None else
              "only root can make files of other users here" if os.geteuid() != 0 else "")


# The packages of the channel were built on Debian 12, and are made ready for a machine like that.
NEWER = "ENV CONDA_OVERRIDE_GLIBC=2.36\n"


def missing(**needed):
    """Why a test cannot run; empty: it can."""
    return NO_BUILDAH or ", ".join(f"TAIPAN_TEST_{name} names nothing" for name, path in needed.items()
                                   if not os.path.exists(path or "/nowhere"))


class PackagingTest(RealChannelTest):
    def setUp(self):
        super().setUp()
        place = tempfile.TemporaryDirectory(prefix="taipan-docker-", dir=os.environ.get("TMPDIR", "/var/tmp"))
        self.addCleanup(place.cleanup)
        self.buildah = Buildah(Path(place.name) / "buildah")
        self.addCleanup(self.buildah.close)
        self.files = Path(place.name) / "files"
        self.files.mkdir()
        (self.files / "environment.yml").write_text(
            f"channels: [{self.server.url}, nodefaults]\ndependencies: [python, requests]\n")

    def build(self, dockerfile, tag):
        (self.files / "Dockerfile").write_text(dockerfile)
        return self.buildah.build(self.files, tag)

    def unpack_tarball(self):
        with tarfile.open(TARBALL) as archive:
            member = next(m for m in archive if m.isfile() and m.name.split("/")[-1] == "taipan")
            (self.files / "taipan").write_bytes(archive.extractfile(member).read())
        (self.files / "taipan").chmod(0o755)

    @unittest.skipIf(reason := missing(DOCKER_BASE=BASE, DEB=DEB), reason)
    def test_apt_installs_the_debian_package(self):
        self.buildah.import_base(BASE)
        shutil.copy(DEB, self.files / "taipan.deb")
        self.build("FROM debian:12\nCOPY taipan.deb environment.yml /\n"
                   "RUN apt-get update && apt-get install -y --no-install-recommends ./taipan.deb && taipan --version\n"
                   "RUN taipan env create -y -p /opt/env -f /environment.yml --direct\n", "deb")
        printed = self.buildah.run("deb", "/opt/env/bin/python", "-c", "import requests, ssl; print(requests.__name__)")
        self.assertEqual(printed.strip(), "requests")
        there = self.buildah.run("deb", "dpkg", "-L", "taipan").split()
        for path in ("/usr/bin/taipan", "/usr/share/bash-completion/completions/taipan"):
            self.assertIn(path, there)
        self.assertIn("taipan", self.buildah.run("deb", "sh", "-c", "apt-get remove -y taipan && ! command -v taipan "
                                                 "&& /opt/env/bin/python -c 'print(1)'"))

    @unittest.skipIf(reason := missing(TARBALL=TARBALL), reason)
    def test_the_program_runs_where_nothing_is(self):
        self.unpack_tarball()
        self.build(f'FROM scratch\nCOPY taipan environment.yml /\n{NEWER}RUN ["/taipan", "--version"]\n'
                   'RUN ["/taipan", "env", "create", "-y", "-p", "/opt/env", "-f", "/environment.yml", "--direct", '
                   '"--no-pyc", "--skip-run-link-scripts"]\nRUN ["/taipan", "verify", "-p", "/opt/env"]\n', "bare")
        self.assertIn("requests", self.buildah.run("bare", "/taipan", "list", "-p", "/opt/env"))

    @unittest.skipIf(reason := missing(TARBALL=TARBALL, OLD_BASE=OLD_BASE), reason)
    def test_the_program_runs_with_an_older_c_library(self):
        self.buildah.import_base(OLD_BASE, "docker.io/library/old:1")
        self.unpack_tarball()
        self.build(f"FROM old:1\nCOPY taipan /usr/local/bin/taipan\nCOPY environment.yml /\n{NEWER}"
                   "RUN taipan --version && taipan env create -y -p /opt/env -f /environment.yml --no-pyc && "
                   "taipan verify -p /opt/env\n", "old")
        printed = self.buildah.run("old", "sh", "-c", "ldd --version | head -n 1; taipan list -p /opt/env")
        self.assertIn("requests", printed)
        self.assertNotIn("2.36", printed.splitlines()[0])


if __name__ == "__main__":
    main()
