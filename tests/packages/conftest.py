"""The packaging scripts, importable here as they import each other."""

from __future__ import annotations

import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts/packages"
if SCRIPTS.is_dir():
    sys.path.insert(0, str(SCRIPTS))
else:  # the source package leaves the scripts out
    collect_ignore_glob = ["test_*.py"]
