"""A progress bar for long work, by tqdm where it is installed; silence where it is not."""

from __future__ import annotations

import importlib
import sys
from typing import Protocol

try:
    tqdm = importlib.import_module("tqdm").tqdm
except ImportError:
    tqdm = None


class Bar(Protocol):
    def update(self, n: float | None = 1) -> object: ...
    def close(self) -> object: ...


class Silent:
    def update(self, n: float | None = 1) -> None:
        pass

    def close(self) -> None:
        pass


def progress_bar(total: int | None, progress: bool | None, unit: str = "texts") -> Bar:
    """A bar on standard error, shown after a second of work. progress None: only on a terminal."""
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    if not progress or tqdm is None:
        return Silent()
    bar: Bar = tqdm(total=total, unit=f" {unit}", delay=1.0, leave=False, dynamic_ncols=True)
    return bar
