"""A reader of source checkpoints: `model.safetensors`, or the shards of `model.safetensors.index.json`.

The files are untrusted: every size and offset is checked before a byte is used, tensors are views of a read-only
map, and pickles are never loaded.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt.conversion.other_files import refuse_other_format, refuse_without_weights
from mobilebert_rt.errors import InputError, ModelFormatError, UnsupportedModelError

MAX_HEADER = 100_000_000  # bytes; the limit of the safetensors library itself
MAX_TEXT = 64 << 20  # bytes
MAX_RANK = 8
_ITEM_SIZE = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2}
_ITEM_SIZE |= {"I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8}


@dataclass(frozen=True)
class Entry:
    """One stored tensor: its bytes and how to read them."""

    file: str
    dtype: str
    shape: tuple[int, ...]
    data: NDArray[np.uint8] = field(repr=False)

    def float32(self, name: str) -> NDArray[np.float32]:
        """The tensor as float32 (F32 is not copied). Raises for other types and for NaN or infinity."""
        if self.dtype == "F32":
            values: NDArray[np.float32] = self.data.view("<f4").reshape(self.shape)
        elif self.dtype == "F16":
            values = self.data.view("<f2").reshape(self.shape).astype(np.float32)
        elif self.dtype == "BF16":
            bits = self.data.view("<u2").reshape(self.shape).astype(np.uint32) << np.uint32(16)
            values = bits.view(np.float32)
        elif self.dtype == "F64":
            with np.errstate(over="ignore"):  # infinity, which is refused below
                values = self.data.view("<f8").reshape(self.shape).astype(np.float32)
        else:
            raise UnsupportedModelError(
                f'{self.file}: tensor "{name}" is {self.dtype}; the converter reads F64, F32, F16 and BF16. '
                "Save the model in one of these types (dequantise a quantised checkpoint first)."
            )
        if not bool(np.isfinite(values).all()):
            raise ModelFormatError(
                f'{self.file}: tensor "{name}" has NaN or infinity; expected finite values. '
                "The checkpoint is damaged or its training diverged."
            )
        return values


def read_text(path: Path) -> str:
    """The UTF-8 text of a small file. Raises ModelFormatError when it is too large or not UTF-8."""
    size = path.stat().st_size
    if size > MAX_TEXT:
        raise ModelFormatError(f"{path}: {size:,} bytes; a text file may have {MAX_TEXT:,} at most.")
    if size > 0:
        refuse_other_format(path)
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelFormatError(f"{path}: not UTF-8 text ({error}). Save it again as UTF-8.") from None


def parse_object(text: str, where: str) -> dict[str, Any]:
    """A JSON object from text. Raises ModelFormatError naming `where`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"{where}: not valid JSON ({error}). The file is damaged; download it again.") from None
    if not isinstance(value, dict):
        raise ModelFormatError(f"{where}: found a JSON {type(value).__name__}; expected an object.")
    return value


def read_checkpoint(folder: Path, architectures: Any = None) -> dict[str, Entry]:
    """All tensors of a source folder by their stored names. architectures: of config.json, named in an error's fix.

    Raises ModelFormatError (damaged or missing), UnsupportedModelError (pickled), InputError (already converted).
    """
    index = folder / "model.safetensors.index.json"
    single = folder / "model.safetensors"
    if single.is_file():
        return read_safetensors(single)
    if index.is_file():
        return _read_shards(folder, index)
    refuse_without_weights(folder, architectures)


def _read_shards(folder: Path, index: Path) -> dict[str, Entry]:
    weight_map = parse_object(read_text(index), str(index)).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelFormatError(f'{index}: "weight_map" is missing or empty. Download the file again.')
    shards: dict[str, dict[str, Entry]] = {}
    entries: dict[str, Entry] = {}
    for name, shard in weight_map.items():
        if not isinstance(shard, str) or not re.fullmatch(r"[^./\\:\0][^/\\:\0]*\.safetensors", shard):
            raise ModelFormatError(
                f'{index}: tensor "{name}" is in {shard!r}; expected the name of a .safetensors file beside the index.'
            )
        if shard not in shards:
            if not (folder / shard).is_file():
                raise ModelFormatError(f"{index}: the shard {shard} is missing. Download the whole folder.")
            shards[shard] = read_safetensors(folder / shard)
        if name not in shards[shard]:
            raise ModelFormatError(f'{index}: tensor "{name}" is not in {shard}. Download both files again.')
        entries[name] = shards[shard][name]
    return entries


