"""Drawing requests from channels."""

import json
from dataclasses import dataclass, field


# What the virtual packages of other systems are said to be.
OTHER_MACHINES = {"osx": [{"CONDA_OVERRIDE_OSX": "11.0"}, {"CONDA_OVERRIDE_OSX": "14.5"}, {"CONDA_OVERRIDE_OSX": ""}],
                  "win": [{"CONDA_OVERRIDE_WIN": "10.0.19045"}],
                  "linux": [{"CONDA_OVERRIDE_GLIBC": "2.12"}, {"CONDA_OVERRIDE_GLIBC": "2.39"}]}


@dataclass
class Request:
    """One question. `before` are the records of the environment that is there already, if any."""
    kind: str  # create, install, update, update-all, remove
    specs: list
    channels: list
    flags: list = field(default_factory=list)
    before: list | None = None
    history: list = field(default_factory=list)
    pins: list = field(default_factory=list)
    overrides: dict = field(default_factory=dict)
    platform: str = ""  # another one than this machine's

    def __str__(self):
        text = f"{self.kind} {' '.join(self.flags + self.specs)}"
        for title, value in (("pins", self.pins), ("history", [] if len(self.history) > 9 else self.history), ("overrides", self.overrides),
                             ("platform", self.platform)):
            text += f" | {title}: {value}" if value else ""
        return text


def plain_name(spec):
    spec = spec.rsplit("::", 1)[-1]
    for at, letter in enumerate(spec):
        if letter in " =<>!~[":
            return spec[:at]
    return spec


def packages(channels, platform):
    """name -> records of all channels."""
    by_name = {}
    for channel in channels:
        for index in (channel / subdir / "repodata.json" for subdir in (platform, "noarch")):
            if not index.exists():
                continue
            data = json.loads(index.read_bytes())
            for section in ("packages", "packages.conda"):
                for fn, record in data.get(section, {}).items():
                    where = {"fn": fn, "channel": channel.resolve().as_uri(), "subdir": index.parent.name}
                    by_name.setdefault(record["name"], []).append({**record, **where})
    return by_name


def minor(version):
    return ".".join(version.split(".")[:2])


def a_rare_spec(record, rng):
    """What few people type, and all three programs read."""
    name, version, build = record["name"], record["version"], record["build"]
    number = record.get("build_number", 0)
    forms = [f"{record['channel']}::{name}", f"{record['channel']}::{name}={version}", f"{name}[build_number='>={number}']",
             f"{name}[build_number={number}]", f"{name}[md5={record['md5']}]", f"{name}[version='{version}']",
             f"{name}[version='{version}',build='{build}']", f"{name}[build='{build[:2]}*']", f"{name}=*={build[:2]}*",
             f"{name}~={minor(version)}", f"{name}!={version}", f"{name}!={minor(version)}.*", f"{name}>={minor(version)},!={version}",
             f"{name}[subdir={record['subdir']}]", f"{name} {version}|{minor(version)}.*"]
    return rng.choice(forms)


def a_spec(by_name, name, rng, rare=False):
    record = rng.choice(by_name[name])
    if rare and rng.random() < 0.5:
        return a_rare_spec(record, rng)
    version = record["version"]
    forms = [name] * 9 + [f"{name}={minor(version)}"] * 4 + [f"{name}>={version}"] * 2 + [f"{name}<{version}"] * 2
    forms += [f"{name}=={version}"] * 2 + [f"{name}={version}={record['build']}"] * 2 + [f"{name}!={version}"]
    forms += [f"{name}={version.split('.')[0]}.*", f"{name}<={version}|>{version}9"]
    return rng.choice(forms)


def some_specs(by_name, rng, names=None, rare=False):
    pool = sorted(names if names is not None else by_name)
    specs = [a_spec(by_name, name, rng, rare) for name in rng.sample(pool, min(len(pool), rng.choice([1, 1, 1, 2, 2, 3])))]
    if "python" in by_name and rng.random() < 0.3 and names is None:
        specs.append("python=" + minor(rng.choice(by_name["python"])["version"]))
    return specs


