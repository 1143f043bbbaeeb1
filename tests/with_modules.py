"""Runs a command of ctest that needs Python modules, or says which are missing and exits with 77, "skipped".

with_modules.py numpy,tokenizers -- COMMAND [ARGUMENT ...]
"""

from __future__ import annotations

import importlib.util
import os
import sys

SKIPPED = 77


def main(names: str, separator: str, *command: str) -> int:
    assert separator == "--"
    missing = [name for name in names.split(",") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"SKIPPED: {sys.executable} lacks the modules {', '.join(missing)}; this test needs them")
        return SKIPPED
    os.execvp(command[0], command)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
