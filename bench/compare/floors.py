"""The same work by ordinary tools, as far as they can do it: nothing is resolved, verified, rewritten or recorded here.

A floor looks like a contender to the turns: a name, a kind, a folder, and a command for a work.
"""

import json
import os
import pathlib
import shutil
import subprocess

from .contenders import FLOOR


class Floor:
    kind = FLOOR
    environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "LANG": "C.UTF-8"}

    def __init__(self, name, folder, command):
        self.name, self.folder, self._command = name, pathlib.Path(folder), command

    def command(self):
        return self._command(self.folder)


def shell(text, *words):
    return ["/bin/sh", "-c", text, *map(str, words)]


def download(folder, survey, url):
    """All archives, into files, by one curl process."""
    config = folder.with_name("curl.config")
    lines = [f'url = "{url}/{package.subdir}/{package.file}"\noutput = "{folder}/{package.file}"\n'
             for package in survey.packages]
    config.write_text("".join(lines))
    return [shutil.which("curl"), "--parallel", "--fail", "--silent", "--show-error", "-K", str(config)]


def extract_content(folder, survey, _):
    return shell('zstd -dc "$1" | tar -C "$0" -xf -', folder, survey.material / "content.tar.zst")


def extract_everywhere(folder, survey, _):
    """The same content in as many archives as there are cores, at the same time."""
    return shell("ls \"$1\"/* | xargs -P 0 -n 1 sh -c 'zstd -dc \"$1\" | tar -C \"$0\" -xf -' \"$0\"",
                 folder, survey.material / "parts")


def extract_large(folder, survey, _):
    archive = survey.material / "large" / survey.large.subdir / survey.large.file
    return shell('bzip2 -dc "$1" | tar -C "$0" -xf -', folder, archive)


def link(folder, survey, _):
    return ["/bin/cp", "-al", str(survey.material / "tree"), str(folder / "tree")]


def prepare_compiling(folder, survey):
    """A copy of the tree without .pyc, and the list of what installers compile: the modules of noarch Python packages."""
    sources = []
    for path in sorted((survey.material / "tree" / "conda-meta").glob("*.json")):
        record = json.loads(path.read_text())
        if record.get("noarch") == "python":
            sources += [name for name in record["files"] if name.endswith(".py") and "/site-packages/" in name]
    subprocess.run(link(folder, survey, None), check=True)
    (folder / "sources").write_text("".join(f"{folder}/tree/{name}\0" for name in sources))


def compile_sources(folder, survey, _):
    """CPython's compileall; its own -j is for folders only."""
    cores = len(os.sched_getaffinity(0))
    return shell(f'xargs -0 -P {cores} -n 200 "$0"/tree/bin/python -m compileall -q < "$0"/sources', folder)


FLOORS = {
    "download": ("curl --parallel", download),
    "content": ("zstd -dc \\| tar -x", extract_content),
    "everywhere": ("zstd -dc \\| tar -x, each core", extract_everywhere),
    "large": ("bzip2 -dc \\| tar -x", extract_large),
    "link": ("cp -al", link),
    "compile": ("compileall, each core", compile_sources),
}


def make(key, folder, survey, url):
    name, command = FLOORS[key]
    return Floor(name, folder, lambda place: command(place, survey, url))
