"""The differences from conda that are meant: the rows of engine/prefix/COMPATIBILITY.md as rules."""

import re

RULES = []


def rule(name):
    def add(function):
        RULES.append((name, function))
        return function
    return add


def name_of(difference):
    """The row that explains a difference; None when nothing does."""
    return next((name for name, matches in RULES if matches(difference)), None)


def in_record(difference):
    return difference.path.startswith("conda-meta/") and difference.path.endswith(".json")


@rule("paths_data._path of noarch python")
def _(d):
    # conda has the path in the package, so that all of an entry is told twice.
    names = (d.ours or "") + (d.theirs or "") if d.what == "paths_data" else ""
    return in_record(d) and d.what == "paths_data" and (
        (d.theirs and re.match(r"(site-packages|python-scripts)/", d.theirs)) or
        (d.ours and re.match(r"(lib/python[^/]*/site-packages/|lib/pypy[^/]*/site-packages/|bin/)", d.ours))) and bool(names)


@rule("_requested_specs: []")
def _(d):
    return in_record(d) and d.what in ("requested_specs", "_requested_specs") and not d.ours and d.theirs in ([], None)


@rule("timestamp")
def _(d):
    return in_record(d) and d.what == "timestamp" and bool(d.ours) and (d.theirs is None or d.ours // 1000 == d.theirs or
                                                                       abs(d.ours - d.theirs) < 1000)


@rule("license and others: written empty or lost")
def _(d):
    return in_record(d) and d.what in ("license", "license_family", "date", "arch", "platform", "features",
                                       "track_features", "preferred_env", "legacy_bz2_md5", "legacy_bz2_size", "md5", "noarch",
                                       "constrains") and not d.theirs


@rule("bytecode of modules that the interpreter itself has run")
def _(d):
    inside = re.match(r"lib/python[^/]*/(?!site-packages/)(.*/)?__pycache__(/|$)", d.path)
    return bool(inside) and d.what == "there" and d.ours is None


@rule("bytecode: another form of the same code")
def _(d):
    name = d.details.get("path", "")
    if in_record(d) and d.what == "paths_data.size_in_bytes" and name.endswith(".pyc"):
        return True
    # What a .pth file has imported before the compilation is compiled under its absolute path.
    return d.path.endswith(".pyc") and d.what == "content" and without_path(d.ours, d.path) == without_path(d.theirs, d.path)


def without_path(content, path):
    return re.sub(r"'[^'\"]*" + re.escape(path.split("/__pycache__/")[0]), "'", repr(content))


@rule("paths_data.inode_paths")
def _(d):
    return in_record(d) and d.what == "paths_data.inode_paths" and d.ours is None


@rule("symlink that is listed with a prefix")
def _(d):
    return d.what == "kind" and (d.ours, d.theirs) == ("link", "file") or in_record(d) and d.ours is None and d.what in (
        "paths_data.prefix_placeholder", "paths_data.file_mode", "paths_data.sha256_in_prefix")


@rule("empty file that is listed with a prefix")
def _(d):
    return d.what == "hard link" and d.details.get("empty") and d.ours and not d.theirs


@rule("blanks in dependencies")
def _(d):
    def bare(specs):
        return [spec.replace(" ", "") for spec in specs or []]
    return in_record(d) and d.what in ("depends", "constrains") and bare(d.ours) == bare(d.theirs)


@rule("script of one line without newline, where the environment's path has blanks")
def _(d):
    return "bin/no-newline" in (d.path, d.details.get("path")) and d.what in ("content", "paths_data.sha256_in_prefix")


@rule("files older than 1980 in an archive")
def _(d):
    return d.what == "mtime" and d.ours == 315532800 and d.theirs < d.ours


@rule("set-user-ID, set-group-ID, sticky bits")
def _(d):
    return d.what == "mode" and d.ours == d.theirs & 0o777


@rule("read-only file with a prefix in it")
def _(d):
    return d.what == "mode" and d.ours | 0o200 == d.theirs


@rule("Menu/*.json twice in files")
def _(d):
    return in_record(d) and d.what == "files" and sorted(d.ours) == sorted(set(d.theirs))
