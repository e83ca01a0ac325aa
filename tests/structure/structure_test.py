"""The dependency rule of engine/README.md, held against includes, link edges and words in the sources.

    base <- model <- {config, fetch, extract, cache, repodata, solve, link, prefix, image} <- flow <- cli

Problem: layers rot one convenient include at a time, and so does "the engine never prints".

Approach: read the sources and the CMake files as text (comments and string literals blanked out), and compare with
the two tables below. `python3 structure_test.py --graph` prints the include graph between folders.
"""

import re
import subprocess
import sys
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
ENGINE = TOP / "engine"

# What may lie at the top: the rooms of the house, and what tools insist on there.
TOP_LEVEL = {".ci", ".clang-format", ".clang-tidy", ".gitignore", "bench", "cli", "cmake", "CMakeLists.txt",
             "CMakePresets.json", "engine", "LICENSE", "README.md", "tests"}

STAGES = ["config", "fetch", "extract", "cache", "repodata", "solve", "link", "prefix", "image"]
# What a folder may use besides itself.
MAY_USE = {"base": set(), "model": {"base"}} | {stage: {"base", "model"} for stage in STAGES}
MAY_USE["flow"] = {"base", "model", *STAGES}

# (what, pattern, {file: reason}); a reason must say why this file is an exception.
WORDS = [
    ("starts threads, spawns coroutines or runs TBB work (only engine/flow may)",
     r"std::(jthread|thread|async)\b(?!::)|\bpthread_create\b|\bco_spawn\b|\btbb::|"
     r"#\s*include\s*<(future|oneapi/|tbb/)",
     {"flow/": "the one folder that may"}),
    ("is a coroutine or knows Asio", r"\bco_(await|return|yield)\b|\basio::|#\s*include\s*<(coroutine|boost/asio)",
     {"flow/": "spawns them", "fetch/": "a transfer is a coroutine, which flow spawns on its network thread"}),
    ("prints", r"std::(cout|cerr|clog)\b|\b(printf|fprintf|puts|putchar|fputs|perror|vprintf)\s*\(|"
     r"#\s*include\s*<(iostream|print)>|fmt::print\b|\bspdlog::", {}),
    ("ends the process", r"\b(exit|quick_exit|abort|_Exit|terminate)\s*\(", {}),
    ("reads or changes state of the whole process",
     r"\b(secure_)?getenv\s*\(|\b(setenv|putenv|unsetenv)\s*\(|\benviron\b|"
     r"\b(chdir|fchdir|umask|setlocale|isatty)\s*\(|\bstd::signal\b|\b(signal|sigaction)\s*\(|\bcurrent_path\b",
     {"solve/virtual_packages.cpp": "unsetenv in the child process that asks the CUDA driver and ends right after"}),
    ("asks the user", r"\bstd::(cin|getline\s*\(\s*std::cin)|\b(scanf|getchar|readline)\s*\(", {}),
]


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".cpp", ".hpp", ".h", ".c", ".cc"))


def code_of(text):
    """The text with comments and the insides of literals blanked out, line for line."""
    def blank(match):
        token = match.group(0)
        if token.startswith(("/*", "//")):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1] if token[0] != "R" else \
            re.sub(r"[^\n]", " ", token)
    tokens = (r'R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"'
              r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])*'|//[^\n]*|/\*.*?\*/")
    # Include lines keep their quoted name.
    parts = re.split(r"(?m)^(\s*#\s*include.*)$", text)
    return "".join(part if index % 2 else re.sub(tokens, blank, part, flags=re.S) for index, part in enumerate(parts))


