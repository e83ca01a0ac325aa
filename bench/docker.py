"""Environments in image layers: taipan --direct beside `micromamba create && micromamba clean --all`.

For each way: the wall time of what a Dockerfile's RUN line does, the size of the layer it leaves (everything that was
written, as a tar), and the most bytes that were on the disk meanwhile, relative to the finished environment. A floor is
measured, too: what the environment's python needs for its built-in compile() of the modules alone, nothing read or
written, in as many processes as there are cores; no installer can make their bytecode in less. Every run
has a file system of its own (a tmpfs that is mounted for it, as root), and whatever is left over counts. With --base the
same lines are also built by buildah on that root file system (debootstrap --variant=minbase bookworm DIR): the seconds
are those of the RUN line there, the layer is what buildah stored, and the python in the image is run.

    bench/docker.py CHANNEL --specs FILE --taipan BINARY --micromamba BINARY [--turns N] [--base DIR]

CHANNEL is a folder, which is served on the loopback device, or a URL.
"""

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests/harness")]

from buildah import BASE_TAG, Buildah  # noqa: E402
from nginx import Nginx  # noqa: E402

PEAK_EVERY = 0.002
BASE = f"""FROM {BASE_TAG}
RUN apt-get update && apt-get install -y --no-install-recommends \\
        ca-certificates libcurl4 libfmt9 libsimdjson14 libtbb12
"""
CLOCK = "bench-docker-clock"  # before the times that a RUN line prints


class Disk:
    """A tmpfs of its own that knows the most it ever held. Gone with the `with` block, however that ends."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.peak = 0
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.folder], check=True)
        self.thread.start()
        return self

    def used(self):
        status = os.statvfs(self.folder)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def watch(self):
        while not self.ends.wait(PEAK_EVERY):
            self.peak = max(self.peak, self.used())

    def __exit__(self, *unused):
        self.ends.set()
        self.thread.join()
        # What still runs in there (a run that was interrupted) must not keep it mounted.
        subprocess.run(["umount", "--lazy", self.folder], check=True)
        self.folder.rmdir()


def environment(disk):
    home = disk / "home"
    home.mkdir()
    (disk / "tmp").mkdir()
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(disk / "tmp"), "LANG": "C.UTF-8",
            "MAMBA_ROOT_PREFIX": str(disk / "root")}


COMPILE = """import gc, sys, time
gc.disable()
sources = [(name, open(name, 'rb').read()) for name in sys.stdin.read().splitlines()]
print(flush=True)
sys.stdin = open('/dev/null')
start = time.monotonic()
for name, text in sources:
    try:
        compile(text, name, 'exec', dont_inherit=True)
    except (SyntaxError, ValueError):
        pass
