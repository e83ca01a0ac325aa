"""A channel that is made up: small, and full of what real ones have only here and there.

Python in several minor versions with builds for each, noarch packages that ask for some of them, features that are
tracked, mutexes, constraints, virtual packages, build numbers, several builds that differ in what they need, a package
that only another platform has. The same seed makes the same channel.
"""

import hashlib
import json
import random

PYTHONS = ("3.9.18", "3.10.13", "3.11.7", "3.12.1")
SYSTEM = ("__glibc >=2.17", "__glibc >=2.28", "__cuda >=11", "__cuda", "__linux", "__unix", "__archspec 1 x86_64_v3", "__osx >=11")


def record(name, version, build="0", depends=(), subdir="linux-64", **more):
    number = int(build.rsplit("_", 1)[-1]) if build.rsplit("_", 1)[-1].isdigit() else 0
    digest = hashlib.md5(f"{name}{version}{build}{subdir}".encode())
    return {"name": name, "version": version, "build": build, "build_number": number, "depends": list(depends), "subdir": subdir,
            "md5": digest.hexdigest(), "sha256": hashlib.sha256(digest.digest()).hexdigest(), "size": 1000, **more}


def minor(version):
    major, second = version.split(".")[:2]
    return f"python >={major}.{second},<{major}.{int(second) + 1}.0a0"


def base(rng):
    yield from (record("python", version, f"h{n}_{n}", ["lib0"], timestamp=1_700_000_000_000 + n) for version in PYTHONS for n in range(2))
    yield from (record("pip", version, "py_0", ["python"], "noarch", noarch="python") for version in ("23.0", "24.0"))
    for flavour, features in (("mkl", ""), ("openblas", "openblas"), ("nvpl", "nvpl other")):
        yield record("blas", "2.0", flavour, [], track_features=features)
        yield record("blas-devel", "3.9", f"{flavour}_1", [f"blas * {flavour}"])
    yield from (record("mutex", "1.0", kind, track_features="" if kind == "cpu" else kind) for kind in ("cpu", "gpu"))
    yield record("elsewhere", "1.0", "0", [], "osx-64")


def libraries(rng, count):
    for at in range(count):
        needs = [f"lib{rng.randrange(at)}" for _ in range(rng.randrange(3)) if at]
        for version in sorted({f"{rng.randint(1, 3)}.{rng.randint(0, 4)}" for _ in range(rng.randint(1, 5))}):
            for number in range(rng.choice([1, 1, 2])):
                bounds = [f"{name}{rng.choice(['', ' >=1.2', ' <3', ' 2.*', ' >=2,<3.3', ' !=1.1'])}" for name in needs]
                more = {"constrains": [f"lib{rng.randrange(count)} <3"]} if rng.random() < 0.1 else {}
                if rng.random() < 0.1:
                    bounds.append(rng.choice(SYSTEM))
                yield record(f"lib{at}", version, f"h{rng.randrange(1000)}_{number}", bounds, timestamp=rng.randrange(10**12, 17 * 10**11), **more)


def modules(rng, count, lib_count):
    for at in range(count):
        for version in sorted({f"{rng.randint(0, 2)}.{rng.randint(0, 5)}" for _ in range(rng.randint(1, 4))}):
            needs = [f"mod{rng.randrange(at)}{rng.choice(['', '', ' >=1', ' <2'])}" for _ in range(rng.randrange(3)) if at]
            if rng.random() < 0.5:
                python = rng.choice(["python", "python >=3.10", "python >=3.9,<3.12", "python <3.11", "python !=3.11.*"])
                yield record(f"mod{at}", version, "py_0", [python, *needs], "noarch", noarch="python", timestamp=rng.randrange(10**12, 17 * 10**11))
                continue
            needs += [f"lib{rng.randrange(lib_count)}{rng.choice(['', ' >=2', ' <2.3'])}"]
            needs += rng.choice([[], [], ["blas * mkl"], ["blas"], ["mutex * gpu", "__cuda"], ["mutex"]])
            for python in rng.sample(PYTHONS, rng.randint(1, 4)):
                build = f"py{''.join(python.split('.')[:2])}h{at}_{rng.randrange(2)}"
                yield record(f"mod{at}", version, build, [minor(python), *needs], timestamp=rng.randrange(10**12, 17 * 10**11))


def make(directory, seed, libs=25, mods=40):
    """Writes the channel into a directory that need not be there."""
    rng = random.Random(seed)
    records = [*base(rng), *libraries(rng, libs), *modules(rng, mods, libs)]
    for subdir in ("linux-64", "noarch", "osx-64"):
        folder = directory / subdir
        folder.mkdir(parents=True, exist_ok=True)
        named = dict(sorted((f"{r['name']}-{r['version']}-{r['build']}.conda", r) for r in records if r["subdir"] == subdir))
        (folder / "repodata.json").write_text(json.dumps({"info": {"subdir": subdir}, "packages": {}, "packages.conda": named,
                                                          "repodata_version": 1}))
    return directory
