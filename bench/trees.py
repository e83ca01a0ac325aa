#!/usr/bin/env python3
"""Installs packages with conda and with taipan at the same path, removes them again, and compares what is there after each
step: files, modes, links, contents, bytecode, records and history.

    bench/trees.py --channel DIR                                  each package of a channel, in an environment of its own
    bench/trees.py --archives DIR --platform osx-64               of a folder of archives, for another platform
    bench/trees.py --channel DIR --together python flask rich     one environment with all that these need

Differences that engine/prefix/COMPATIBILITY.md lists are counted by their row (bench/neighbours/known.py), others are
shown; the exit code is 1 when there are others.
"""

import sys

sys.dont_write_bytecode = True  # nothing is left behind in the sources

from neighbours.trees import main  # noqa: E402 (the folder beside this file)

if __name__ == "__main__":
    sys.exit(main(__doc__))
