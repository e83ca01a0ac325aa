#!/usr/bin/env python3
"""Writes the tables that version and match spec are tested with, by asking the real conda.

    python3 -m tests.unit.model.vectors.make_vectors        with conda's sources on PYTHONPATH

What is asked stands here; every answer is conda's. The tables are C++ rows, so that the tests need neither.
"""

import warnings
from pathlib import Path

from conda.models.match_spec import MatchSpec
from conda.models.records import PackageRecord
from conda.models.version import VersionOrder, VersionSpec

warnings.simplefilter("ignore")
HERE = Path(__file__).resolve().parent

VERSIONS = """
0.4 0.4.0 0.4.1.rc 0.4.1.RC 0.4.1 0.5a1 0.5b3 0.5C1 0.5 0.9.6 0.960923 1.0 1.1dev1 1.1_ 1.1a1 1.1.0dev1 1.1.dev1 1.1.a1
1.1.0rc1 1.1.rc1 1.1 1.1.0 1.1.post1 1.1.0post1 1.1post1 1.1.1dev1 1.1.1rc1 1.1.1 1.1.1.post0 1996.07.12 2!1.0 1!0.4.1
1!3.1.1.6 1!2.0.dev0 2!0.4.1 1.0.1 1.0.1_ 1.0.1a 1.0.1b 1.0.1g 1.0.1post.a 1.0.1.a 1.0.1post 1.0.2 1.0.2_1 1.0.2-1 1.0.2+1
1.0+local 1.0+local.1 1.0+1 1.0+0 1.0+a.1 1.0+1.a 2020a 2020b 2020.1 2020a.1 9e 9d 9.0 10 01.2 1.2 1.02 1.2.03 1_2 1.2.0.0
1.0.0.0.1 1.0* 1.* 3.6.0rc1 3.6.0a4 3.6.0 3.6.0.post1 3.6.0.dev0 2.0.0alpha 2.0.0beta 2.0.0gamma 2.0.0 2.0.0post 2.0.0z
2.0.0.1 2.0.0_dev 99999999999999999999 99999999999999999998 1.99999999999999999999 r1.0 r11 r2 a1 z 0 00 0.0 1.0dev 1.0DEV
1.0.dev 1.0.post.dev 1.0post.dev1 1.0rc.post 1.0rc 1.0c 1.0pre 1.0preview 0!5 3!0.0.1
3.0.8 3.0.8a 3.0.8-1 3.0.8_1 1.1.1w 1.1.1a 1.1.1-a 1.1.1zz 8.5p1 8.5 8.5a 2024.01.01 2024.1.1 20240101 2024.1 v1.0 1.v2 1.0.0+cu118
1.0.0+cu121 1.0.0+cpu 1.0.0+cu121.post1 2!1.0+a 1.0.0post1.dev2 1.0.0.post1dev2 1.0.0.dev2post1 0.0.0dev0 0.0.0a0 0.0.0.0a
12.3.4.5.6.7.8.9 1.10.1 1.9.1 1.09.1 1_0 1-0 1.0_rc1 1.0-rc1
""".split()

BAD_VERSIONS = ["", " ", "1..2", "1.", ".1", "1!", "!1", "1!2!3", "1+", "+1", "1+2+3", "1@2", "1 2", "1/2", "1..", "1._.", "é", "1-_2", "1.0-_", "1+a+b", "1!+a",
                "!", "+", ".", "-", "1.0,2.0", "1.0|2.0", ">=1.0", "=1.0", "1.0=", "1:2", "1.0~rc1", "1.0(a)", "$(x)", "1\\2", "1.0._1"]

