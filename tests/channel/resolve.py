"""From a set to the list of packages to build.

Problem: a set names debs; those need other debs, some of which are in other packages of the set, some
come with the host, and some nobody listed.

Approach: fetch, read `Depends:`, and give every dependency that neither belongs to a package of the set
nor to the host a package of its own, until nothing is missing. All of that needs only the lock of the
cache, so that it is fast when nothing changed.
"""

import fnmatch
import hashlib
import json
from dataclasses import dataclass, field

import depends
from debian import ChannelError, upstream_version
from recipes import Recipe

BOOKWORM = 1686355200            # release day of Debian 12: the date of packages without debs


@dataclass
class Package:
    """A conda package with everything that is known before its payload is unpacked."""
    name: str
    version: str
    recipe: Recipe
    debs: list                   # specs in the deb cache
    timestamp: int
    library: bool                # dependents pin it like a shared library
    requires: list = field(default_factory=list)       # (conda name, constraints)
    constrains: list = field(default_factory=list)

    def label(self):
        return f"{self.name} {self.version}"


class Plan:
    """All packages of a set and how debs map to them."""

    def __init__(self, recipe_set, cache):
        self.set = recipe_set
        self.cache = cache
        self.recipes = list(recipe_set.recipes)
        self.owner = {}              # deb name (real or provided) -> recipe
        self._close()
        self._name_all()
        self.packages = {r.name: self._package(r, r.debs) for r in self.recipes}
        self.variants = self._variants()
        for package in self.all():
            package.requires = list(self._requires(package))
            package.constrains = list(self._constrains(package))

    def all(self):
        return list(self.packages.values()) + self.variants

    def _close(self):
        pending = self.recipes
        while pending:
            self.cache.ensure([deb for recipe in pending for deb in recipe.debs])
            for recipe in pending:
                self._claim(recipe)
            groups = [group for recipe in pending for group in self._relations(recipe)
                      if not any(self._known(choice[0]) for choice in group)]
            self.cache.real_names(sorted({self._real(group[0][0]) for group in groups}))
            missing = sorted({self._real(group[0][0]) for group in groups} - set(self.owner))
            pending = [Recipe(debs=[deb]) for deb in missing]
            self.recipes += pending

    def _claim(self, recipe):
        for deb in recipe.debs:
            if self.owner.setdefault(deb, recipe) is not recipe:
                raise ChannelError(f"the deb {deb} is in two packages")
        for name in recipe.get("provides", []):
            self.owner[name] = recipe
        for deb in recipe.debs:
            for group in depends.parse(self.cache.debs[deb].get("Provides")):
                self.owner.setdefault(group[0][0], recipe)

    def _relations(self, recipe):
        dropped = recipe.get("drop", [])
        for deb in recipe.debs:
            control = self.cache.debs[deb]
            for group in depends.parse(control.get("Pre-Depends") + "," + control.get("Depends")):
                if group and not any(_matches(choice[0], dropped) for choice in group):
                    yield group

    def _real(self, deb):
        deb = self.set.virtual.get(deb, deb)
        return deb if deb in self.owner else self.cache.virtual.get(deb, deb)

    def _host(self, deb):
        return _matches(deb, self.set.host)

    def _known(self, deb):
        return self._real(deb) in self.owner or self._host(deb)

    def _name_all(self):
        taken = {r.name for r in self.recipes if r.name}
        for recipe in self.recipes:
            if not recipe.name:
                recipe.name = derived_name(recipe.debs[0], self.cache.debs[recipe.debs[0]])
                if recipe.name in taken:
                    raise ChannelError(f"two packages are called {recipe.name}; name one of them: "
                                       f"{recipe.debs[0]}")
                taken.add(recipe.name)

    def _package(self, recipe, debs):
        if not debs:
            return Package(recipe.name, recipe.get("version"), recipe, [], BOOKWORM, False)
        first = self.cache.debs[debs[0]]
        version = recipe.get("version") or upstream_version(first.get("Version"))
        library = first.get("Section").endswith("libs") and first.get("Architecture") != "all"
        timestamp = max(self.cache.debs[deb].timestamp for deb in debs)
        return Package(recipe.name, version, recipe, list(debs), timestamp, library)

    def _variants(self):
        """Older versions of packages, from other releases that apt knows; none if they are the same."""
        found = []
        for recipe in self.recipes:
            for release in recipe.get("releases", []):
                debs = [f"{deb}/{release}" for deb in recipe.debs]
                self.cache.ensure(debs)
                package = self._package(recipe, debs)
                if package.version != self.packages[recipe.name].version:
                    found.append(package)
        return found

    def _requires(self, package):
        recipe = package.recipe
        for group in self._relations(recipe):
            name, operator, version = next(c for c in group if self._known(c[0]))
            target = self.owner.get(self._real(name))
            if name == "libc6":
                yield depends.GLIBC
            if target is None or target is recipe:
                continue
            other = self.packages[target.name]
            if other.library:
                yield other.name, depends.pinned(other.version, other.recipe.get("pin", 2))
            elif name in target.debs or other.name == "python":
                yield other.name, depends.constraint(operator, version)
            else:                    # a virtual package: its version is not the package's
                yield other.name, []

    def _constrains(self, package):
        for deb in package.debs:
            for group in depends.parse(self.cache.debs[deb].get("Breaks")):
                name, operator, version = group[0]
                target = self.owner.get(name)
                bounds = depends.negated(operator, version) if operator else []
                if bounds and target and target is not package.recipe and name in target.debs:
                    yield target.name, bounds

    def key(self, package, builder):
        """Changes whenever the archives of the package would."""
        parts = [builder, package.recipe.fingerprint(), package.version, package.requires,
                 package.constrains, self.set.exclude, self.set.zstd_level,
                 [self.cache.debs[d].file for d in package.debs]]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _matches(deb, patterns):
    return any(fnmatch.fnmatchcase(deb, pattern) for pattern in patterns)


def derived_name(spec, deb):
    """requests for python3-requests (the name of the distribution inside), else the deb's name."""
    if spec.startswith("python3-"):
        stem = spec[len("python3-"):]
        return deb.dists[0] if len(deb.dists) == 1 else stem
    if len(deb.dists) == 1 and spec == deb.dists[0]:
        return spec
    return spec.replace("+", "x")
