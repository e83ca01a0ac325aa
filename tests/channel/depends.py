"""Debian relations and conda match specs.

Problem: dependencies should be derived from `Depends:`, which has alternatives, virtual packages,
epochs, revisions and other operators than conda.

Approach: parse relations into plain tuples; translate each into (conda name, list of constraints);
merge the constraints of a name into one spec.
"""

import re

from debian import upstream_version

RELATION = re.compile(r"^([a-z0-9][a-z0-9+.\-]*)(?::\w+)?\s*(?:\(\s*([<>=]+)\s*([^)\s]+)\s*\))?")

GLIBC = ("__glibc", [">=2.36", "<3.0.a0"])


def parse(text):
    """`a (>= 1) | b, c` -> [[(a, >=, 1), (b, None, None)], [(c, None, None)]]"""
    groups = []
    for clause in filter(None, (part.strip() for part in text.split(","))):
        matches = [RELATION.match(choice.strip()) for choice in clause.split("|")]
        groups.append([m.groups() for m in matches if m])
    return groups


def constraint(operator, version):
    """The conda form of a Debian version constraint. Conda versions know no Debian revision, hence
    strict comparisons with one become inclusive."""
    if operator is None:
        return []
    upstream = upstream_version(version.rstrip("~"))
    has_revision = "-" in version
    symbol = {">=": ">=", "<=": "<=", "=": "==",
              ">>": ">=" if has_revision else ">",
              "<<": "<=" if has_revision else "<"}.get(operator)
    return [symbol + upstream] if symbol else []


def negated(operator, version):
    """What must hold when `Breaks: x (operator version)` is declared; only lower bounds come out."""
    upstream = upstream_version(version.rstrip("~"))
    return {"<<": [">=" + upstream], "<=": [">=" + upstream]}.get(operator, [])


def pinned(version, digits):
    """`>=version,<next` where next is the first incompatible version: pinned("0.2.5", 2) is
    >=0.2.5,<0.3.0a0"""
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    parts = [int(n) for n in numbers.group().split(".")] if numbers else []
    if not parts:
        return [">=" + version]
    parts = (parts + [0] * digits)[:digits]
    parts[-1] += 1
    return [">=" + version, "<" + ".".join(map(str, parts)) + ".0a0"]


def merge(pairs):
    """[(name, constraints), ...] -> sorted match specs, one a name."""
    wanted = {}
    for name, constraints in pairs:
        known = wanted.setdefault(name, [])
        known += [c for c in constraints if c not in known]
    return [f"{name} {','.join(sort_constraints(found))}".strip()
            for name, found in sorted(wanted.items())]


def sort_constraints(constraints):
    order = {">": 0, "=": 1, "!": 2, "<": 3}
    return sorted(constraints, key=lambda c: order.get(c[0], 1))