VERSION_SPECS = """
1.0 =1.0 ==1.0 1.0.* =1.0.* 1.0* ==1.0.* !=1.0 !=1.0.* >=1.0 >1.0 <=1.0 <1.0 ~=1.0 ~=1.0.1 ~=1.0.0 >=1.0,<2 >=1.0|<0.5
1.0|1.1 1.0|=1.1 (>=1.0,<1.1)|>=2 >=1.0,(<1.1|>=2) >=1.1dev1 <1.1 <1.1a0 <1.1.0a0 >1.0.1 =1.0.1 1.0.1* 1.0.1.* *.1 1.*.1 * >=1.0.1a
<=1.0.1a =2020 2020* >=2020a ^1\\.0.*$ ^.*rc1$ !=1.1.* !=1.1 =1.1 =1.1.0 ==1.1.0.0 >=1!0 <1!0 =1 =1!0 1!0.* >=1.0+local ==1.0+local =1.0+1
<2.0.0a0 >=2.0.0,<2.0.0post !=2.0.0|==2.0.0 =0 0.* >0 =9 <=9e,>9c
~=1.1 ~=1.1.0 ~=1.1.0rc1 ~=2!1.0 ~=1.0.post1 ~=1.0+local ~=0.5 ~=2020.1 >=1.0.0+cu118,<1.0.0+cu121 =1.0.0+cu121 1.0.0+cu121* 1.0.0+cu*
((>=1.0)) (1.0|1.1),!=1.1 (>=1.0,<1.1)|(>=2,<3)|0.5 ((>=1,<1.1)|>=9),!=10 >=1|<0.5,!=0.4 1.0,1.0.0 >=1.0,>=1.1,>=1.1.1 <1|>3,<10
==1.1_ =1.1_ >=1.0.1_ <1.0.2_1 ==1.0.2-1 =1.0.2-1 >1.0.2_1 !=1.0.1* !=1.0.1.* !=1.0 ==1 ==1.0.0.0 =01.2 1.02.* 1.2.0* =1.1.post1 >1.1.post1
>=1.0dev <1.0dev >1.0pre <=1.0rc 1.0rc* =1.0rc *.0 *1 1*1 *a* *.*.* 1.?.* ^1\\.[01]$ ^2.*$|1.0 !=*.post1 ==2!1.0 =2!1.0 !=2!1.0 2!* >=0!5
>=3.0.8,<3.0.8a =3.0.8 3.0.8* >3.0.8 >=1.1.1a,<1.1.1zz =1.1.1 1.1.1.* 1.1.1* <=8.5p1 >=8.5a =8.5 =2024 =2024.1 2024.1.* >=20240101 =v1 v1.* =1.0.*
""".split()

