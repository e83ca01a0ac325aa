#!/usr/bin/python3
"""Makes a conda channel out of Debian packages; README.md says how to use it and how to add packages.

Problem: tests and benchmarks need a channel with real payloads, written by tools that aren't ours, on
machines that may have no network but Debian's.

Approach: plan (recipes.py, resolve.py), build what changed, one process a package (package.py), check
that every shared library is there, index, and swap the finished channel into place (channel.py).
"""

import argparse
import ctypes
import hashlib
import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

sys.dont_write_bytecode = True

import debian                                            # noqa: E402
import recipes                                           # noqa: E402
from channel import Channel                              # noqa: E402
from debian import ChannelError                          # noqa: E402
from package import Job, build                           # noqa: E402
from resolve import Plan                                 # noqa: E402

# The sources that decide what is in an archive, apart from recipes and debs.
BUILDER = ("debian.py", "depends.py", "layout.py", "elf.py", "relocate.py", "pydist.py", "metadata.py",
           "write.py", "package.py", "index.py")

# What glibc gives; it stays the host's.
GLIBC = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1",
         "libresolv.so.2", "libanl.so.1", "libmvec.so.1", "libnss_", "libthread_db.so.1",
         "libBrokenLocale.so.1", "ld-linux")

PR_SET_PDEATHSIG = 1


def main():
    arguments = parse_arguments()
    started = time.monotonic()
    platform = debian.platform()
    subdir, triplet, machine = platform
    plan = Plan(recipes.load(arguments.set, triplet, machine), debian.DebCache(arguments.cache))
    keys = {package.label(): plan.key(package, builder_hash()) for package in plan.all()}
    channel = Channel(arguments.out.resolve())
    if channel.up_to_date(keys, subdir):
        print(f"{channel.out}: up to date")
        return
    with channel.building() as lock:
        entries = channel.reusable(keys)
        todo = [make_job(p, plan, platform, channel) for p in plan.all() if p.label() not in entries]
        todo.sort(key=lambda job: -sum(map(os.path.getsize, job.deb_paths)))
        for number, (job, built) in enumerate(run_jobs(todo, arguments.jobs, lock), 1):
            label = job.package.label()
            print(f"[{number}/{len(todo)}] {label}", flush=True)
            entries[label] = {"key": keys[label], **asdict(built)}
            channel.finished(label, entries[label])
        check_libraries(entries, {p.label() for p in plan.all() if p.recipe.get("incomplete")})
        channel.publish(subdir, entries)
    report(channel.out, entries, time.monotonic() - started)


def parse_arguments():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    parser = argparse.ArgumentParser(description="Make a conda channel out of Debian packages.")
    parser.add_argument("out", metavar="OUT", type=Path, help="the channel's folder; replaced as a whole")
    parser.add_argument("--set", default="small", help="a table in recipes/ (default: small)")
    parser.add_argument("--cache", type=Path, default=Path(cache) / "taipan-channel",
                        help="where the .deb files stay (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)),
                        help="packages built at the same time (default: %(default)s)")
    return parser.parse_args()


def builder_hash():
    folder = Path(__file__).resolve().parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in BUILDER)).hexdigest()


def make_job(package, plan, platform, channel):
    cache = plan.cache
    return Job(package, [str(cache.path(deb)) for deb in package.debs],
               [cache.debs[deb].control for deb in package.debs],
               plan.set.exclude, plan.set.zstd_level, *platform, str(channel.fresh), str(channel.work))


def start_worker(lock):
    """A worker ends with its parent, however that ends, and does not hold on to the channel's lock."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.close(lock)


def run_jobs(todo, jobs, lock):
    """Yields (job, Built) as they finish; the first error ends all workers."""
    workers = max(1, min(jobs, len(todo)))
    with ProcessPoolExecutor(workers, initializer=start_worker, initargs=(lock,)) as pool:
        running = {pool.submit(build, job): job for job in todo}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise


def check_libraries(entries, incomplete):
    """Every shared library that a file needs must be in the channel, or be one of the host's glibc; but
    not for the labels in `incomplete`, which are there for their size only."""
    given = {name for entry in entries.values() for name in entry["given"]}
    missing = [f"{label}: {path} needs {name}" for label, entry in sorted(entries.items()) if label not in incomplete
               for path, names in sorted(entry["needed"].items()) for name in names
               if name not in given and not name.startswith(GLIBC)]
    if missing:
        raise ChannelError("libraries that no package of the channel has:\n  " + "\n  ".join(missing))


def report(out, entries, seconds):
    sizes = [r["size"] for entry in entries.values() for r in entry["records"].values()]
    print(f"{out}: {len(entries)} packages, {len(sizes)} archives, {sum(sizes) / 1e6:.1f} MB, {seconds:.0f} s")


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":          # see write.py
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("build.py: stopped"))
    try:
        main()
    except ChannelError as error:
        sys.exit(f"build.py: {error}")
