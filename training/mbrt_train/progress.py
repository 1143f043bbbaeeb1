"""Progress of a long computation, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from tqdm import tqdm

MINUTE = 60.0


class Progress:
    """A bar on a terminal; elsewhere a line every minute, for logs; nothing if `quiet`."""

    def __init__(
        self, total: int, unit: str, quiet: bool, *, done: int = 0, name: str = "", scale: bool = False
    ) -> None:
        self._total, self._unit, self._name, self._done = total, unit, name, done
        self._values = ""
        self._lines = not quiet and not sys.stderr.isatty()
        self._start = self._last = time.monotonic()
        self._first = done
        disabled = quiet or self._lines
        self._bar = tqdm(
            total=total, initial=done, unit=unit, desc=name, unit_scale=scale, disable=disabled, dynamic_ncols=True
        )

    def advance(self, count: int = 1, name: str | None = None) -> None:
        """`count` more units are done; name: of the current part."""
        self._done += count
        self._name = self._name if name is None else name
        if name is not None:
            self._bar.set_description(name, refresh=False)
        self._bar.update(count)
        now = time.monotonic()
        if self._lines and now - self._last >= MINUTE:
            self._last = now
            left = (self._total - self._done) * (now - self._start) / (self._done - self._first)
            print(
                f"{self._name}: {self._done:,} of {self._total:,} {self._unit}s, {left / MINUTE:.0f} minutes left"
                f"{self._values}",
                file=sys.stderr,
                flush=True,
            )

    def show(self, values: Mapping[str, str]) -> None:
        """Values that the bar or the next line shows."""
        self._values = "".join(f", {name} {value}" for name, value in values.items())
        self._bar.set_postfix(values)

    def close(self) -> None:
        self._bar.close()
