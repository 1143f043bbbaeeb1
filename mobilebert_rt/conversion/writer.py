"""The container: a safetensors file whose tensors are 64-byte aligned and in the engine's order."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from mobilebert_rt.conversion.checkpoint import MAX_HEADER
from mobilebert_rt.conversion.layout import Spec, Tensor, pack
from mobilebert_rt.errors import InputError, ModelFormatError

ALIGNMENT = 64
_DTYPES = {"F32": "<f4", "I8": "i1"}


class Image:
    """The planned file: its header, and the tensors that follow it in this order."""

    def __init__(self, specs: list[Spec], metadata: dict[str, str]) -> None:
        """Plan the file. Raises ModelFormatError when the metadata cannot be stored."""
        self._specs = specs
        header: dict[str, object] = {"__metadata__": metadata}
        end = 0
        for spec in specs:
            begin, end = end, end + spec.bytes
            header[spec.name] = {"dtype": spec.dtype, "shape": spec.shape, "data_offsets": [begin, end]}
        self._header = _header_bytes(header)
        self.size = len(self._header) + end

    def write(self, sink: BinaryIO | mmap.mmap, tensors: Iterable[Tensor]) -> None:
        """Write the header and the planned tensors, packed."""
        sink.write(self._header)
        for spec, (name, values) in zip(self._specs, tensors, strict=True):
            stored = pack(values, spec).astype(_DTYPES[spec.dtype], order="C", copy=False)
            assert (spec.name, spec.shape, values.dtype) == (name, stored.shape, stored.dtype), spec
            sink.write(stored.data.cast("B"))


def _header_bytes(header: dict[str, object]) -> bytes:
    """Length and JSON, padded with spaces so that the data after it is aligned."""
    try:
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ModelFormatError(
            f"metadata: a character in the config, labels or tokenizer is not Unicode ({error.reason}). Correct it."
        ) from None
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    if len(text) > MAX_HEADER:
        raise ModelFormatError(
            f"metadata: config, labels and tokenizer have {len(text):,} bytes; a file may have {MAX_HEADER:,} of them."
        )
    return len(text).to_bytes(8, "little") + text


def anonymous_map(image: Image) -> mmap.mmap:
    """Page-aligned private memory of the image's size, zero-filled. Raises MemoryError."""
    try:
        return mmap.mmap(-1, image.size)
    except (OSError, OverflowError) as error:
        raise MemoryError(
            f"config.json: the model needs {image.size:,} bytes of memory, which are not available ({error})."
        ) from None


@contextlib.contextmanager
def replacing(path: Path, force: bool) -> Iterator[BinaryIO]:
    """A new file that replaces `path` when the block succeeds and is removed when it fails.

    Raises InputError when the file exists and `force` is false, or when it cannot be written.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the name of a file, such as {path / 'int8.safetensors'}.")
    if path.exists() and not force:
        raise InputError(f"{path} exists. Pass force=True to replace it, or give another name.")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder does not exist. Create it first.")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
