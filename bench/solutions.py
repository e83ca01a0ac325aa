#!/usr/bin/env python3
"""Asks taipan and a peer for the same environments, without making them, and compares the answers.

    bench/solutions.py --channel DIR [--channel DIR] --peer micromamba --requests 200 [--seed 1] [--kinds create,install]

The requests are drawn from the channels: new environments, and changes of environments that are made of an earlier answer
(installed packages, history and pins are written as records, nothing is downloaded). Equal means: the same packages (name,
version, build) afterwards, or both find no solution. The exit code is 1 if not. For answers equal to mamba's, the peer
must be built on the libsolv that mamba and conda ship, which orders variants.
"""

import sys

sys.dont_write_bytecode = True  # nothing is left behind in the sources

from agreement.main import main  # noqa: E402 (the folder beside this file)

if __name__ == "__main__":
    sys.exit(main())
