"""Converted folders, kept in a cache folder for the next start.

A file's name is a hash of everything that it depends on: the files of the folder, the precision, the format and the
converter. Beside it lies the hash of its content: a file that does not match is written again.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mobilebert_rt import _core, conversion
from mobilebert_rt.conversion.metadata import FORMAT_VERSION
from mobilebert_rt.conversion.writer import replacing
from mobilebert_rt.errors import InputError

_READ_BY_CONVERSION = {".json", ".txt", ".safetensors"}


def cache_folder() -> Path:
    """$MBRT_CACHE, else the folder `mobilebert_rt` in the user's cache folder of this platform.

    >>> cache_folder().is_absolute()
    True
    """
    given = os.environ.get("MBRT_CACHE")
    if given:
        return Path(given).absolute()
    if sys.platform == "darwin":
        user = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        user = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return user / "mobilebert_rt"


def cached_file(
    folder: Path, precision: str, progress: Callable[[str, int, int], None] | None = None
) -> tuple[Path, bool]:
    """The converted file of a folder, and whether it was written now. progress: as in `convert`.

    Raises InputError when the cache folder cannot be written, and what `convert` raises.
    """
    file = cache_folder() / "models" / f"{_key(folder, precision)}.safetensors"
    seal = file.with_suffix(".sha256")
    if file.is_file() and seal.is_file() and seal.read_bytes() == _digest(file).encode():
        return file, False
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        conversion.convert(folder, file, precision, force=True, progress=progress)
        with replacing(seal, force=True) as sink:
            sink.write(_digest(file).encode())
    except OSError as error:
        if error.filename is not None and not str(error.filename).startswith(str(file.parent)):
            raise  # the source cannot be read
        raise InputError(
            f"{file.parent}: the cache folder cannot be written ({error.strerror}). Set MBRT_CACHE to another folder, "
            "or leave out cache=True."
        ) from error
    return file, True


def _key(folder: Path, precision: str) -> str:
    """A hash of what decides the bytes of the converted file."""
    parts = [_core.__version__, FORMAT_VERSION, precision]
    for path in _files(Path(conversion.__file__).parent, {".py"}):
        parts.append(_digest(path))
    for path in _files(folder, _READ_BY_CONVERSION):
        parts += [str(path.relative_to(folder)), _digest(path)]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _files(folder: Path, ends: set[str]) -> Iterator[Path]:
    """The files in the folder and in the folders in it, sorted."""
    for path in sorted([*folder.glob("*"), *folder.glob("*/*")]):
        if path.suffix in ends and path.is_file():
            yield path


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