SPECS = [
    "numpy", "NumPy", "numpy=1.7", "numpy==1.7", "numpy 1.7", "numpy 1.7.*", "numpy=1.7.1=py27_0", "numpy 1.7.1 py27_0",
    "numpy=1.7=*", "numpy=*=py27_0", "numpy * py27*", "numpy[build=py27_0]", "numpy[build='py*_0']", "numpy[version='>=1.7,<1.8']",
    "numpy>=1.7,<1.8", "numpy >=1.7|<1.6", "numpy!=1.7.1", "numpy~=1.7", "numpy~=1.7.0", "numpy>1.7", "numpy<2,!=1.7.1",
    "numpy[build_number=1]", "numpy[build_number='>=1']", "numpy[build_number='<1']", "numpy[build_number=!=1]",
    "numpy[subdir=linux-64]", "numpy[subdir=noarch]", "numpy[channel=conda-forge]", "conda-forge::numpy", "defaults::numpy",
    "conda-forge/linux-64::numpy", "conda-forge/noarch::numpy", "*::numpy", "conda-*::numpy", "pkgs/main::numpy", "main::numpy",
    "https://conda.anaconda.org/conda-forge::numpy", "https://conda.anaconda.org/conda-forge/linux-64::numpy",
    "https://repo.anaconda.com/pkgs/main::numpy", "file:///srv/channel::numpy", "numpy[md5=0123456789abcdef0123456789abcdef]",
    "numpy[md5=ffffffffffffffffffffffffffffffff]", "numpy[fn=numpy-1.7.1-py27_0.tar.bz2]", "numpy[license=BSD]", "numpy[license='*']",
    "numpy[license=bsd]", "numpy[track_features=mkl]", "numpy[track_features='mkl nomkl']", "*", "num*", "*py", "n*y>=1.7", "n?mpy", "^num.*$",
    "*[build=py27_0]", "numpy=1.7.1=py*_0", "numpy=1.7.1[build_number=1]", "numpy=1.7.1=py27_0[build_number=0]",
    "conda-forge::numpy=1.7.1=py27_0", "conda-forge::numpy[version=1.7.1]", "numpy[version=1.7.*,build=py27_1]",
    "numpy[version=1.7.1,version=1.8]", "numpy[name=scipy]", "numpy 1.7.1.*", "numpy=1.7.1.0", "numpy==1.7.1.0", "numpy 1.*", "numpy=1",
    "numpy>=1!0", "numpy<1!0", "numpy=1.7*", "numpy 1.7|1.8", "numpy 1.7.1|1.8.0rc1", "numpy=1.8", "numpy>=1.8.0", "numpy>=1.8.0a0", "numpy<1.8",
    "numpy<1.8.0a0", "numpy==1.8.0rc1", "numpy=1.8.0rc1", "numpy 1.8.0rc1", "numpy~=1.8.0", "numpy>=1.7 py27_0", "numpy >=1.7,<1.8 py27*",
    "numpy[version='1.7.1|1.8*']", "openssl=1.0.1", "openssl=1.0.1g", "openssl>=1.0.1a", "openssl 1.0.1*", "openssl<1.0.2", "openssl~=1.0.1",
    "__glibc>=2.17", "__glibc", "__*", "_x", "a-b", "a.b", "a_b", "numpy #comment", "numpy=1.7 # text", "numpy # [win]", "numpy  =  1.7.1",
    "numpy >= 1.7 , < 1.8", "numpy ==1.7.1 py27_0", "numpy =1.7 py27_0",
    "*[build_number>=1]", "*[build_number='>=1']", "numpy[build_number='>=1,<3']", "numpy[build_number='==0']", "numpy[build_number=2]",
    "numpy[url=https://host/numpy-1.7.1-py27_0.tar.bz2]", "numpy[url=https://host/numpy-1.7.1-py27_1.tar.bz2]",
    "https://host/numpy-1.7.1-py27_0.tar.bz2", "https://host/linux-64/numpy-1.7.1-py27_0.tar.bz2", "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.7.1-py27_0.conda",
    "https://repo.anaconda.com/pkgs/main/linux-64/numpy-1.7-py27_0.tar.bz2", "file:///srv/channel/linux-64/numpy-1.8.0rc1-py33_0.tar.bz2",
    "https://host/linux-64/numpy-1.7.1-py27_0.tar.bz2#0123456789abcdef0123456789abcdef", "numpy[sha256=0123456789abcdef]",
    "numpy[md5='0123456789abcdef0123456789abcdef']", 'numpy[md5="0123456789abcdef0123456789abcdef"]', "*[md5=0123456789abcdef0123456789abcdef]",
    "numpy[fn='*.tar.bz2']", "numpy[fn=numpy-1.7.1-py27_1.tar.bz2]", "numpy[license='B*']", "numpy[license=MIT]", "numpy[license_family=BSD]",
    "numpy[track_features=nomkl]", "numpy[track_features='nomkl mkl']", "numpy[features=mkl]", "numpy[channel='*forge']", "numpy[channel=pkgs/main]",
    "numpy[channel=file:///srv/channel]", "numpy[channel=https://conda.anaconda.org/conda-forge]", "numpy[channel=conda-forge,subdir=noarch]",
    "numpy[channel=conda-forge/linux-64]", "numpy[channel=defaults]", "conda-forge::numpy[channel=defaults]", "conda-forge/linux-64::numpy[subdir=noarch]",
    "numpy[subdir='linux-*']", "numpy[subdir=linux-64,version=1.7.*]", "conda-forge::*", "conda-forge::n*", "conda-forge::numpy>=1.7,<1.8",
    "conda-forge::numpy==1.7.1=py27_0", "conda-forge::numpy 1.7.1 py27_0", "conda-forge/label/x::numpy", "conda-forge/label/x/linux-64::numpy",
    "*/linux-64::numpy", "conda-forge/*::numpy", "::numpy", "numpy[version=>=1.7]", "numpy[version=1.7.1|1.8]", "numpy[version='(>=1.7,<1.8)|1.8.0rc1']",
    "numpy (>=1.7,<1.8)|1.8.0", "numpy >=1.7,(<1.8|>1.8)", "numpy (1.7|1.7.1),!=1.7", "numpy=1.7|1.8", "numpy==1.7|==1.8.0", "numpy!=1.7,!=1.7.1",
    "numpy!=1.7.*", "numpy != 1.7.*", "numpy!=1.7.1=py27_0", "numpy <1.8 *_1", "numpy =1.7.1 *27*", "numpy * *", "numpy *", "numpy * *_0", "numpy=*", "numpy=*=*",
    "numpy=*=*_1", "numpy==*", "numpy>=*", "numpy 1.7.1=py27_0", "numpy 1.7=py27_0", "numpy=1.7.1 py27_0", "numpy==1.7.1 py27*", "numpy[build=*27*]",
    "numpy[build='^py.*_[01]$']", "numpy=1.7.1=^py.*$", "numpy[version='^1\\.7.*$']", "^(numpy|scipy)$", "^nump.$[version=1.7.1]", "*py=1.7.1", "*[version=1.7.1]",
    "numpy[version='1.7.*',build_number=1,channel=conda-forge]", "numpy[ version = 1.7.1 ]", "numpy[version='1.7.1', build='py27_0']", "numpy[version=1.7.1 build=py27_0]",
    "numpy>=1.7[build_number=1]", "numpy[build_number=0]>=1.7", "numpy=1.7[version=1.8]", "numpy 1.7.1[build=py27_1]", "NUMPY[version=1.7.1]", "Numpy>=1.7",
    "a.b=1.0", "a-b==1", "a_b~=1.0", "_x>=0.5", "openssl>=1.0.1,<1.0.1h", "openssl=1.0.1[build=0]", "openssl>1.0.1", "openssl!=1.0.1", "openssl<=1.0.1g",
    "openssl 1.0.1g 0", "__glibc=2.36", "__glibc 2.*", "__glibc[version='>=2.17,<3']", "__*[version=2.36]", "@::__glibc", "numpy=1!0", "numpy==1!0.1", "numpy 1!*",
    "numpy[optional]", "numpy[target=x]", "numpy[name=numpy,version=1.7.1]", "[name=numpy]", "*[name=numpy]", "numpy@1.7", "numpy:1.7", "numpy;1.7",
    "numpy[version=1.7.1]#comment", "numpy#comment", "numpy ; python_version", "numpy>=1.7 # note, more", "conda-forge::numpy=1.7.1=py27_0[build_number=0]",
]
BAD_SPECS = ["", "numpy=", "numpy==", "numpy>=", "numpy[", "numpy]", "numpy[version=1", "numpy[version]", "numpy>=1.0,", "numpy >=1|", "=1.0",
             "numpy=1.0=py=0", "numpy 1 2 3 4", "numpy[version='>=1]", "numpy~=1.0.*", "numpy>=1..2", "numpy!", "numpy<", "nu mpy>=1 [x]",
             "numpy>1.*", "numpy>=1.0.*", "numpy<1|", "numpy|scipy", "numpy,scipy", "numpy=1.0,=", "numpy (>=1", "numpy >=1)", "numpy[build_number=x]", "numpy[version='']",
             "numpy[unknown=1]", "numpy[=1]", "numpy[version=1]]", "numpy[[version=1]", "numpy==1.0==2", "numpy===1.0", "numpy=>1.0", "numpy=<1.0", "numpy><1", "numpy~1.0"]

