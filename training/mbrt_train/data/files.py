"""Text of data files in a named encoding, with errors that name the line; metadata of model files."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError, safe_open

from mbrt_train.errors import TrainingError

UTF8 = "utf-8"


def read_text(file: Path, encoding: str = UTF8) -> str:
    """The whole file, without a byte order mark. Raises TrainingError if it does not exist or has another encoding."""
    _check(file, encoding)
    data = file.read_bytes()
    try:
        return data.decode(_decoder(encoding))
    except UnicodeDecodeError as error:
        raise _wrong_encoding(file, data.count(b"\n", 0, error.start) + 1, data[error.start], encoding) from None


def read_lines(file: Path, encoding: str = UTF8) -> Iterator[tuple[int, str]]:
    """Numbers and lines of a file of any size; a line keeps its line feed. Raises TrainingError as `read_text` does."""
    _check(file, encoding)
    with file.open(encoding=_decoder(encoding), newline="\n") as stream:
        try:
            yield from enumerate(stream, 1)
        except UnicodeDecodeError:
            read_text(file, encoding)  # names the exact line
            raise


def read_metadata(file: Path) -> dict[str, str]:
    """The metadata of the engine's model file. Raises TrainingError for a file of another kind."""
    try:
        with safe_open(file, "np") as tensors:
            found = dict(tensors.metadata() or {})
    except SafetensorError as error:
        raise TrainingError(f"{file}: not a model file ({error}); expected one that `mbrt convert` wrote.") from None
    if found.get("format") != "mobilebert_rt":
        raise TrainingError(f"{file}: not a model file of the engine; expected one that `mbrt convert` wrote.")
    return found


def _decoder(encoding: str) -> str:
    return "utf-8-sig" if codecs.lookup(encoding).name == UTF8 else encoding


def _check(file: Path, encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise TrainingError(f"--encoding is {encoding!r}; expected a name such as utf-8 or latin-1.") from None
    if not file.exists():
        raise TrainingError(f"{file} does not exist.")
    if not file.is_file():
        raise TrainingError(f"{file}: a folder; expected a file.")


def _wrong_encoding(file: Path, line: int, byte: int, encoding: str) -> TrainingError:
    return TrainingError(
        f"{file}:{line}: byte 0x{byte:02x} is not {encoding}. Name the file's encoding, for example "
        "--encoding latin-1, or save the file as UTF-8."
    )
