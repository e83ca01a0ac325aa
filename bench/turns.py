#!/usr/bin/env python3
"""Lets conda, micromamba and taipan change one environment in turn, by lot, and asks after each step whether all three list
the same and `taipan verify` finds everything as recorded.

    bench/turns.py --channel DIR [--channel DIR] --conda conda --micromamba micromamba [--steps 60] [--seed 1]

The steps: create, install (also of another version or python), update, update --all, remove, --force-reinstall, --revision;
between them pip installs and removes a package, and a pin comes and goes. A step may be refused, when it has no solution;
then nothing may have changed. The exit code is 1 when there was a problem.
"""

import sys

sys.dont_write_bytecode = True  # nothing is left behind in the sources

from neighbours.turns import main  # noqa: E402 (the folder beside this file)

if __name__ == "__main__":
    sys.exit(main(__doc__))
