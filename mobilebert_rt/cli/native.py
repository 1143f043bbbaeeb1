"""The commands in C++ (csrc/tools), with the models of this package."""

from __future__ import annotations

import os
import sys

from mobilebert_rt import _core
from mobilebert_rt.model import Model

PACKAGES = ("numpy", "tokenizers", "tqdm", "torch", "transformers")


def run(name: str, arguments: list[str]) -> None:
    """Output goes to the file descriptors of the process, not to sys.stdout."""
    sys.stdout.flush()
    _core.run_command(name, [os.fsencode(word) for word in arguments], load, facts)


def load(path: bytes, precision: str | None, isa: str | None) -> _core.Model:
    return Model.from_pretrained(os.fsdecode(path), precision, isa=isa)._core


def facts() -> dict[str, str | dict[str, str]]:
    """What `mbrt info` shows in addition to the facts of csrc/tools/info.cc."""
    import platform  # noqa: PLC0415 - slow to import
    from importlib import metadata  # noqa: PLC0415 - slow to import

    def version(package: str) -> str:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            return "not installed"

    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {package: version(package) for package in PACKAGES},
    }
