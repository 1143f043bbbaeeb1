"""A reader of source checkpoints: `model.safetensors`, or the shards of `model.safetensors.index.json`.

The files are untrusted: every size and offset is checked before a byte is used, tensors are views of a
read-only map, and no pickle is ever opened.
"""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt.errors import InputError, ModelFormatError, UnsupportedModelError

MAX_HEADER = 100_000_000  # the limit of the safetensors library itself
MAX_TEXT = 64 << 20
MAX_RANK = 8
_ITEM_SIZE = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2}
_ITEM_SIZE |= {"I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8}
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack")


@dataclass(frozen=True)
class Entry:
    """One stored tensor: where its bytes are and how to read them."""

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
        else:
            raise UnsupportedModelError(
                f'{self.file}: tensor "{name}" is {self.dtype}; the converter reads F32, F16 and BF16. '
                "Save the model in one of these types (a quantised checkpoint must be dequantised first)."
            )
        if not bool(np.isfinite(values).all()):
            raise ModelFormatError(
                f'{self.file}: tensor "{name}" holds NaN or infinity. '
                "The checkpoint is damaged or its training diverged."
            )
        return values


def read_text(path: Path) -> str:
    """The UTF-8 text of a small file. Raises ModelFormatError when it is too large or not UTF-8."""
    size = path.stat().st_size
    if size > MAX_TEXT:
        raise ModelFormatError(f"{path}: {size:,} bytes, more than the {MAX_TEXT:,} that a text file may have here.")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelFormatError(f"{path}: not UTF-8 text ({error}). Save it again as UTF-8.") from None


def parse_object(text: str, where: str) -> dict[str, Any]:
    """A JSON object from text. Raises ModelFormatError naming `where`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"{where}: not valid JSON ({error}). The file is damaged; fetch it again.") from None
    if not isinstance(value, dict):
        raise ModelFormatError(f"{where}: a JSON object was expected, found {type(value).__name__}.")
    return value


def read_checkpoint(folder: Path) -> dict[str, Entry]:
    """All tensors of a source folder by their stored names.

    Raises ModelFormatError (damaged or missing), UnsupportedModelError (pickled), InputError (already
    converted).
    """
    index = folder / "model.safetensors.index.json"
    single = folder / "model.safetensors"
    if single.is_file():
        return read_safetensors(single)
    if index.is_file():
        return _read_shards(folder, index)
    pickled = next((name for name in _PICKLES if (folder / name).is_file()), None)
    if pickled is not None:
        raise UnsupportedModelError(
            f"{folder}: the weights are in {pickled}, which can run code when opened and is never read here. "
            f"Write model.safetensors beside it with: {_safetensors_command(folder)}"
        )
    raise ModelFormatError(
        f"{folder}: no model.safetensors (or model.safetensors.index.json). Give the folder of a saved model."
    )


def _safetensors_command(folder: Path) -> str:
    """The shell command that turns a pickled checkpoint into safetensors with the model's own class."""
    name = "AutoModel"
    try:
        listed = json.loads(read_text(folder / "config.json")).get("architectures")
        if listed and isinstance(listed[0], str) and listed[0].isidentifier():
            name = listed[0]
    except (OSError, ValueError, AttributeError, TypeError, ModelFormatError):
        pass  # without a readable config the generic class is the best advice there is
    path = repr(str(folder))
    program = f"import transformers as t; t.{name}.from_pretrained({path}).save_pretrained({path})"
    return f"python -c {shlex.quote(program)}"


def _read_shards(folder: Path, index: Path) -> dict[str, Entry]:
    weight_map = parse_object(read_text(index), str(index)).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelFormatError(f'{index}: "weight_map" is missing or empty. The file is damaged; fetch it again.')
    shards: dict[str, dict[str, Entry]] = {}
    entries: dict[str, Entry] = {}
    for name, shard in weight_map.items():
        if not isinstance(shard, str) or not _is_plain_name(shard):
            raise ModelFormatError(
                f'{index}: tensor "{name}" is said to lie in {shard!r}, which is not '
                "the name of a .safetensors "
                "file in the same folder. The index is damaged or hostile."
            )
        if shard not in shards:
            if not (folder / shard).is_file():
                raise ModelFormatError(f"{index}: the shard {shard} is missing. Fetch the whole folder.")
            shards[shard] = read_safetensors(folder / shard)
        if name not in shards[shard]:
            raise ModelFormatError(f'{index}: tensor "{name}" is not in {shard} as the index says. Fetch them again.')
        entries[name] = shards[shard][name]
    return entries


def _is_plain_name(name: str) -> bool:
    return name.endswith(".safetensors") and not any(c in name for c in "/\\:\0") and not name.startswith(".")


def read_safetensors(path: Path) -> dict[str, Entry]:
    """The tensors of one safetensors file.

    Raises ModelFormatError for every malformed case, InputError for a file that is in our own format already.
    """
    size = path.stat().st_size
    if size < 8:
        raise ModelFormatError(f"{path}: {size} bytes are too few for a safetensors file. Fetch it again.")
    data = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
    length = int.from_bytes(data[:8].tobytes(), "little")
    if length > min(MAX_HEADER, size - 8):
        raise ModelFormatError(
            f"{path}: the header is said to be {length:,} bytes, the file has {size - 8:,} left "
            f"(and {MAX_HEADER:,} is the limit). The file is truncated or not safetensors."
        )
    try:
        text = data[8 : 8 + length].tobytes().decode("utf-8")
    except UnicodeDecodeError:
        raise ModelFormatError(f"{path}: the header is not UTF-8. The file is damaged or not safetensors.") from None
    header = parse_object(text, f"{path}: header")
    metadata = header.pop("__metadata__", None)
    if isinstance(metadata, dict) and metadata.get("format") == "mobilebert_rt":
        raise InputError(f"{path}: already in the engine's own format. Load this file as it is.")
    body = data[8 + length :]
    entries = {name: _entry(path, name, info, body) for name, info in header.items()}
    _check_no_holes(path, header, body.size)
    return entries


def _entry(path: Path, name: str, info: Any, body: NDArray[np.uint8]) -> Entry:
    """Check one header entry and cut its bytes out of the file."""
    where = f'{path}: tensor "{name}"'
    if not isinstance(info, dict):
        raise ModelFormatError(f"{where}: its header entry is not an object. The file is damaged.")
    dtype, shape, offsets = info.get("dtype"), _sizes(info.get("shape")), _sizes(info.get("data_offsets"))
    if not isinstance(dtype, str) or shape is None or offsets is None or len(offsets) != 2:
        raise ModelFormatError(f"{where}: its header entry lacks a dtype, shape or data_offsets. The file is damaged.")
    begin, end = offsets
    if not begin <= end <= body.size:
        raise ModelFormatError(
            f"{where} lies at bytes {begin:,} to {end:,}, the file has {body.size:,}. "
            "The file is truncated; fetch it again."
        )
    if dtype not in _ITEM_SIZE:
        raise UnsupportedModelError(f"{where} is {dtype}; the converter reads F32, F16 and BF16.")
    needed = math.prod(shape) * _ITEM_SIZE[dtype]
    if end - begin != needed:
        raise ModelFormatError(
            f"{where} holds {end - begin:,} bytes, its shape {list(shape)} {dtype} needs {needed:,}. "
            "The file is damaged; fetch it again."
        )
    return Entry(str(path), dtype, shape, body[begin:end])


def _sizes(value: Any) -> tuple[int, ...] | None:
    """A short list of integers >= 0 as a tuple; None for anything else."""
    if isinstance(value, list) and len(value) <= MAX_RANK and all(type(v) is int and v >= 0 for v in value):
        return tuple(value)
    return None


def _check_no_holes(path: Path, header: dict[str, Any], size: int) -> None:
    """Tensors must fill the data without gaps or overlaps, as the safetensors format asks."""
    at = 0
    for name, info in sorted(header.items(), key=lambda item: tuple(item[1]["data_offsets"])):
        begin, end = info["data_offsets"]
        if begin != at:
            raise ModelFormatError(
                f'{path}: tensor "{name}" begins at byte {begin:,}, the one before it ends at {at:,}. '
                "The file is damaged; fetch it again."
            )
        at = end
    if at != size:
        raise ModelFormatError(f"{path}: {size - at:,} bytes after the last tensor. The file is damaged.")
