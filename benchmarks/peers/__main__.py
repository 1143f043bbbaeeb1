"""MobileBERT in this engine and in others: `python benchmarks/peers --help`."""

from __future__ import annotations

import sys
from pathlib import Path

# The tree goes first while this package is found, since others ship a `benchmarks` too, and last afterwards: an
# installed mobilebert_rt has an engine, the tree's own has none.
sys.path[0] = str(Path(__file__).resolve().parents[2])
from benchmarks.peers.driver import main  # noqa: E402

if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))
    sys.exit(main())
