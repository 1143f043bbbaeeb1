"""The container: a safetensors file whose tensors lie 64-byte aligned and in the engine's order."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from mobilebert_rt.conversion.checkpoint import MAX_HEADER
from mobilebert_rt.conversion.layout import Spec, Tensor, pack
from mobilebert_rt.errors import InputError, ModelFormatError

ALIGNMENT = 64
_DTYPES = {"F32": "<f4", "I8": "i1"}


class Sink(Protocol):
    """What an image is written into: a file or an anonymous map."""

    def seek(self, position: int, /) -> object:
        """Go to a byte."""

    def write(self, data: memoryview, /) -> object:
        """Write there."""


class Image:
    """The planned file: its header, and the offset of each tensor. Tensors may come in any order."""

    def __init__(self, specs: Iterable[Spec], metadata: dict[str, str]) -> None:
        """Plan the file. Raises ModelFormatError when the metadata cannot be stored."""
        self._at: dict[str, tuple[int, Spec]] = {}
        header: dict[str, object] = {"__metadata__": metadata}
        offset = 0
        for spec in specs:
            end = offset + spec.bytes
            header[spec.name] = {"dtype": spec.dtype, "shape": spec.shape, "data_offsets": [offset, end]}
            self._at[spec.name] = (offset, spec)
            offset = end
        self.header = _header_bytes(header)
        self.size = len(self.header) + offset

    def write(self, sink: Sink, tensors: Iterable[Tensor]) -> None:
        """Write the header and the tensors, packed. Every planned tensor must come exactly once."""
        sink.seek(0)
        sink.write(memoryview(self.header))
        for name, values in tensors:
            offset, spec = self._at.pop(name)
            stored = pack(values, spec).astype(_DTYPES[spec.dtype], order="C", copy=False)
            assert (stored.shape, stored.dtype) == (spec.shape, values.dtype), name
            sink.seek(len(self.header) + offset)
            sink.write(stored.data.cast("B"))
        assert not self._at, f"not written: {', '.join(self._at)}"


def _header_bytes(header: dict[str, object]) -> bytes:
    """Length and JSON, padded with spaces so that the data after it is aligned."""
    try:
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ModelFormatError(
            f"the config, labels or tokenizer hold a character that is not Unicode ({error.reason}). Correct it."
        ) from None
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    if len(text) > MAX_HEADER:
        raise ModelFormatError(
            f"config, labels and tokenizer take {len(text):,} bytes; a file may have {MAX_HEADER:,}. Shorten them."
        )
    return len(text).to_bytes(8, "little") + text


def anonymous_map(image: Image) -> mmap.mmap:
    """Page-aligned private memory of the image's size, zero-filled. Raises MemoryError."""
    try:
        return mmap.mmap(-1, image.size)
    except (OSError, OverflowError) as error:
        raise MemoryError(
            f"the model that config.json describes takes {image.size:,} bytes; there is no room ({error})."
        ) from None


@contextlib.contextmanager
def replacing(path: Path, force: bool) -> Iterator[Sink]:
    """A new file that takes the place of `path` when the block succeeds, and leaves no trace when it fails.

    Raises InputError when the file is there and `force` is false, or when it cannot be written.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name the file to write, such as {path / 'int8.safetensors'}.")
    if path.exists() and not force:
        raise InputError(f"{path} exists. Pass force=True to replace it, or name another file.")
    if not path.parent.is_dir():
        raise InputError(f"{path}: its folder does not exist. Create it first.")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
