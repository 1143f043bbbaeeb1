"""A progress bar for long work, by tqdm where it is installed; silence where it is not."""

from __future__ import annotations

import importlib
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

try:
    tqdm = importlib.import_module("tqdm").tqdm
except ImportError:
    tqdm = None


def progress_bar(total: int | None, progress: bool | None, unit: str = "texts") -> AbstractContextManager[Any]:
    """Gives a bar on standard error, shown after a second of work, or None. progress None: only on a terminal."""
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    if not progress or tqdm is None:
        return nullcontext()
    bar: AbstractContextManager[Any] = tqdm(total=total, unit=f" {unit}", delay=1.0, leave=False, dynamic_ncols=True)
    return bar
