"""Building one conda package out of its debs.

Problem: the steps depend on each other (kind -> layout -> payload -> dependencies -> build string ->
metadata), and any of them can fail for any of hundreds of packages.

Approach: `build` reads as the outline; it works in a temporary folder and gives back a Built, or raises
ChannelError with the package's name.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field

import depends
import elf
import index
import metadata
import pydist
import relocate
from debian import ChannelError, unpack
from layout import PYTHON, SITE, Layout, arrange, walk
from recipes import FOLDER
from write import write_archive

PYTHON_PIN = [f">={PYTHON}", "<3.12.0a0"]
PYTHON_ABI = [f"{PYTHON}.*", "*_cp311"]


@dataclass
class Job:
    """All that a worker process needs to build a package."""
    package: object                   # resolve.Package
    deb_paths: list
    controls: list                    # control fields, one a deb
    exclude: list
    zstd_level: int
    subdir: str
    triplet: str
    machine: str
    out: str                          # the channel being built
    work: str                         # for temporary files


@dataclass
class Facts:
    """What info/ says about a package; see metadata.py."""
    name: str
    version: str
    timestamp: int
    placeholder: str
    subdir: str
    machine: str
    noarch: str = ""                  # "", "python" or "generic"
    legacy: bool = False
    build: str = ""
    build_number: int = 0
    depends: list = field(default_factory=list)
    constrains: list = field(default_factory=list)
    entry_points: dict = field(default_factory=dict)
    no_link: list = field(default_factory=list)
    run_exports: list = field(default_factory=list)
    hash_input: dict = field(default_factory=dict)
    license: str = None
    home: str = ""
    summary: str = ""
    debs: list = field(default_factory=list)


@dataclass
class Built:
    """The result of a build: archives in the channel, and what the final check wants to know."""
    records: dict                     # "subdir/file name" -> repodata record
    given: list                       # sonames
    needed: dict                      # file -> sonames


def build(job):
    """Builds all archives of one package."""
    try:
        with tempfile.TemporaryDirectory(dir=job.work) as work:
            return _build(job, os.path.join(work, "raw"), os.path.join(work, "stage"))
    except (ChannelError, ValueError, OSError, KeyError) as error:
        raise ChannelError(f"{job.package.label()}: {error}") from error


def _build(job, raw, stage):
    os.makedirs(raw)
    os.makedirs(stage)
    for path in job.deb_paths:
        unpack(path, raw)
    facts = _facts(job, raw)
    layout = Layout(job.triplet, facts.noarch == "python", _get(job, "move", {}),
                    job.exclude + _get(job, "exclude", []), _get(job, "keep", []))
    arrange(raw, stage, layout)
    if facts.noarch == "python":
        site = os.path.join(stage, "site-packages")
        facts.entry_points = pydist.take_over_scripts(stage, pydist.entry_points(site))
    _concatenate(job, stage, facts)
    _edit(job, stage)
    _add(job, stage, facts)
    rpath = _get(job, "rpath") == "placeholder"
    relocate.Relocator(stage, layout, job.triplet, facts.placeholder, rpath).run()
    _depend(job, stage, facts)
    given, needed = metadata.libraries(stage)
    records = {}
    for number in _get(job, "numbers", [0]):
        _number(job, facts, number)
        metadata.write_info(stage, raw, facts)
        records.update(_archives(job, stage, facts))
        shutil.rmtree(os.path.join(stage, "info"))
    return Built(records, given, needed)


def _get(job, key, default=None):
    return job.package.recipe.get(key, default)


def _facts(job, raw):
    package = job.package
    first = job.controls[0] if job.controls else {}
    homepage = next((c["Homepage"] for c in job.controls if c.get("Homepage")), "")
    return Facts(
        package.name, package.version, package.timestamp,
        relocate.placeholder(package.name, package.timestamp), job.subdir, job.machine,
        noarch=_noarch(job, raw), legacy=_get(job, "legacy", False),
        constrains=depends.merge(package.constrains) + _get(job, "constrains", []),
        no_link=_get(job, "no_link", []),
        license=_get(job, "license") or metadata.license_of(raw, [c["Package"] for c in job.controls]),
        home=homepage, summary=first.get("Description", ""),
        debs=[f"{c['Package']} {c['Version']}" for c in job.controls])


def _noarch(job, raw):
    """The noarch kind: none if a deb depends on the architecture or anything in it is machine code."""
    if any(c["Architecture"] != "all" for c in job.controls) or not job.controls:
        return ""
    for path in walk(raw):
        full = os.path.join(raw, path)
        if not os.path.islink(full) and elf.is_elf(full):
            return ""
    modules = os.path.join(raw, "usr/lib/python3/dist-packages")
    return "python" if os.path.isdir(modules) and os.listdir(modules) else "generic"


def _concatenate(job, stage, facts):
    """Recipe key `concatenate`: {new file: pattern}, joins files in name order."""
    for target, folder in _get(job, "concatenate", {}).items():
        parts = [os.path.join(stage, folder, p) for p in walk(os.path.join(stage, folder))]
        if not parts:
            raise ChannelError(f"nothing to concatenate in {folder}")
        full = os.path.join(stage, target)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as out:
            for part in parts:
                with open(part, "rb") as file:
                    out.write(file.read())
        os.utime(full, (facts.timestamp, facts.timestamp))


def _edit(job, stage):
    """Recipe key `edits`: undoes what Debian changed for its own layout. Every pattern must match."""
    for edit in _get(job, "edits", []):
        full = os.path.join(stage, edit["file"])
        with open(full, encoding="latin-1", newline="") as file:
            text = file.read()
        new, count = re.subn(edit["pattern"], lambda _: edit["replace"], text)
        if count == 0:
            raise ChannelError(f"the edit of {edit['file']} matches nothing: {edit['pattern']}")
        if "\0" in text and len(new) != len(text):
            raise ChannelError(f"the edit of the binary {edit['file']} changes its length")
        relocate.rewrite(full, new.encode("latin-1"))


def _add(job, stage, facts):
    """Recipe keys `add` ({path: file in recipes/}) and `links` ({path: text of the symlink})."""
    for target, source in _get(job, "add", {}).items():
        full = os.path.join(stage, target)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        shutil.copyfile(FOLDER / source, full)
        os.chmod(full, 0o755 if target.startswith("bin/") else 0o644)
        os.utime(full, (facts.timestamp, facts.timestamp))
    for target, text in _get(job, "links", {}).items():
        full = os.path.join(stage, target)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        os.symlink(text, full)
        os.utime(full, (facts.timestamp, facts.timestamp), follow_symlinks=False)


def _depend(job, stage, facts):
    """All dependencies: of the debs, of Python packages on Python, and the recipe's own."""
    wanted = list(job.package.requires)
    if facts.noarch == "python":
        wanted.append(("python", pydist.requires_python(os.path.join(stage, "site-packages"))))
    elif os.path.isdir(os.path.join(stage, SITE)) and job.package.name != "python":
        wanted = [w for w in wanted if w[0] != "python"] + [("python", PYTHON_PIN)]
    facts.depends = depends.merge(wanted) + _get(job, "depends", [])
    if ("python", PYTHON_PIN) in wanted:
        facts.depends.append("python_abi " + " ".join(PYTHON_ABI))
    facts.depends.sort()
    if job.package.library:
        bounds = ",".join(depends.pinned(job.package.version, _get(job, "pin", 2)))
        facts.run_exports = [f"{job.package.name} {bounds}"]


def _number(job, facts, number):
    """Sets build number and build string; the hash in it covers what conda-build would call variants."""
    facts.build_number = number
    facts.hash_input = {"debs": facts.debs, "depends": facts.depends, "recipe": job.package.recipe.fingerprint()}
    digest = hashlib.sha256(json.dumps(facts.hash_input, sort_keys=True).encode()).hexdigest()[:7]
    compiled = any(spec.startswith("python_abi ") for spec in facts.depends)
    tag = "py311" if compiled else "py" if facts.noarch == "python" else ""
    template = _get(job, "build", f"{tag}h{{hash}}_{{number}}")
    facts.build = template.format(hash=digest, number=number)


def _archives(job, stage, facts):
    subdir = "noarch" if facts.noarch else facts.subdir
    folder = os.path.join(job.out, subdir)
    stem = f"{facts.name}-{facts.version}-{facts.build}"
    records = {}
    for extension in _get(job, "formats", ["conda"]):
        name = write_archive(stage, folder, stem, extension, facts.timestamp, job.zstd_level)
        records[f"{subdir}/{name}"] = index.record(os.path.join(folder, name))
    return records
