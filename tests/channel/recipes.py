"""The tables in recipes/: which conda packages a set holds.

Problem: sets range from 50 to hundreds of packages, and nearly everything about a package can be
derived from its debs.

Approach: a set is a JSON file with a list of packages. A plain string is the name of a deb from which
everything is derived; an object adds what cannot be. README.md explains the keys. `common.json` holds
what is true for all sets.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from debian import ChannelError

FOLDER = Path(__file__).resolve().parent / "recipes"

KEYS = {"name", "debs", "version", "build", "numbers", "releases", "formats", "legacy", "pin", "rpath",
        "depends", "constrains", "drop", "provides", "exclude", "keep", "move", "links", "add", "edits",
        "concatenate", "no_link", "license", "incomplete", "why"}


@dataclass
class Recipe:
    """What a table says about one conda package; everything else is derived from the debs."""
    name: str = ""                                       # empty: derived from the first deb
    debs: list = field(default_factory=list)
    options: dict = field(default_factory=dict)

    def get(self, key, default=None):
        return self.options.get(key, default)

    def fingerprint(self):
        """Changes when the recipe or a file that it adds changes."""
        parts = [json.dumps([self.name, self.debs, self.options], sort_keys=True)]
        parts += [(FOLDER / source).read_text() for source in self.get("add", {}).values()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass
class RecipeSet:
    """A set with all that it extends, in order."""
    recipes: list
    host: list            # patterns of debs that the host provides or that nobody needs
    virtual: dict         # virtual deb name -> real one
    exclude: list         # patterns of prefix paths that no package ships
    zstd_level: int


def load(name, triplet, machine):
    """Loads the set `name`, the sets that it extends, and common.json."""
    common = _read("common", triplet, machine)
    packages, level = _collect(name, triplet, machine, seen=set())
    recipes = [_recipe(entry) for entry in packages]
    names = [r.name for r in recipes if r.name]
    for duplicate in {n for n in names if names.count(n) > 1}:
        raise ChannelError(f"set {name}: the package {duplicate} is defined twice")
    return RecipeSet(recipes, common["host"], common["virtual"], common["exclude"], level)


def _collect(name, triplet, machine, seen):
    if name in seen:
        return [], 0
    seen.add(name)
    table = _read(name, triplet, machine)
    packages = []
    for base in table.get("extends", []):
        packages += _collect(base, triplet, machine, seen)[0]
    return packages + table["packages"], table.get("zstd_level", 19)


def _read(name, triplet, machine):
    path = FOLDER / f"{name}.json"
    if not path.exists():
        known = sorted(p.stem for p in FOLDER.glob("*.json") if p.stem != "common")
        raise ChannelError(f"there is no set {name}; known sets: {', '.join(known)}")
    text = path.read_text().replace("@TRIPLET@", triplet).replace("@MACHINE@", machine)
    try:
        return json.loads(text)
    except ValueError as error:
        raise ChannelError(f"{path.name}: {error}") from None


def _recipe(entry):
    if isinstance(entry, str):
        return Recipe(debs=[entry])
    unknown = set(entry) - KEYS
    if unknown:
        raise ChannelError(f"recipe {entry.get('name')}: unknown keys {', '.join(sorted(unknown))}")
    options = {k: v for k, v in entry.items() if k not in ("name", "debs", "why")}
    return Recipe(entry.get("name", ""), entry.get("debs", []), options)
