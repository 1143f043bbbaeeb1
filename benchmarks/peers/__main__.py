"""MobileBERT in this engine and in others: `python benchmarks/peers --help`."""

from __future__ import annotations

import sys
from pathlib import Path

# The tree comes first, since other projects install a `benchmarks` too. mobilebert_rt is imported by workers only.
sys.path[0] = str(Path(__file__).resolve().parents[2])
from benchmarks.peers.driver import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
