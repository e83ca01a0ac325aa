#!/usr/bin/python3
"""Times taipan against its peers, and against floors made of ordinary tools: `bench/compare.py --help`."""

import sys

sys.dont_write_bytecode = True  # nothing is left behind in the sources

from compare.main import main  # noqa: E402 (the folder beside this file)

if __name__ == "__main__":
    sys.exit(main())
