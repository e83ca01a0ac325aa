"""Starts one command and measures it: wall time, CPU seconds of the whole process tree, peak memory of its largest process.

Run as a script, in a process of its own. What is measured starts from here and not from the main program, for a process
inherits the peak memory of the one that forked it (so that about 10 MB are the least that can be seen), and because
what the command leaves running is then a child of this process and counted too.

Standard input has the job as JSON: {"command", "environment", "folder", "output"}; standard output gets the result.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
OPEN_FILES = 1024  # what a login shell has by default
ORPHANS_MAY_TAKE = 10  # seconds


def reap_orphans():
    deadline = time.monotonic() + ORPHANS_MAY_TAKE
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.005)
        except ChildProcessError:
            return


def run(job):
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, output, 1),
               (os.POSIX_SPAWN_DUP2, output, 2)]
    os.chdir(job["folder"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    start = time.monotonic()
    child = os.posix_spawn(job["command"][0], job["command"], job["environment"], file_actions=actions, setpgroup=0)
    for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(stop, lambda *_: (os.killpg(child, signal.SIGKILL), os._exit(1)))
    _, status = os.waitpid(child, 0)
    wall = time.monotonic() - start
    reap_orphans()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "user": used.ru_utime, "system": used.ru_stime,
            "peak": used.ru_maxrss * 1024, "code": os.waitstatus_to_exitcode(status)}


if __name__ == "__main__":
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    json.dump(run(json.load(sys.stdin)), sys.stdout)
