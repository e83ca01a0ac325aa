"""What is measured. A work says what must be there before each run (which is not timed), and what is timed.

    once     before the first run of a contender
    before   before each run
    command  what is timed
"""

import dataclasses
import os
import subprocess
import typing

from . import floors, survey as surveys
from .contenders import FLOOR, Unsupported, remove

PREFIX = os.path.join("project", ".pixi", "envs", "default")  # only pixi minds where an environment is


@dataclasses.dataclass
class Work:
    title: str
    command: typing.Callable                 # (stage, contender)
    before: typing.Callable
    once: typing.Callable = lambda stage, contender: None
    floors: tuple = ()
    makes_tree: bool = True                  # a prefix that must be the same for all
    pyc: bool = False
    start: bool = False                      # a matter of milliseconds: many repetitions
    over_links: bool = False                 # also measured on networks that are not loopback
    fills_cache: bool = True                 # with all packages of the environment


class Stage:
    """What the works need to know: the network, the environment that is made, and the folders."""

    def __init__(self, network, target, survey, folder, run):
        self.network, self.target, self.survey, self.folder, self.run = network, target, survey, folder, run

    @property
    def explicit(self):
        return surveys.explicit_file(self.survey, self.network.url, self.folder / "large.txt")


def without_prefix(stage, contender):
    remove(stage.target.prefix)


def without_anything(stage, contender):
    remove(stage.target.prefix)
    contender.forget()


def fill(stage, contender, pyc):
    """Its packages are in its cache, and it has compiled them or not."""
    if contender.cached is not pyc:
        without_anything(stage, contender)
        stage.run(contender, contender.create(stage.target, pyc))
        contender.cached = pyc


def filled(stage, contender):
    fill(stage, contender, contender.compiles_always)


def filled_with_pyc(stage, contender):
    fill(stage, contender, True)


def keep_cache(stage, contender):
    """The cache as it is before anything was compiled is kept aside."""
    filled(stage, contender)
    os.rename(contender.packages, contender.folder / "kept")


def with_kept_cache(stage, contender):
    remove(stage.target.prefix)
    remove(contender.packages)
    subprocess.run(["cp", "-al", contender.folder / "kept", contender.packages], check=True)


def own(stage, contender):
    """A prefix of its own, for what needs an environment that is there."""
    return dataclasses.replace(stage.target, prefix=contender.folder / PREFIX)


def installed(stage, contender):
    target = own(stage, contender)
    if not target.prefix.exists():
        if contender.cached is None:
            filled(stage, contender)
        stage.run(contender, contender.create(target, contender.compiles_always))


def nothing(stage, contender):
    pass


WORKS = {
    "cold": Work("cold, no .pyc", lambda stage, who: who.create(stage.target, False), without_anything,
                 floors=("download", "content", "everywhere"), over_links=True),
    "cold-pyc": Work("cold, with .pyc", lambda stage, who: who.create(stage.target, True), without_anything, pyc=True),
    "warm": Work("warm, no .pyc", lambda stage, who: who.create(stage.target, False), without_prefix, filled,
                 floors=("link",)),
    "pyc-first": Work("warm, with .pyc, first time", lambda stage, who: who.create(stage.target, True), with_kept_cache,
                      keep_cache, floors=("compile",), pyc=True),
    "pyc-again": Work("warm, with .pyc, again", lambda stage, who: who.create(stage.target, True), without_prefix,
                      filled_with_pyc, pyc=True),
    "noop": Work("install of what is there", lambda stage, who: who.install(own(stage, who), who.compiles_always), nothing,
                 installed, makes_tree=False),
    "version": Work("`--version`", lambda stage, who: who.version(), nothing, makes_tree=False, start=True),
    "list": Work("`list`", lambda stage, who: who.list(own(stage, who).prefix), nothing, installed, makes_tree=False,
                 start=True),
    "large": Work("one large .tar.bz2", lambda stage, who: who.create_explicit(stage.target, stage.explicit),
                  without_anything, floors=("large",), fills_cache=False),
}


def floor_before(stage, floor):
    remove(floor.folder)
    floor.folder.mkdir(parents=True)
    if floor.name == floors.FLOORS["compile"][0]:
        floors.prepare_compiling(floor.folder, stage.survey)


def contenders_of(work, stage, contenders):
    """Those that can do this work, then its floors. Over a link, downloading is the only floor."""
    able = [contender for contender in contenders if can(work, stage, contender)]
    keys = [key for key in work.floors if key == "download" or stage.network.kind == "loopback"]
    return able + [floors.make(key, stage.folder / "floor", stage.survey, stage.network.url) for key in keys]


def can(work, stage, contender):
    try:
        work.command(stage, contender)
    except Unsupported:
        return False
    return True


def prepare(work, stage, contender):
    if contender.kind == FLOOR:
        floor_before(stage, contender)
    else:
        work.before(stage, contender)


def command(work, stage, contender):
    return contender.command() if contender.kind == FLOOR else work.command(stage, contender)
