"""How taipan and its peers are told to do the same work.

Each contender has a folder of its own, with its package cache and everything else it remembers; the prefix is at the same
path for all, since it is written into files.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess

TAIPAN, PEER, FLOOR = "taipan", "peer", "floor"


class Unsupported(Exception):
    """This contender has no such command."""


@dataclasses.dataclass
class Target:
    """What is to be made, and where."""

    prefix: pathlib.Path
    channel: str
    specs: list


class Contender:
    """A program with conda's command line in micromamba's dialect, which taipan speaks too."""

    kind = PEER
    compares_contents = True
    compiles_always = False

    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        self.name = pathlib.Path(program).name
        self.packages = self.folder / "pkgs"
        self.cached = None  # None: no packages; False: the environment's packages; True: they and a run with .pyc

    @property
    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8",
                "MAMBA_ROOT_PREFIX": str(self.folder / "root"), "CONDA_PKGS_DIRS": str(self.packages)}

    def version(self):
        return [self.program, "--version"]

    def list(self, prefix):
        return [self.program, "list", "-p", str(prefix), "--no-rc"]

    def create(self, target, pyc):
        return self._change("create", target, pyc)

    def install(self, target, pyc):
        return self._change("install", target, pyc)

    def create_explicit(self, target, file):
        """Exactly the packages that are listed in this file, by URL."""
        return [self.program, "create", "-y", "-q", "-p", str(target.prefix), "--no-rc", "--no-pyc", "-f", str(file)]

    def _change(self, verb, target, pyc):
        return [self.program, verb, "-y", "-q", "-p", str(target.prefix), "--no-rc", "--override-channels",
                "-c", target.channel, *([] if pyc else ["--no-pyc"]), *target.specs]

    def forget(self):
        """Everything that it remembers goes away."""
        remove(self.folder)
        self.folder.mkdir(parents=True)
        self.cached = None


class Taipan(Contender):
    kind = TAIPAN

    def __init__(self, program, folder):
        super().__init__(program, folder)
        self.name = "taipan"


class Conda(Contender):
    """conda always compiles, has no option against it, and knows no `--no-rc` (its HOME is empty here)."""

    compiles_always = True

    def list(self, prefix):
        return [self.program, "list", "-p", str(prefix)]

    def create_explicit(self, target, file):
        raise Unsupported

    def _change(self, verb, target, pyc):
        if not pyc:
            raise Unsupported
        return [self.program, verb, "-y", "-q", "-p", str(target.prefix), "--override-channels", "-c", target.channel,
                *target.specs]


class Pixi(Contender):
    """pixi makes environments of projects, at a path of its own below the project, and never compiles.

    It writes other files of its own into conda-meta, so that only names are compared.
    """

    compares_contents = False
    PLACE = pathlib.Path(".pixi", "envs", "default")  # where pixi puts a project's environment

    @property
    def environment(self):
        return {**super().environment, "PIXI_CACHE_DIR": str(self.packages), "PIXI_HOME": str(self.folder)}

    def list(self, prefix):
        manifest = self._project(prefix) / "pixi.toml"
        return [self.program, "list", "--manifest-path", str(manifest), "--frozen", "--no-install"]

    def create_explicit(self, target, file):
        raise Unsupported

    def _change(self, verb, target, pyc):
        if pyc:
            raise Unsupported
        project = self._project(target.prefix)
        project.mkdir(parents=True, exist_ok=True)
        if verb == "create":
            (project / "pixi.lock").unlink(missing_ok=True)
        (project / "pixi.toml").write_text(self._manifest(target))
        return [self.program, "install", "-q", "--manifest-path", str(project / "pixi.toml")]

    def _project(self, prefix):
        if not pathlib.Path(prefix).match(str(self.PLACE)):
            raise Unsupported
        return pathlib.Path(prefix).parents[len(self.PLACE.parts) - 1]

    @staticmethod
    def _manifest(target):
        lines = ["[workspace]", 'name = "work"', f'channels = ["{target.channel}"]', 'platforms = ["linux-64"]',
                 "[dependencies]"]
        for spec in target.specs:
            name, version = re.fullmatch(r"([\w.-]+)\s*(.*)", spec).groups()
            lines.append(f'"{name}" = "{version.strip() or "*"}"')
        return "\n".join(lines) + "\n"


ADAPTERS = {"micromamba": Contender, "mamba": Contender, "conda": Conda, "pixi": Pixi}


def find_peers(named):
    """(adapter, program) of the named ones, else of those on PATH."""
    found = []
    for name in named or ADAPTERS:
        adapter = ADAPTERS.get(pathlib.Path(name).name)
        program = shutil.which(name)
        if adapter is None:
            raise RuntimeError(f"{name}: only {', '.join(ADAPTERS)} are known")
        if program is not None:
            found.append((adapter, str(pathlib.Path(program).absolute())))
        elif named:
            raise RuntimeError(f"there is no program {name}")
    return found


def remove(path):
    """Quicker than shutil.rmtree for trees of many files."""
    subprocess.run(["rm", "-rf", "--", path], check=True)