def read_safetensors(path: Path) -> dict[str, Entry]:
    """The tensors of one safetensors file. Raises InputError for a file that is in the engine's format already."""
    metadata, entries = parse_safetensors(path, map_file(path))
    if isinstance(metadata, dict) and metadata.get("format") == "mobilebert_rt":
        raise InputError(f"{path}: already converted. Load this file as it is.")
    return entries


def map_file(path: Path) -> NDArray[np.uint8]:
    """The bytes of a safetensors file, mapped."""
    size = path.stat().st_size
    if size < 8:
        refuse_other_format(path)
        raise ModelFormatError(f"{path}: {size} bytes; a safetensors file has at least 8. Download it again.")
    return np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)


def parse_safetensors(path: Path, data: NDArray[np.uint8]) -> tuple[Any, dict[str, Entry]]:
    """Metadata and tensors of a safetensors file. Raises ModelFormatError for every malformed case."""
    size, length = data.size, int.from_bytes(data[:8].tobytes(), "little")
    if length > min(MAX_HEADER, size - 8) or data[8:9].tobytes() != b"{":
        refuse_other_format(path)
    if length > min(MAX_HEADER, size - 8):
        raise ModelFormatError(
            f"{path}: header of {length:,} bytes; the file has {size - 8:,} left and the limit is {MAX_HEADER:,}. "
            "The file is truncated or not safetensors."
        )
    try:
        text = data[8 : 8 + length].tobytes().decode("utf-8")
    except UnicodeDecodeError:
        raise ModelFormatError(f"{path}: the header is not UTF-8. The file is damaged or not safetensors.") from None
    header = parse_object(text, f"{path}: header")
    metadata = header.pop("__metadata__", None)
    body = data[8 + length :]
    entries = {name: _entry(path, name, info, body) for name, info in header.items()}
    _check_no_holes(path, header, body.size)
    return metadata, entries


def _entry(path: Path, name: str, info: Any, body: NDArray[np.uint8]) -> Entry:
    """Check one header entry and take its bytes."""
    where = f'{path}: tensor "{name}"'
    info = info if isinstance(info, dict) else {}
    dtype, shape, offsets = info.get("dtype"), _sizes(info.get("shape")), _sizes(info.get("data_offsets"))
    if not isinstance(dtype, str) or shape is None or offsets is None or len(offsets) != 2:
        raise ModelFormatError(f"{where} has no valid dtype, shape and data_offsets. The file is damaged.")
    if dtype not in _ITEM_SIZE:
        raise UnsupportedModelError(f"{where} is {dtype}; the converter reads F64, F32, F16 and BF16.")
    begin, end = offsets
    if not begin <= end <= body.size:
        raise ModelFormatError(f"{where} is at bytes {begin:,} to {end:,}; the file has {body.size:,}: truncated.")
    needed = math.prod(shape) * _ITEM_SIZE[dtype]
    if end - begin != needed:
        raise ModelFormatError(
            f"{where} has {end - begin:,} bytes; its shape {list(shape)} {dtype} requires {needed:,}. "
            "The file is damaged; download it again."
        )
    return Entry(str(path), dtype, shape, body[begin:end])


def _sizes(value: Any) -> tuple[int, ...] | None:
    """A short list of integers >= 0 as a tuple; None for anything else."""
    if isinstance(value, list) and len(value) <= MAX_RANK and all(type(v) is int and v >= 0 for v in value):
        return tuple(value)
    return None


def _check_no_holes(path: Path, header: dict[str, Any], size: int) -> None:
    """Tensors must fill the data without gaps or overlaps, as the safetensors format requires."""
    at = 0
    for begin, end, name in sorted((*info["data_offsets"], name) for name, info in header.items()):
        if begin != at:
            raise ModelFormatError(
                f'{path}: tensor "{name}" begins at byte {begin:,}; the previous one ends at {at:,}. '
                "The file is damaged; download it again."
            )
        at = end
    if at != size:
        raise ModelFormatError(f"{path}: {size - at:,} bytes after the last tensor. The file is damaged.")