# Where we do otherwise on purpose: conda overlooks what stands in such brackets, and does not read these parentheses and
# this regular expression, which mean something elsewhere.
NOT_AS_CONDA = ["*[build_number>=1]", "numpy[ version = 1.7.1 ]", "numpy (>=1.7,<1.8)|1.8.0", "numpy >=1.7,(<1.8|>1.8)",
                "numpy (1.7|1.7.1),!=1.7", "numpy[build='^py.*_[01]$']"]

RECORDS = [
    ("numpy", "1.7.1", "py27_0", 0, "conda-forge", "linux-64", "BSD", ""), ("numpy", "1.7.1", "py27_1", 1, "conda-forge", "noarch", "bsd", "mkl"),
    ("numpy", "1.7", "py27_0", 0, "https://repo.anaconda.com/pkgs/main", "linux-64", "MIT", "mkl nomkl"),
    ("numpy", "1.8.0rc1", "py33_0", 0, "file:///srv/channel", "linux-64", None, ""), ("numpy", "1.8.0", "0", 2, "conda-forge", "linux-64", "BSD", ""),
    ("numpy", "1!0.1", "py27_0", 0, "conda-forge", "linux-64", "BSD", ""), ("scipy", "1.7.1", "py27_0", 0, "conda-forge", "linux-64", "BSD", ""),
    ("openssl", "1.0.1g", "0", 0, "conda-forge", "linux-64", "BSD", ""), ("openssl", "1.0.1", "0", 0, "conda-forge", "linux-64", "BSD", ""),
    ("__glibc", "2.36", "0", 0, "@", "linux-64", None, ""), ("a-b", "1.0", "0", 0, "conda-forge", "linux-64", None, ""),
    ("a.b", "1.0", "0", 0, "conda-forge", "linux-64", None, ""), ("a_b", "1.0", "0", 0, "conda-forge", "linux-64", None, ""),
    ("_x", "1.0", "0", 0, "conda-forge", "linux-64", None, ""),
]


