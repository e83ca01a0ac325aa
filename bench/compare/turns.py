"""Runs the contenders of a work in turns (A B C A B C ...), so that what else the machine does meets all of them alike."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from . import trees, works
from .contenders import FLOOR, PEER, TAIPAN, remove

RUNNER = pathlib.Path(__file__).with_name("runner.py")
SHOWN = 20  # differing paths that are printed


class Failed(Exception):
    """A measurement that must not be believed."""


def say(text):
    print(text, file=sys.stderr, flush=True)


class Runs:
    """Starts commands on a network, measured by runner.py."""

    def __init__(self, network, folder):
        self.network, self.folder = network, pathlib.Path(folder)

    def __call__(self, contender, command):
        program = shutil.which(command[0], path=contender.environment["PATH"])
        if program is None:
            raise Failed(f"there is no program {command[0]}")
        output = self.folder / "output"
        job = {"command": [program, *command[1:]], "environment": contender.environment, "folder": str(self.folder),
               "output": str(output)}
        runner = subprocess.Popen([*self.network.enter, sys.executable, "-S", "-E", RUNNER], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        try:
            answer, _ = runner.communicate(json.dumps(job))
        except BaseException:
            runner.terminate()
            runner.wait()
            raise
        if runner.returncode != 0:
            raise Failed(f"{contender.name}: {' '.join(job['command'])} could not be started")
        sample = json.loads(answer)
        if sample["code"] != 0:
            raise Failed(f"{contender.name}: {' '.join(job['command'])} ended with {sample['code']}:\n"
                         + output.read_text(errors="replace")[-4000:])
        return sample


def run_once(work, stage, contender):
    """One run with everything that belongs around it."""
    works.prepare(work, stage, contender)
    if not work.start:
        os.sync()  # what earlier runs left to be written does not slow down this one
    sample = stage.run(contender, works.command(work, stage, contender))
    if contender.kind == FLOOR:
        remove(contender.folder)
    elif work.makes_tree and work.fills_cache:
        contender.cached = bool(contender.cached) or work.pyc
    return sample


def measure(work, stage, contenders, runs, peer_runs, warm_up=True):
    """name -> {"kind", "samples"}. Stops when the environments differ, before anybody sees a ratio.

    All but the peers, which take so much longer, run once more before the first turn: the first to touch memory that
    the machine has not used yet would pay for it.
    """
    results = {contender.name: {"kind": contender.kind, "samples": []} for contender in contenders}
    for contender in contenders:
        if contender.kind != FLOOR:
            work.once(stage, contender)
    if warm_up and not work.start:
        for contender in contenders:
            if contender.kind != PEER:
                run_once(work, stage, contender)
    made = {}
    for turn in range(runs):
        for contender in contenders:
            if contender.kind == PEER and turn >= peer_runs:
                continue
            sample = run_once(work, stage, contender)
            results[contender.name]["samples"].append(sample)
            if not work.start or turn == runs - 1:
                say(f"  {stage.network.kind} {work.title}, turn {turn + 1}/{runs}: {contender.name} {sample['wall']:.3f} s")
            if turn == 0 and work.makes_tree and contender.kind != FLOOR:
                made[contender.name] = trees.summary(stage.target.prefix)
        if turn == 0:
            compare(made, contenders)
    return results


def compare(made, contenders):
    reference = next(contender.name for contender in contenders if contender.kind == TAIPAN)
    for contender in contenders:
        name = contender.name
        if name == reference or name not in made:
            continue
        wrong = trees.differences(made[reference], made[name], contender.compares_contents)
        if wrong:
            more = f"\n... {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
            raise Failed(f"taipan and {name} made different environments:\n" + "\n".join(wrong[:SHOWN]) + more)


def count_system_calls(work, stage, contender):
    """All system calls of one run and the most frequent ones, by strace in a run of its own; None without strace."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    work.once(stage, contender)
    work.before(stage, contender)
    table = stage.folder / "strace"
    stage.run(contender, [strace, "-f", "-c", "-o", str(table), *work.command(stage, contender)])
    calls = {}
    for line in table.read_text().splitlines():
        match = re.fullmatch(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)\s*", line)
        if match:
            calls[match[2]] = int(match[1])
    total = calls.pop("total")
    return {"total": total, "most": dict(sorted(calls.items(), key=lambda item: -item[1])[:12])}
