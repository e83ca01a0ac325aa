"""Times taipan against its peers, and against floors made of ordinary tools, and prints a table in Markdown.

    bench/compare.py --channel-dir CHANNEL --work /dev/shm --peers micromamba,conda python requests flask
    bench/compare.py --from-json FILE --readme bench/README.md --svg bench/plots

Everything is run in turns; the environments that were made are compared before any ratio is printed.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from . import network as networks
from . import plots, report, survey as surveys, turns, works
from .contenders import Taipan, Target, find_peers, remove

ALL_WORKS = tuple(works.WORKS)
NOT_BY_DEFAULT = ("cold-pyc",)


def words(choices):
    def parse(text):
        chosen = [word for word in text.split(",") if word]
        unknown = [word for word in chosen if word not in choices]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(choices)}")
        return [choice for choice in choices if choice in chosen]
    return parse


def parser():
    result = argparse.ArgumentParser(prog="bench/compare.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    what = result.add_argument_group("what is measured")
    what.add_argument("specs", nargs="*", help="packages of the environment")
    what.add_argument("--specs-file", help="packages, one a line")
    what.add_argument("--channel-dir", help="the channel's folder; it is served by an nginx of this program")
    what.add_argument("--works", type=words(ALL_WORKS), metavar="LIST",
                      default=[work for work in ALL_WORKS if work not in NOT_BY_DEFAULT], help="of " + ",".join(ALL_WORKS))
    what.add_argument("--network", type=words(networks.NETWORKS), metavar="LIST", default=["loopback"],
                      help="of " + ",".join(networks.NETWORKS) + "; all but the first only with `cold`, as root")
    what.add_argument("--large", help="an archive for the work `large` (default: the biggest package, packed as .tar.bz2)")
    who = result.add_argument_group("by whom")
    who.add_argument("--taipan", default="build/release/taipan")
    who.add_argument("--peers", type=lambda text: [word for word in text.split(",") if word],
                     help="programs, names or paths; `none` for none (default: those found on PATH)")
    how = result.add_argument_group("how")
    how.add_argument("--runs", type=int, default=5)
    how.add_argument("--peer-runs", type=int, help="peers take part in the first turns only")
    how.add_argument("--start-runs", type=int, default=20, help="of `version` and `list`")
    how.add_argument("--quick", action="store_true",
                     help="2 turns, peers in 1 of them, 5 starts, no warming up, no system calls")
    how.add_argument("--work", help="folder for everything that is made; its file system matters (default: temporary files)")
    how.add_argument("--rate", type=float, default=1000, help="of the link, in Mbit/s")
    how.add_argument("--round-trip", type=float, default=20, help="of the link, in ms")
    how.add_argument("--limit-rate", type=float, default=8, help="of `limited`, in MB/s for each connection")
    output = result.add_argument_group("what becomes of it")
    output.add_argument("--name", default="environment", help="of this measurement in files and in the README")
    output.add_argument("--json", help="file for all raw values")
    output.add_argument("--from-json", help="measure nothing, take the values from here")
    output.add_argument("--svg", help="folder for plots")
    output.add_argument("--readme", help="rewrite the section between <!-- compare: NAME --> and <!-- end: NAME -->")
    return result


def read_options():
    arguments = parser()
    options = arguments.parse_args()
    if options.quick:
        options.runs, options.peer_runs, options.start_runs = 2, 1, 5
    options.peer_runs = min(options.peer_runs or options.runs, options.runs)
    if options.specs_file:
        lines = [line.partition("#")[0].strip() for line in pathlib.Path(options.specs_file).read_text().splitlines()]
        options.specs += [line for line in lines if line]
    if not options.from_json:
        if not options.channel_dir or not options.specs:
            arguments.error("--channel-dir and packages are needed")
        options.channel_dir = str(pathlib.Path(options.channel_dir).resolve())
    return options


def make_contenders(options, folder):
    program = shutil.which(options.taipan)
    if program is None:
        raise RuntimeError(f"there is no program {options.taipan}")
    contenders = [Taipan(str(pathlib.Path(program).absolute()), folder / "taipan")]
    if options.peers != ["none"]:
        contenders += [adapter(path, folder / pathlib.Path(path).name) for adapter, path in find_peers(options.peers)]
    for contender in contenders:
        contender.forget()
    return contenders


def machine(work):
    file_system = subprocess.run(["stat", "-f", "-c", "%T", work], capture_output=True, text=True).stdout.strip()
    return {"cores": len(os.sched_getaffinity(0)), "kernel": os.uname().release, "architecture": os.uname().machine,
            "file_system": {"ext2/ext3": "ext4"}.get(file_system, file_system)}


def make_survey(options, folder, target):
    """On loopback: makes the environment once, and the material of the floors from it."""
    turns.say("making the environment once, and the material for the floors")
    material = folder / "material"
    surveys.clear(material)
    with networks.Network(networks.LOOPBACK, options.channel_dir, material / "large", folder / "nginx", None) as net:
        taipan = Taipan(str(pathlib.Path(shutil.which(options.taipan)).absolute()), folder / "surveyor")
        taipan.forget()
        target.channel = net.url
        turns.Runs(net, folder)(taipan, taipan.create(target, False))
        survey = surveys.make(target.prefix, material, options.large, "large" in options.works)
    remove(taipan.folder)
    remove(folder / "nginx")
    surveys.read_all(options.channel_dir)
    turns.say(json.dumps(survey.summary()))
    return survey


def measure_network(kind, options, folder, survey, document):
    settings = networks.LinkSettings(options.rate, options.round_trip, options.limit_rate)
    place = folder / kind
    place.mkdir()
    try:
        with networks.Network(kind, options.channel_dir, survey.material / "large", place / "nginx", settings) as net:
            target = Target(folder / works.PREFIX, net.url, options.specs)
            stage = works.Stage(net, target, survey, place, turns.Runs(net, place))
            contenders = make_contenders(options, place)
            for key in options.works:
                if kind == networks.LOOPBACK or works.WORKS[key].over_links:
                    measure_work(key, stage, contenders, options, document)
            if kind == networks.LOOPBACK and not options.quick:
                for key in {"cold", "warm"} & set(options.works):
                    turns.say(f"  counting system calls, {key}")
                    document["system_calls"][key] = turns.count_system_calls(works.WORKS[key], stage, contenders[0])
    finally:
        remove(folder / works.PREFIX)
        remove(place)


def measure_work(key, stage, contenders, options, document):
    work = works.WORKS[key]
    taking_part = works.contenders_of(work, stage, contenders)
    runs = options.start_runs if work.start else options.runs
    peer_runs = runs if work.start else options.peer_runs
    try:
        results = turns.measure(work, stage, taking_part, runs, peer_runs, not options.quick)
    except turns.Failed as failure:
        turns.say(f"compare.py: {failure}")
        document["failed"].append(f"{stage.network.kind}, {work.title}: {str(failure).splitlines()[0]}")
        return
    document["measurements"].append({"network": stage.network.kind, "work": key, "title": work.title, "results": results})
    if options.json:  # a long run that is stopped has not been for nothing
        write_json(document, options.json)


def versions(options, folder):
    found = {}
    for contender in make_contenders(options, folder / "versions"):
        done = subprocess.run(contender.version(), env=contender.environment, capture_output=True, text=True)
        text = (done.stdout or done.stderr).strip().splitlines()[0]
        found[contender.name] = text if contender.name in text else f"{contender.name} {text}"
    return found


def measure(options):
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="taipan-compare-", dir=options.work)).resolve()
        stack.callback(remove, folder)
        kept = ("specs", "runs", "peer_runs", "start_runs", "rate", "round_trip", "limit_rate", "works", "network")
        document = {"name": options.name, "date": datetime.date.today().isoformat(), "machine": machine(folder),
                    "versions": versions(options, folder),
                    "options": {key: getattr(options, key) for key in kept}, "measurements": [], "system_calls": {},
                    "failed": []}
        survey = make_survey(options, folder, Target(folder / works.PREFIX, "", options.specs))
        document["survey"] = survey.summary()
        for kind in options.network:
            measure_network(kind, options, folder, survey, document)
    return document


def write_json(document, path):
    pathlib.Path(path).write_text(json.dumps(document, indent=1) + "\n")


def write(document, options):
    if options.json:
        write_json(document, options.json)
    if options.svg:
        plots.write(document, pathlib.Path(options.svg))
    if options.readme:
        links = os.path.relpath(options.svg, pathlib.Path(options.readme).parent) if options.svg else ""
        report.rewrite(options.readme, document["name"], report.markdown(document, links))
    print(report.markdown(document))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is put away
    options = read_options()
    try:
        document = json.loads(pathlib.Path(options.from_json).read_text()) if options.from_json else measure(options)
        write(document, options)
    except (turns.Failed, RuntimeError) as error:
        turns.say(f"compare.py: {error}")
        return 1
    except KeyboardInterrupt:
        turns.say("compare.py: stopped")
        return 130
    for failure in document["failed"]:
        turns.say(f"compare.py: not measured: {failure}")
    return 1 if document["failed"] else 0
