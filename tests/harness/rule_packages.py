"""One small package for each rule of linking, for tests (what must come out is written in tests/cli/link_rules_test.py) and
for comparisons with other tools: `python3 rule_packages.py DIR` makes a channel of them.
"""

import sys

from tiny_channel import PLACEHOLDER, Directory, File, Link, TinyChannel

P = PLACEHOLDER
SHORT = "/opt/short_placeholder"
OLD_PLACEHOLDER = "/opt/anaconda1" + "anaconda2anaconda3"
PYTHON = "{}.{}".format(*sys.version_info)

DUMP = """set +x
{{
echo "cwd=$(pwd)"
for name in PREFIX ROOT_PREFIX PKG_NAME PKG_VERSION PKG_BUILDNUM SOURCE_DIR CONDA_PREFIX CONDA_SHLVL CONDA_DEFAULT_ENV FROM_STATE \\
    FROM_VARS; do
    eval "value=\\${{$name-(unset)}}"
    echo "$name=$value"
done
echo "path=${{PATH%%:*}}"
}} > "$PREFIX/../said-{kind}.txt"
echo "{kind} of $PKG_NAME speaks" >> "$PREFIX/.messages.txt"
echo "not for the user"
"""


def wide(text, encoding):
    return text.encode(encoding)


def script(kind):
    return File(DUMP.format(kind=kind), mode=0o755)


BINARY = {
    "lib/one": P.encode() + b"/lib\0tail",
    "lib/two-in-one": b"\x7f" + P.encode() + b"/lib:" + P.encode() + b"/lib64\0tail",
    "lib/two-strings": P.encode() + b"/a\0" + P.encode() + b"/b\0\xff\xfe",
    "lib/no-end": b"start " + P.encode() + b"/open",
    "lib/over-lines": P.encode() + b"/x\ny\0Z",
    "lib/wide": wide(P + "/l\0Z", "utf-16-le") + wide(P + "\0", "utf-32-be"),
}

RULES = {
    "text-prefix": {"files": {
        "bin/tool": File(f"#!{P}/bin/python -E\nhome={P}/x:{P}/y\n", mode=0o755),
        "etc/crlf.conf": File(f"a={P}\r\nb={P}/no newline at the end"),
        "etc/latin.conf": File(b"\xe9t\xe9=" + P.encode() + b"/\xe9\n"),
        "etc/short.conf": File(f"x={SHORT}/y\n", placeholder=SHORT),
        "etc/only-listed.conf": File("nothing to change\n", placeholder=P, mode=0o600),
        "etc/read-only.conf": File(f"{P}\n", mode=0o444)}},
    "binary-prefix": {"files": {path: File(data, file_mode="binary", placeholder=P, mode=0o755 if path == "lib/one" else 0o644)
                                for path, data in BINARY.items()}},
    "short-binary": {"files": {"lib/short": File(SHORT.encode() + b"\0", file_mode="binary", placeholder=SHORT)}},
    "shebangs": {"files": {
        "bin/python-script": File(f"#!{P}/bin/python\nx\n", mode=0o755),
        "bin/with-options": File(f"#!{P}/bin/python -E -s\nx\n", mode=0o755),
        "bin/with-blank": File(f"#! {P}/bin/perl -w\nx\n", mode=0o755),
        "bin/env": File(f"#!/usr/bin/env python\n{P}\n", mode=0o755),
        "bin/shell": File(f"#!/bin/sh\nexec {P}/bin/x \"$@\"\n", mode=0o755),
        "bin/no-newline": File(f"#!{P}/bin/python", mode=0o755)}},
    "shapes": {"files": {
        "lib/libx.so.1": File("x", mode=0o755), "lib/libx.so": Link("libx.so.1"), "lib64": Link("lib"),
        "share/dangling": Link("nowhere/at/all"), "share/up": Link("../lib/libx.so"),
        "etc/own.cfg": File("mine\n", no_link=True), "share/empty": b"",
        "share/private": File("p", mode=0o600), "share/read-only": File("r", mode=0o444),
        "bin/run": File("#!/bin/sh\n", mode=0o711), "share/group": File("g", mode=0o664)}},
    "hollow": {"files": {"var/empty/place": Directory(), "share/hollow": "h"}},
    "special-modes": {"files": {"bin/as-root": File("#!/bin/sh\n", mode=0o4755), "bin/as-group": File("#!/bin/sh\n", mode=0o2755)}},
    "any": {"noarch": "generic", "files": {
        "share/any.txt": f"at {P}\n", "site-packages/not-moved.txt": "generic\n", "python-scripts/stays": "generic\n"}},
    "python": {"version": PYTHON + ".0", "files": {
        f"bin/python{PYTHON}": File("#!/bin/sh\nexec /usr/bin/python3 \"$@\"\n", mode=0o755),
        "bin/python": Link(f"python{PYTHON}"), "bin/python3": Link(f"python{PYTHON}")}},
    "pure": {"noarch": "python", "depends": ["python"], "files": {
        "site-packages/pure/__init__.py": f"here = '{P}'\n", "site-packages/pure/main.py": "def run():\n    return 0\n",
        "site-packages/pure/broken.py": "this is no python\n", "site-packages/pure/data.txt": "data\n",
        "site-packages/pure.pth": "# nothing\n",
        "site-packages/pure-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: pure\nVersion: 1.0\n",
        "site-packages/pure-1.0.dist-info/RECORD": "",
        "python-scripts/pure-script": File(f"#!{P}/bin/python\nprint('script')\n", mode=0o755),
        "share/pure/module.py": "not compiled\n", "etc/pure.conf": "conf\n"},
        "entry_points": ["pure-run = pure.main:run", "pure-deep=pure.main:Tool.start"]},
    "old": {"legacy": True, "extension": ".tar.bz2", "files": {
        "bin/old": File(f"#!{P}/bin/sh\n", mode=0o755), "lib/old.bin": File(P.encode() + b"/x\0y", file_mode="binary"),
        "lib/old.so": Link("old.bin", placeholder=P), "lib/old.so.1": "so", "etc/old.cfg": File("c", no_link=True),
        "share/with blank/old.txt": f"{P}\n"}},
    "scripted": {"build": "h1_3", "build_number": 3, "files": {
        "bin/.scripted-pre-link.sh": script("pre-link"), "bin/.scripted-post-link.sh": script("post-link"),
        "bin/.scripted-pre-unlink.sh": script("pre-unlink"), "share/scripted.txt": "s"}},
    "variables": {"files": {
        "etc/conda/env_vars.d/variables.json": '{"FROM_VARS": "of the package", "Mixed_Case": "as it is"}',
        "etc/conda/activate.d/a.sh": "export FROM_ACTIVATE=\"a $CONDA_PREFIX\"\n",
        "etc/conda/activate.d/b.sh": "export FROM_ACTIVATE=\"$FROM_ACTIVATE b\"\n",
        "etc/conda/deactivate.d/a.sh": "unset FROM_ACTIVATE\n"}},
    "menu": {"files": {"Menu/menu.json": '{"menu_name": "m", "menu_items": []}', "Menu/icon.png": b"\x89PNG"}},
}


def add_rule_packages(channel):
    """Adds all of them to a TinyChannel; returns it."""
    for name, options in RULES.items():
        channel.add(name, **options)
    channel.write_index()
    return channel


if __name__ == "__main__":
    add_rule_packages(TinyChannel(sys.argv[1]))
