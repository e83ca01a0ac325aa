"""Images by buildah, without a daemon: in a storage of its own, which is gone afterwards.

Isolation is chroot and storage is vfs, which is what works in a container and without privileges of the kernel's; so a
RUN line sees the network of this machine, and a server on its loopback device.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

BASE_TAG = "docker.io/library/debian:12"  # what `FROM debian:12` means


class Buildah:
    """Builds and runs images until close()."""

    def __init__(self, work):
        self.work = Path(work)
        self.temporary = self.work / "tmp"  # where cache mounts are, too
        self.temporary.mkdir(parents=True)
        self.storage = self.work / "storage"
        self.command = ["buildah", "--root", self.storage, "--runroot", self.work / "run", "--storage-driver", "vfs"]

    def call(self, *arguments):
        """The output of a buildah command, which must succeed."""
        done = subprocess.run([*map(str, self.command), *map(str, arguments)], stdin=subprocess.DEVNULL,
                              env=os.environ | {"TMPDIR": str(self.temporary)}, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"buildah {' '.join(map(str, arguments))} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def import_base(self, tree, tag=BASE_TAG):
        """Makes an image of a root file system, as debootstrap leaves one."""
        container = self.call("from", "scratch").strip()
        try:
            mounted = self.call("mount", container).strip()
            subprocess.run(["cp", "-a", f"{tree}/.", mounted], check=True)
            self.call("umount", container)
            self.call("commit", "-q", container, tag)
        finally:
            self.call("rm", container)

    def build(self, context, tag, *flags):
        """Builds the Dockerfile of a folder; returns what its commands printed."""
        return self.call("build", "--isolation", "chroot", "--network", "host", "--pull-never", *flags, "-t", tag,
                         context)

    def run(self, tag, *command):
        """The output of a command in a container of the image, run as its user."""
        container = self.call("from", "--pull-never", tag).strip()
        try:
            return self.call("run", "--isolation", "chroot", container, "--", *command)
        finally:
            self.call("rm", container)

    def config(self, tag):
        """The configuration of an image, as OCI has it."""
        return json.loads(self.call("inspect", "--type", "image", tag))["OCIv1"]["config"]

    def top_layer(self, tag):
        """The bytes of the last layer of an image, as a tar without compression."""
        image = self.call("inspect", "--type", "image", "--format", "{{.FromImageID}}", tag).strip()
        images = json.loads((self.storage / "vfs-images/images.json").read_text())
        top = next(i["layer"] for i in images if i["id"] == image)
        layers = json.loads((self.storage / "vfs-layers/layers.json").read_text())
        return next(layer["diff-size"] for layer in layers if layer["id"] == top)

    def close(self):
        """Deletes all images."""
        subprocess.run([*map(str, self.command), "rm", "--all"], stdout=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.work, ignore_errors=True)
