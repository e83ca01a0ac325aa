"""Facts that Python distributions carry in their `*.dist-info` / `*.egg-info`.

Problem: a noarch Python package lists its console scripts in `link.json` and the installer writes them;
Debian ships finished scripts instead.

Approach: read `entry_points.txt`, drop Debian's scripts of the same names, and turn a symlink to such a
script into another entry point.
"""

import configparser
import os
import re


def info_folders(site):
    """The metadata folders in a site-packages folder."""
    if not os.path.isdir(site):
        return []
    return [os.path.join(site, name) for name in sorted(os.listdir(site))
            if name.endswith((".dist-info", ".egg-info")) and os.path.isdir(os.path.join(site, name))]


def entry_points(site):
    """{command: "module:attribute"} of all distributions in a site-packages folder."""
    found = {}
    for folder in info_folders(site):
        path = os.path.join(folder, "entry_points.txt")
        if os.path.exists(path):
            parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
            parser.optionxform = str
            parser.read(path)
            if parser.has_section("console_scripts"):
                for command, target in parser.items("console_scripts"):
                    found[command] = re.sub(r"\s*\[.*\]$", "", target).replace(" ", "")
    return found


def take_over_scripts(stage, commands):
    """Removes Debian's scripts that the installer will write; adds aliases that were symlinks."""
    scripts = os.path.join(stage, "python-scripts")
    if not os.path.isdir(scripts):
        return commands
    commands = dict(commands)
    for name in sorted(os.listdir(scripts)):
        path = os.path.join(scripts, name)
        if os.path.islink(path) and os.readlink(path) in commands:
            commands[name] = commands[os.readlink(path)]
            os.unlink(path)
    for name in commands:
        path = os.path.join(scripts, name)
        if os.path.lexists(path):
            os.unlink(path)
    return commands


def requires_python(site):
    """The constraints of `Requires-Python` that a conda spec can say."""
    found = []
    for folder in info_folders(site):
        for name in ("METADATA", "PKG-INFO"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    match = re.search(r"^Requires-Python:\s*(.+)$", file.read(), re.MULTILINE)
                if match:
                    found += re.sub(r"\s", "", match.group(1)).split(",")
    return [c for c in found if re.fullmatch(r"(>=|<=|>|<)[0-9.]+", c)]
