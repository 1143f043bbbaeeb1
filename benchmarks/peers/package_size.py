"""Installed size of distributions and of their requirements, in the environment of this process."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

SHARED = ("numpy",)  # all engines need it


def package_size(names: list[str]) -> dict[str, int]:
    """Bytes of the distributions ("own"), and of these with all their requirements ("all"), without numpy."""
    sizes: dict[str, int] = {}
    waiting = [_normal(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in sizes or name in SHARED:
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:  # of another platform, or provided by another distribution
            continue
        sizes[name] = _bytes(found)
        wanted = [text for text in found.requires or [] if "extra ==" not in text]
        waiting += [_normal(re.split(r"[^\w.-]", text)[0]) for text in wanted]
    return {"own": sum(sizes[_normal(name)] for name in names), "all": sum(sizes.values())}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _bytes(found: Distribution) -> int:
    """Size of the installed files, without byte code."""
    paths = (Path(str(found.locate_file(file))) for file in found.files or [] if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in paths if path.is_file())
