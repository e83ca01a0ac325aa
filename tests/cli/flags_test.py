"""Every subcommand and flag of conda and micromamba, and what becomes of it here.

flags_of_peers.tsv was made from conda's own parser and from `micromamba CMD --help`. Its columns: program, command, flag,
how many values it takes (`*` and `+`: any number, asked for with none and one), and the verdict: `same` (it does what it
does there), `accepted` (it means nothing here; a note says so) or `refused` (with the reason), and the note or reason."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from taipan_test import TaipanTest, binary_under_test, main

TABLE = Path(__file__).with_name("flags_of_peers.tsv")
VALUES = {"--channel-priority": "strict", "--safety-checks": "warn", "--ssl-verify": "false", "--subdir": "linux-64",
          "--platform": "linux-64", "--revision": "1", "--repodata-ttl": "1", "--fields": "name", "--format": "yaml",
          "--category": "main"}
GROUPS = {"": ["create"], "env": ["list"], "env config": ["vars", "list"], "env config vars": ["list"],
          "shell": [], "repoquery": ["search"], "auth": ["login"], "package": ["extract"]}
HELP = ("-h", "--help", "-V", "--version")


class FlagsTest(TaipanTest):
    def ask(self, row):
        """What the program's parser says to the flag: nothing is ever run, since one more flag is wrong."""
        program, command, flag, count = row[:4]
        words = [*command.split(), flag]
        if count in ("1", "+"):
            words.append(VALUES.get(flag, "x"))
        if count == "2":
            words += ["channels", "x"]
        if flag not in HELP:
            words += GROUPS.get(command, []) + ["--no-such-flag"]
        done = subprocess.run([self.links / program, *words], env=self.environment, cwd=self.work,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        return self.verdict(flag, done)

    @staticmethod
    def verdict(flag, done):
        errors = done.stderr
        if " is not supported: " in errors:
            return "refused", errors.split(" is not supported: ")[1].splitlines()[0]
        if flag in HELP:
            return ("same", "") if done.returncode == 0 and done.stdout else ("missing", errors)
        if done.returncode != 2 or "--no-such-flag" not in errors.split("error:")[-1]:
            return "missing", errors
        notes = [line for line in errors.splitlines() if line.startswith("note: ")]
        return ("accepted", notes[0].split(" has no effect: ")[1]) if notes else ("same", "")

    def test_table(self):
        self.links = self.work / "links"
        self.links.mkdir()
        for program in ("conda", "micromamba"):
            (self.links / program).symlink_to(binary_under_test())
        rows = [line.split("\t") for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
        self.assertGreater(len(rows), 2000)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = list(pool.map(self.ask, rows))
        for row, answer in zip(rows, answers):
            with self.subTest(program=row[0], command=row[1], flag=row[2]):
                # Advice names the program that was called.
                self.assertEqual([one.replace(f"`{row[0]} ", "`taipan ") for one in answer], row[4:])


if __name__ == "__main__":
    main()