def includes(path):
    """(line number, first path component) of includes that name an engine folder."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*["<](?:\.\./)*(?:engine/)?([^/">]+)/[^">]*[">]', line)
        if match and (match[1] in MAY_USE or match[1] == "cli"):
            yield number, match[1]


def link_edges():
    """(file, from, to) of every `taipan_x` that an engine target links, in both forms that CMake files use."""
    for path in sorted(ENGINE.rglob("CMakeLists.txt")):
        text = re.sub(r"#.*", "", path.read_text())
        for call, body in re.findall(r"(taipan_engine_library|target_link_libraries)\s*\(([^)]*)\)", text):
            words = body.split()
            for word in words[1:]:
                if word.startswith("taipan_") and word not in ("taipan_options", "taipan_libsolv"):
                    yield path, words[0].removeprefix("taipan_"), word.removeprefix("taipan_")


class StructureTest(unittest.TestCase):
    def test_nothing_else_lies_at_the_top(self):
        listed = subprocess.run(["git", "-C", TOP, "ls-files", "-z"], capture_output=True, text=True)
        if listed.returncode:
            self.skipTest("not a git checkout")
        self.assertEqual({name.split("/")[0] for name in listed.stdout.split("\0") if name} - TOP_LEVEL, set())

    def test_every_folder_is_in_the_rule_and_on_the_map(self):
        folders = {p.name for p in ENGINE.iterdir() if p.is_dir()}
        self.assertEqual(folders, set(MAY_USE), "a new engine folder needs a place in the rule")
        map_text = (ENGINE / "README.md").read_text()
        for folder in folders:
            self.assertRegex(map_text, rf"\b{folder}\b", f"engine/README.md does not mention engine/{folder}")

    def test_every_folder_of_the_command_is_on_its_map(self):
        folders = {path.parent.name for path in sources(TOP / "cli")}
        rows = set(re.findall(r"(?m)^\| `(\w+)` \|", (TOP / "cli" / "README.md").read_text().split("## Where things are")[1]))
        self.assertEqual(folders, rows)

    def test_no_folder_includes_one_above_or_beside_it(self):
        wrong = []
        for path in sources(ENGINE):
            folder = path.relative_to(ENGINE).parts[0]
            for number, used in includes(path):
                if used != folder and used not in MAY_USE[folder]:
                    wrong.append(f"{path.relative_to(TOP)}:{number} includes {used}/")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_no_include_goes_around_the_include_root(self):
        around = re.compile(r'\s*#\s*include\s*"(\.\.?/|engine/|[^/"]*")')
        wrong = [f"{path.relative_to(TOP)}: {line.strip()}" for path in sources(ENGINE)
                 for line in path.read_text().splitlines() if around.match(line)]
        self.assertEqual(wrong, [], 'engine includes are written "folder/file.hpp"')

    def test_link_edges_state_the_rule(self):
        wrong = [f"{path.relative_to(TOP)}: taipan_{user} links taipan_{used}" for path, user, used in link_edges()
                 if user not in MAY_USE or used not in MAY_USE[user]]
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_includes_are_linked(self):
        """A folder that includes another one must link it, itself or through model; else the edges say too little."""
        edges = {}
        for _, user, used in link_edges():
            edges.setdefault(user, set()).add(used)
        wrong = []
        for path in sources(ENGINE):
            folder = path.relative_to(ENGINE).parts[0]
            for number, used in includes(path):
                if used not in (folder, "cli") and used not in reach(edges, folder):
                    wrong.append(f"{path.relative_to(TOP)}:{number} includes {used}/, taipan_{folder} does not link it")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_the_engine_keeps_to_itself(self):
        wrong = []
        for path in sources(ENGINE):
            name = str(path.relative_to(ENGINE))
            lines = code_of(path.read_text()).splitlines()
            for what, pattern, exceptions in WORDS:
                if any(name.startswith(exception) for exception in exceptions):
                    continue
                wrong += [f"engine/{name}:{number} {what}: {line.strip()}" for number, line in enumerate(lines, 1)
                          if re.search(pattern, line)]
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_exceptions_still_exist(self):
        for what, _, exceptions in WORDS:
            for name in exceptions:
                self.assertTrue((ENGINE / name).exists(), f"the exception for {name} ({what}) is out of date")

    def test_the_checks_can_fail(self):
        """The patterns see what they are made for, and do not see comments and literals."""
        text = ('int f() { std::thread t; } // std::cout\n'
                'auto s = "getenv(x)"; auto c = \'"\'; /* exit(1) */ printf("x");\n')
        seen = [what for what, pattern, _ in WORDS if re.search(pattern, code_of(text))]
        self.assertEqual([what.split()[0] for what in seen], ["starts", "prints"])


def reach(edges, start):
    """Everything that can be reached from a folder along link edges."""
    found, waiting = set(), [start]
    while waiting:
        for used in edges.get(waiting.pop(), ()):
            if used not in found:
                found.add(used)
                waiting.append(used)
    return found


def print_graph():
    for folder in MAY_USE:
        used = {}
        for path in sources(ENGINE / folder):
            for _, other in includes(path):
                if other != folder:
                    used[other] = used.get(other, 0) + 1
        print(f"{folder:9} -> " + ", ".join(f"{other} ({count})" for other, count in sorted(used.items())))


if __name__ == "__main__":
    if "--graph" in sys.argv:
        print_graph()
    else:
        unittest.main(verbosity=2)
