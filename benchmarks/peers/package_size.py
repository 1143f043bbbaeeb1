"""What an engine weighs on disk: its package, and all that pip brings with it. Run with an environment's Python.

python package_size.py NAME...     NAME: a distribution, or several joined by +
One JSON object on standard output: {NAME: {"own": bytes, "all": bytes, "with": [...]}}

numpy is counted nowhere: everybody has it. What is only needed to convert models is not asked for.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

SHARED = ("numpy",)
NAME = re.compile(r"[A-Za-z0-9._-]+")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def own_bytes(found: Distribution) -> int:
    """Installed files, without the byte code that Python makes of them."""
    paths = (Path(str(found.locate_file(file))) for file in found.files or [] if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in paths if path.is_file())


def requirements(found: Distribution) -> list[str]:
    """Names of what a distribution needs here; extras were not asked for."""
    try:
        from packaging.requirements import Requirement  # noqa: PLC0415 - most environments have it
    except ImportError:
        try:
            from pip._vendor.packaging.requirements import Requirement  # type: ignore[assignment]  # noqa: PLC0415
        except ImportError:
            plain = [text for text in found.requires or [] if "extra ==" not in text]
            return [match.group() for text in plain if (match := NAME.match(text))]
    wanted = [Requirement(text) for text in found.requires or []]
    return [r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]


def closure(names: list[str]) -> dict[str, int]:
    """Bytes of distributions and, recursively, of what they need."""
    sizes: dict[str, int] = {}
    waiting = [normal(name) for name in names]
    while waiting:
        current = waiting.pop()
        if current in sizes or current in SHARED:
            continue
        try:
            found = distribution(current)
        except PackageNotFoundError:  # optional after all, or provided otherwise
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
    sys.path.pop(0)  # this script's neighbours are no top-level modules
    sys.exit(main(sys.argv[1:]))