print(time.monotonic() - start)
"""


def compile_floor(prefix):
    """Seconds that compile() takes for the modules that got bytecode, all cores at work. They are shared out so that all
    have the same to do, as far as their sizes tell."""
    sources = []
    for record in (prefix / "conda-meta").glob("*.json"):
        paths = json.loads(record.read_text())["paths_data"]["paths"]
        bytecode = [p["_path"] for p in paths if p["path_type"] == "pyc_file"]
        sources += [str(Path(p).parent.parent / (Path(p).name.rsplit(".", 2)[0] + ".py")) for p in bytecode]
    sources.sort(key=lambda path: -(prefix / path).stat().st_size)
    cores = len(os.sched_getaffinity(0))
    python = [prefix / "bin/python", "-s", "-S", "-B", "-Wignore", "-c", COMPILE]
    processes = [subprocess.Popen(python, cwd=prefix, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                 for _ in range(cores)]
    for number, process in enumerate(processes):
        process.stdin.write("\n".join(sources[number::cores]))
        process.stdin.close()
    return max(float(process.stdout.read().strip()) for process in processes)


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


def measure(commands, work, floor=False):
    with Disk(work / "disk") as disk:
        variables = environment(disk.folder)
        prefix = disk.folder / "env"
        started = time.monotonic()
        for command in commands:
            words = [str(prefix) if word == "PREFIX" else str(word) for word in command]
            done = subprocess.run(words, env=variables, stdin=subprocess.DEVNULL, capture_output=True)
            if done.returncode != 0:
                raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout.decode()}{done.stderr.decode()}")
        seconds = time.monotonic() - started
        subprocess.run([prefix / "bin/python", "-c", ""], check=True, env=variables | {"PYTHONDONTWRITEBYTECODE": "1"})
        least = {"compile": compile_floor(prefix)} if floor else {}
        layer = layer_bytes(disk.folder)
        content = layer_bytes(prefix)
        for entry in disk.folder.iterdir():  # what the environment alone takes on this file system
            if entry != prefix:
                shutil.rmtree(entry)
        return {"seconds": seconds, "layer": layer, "environment": content, "peak": disk.peak / disk.used(), **least}


def build_image(commands, programs, buildah, work):
    """The RUN line in a real Dockerfile, and what came of it."""
    context = work / "context"
    context.mkdir(exist_ok=True)
    steps = [" ".join("/opt/env" if word == "PREFIX" else programs.get(str(word)) or shlex.quote(str(word))
                      for word in command) for command in commands]
    clock = f"echo {CLOCK} $(date +%s.%N)"
    (context / "Dockerfile").write_text(f"FROM localhost/base\nRUN {' && '.join([clock, *steps, clock])}\n")
    tag = "line"
    printed = buildah.build(context, tag, "--no-cache")
    times = [float(line.split()[1]) for line in printed.splitlines() if line.startswith(CLOCK + " ")]
    if len(times) != 2:
        raise SystemExit(f"the build did not tell its times:\n{printed}")
    try:
        buildah.run(tag, "/opt/env/bin/python", "-c", "import ssl")
        return {"build": times[1] - times[0], "image layer": buildah.top_layer(tag)}
    finally:
        buildah.call("rmi", tag)


def prepare_images(arguments, work):
    """A storage with the base image in which the programs are: (buildah, path here -> path there)."""
    buildah = Buildah(work / "buildah")
    try:
        buildah.import_base(arguments.base)
        context = work / "base"
        context.mkdir()
        programs, copies = {}, ""
        for program in filter(None, (arguments.taipan, arguments.micromamba)):
            shutil.copy2(program.resolve(), context / program.name)
            programs[str(program)] = f"/usr/local/bin/{program.name}"
            copies += f"COPY {program.name} /usr/local/bin/{program.name}\n"
        (context / "Dockerfile").write_text(BASE + copies)
        buildah.build(context, "base")
    except BaseException:
        buildah.close()
        raise
    return buildah, programs


def tell(results):
    """The table, medians of the turns."""
    built = all("build" in run for runs in results.values() for run in runs)
    head = ["RUN line", "seconds", "layer, MB", "layer / environment", "peak / environment"]
    head += ["in buildah, s", "its layer, MB"] if built else []
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for name, runs in results.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        cells = [name, f"{middle['seconds']:.2f}", f"{middle['layer'] / 1e6:.1f}",
                 f"{middle['layer'] / middle['environment']:.3f}", f"{max(r['peak'] for r in runs):.3f}"]
        cells += [f"{middle['build']:.2f}", f"{middle['image layer'] / 1e6:.1f}"] if built else []
        print("| " + " | ".join(cells) + " |")
    least = statistics.median(run["compile"] for run in results["taipan --direct"])
    print(f"compile() of all modules by itself, on all cores: {least:.2f} s")
    for pyc in ("", " without .pyc"):
        ours, theirs = results.get("taipan --direct" + pyc), results.get("micromamba, clean --all" + pyc)
        if not ours or not theirs:
            continue
        for key, where in (("seconds", "on the tmpfs"), ("build", "in buildah")):
            if key not in ours[0]:
                continue
            ratio = statistics.median(a[key] / b[key] for a, b in zip(ours, theirs))
            print(f"taipan --direct{pyc} takes {ratio:.2f} of micromamba's time {where} (median of {len(ours)} pairs)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("channel")
    parser.add_argument("--specs", required=True, help="file with one spec a line")
    parser.add_argument("--taipan", required=True, type=Path)
    parser.add_argument("--micromamba", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--base", help="root file system of Debian on which the lines are also built, by buildah")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    arguments.specs = [line.strip() for line in Path(arguments.specs).read_text().splitlines() if line.strip()]
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-docker-")))
        if os.path.isdir(arguments.channel):
            arguments.channel = stack.enter_context(closing(Nginx(arguments.channel, work / "nginx"))).url
        buildah, programs = None, {}
        if arguments.base:
            buildah, programs = prepare_images(arguments, work)
            stack.enter_context(closing(buildah))
        lines = lines_of(arguments)
        results = {name: [] for name in lines}
        for _ in range(arguments.turns):
            for name, commands in lines.items():
                run = measure(commands, work, name == "taipan --direct")
                if buildah:
                    run |= build_image(commands, programs, buildah, work)
                results[name].append(run)
                print(f"{name}: {run}", file=sys.stderr)
    tell(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
