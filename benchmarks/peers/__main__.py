"""MobileBERT in this engine and in others: `python benchmarks/peers --help`."""

from __future__ import annotations

import sys
from pathlib import Path

# The tree comes first, in this folder's place: others ship a `benchmarks` and a `tests` too. Its mobilebert_rt, which
# has no engine, is imported by workers only, and they look for it elsewhere.
sys.path[0] = str(Path(__file__).resolve().parents[2])
from benchmarks.peers.driver import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
