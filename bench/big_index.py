#!/usr/bin/python3
"""Writes a channel index as large as real ones: every package of the configured Debian suites, in several versions.

    bench/big_index.py --records 510000 DIRECTORY

Names and dependencies are those of Debian (`apt-cache dumpavail`); what Debian builds for every architecture becomes
noarch. Each name gets so many versions that the given number of records comes out, the last one being Debian's. There
are no archives: the index can be solved with, not installed from. The same lists give the same index.
"""

import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import sys

SUBDIRS = ("linux-64", "noarch")
FIRST_TIMESTAMP = 1_500_000_000_000
OLD_FORMAT_SHARE = 0.1  # so much of the oldest versions are .tar.bz2


def conda_name(name):
    return name.lower().replace("+", "_plus")


def conda_version(version):
    """The upstream part of a Debian version, in characters that conda knows."""
    upstream = version.split(":", 1)[-1].rsplit("-", 1)[0]
    return ".".join(part for part in re.split(r"[^0-9a-z]+", upstream.lower()) if part) or "0"


def read_packages():
    """name -> (version, is noarch, dependencies as Debian writes them, section)"""
    text = subprocess.run(["apt-cache", "dumpavail"], stdout=subprocess.PIPE, check=True).stdout.decode()
    packages = {}
    for paragraph in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][A-Za-z-]*): (.*)$", paragraph, re.MULTILINE))
        if "Package" not in fields or "Version" not in fields:
            continue
        name = conda_name(fields["Package"])
        depends = ",".join(fields[key] for key in ("Pre-Depends", "Depends") if key in fields)
        packages.setdefault(name, (conda_version(fields["Version"]), fields.get("Architecture") == "all", depends,
                                   fields.get("Section", "misc")))
    return packages


def dependencies(packages, text):
    """What conda would say: pairs of a name and a constraint, of what exists only."""
    for clause in filter(None, (part.strip() for part in text.split(","))):
        match = re.match(r"([A-Za-z0-9.+-]+)(?::\w+)?\s*(?:\(\s*(<<|<=|=|>=|>>)\s*([^)]+)\))?", clause.split("|")[0].strip())
        if not match or conda_name(match[1]) not in packages:
            continue
        name = conda_name(match[1])
        newest = packages[name][0]
        if match[2] in (">=", "="):
            lowest = conda_version(match[3].strip())
            major = re.match(r"\d+", newest)
            # As run_exports do: not beyond the next major version. Only bounds that hold for what there is.
            if major and lowest.split(".")[0].isdigit() and int(lowest.split(".")[0]) <= int(major[0]):
                below = f",<{int(major[0]) + 1}.0a0" if name.startswith("lib") else ""
                yield name, f">={lowest.split('.')[0]}{below}" if match[2] == ">=" else f"{newest}.*"
                continue
        yield name, ""


def record(name, version, noarch, depends, section, number, count):
    identity = hashlib.sha256(f"{name} {version}".encode()).hexdigest()
    build = f"h{identity[:7]}_{number % 3}"
    result = {"build": build, "build_number": number % 3, "depends": depends, "license": section.split("/")[-1],
              "md5": identity[:32], "name": name, "sha256": identity, "size": int(identity[:6], 16),
              "subdir": SUBDIRS[noarch], "timestamp": FIRST_TIMESTAMP + number * 86_400_000, "version": version}
    if noarch:
        result["noarch"] = "generic"
    extension = ".tar.bz2" if number < count * OLD_FORMAT_SHARE else ".conda"
    return f"{name}-{version}-{build}{extension}", result


def make_records(packages, wanted):
    """By subdir and section: file name -> record."""
    each, more = divmod(wanted, len(packages))
    content = {subdir: {"packages": {}, "packages.conda": {}} for subdir in SUBDIRS}
    for place, (name, (newest, noarch, text, section)) in enumerate(sorted(packages.items())):
        count = each + (place < more)
        needed = [f"{other} {bound}".strip() for other, bound in dict(dependencies(packages, text)).items()]
        for number in range(count):
            # Debian's is the last; the older ones are its predecessors in the last component.
            version = f"{newest}.{number}"
            # Dependencies change from version to version in real channels too.
            depends = needed if number >= count // 2 else needed[:-1] if len(needed) > 1 else needed
            file, one = record(name, version, noarch, depends, section, number, count)
            content[SUBDIRS[noarch]]["packages" if file.endswith(".tar.bz2") else "packages.conda"][file] = one
    return content


def write(folder, subdir, sections, level):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "repodata.json"
    index = {"info": {"subdir": subdir}, **{key: dict(sorted(value.items())) for key, value in sections.items()},
             "removed": [], "repodata_version": 1}
    with open(path, "w") as out:
        json.dump(index, out)
    subprocess.run(["zstd", "-q", "-f", f"-{level}", "-T0", path], check=True)
    return path.stat().st_size


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=510_000)
    parser.add_argument("--level", type=int, default=9, help="of compression (default 9)")
    parser.add_argument("directory", type=pathlib.Path)
    options = parser.parse_args()
    packages = read_packages()
    if not packages:
        sys.exit("apt-cache knows no packages: run `apt-get update` first")
    content = make_records(packages, options.records)
    total = 0
    for subdir, sections in content.items():
        total += write(options.directory / subdir, subdir, sections, options.level)
    records = sum(len(part) for sections in content.values() for part in sections.values())
    print(f"{records} records of {len(packages)} names, {total / 1e6:.0f} MB of JSON in {options.directory}")


if __name__ == "__main__":
    main()
