"""Environments in image layers: taipan --direct beside `micromamba create && micromamba clean --all`.

For each way: the wall time of what a Dockerfile's RUN line does, the size of the layer it leaves (everything that was
written, as a tar), and the most bytes that were on the disk meanwhile, relative to the finished environment. Every run
has a file system of its own (a tmpfs, mounted for it), so that whatever is left over counts. With --base the same
lines are also built by buildah on that image, and the python in the image is run.

    bench/docker.py CHANNEL-URL --specs FILE --taipan BINARY --micromamba BINARY [--turns N] [--base IMAGE]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

PEAK_EVERY = 0.002


class Disk:
    """A tmpfs of its own that knows the most it ever held."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.folder], check=True)
        self.peak = 0
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def used(self):
        status = os.statvfs(self.folder)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def watch(self):
        while not self.ends.wait(PEAK_EVERY):
            self.peak = max(self.peak, self.used())

    def close(self):
        self.ends.set()
        self.thread.join()
        subprocess.run(["umount", self.folder], check=True)


def environment(disk):
    home = disk / "home"
    home.mkdir()
    (disk / "tmp").mkdir()
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(disk / "tmp"), "LANG": "C.UTF-8",
            "MAMBA_ROOT_PREFIX": str(disk / "root")}


def layer_bytes(disk):
    """What an uncompressed image layer of the folder takes: tar's headers and padding included."""
    return int(subprocess.run(f"tar -C '{disk}' -cf - . | wc -c", shell=True, check=True, capture_output=True).stdout)


def lines_of(arguments):
    """name -> commands, with PREFIX for the environment."""
    create = ["create", "-y", "-q", "-p", "PREFIX", "--override-channels", "-c", arguments.channel, *arguments.specs]
    taipan, peer = arguments.taipan, arguments.micromamba
    lines = {}
    for pyc in ([], ["--no-pyc"]):
        name = " without .pyc" if pyc else ""
        lines["taipan --direct" + name] = [[taipan, *create, "--direct", *pyc]]
        if peer:
            lines["micromamba, clean --all" + name] = [[peer, "--no-rc", *create, *pyc],
                                                       [peer, "--no-rc", "clean", "-y", "-q", "--all"]]
    lines["taipan --direct --slim"] = [[taipan, *create, "--direct", "--slim"]]
    lines["taipan, cached"] = [[taipan, *create]]
    return lines


def measure(commands, work):
    disk = Disk(work / "disk")
    try:
        variables = environment(disk.folder)
        prefix = disk.folder / "env"
        started = time.monotonic()
        for command in commands:
            words = [str(prefix) if word == "PREFIX" else str(word) for word in command]
            done = subprocess.run(words, env=variables, stdin=subprocess.DEVNULL, capture_output=True)
            if done.returncode != 0:
                raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout.decode()}{done.stderr.decode()}")
        seconds = time.monotonic() - started
        layer = layer_bytes(disk.folder)
        content = layer_bytes(prefix)
        for entry in disk.folder.iterdir():  # what the environment alone takes on this file system
            if entry != prefix:
                shutil.rmtree(entry)
        return {"seconds": seconds, "layer": layer, "environment": content, "peak": disk.peak / disk.used()}
    finally:
        disk.close()
        shutil.rmtree(work / "disk")


def build_image(name, commands, arguments, work):
    """The RUN line in a real Dockerfile. Returns the seconds of the build, and runs python in the image."""
    context = work / "context"
    context.mkdir(exist_ok=True)
    programs = {}
    for command in commands:
        program = Path(command[0])
        shutil.copy2(program, context / program.name)
        programs[str(program)] = f"/usr/local/bin/{program.name}"
    script = " && ".join(" ".join("/opt/env" if word == "PREFIX" else programs.get(str(word), f"'{word}'")
                                  for word in command) for command in commands)
    copies = "".join(f"COPY {Path(p).name} {target}\n" for p, target in programs.items())
    (context / "Dockerfile").write_text(f"FROM {arguments.base}\n{copies}RUN {script}\n")
    buildah = ["buildah", "--storage-driver", "vfs"]
    tag = "bench-" + "".join(c if c.isalnum() else "-" for c in name)
    started = time.monotonic()
    subprocess.run([*buildah, "build", "--isolation", "chroot", "--network", "host", "-t", tag, context], check=True,
                   stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    container = subprocess.run([*buildah, "from", tag], check=True, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run([*buildah, "run", "--isolation", "chroot", container, "/opt/env/bin/python", "-c", "print(1)"],
                       check=True, stdout=subprocess.DEVNULL)
    finally:
        subprocess.run([*buildah, "rm", container], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*buildah, "rmi", tag], check=True, stdout=subprocess.DEVNULL)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("channel")
    parser.add_argument("--specs", required=True, help="file with one spec a line")
    parser.add_argument("--taipan", required=True, type=Path)
    parser.add_argument("--micromamba", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--base", help="image that the lines are also built on, by buildah")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    arguments.specs = [line.strip() for line in Path(arguments.specs).read_text().splitlines() if line.strip()]
    lines = lines_of(arguments)
    results = {name: [] for name in lines}
    work = Path(tempfile.mkdtemp(prefix="bench-docker-"))
    try:
        for _ in range(arguments.turns):
            for name, commands in lines.items():
                results[name].append(measure(commands, work))
                if arguments.base:
                    results[name][-1]["build"] = build_image(name, commands, arguments, work)
    finally:
        shutil.rmtree(work)
    print("| RUN line | seconds | layer, MB | layer / environment | peak / environment |" +
          (" build, s |" if arguments.base else ""))
    print("| --- | --- | --- | --- | --- |" + (" --- |" if arguments.base else ""))
    for name, runs in results.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        row = (f"| {name} | {middle['seconds']:.2f} | {middle['layer'] / 1e6:.1f} "
               f"| {middle['layer'] / middle['environment']:.3f} | {max(r['peak'] for r in runs):.3f} |")
        print(row + (f" {middle['build']:.1f} |" if arguments.base else ""))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