def record(name, version, build, number, channel, subdir, license, features):
    return PackageRecord(name=name, version=version, build=build, build_number=number, channel=channel, subdir=subdir,
                         fn=f"{name}-{version}-{build}.tar.bz2", url=f"https://host/{name}-{version}-{build}.tar.bz2", license=license,
                         md5="0123456789abcdef0123456789abcdef", track_features=features, depends=(), constrains=())


def quoted(text):
    out = "".join(c if 32 <= ord(c) < 127 and c not in '"\\' else "".join(f"\\{b:03o}" for b in c.encode()) for c in text)
    return f'"{out}"'


def refused(ask, text):
    try:
        return ask(text) is None
    except Exception:
        return True


def rows(items):
    return "".join("    {" + ", ".join(quoted(str(item)) for item in row) + "},\n" for row in items)


def table(kind, name, fields, items):
    return f"const {kind} {name}[] = {{ // {fields}\n{rows(items)}}};\n\n"


def version_rows():
    ordered = sorted(VERSIONS, key=VersionOrder)
    yield "", ordered[0]
    for before, version in zip(ordered, ordered[1:]):
        yield ("=" if VersionOrder(before) == VersionOrder(version) else "<"), version


def answered(ask):
    """The answer, or none where conda itself fails at it."""
    try:
        return ask()
    except Exception:
        return None


def contained(spec):
    spec = VersionSpec(spec)
    return "".join("x" if spec.match(version) else "." for version in VERSIONS)


def matched(text, records):
    spec = MatchSpec(text)
    return "".join("x" if spec.match(r) else "." for r in records)


def main():
    records = [record(*fields) for fields in RECORDS]
    text = "// Made by make_vectors.py: every answer is conda's.\n\n"
    text += table("Ordered", "ordered_versions", "relation to the one before, version", version_rows())
    text += table("Text", "bad_versions", "text", [[t] for t in BAD_VERSIONS + VERSIONS if refused(VersionOrder, t)])
    text += table("Text", "asked_versions", "in the order of the answers", [[v] for v in VERSIONS])
    contents = [(s, answered(lambda: contained(s))) for s in VERSION_SPECS]
    text += table("Answered", "version_specs", "spec, x for each version it contains", [row for row in contents if row[1] is not None])
    text += table("Text", "bad_version_specs", "text", [[s] for s in VERSION_SPECS if refused(VersionSpec, s)])
    specs = [s for s in SPECS if s not in NOT_AS_CONDA]
    good = [s for s in specs if answered(lambda: matched(s, records)) is not None]
    text += table("Matched", "match_specs", "spec, canonical string, x for each record that matches",
                  [(s, MatchSpec(s), matched(s, records)) for s in good])
    text += table("Text", "bad_match_specs", "spec", [[s] for s in specs + BAD_SPECS if refused(MatchSpec, s)])
    fields = [("" if f is None else f for f in row) for row in RECORDS]
    text += table("Fields", "asked_records", "name, version, build, build number, channel, subdir, license, track_features", fields)
    (HERE / "conda_vectors.inc").write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
