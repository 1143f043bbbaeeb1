"""Installed size of an engine: its package, and all its requirements. Run with an environment's Python.

python package_size.py NAME...     NAME: a distribution, or several joined by +
One JSON object on standard output: {NAME: {"own": bytes, "all": bytes, "with": [...]}}

numpy is not counted, since all engines need it; packages that only convert models are not listed.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

SHARED = ("numpy",)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def own_bytes(found: Distribution) -> int:
    """Size of the installed files, without byte code."""
    paths = (Path(str(found.locate_file(file))) for file in found.files or [] if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in paths if path.is_file())


def requirements(found: Distribution) -> list[str]:
    """Names of the requirements of a distribution on this machine, without extras."""
    try:
        from packaging.requirements import Requirement  # noqa: PLC0415
    except ImportError:  # every environment has pip
        from pip._vendor.packaging.requirements import Requirement  # type: ignore[assignment]  # noqa: PLC0415
    wanted = [Requirement(text) for text in found.requires or []]
    return [r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]


def closure(names: list[str]) -> dict[str, int]:
    """Bytes of distributions and, recursively, of their requirements."""
    sizes: dict[str, int] = {}
    waiting = [normal(name) for name in names]
    while waiting:
        current = waiting.pop()
        if current in sizes or current in SHARED:
            continue
        try:
            found = distribution(current)
        except PackageNotFoundError:  # optional, or provided by another distribution
            continue
        sizes[current] = own_bytes(found)
        waiting += [normal(requirement) for requirement in requirements(found)]
    return sizes


def main(names: list[str]) -> int:
    found = {}
    for name in names:
        asked = name.split("+")
        sizes = closure(asked)
        own = {normal(part) for part in asked}
        if own <= sizes.keys():
            own_size = sum(sizes[part] for part in own)
            found[name] = {"own": own_size, "all": sum(sizes.values()), "with": sorted(sizes.keys() - own)}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.path.pop(0)  # this script's folder: its files are not top-level modules
    sys.exit(main(sys.argv[1:]))
