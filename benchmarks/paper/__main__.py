"""The paper's tables measured here: `python benchmarks/paper --help`."""

from __future__ import annotations

import sys
from pathlib import Path

# The tree comes first, in this folder's place: see benchmarks/peers/__main__.py.
sys.path[0] = str(Path(__file__).resolve().parents[2])
from benchmarks.paper.driver import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