def unsolvable_specs(by_name, rng):
    """What contradicts itself, as often as not deep down: two versions of what two packages need."""
    specs = some_specs(by_name, rng)
    name = rng.choice([plain_name(spec) for spec in specs])
    versions = sorted({record["version"] for record in by_name[name]})
    missing = rng.choice([f"{name}>9999", f"{name}=0.0.0", f"{name}-nowhere", f"{name}=*=nobuild_99"])
    exact = [f"{n}={r['version']}={r['build']}" for n in rng.sample(sorted(by_name), min(4, len(by_name))) for r in [rng.choice(by_name[n])]]
    return rng.choice([[*specs, missing], exact, exact, [*specs, f"{name}!={','.join(versions[:1])}", f"{name}={versions[0]}"]])


def new_environment(by_name, channels, rng, platform, unsolvable=0.0, rare=False, as_conda=True):
    request = Request("create", some_specs(by_name, rng, rare=rare), channels, platform=platform)
    if rng.random() < unsolvable:
        request.specs = unsolvable_specs(by_name, rng)
    if "pip" in by_name and "python" in by_name:
        request.specs.append("pip")  # else python brings it, but not in mamba when it lies in another subdir
    if len(channels) > 1:
        request.flags.append("--channel-priority=" + rng.choice(["strict", "flexible", "flexible", "disabled"]))
        if rng.random() < 0.3:
            request.channels = channels[::-1]
    if rng.random() < 0.1:
        request.flags.append(rng.choice(["--no-deps", "--only-deps"]))
    if platform:
        request.overrides = rng.choice(OTHER_MACHINES.get(platform.split("-")[0], [{}]))
    elif rng.random() < 0.3:
        request.overrides = rng.choice([{"CONDA_OVERRIDE_CUDA": "9.0"}, {"CONDA_OVERRIDE_CUDA": "12.4"},
                                        {"CONDA_OVERRIDE_GLIBC": "2.12"}, {"CONDA_OVERRIDE_LINUX": "3.10"}])
    return request


def changed_environment(by_name, base, before, kind, rng, as_conda):
    """A request about an environment that an earlier one led to. Only conda heeds what was requested earlier, and
    updates what is installed and requested again: asked `as_conda`, both occur."""
    names = {record["name"] for record in before}
    request = Request(kind, [], base.channels, [f for f in base.flags if f.startswith("--channel-priority")],
                      before=before, overrides=base.overrides, platform=base.platform)
    if as_conda:
        request.history = [spec for spec in base.specs if rng.random() < 0.7]
    elif kind == "update-all":  # elsewhere mamba does not ask what was requested
        request.history = [plain_name(spec) for spec in base.specs if rng.random() < 0.7]
    if kind == "python":
        here = {minor(record["version"]) for record in before if record["name"] == "python" and not as_conda}
        pythons = sorted({minor(record["version"]) for record in by_name.get("python", [])} - here)
        request.kind = "install"
        request.specs = [f"python={rng.choice(pythons)}"] if pythons and "python" in names else []
    elif kind == "install":
        request.specs = some_specs(by_name, rng, None if as_conda else set(by_name) - names)
        if rng.random() < 0.25:
            request.flags.append(rng.choice(["--freeze-installed", "--no-deps", "--only-deps"]))
        elif as_conda and rng.random() < 0.2:
            request.flags.append(rng.choice(["--update-deps", "--update-specs"]))
    elif kind == "update":
        request.specs = rng.sample(sorted(names), min(len(names), rng.choice([1, 1, 2])))
    elif kind == "remove":
        request.specs = rng.sample(sorted(names), 1)
        request.flags = ["--force"] if rng.random() < 0.2 else []
    if rng.random() < 0.25 and kind != "remove":
        pinned = rng.choice(sorted(names))
        version = next(r for r in before if r["name"] == pinned)["version"]
        request.pins = [rng.choice([f"{pinned} {version}", f"{pinned} {minor(version)}.*", f"{pinned} <={version}"])]
        if rng.random() < 0.2:
            request.flags.append("--no-pin")
    return request
