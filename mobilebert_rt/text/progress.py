"""A progress bar for long work, by tqdm where it is installed; silence where it is not."""

from __future__ import annotations

import importlib
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from mobilebert_rt.errors import InputError


def progress_bar(
    total: int | None, progress: bool | None, unit: str = "texts", initial: int = 0
) -> AbstractContextManager[Any]:
    """Gives a bar on standard error, shown after a second of work, or None.

    progress None: only on a terminal and in a notebook, where it is a widget if ipywidgets are installed. initial: what
    an earlier run has done of the total.
    """
    if progress is None:
        progress = _is_watched()
    if not isinstance(progress, bool):
        raise InputError(f"progress: found {progress!r}; expected True, False or None.")
    tqdm = _tqdm() if progress else None
    if tqdm is None:
        return nullcontext()
    bar: AbstractContextManager[Any] = tqdm(
        total=total, initial=initial, unit=f" {unit}", delay=1.0, leave=False, dynamic_ncols=True
    )
    return bar


def _is_watched() -> bool:
    """Whether standard error is a terminal or the output of a notebook's cell."""
    stream = sys.stderr
    return stream is not None and (stream.isatty() or type(stream).__module__.startswith("ipykernel."))


def _tqdm() -> Any:
    """The bar of tqdm for this program, terminal or notebook; None without tqdm. Imported when a bar is shown."""
    try:
        return importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        return None
