"""Pack the input of a call (arrays with a mask, or lists of any lengths): sequences without padding."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mobilebert_rt.errors import InputError

PADDINGS = ("packed", "hf")


@dataclass(frozen=True)
class Packed:
    """Sequences one after another, with no padding between them.

    ids, types: int32 [T]; lengths: int64 [B]; key_mask: uint8 [T]; pair_mask: uint8, for each sequence [S, S].
    padded_length: S of the caller's array [B, S], or None when the caller gave a list.
    """

    ids: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int64]
    types: npt.NDArray[np.int32] | None
    key_mask: npt.NDArray[np.uint8] | None
    pair_mask: npt.NDArray[np.uint8] | None
    padded_length: int | None


def pack(input_ids: Any, attention_mask: Any = None, token_type_ids: Any = None, padding: str = "packed") -> Packed:
    """Pack a batch.

    input_ids: integer array [B, S], or a list of id lists (or 1-D arrays) of any lengths; a flat list of ids is
    a batch of one. attention_mask: for an array [B, S] or [B, S, S]; for a list, a list of [S_b] or
    [S_b, S_b]. token_type_ids: as input_ids. Arrays: of numpy, or what numpy reads (`__array__`, `__dlpack__`).
    padding "packed" leaves out the masked tokens at the end of each row; "hf" computes them, as transformers does.

    Raises InputError naming the argument and the sequence.
    """
    if padding not in PADDINGS:
        raise InputError(f'padding: found {padding!r}; expected "packed" or "hf".')
    ids, mask, types = (as_array(value) for value in (input_ids, attention_mask, token_type_ids))
    if isinstance(ids, list | tuple) and ids and all(isinstance(i, int | np.integer) for i in ids):
        ids, mask, types = (None if value is None else [value] for value in (ids, mask, types))
    if isinstance(ids, np.ndarray) and ids.ndim == 2:
        return _pack_array(ids, mask, types, padding)
    if isinstance(ids, list | tuple):
        return _pack_list(ids, mask, types)
    shape, fix = _shape_and_fix(ids)
    raise InputError(
        f"input_ids: found {type(input_ids).__name__}{shape}; expected an integer array [batch, length] or a list of "
        f"id lists.{fix}"
    )


def _shape_and_fix(ids: Any) -> tuple[str, str]:
    if isinstance(ids, np.ndarray):
        return f" of shape {ids.shape}", " Of one sequence: ids[None]." if ids.ndim == 1 else ""
    return "", " Text is for the text tasks, such as TextEmbedder." if isinstance(ids, str) else ""


def as_array(value: Any) -> Any:
    """An array of another library as a numpy array, without a copy where it can be; anything else as it is."""
    if value is None or isinstance(value, np.ndarray | list | tuple | str):
        return value
    try:
        if hasattr(value, "__array__"):
            return np.asarray(value)
        if hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise InputError(
            f"{type(value).__name__}: numpy cannot read it ({error}); expected an array on the CPU."
        ) from error
    return value


def _integers(values: Any, name: str) -> npt.NDArray[np.int32]:
    """An int32 copy. Values that do not fit are an error; they never wrap around."""
    try:
        array = np.asarray(as_array(values))
    except ValueError as error:
        raise InputError(f"{name}: found rows of different lengths; expected rows of one length.") from error
    if array.size == 0:
        return array.astype(np.int32)
    if array.dtype.kind not in "iu":
        raise InputError(f"{name}: found dtype {array.dtype}; expected integers.")
    info = np.iinfo(np.int32)
    if array.min() < info.min or array.max() > info.max:
        wrong = array.max() if array.max() > info.max else array.min()
        raise InputError(f"{name}: found {wrong}; expected integers of 32 bits.")
    return np.ascontiguousarray(array, dtype=np.int32)


def _mask(values: Any, name: str) -> npt.NDArray[np.uint8]:
    """A mask of 0 and 1. Additive float masks are an error: 0 means "attend" there."""
    array = np.asarray(as_array(values))
    if array.dtype.kind == "f" and not np.isin(array, (0.0, 1.0)).all():
        raise InputError(f"{name}: found values other than 0 and 1; expected 1 for a token to attend to, 0 for others.")
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name}: found dtype {array.dtype}; expected booleans, or 0 and 1.")
    return np.ascontiguousarray(array != 0, dtype=np.uint8)


def _pack_array(ids: npt.NDArray[Any], mask: Any, types: Any, padding: str) -> Packed:
    ids = _integers(ids, "input_ids")
    batch, length = ids.shape
    if batch == 0 or length == 0:
        raise InputError(f"input_ids: found shape {ids.shape}; expected at least one sequence of at least one token.")
    kinds = None if types is None else _integers(types, "token_type_ids")
    if kinds is not None and kinds.shape != ids.shape:
        raise InputError(f"token_type_ids: found shape {kinds.shape}; expected {ids.shape}, that of input_ids.")
    if mask is None:
        lengths = np.full(batch, length, dtype=np.int64)
        flat_types = None if kinds is None else kinds.reshape(-1)
        return Packed(ids.reshape(-1), lengths, flat_types, None, None, length)
    allowed = _mask(mask, "attention_mask")
    if allowed.shape not in ((batch, length), (batch, length, length)):
        raise InputError(
            f"attention_mask: found shape {allowed.shape}; expected {(batch, length)}, that of input_ids, "
            f"or {(batch, length, length)}."
        )
    # Padding: tokens at the end of a row that no query attends to and that attend to nothing.
    used = (allowed if allowed.ndim == 2 else allowed.max(axis=1) | allowed.max(axis=2)) != 0
    empty = np.flatnonzero(~used.any(axis=1))
    if empty.size:
        raise InputError(
            f"sequence {empty[0]}: the attention mask hides every token; expected at least one that is not hidden."
        )
    lengths = length - np.argmax(used[:, ::-1], axis=1).astype(np.int64)
    if padding == "hf":
        lengths = np.full(batch, length, dtype=np.int64)
    kept = np.arange(length) < lengths[:, None]
    key_mask, pair_mask = None, None
    if allowed.ndim == 3:
        pair_mask = np.concatenate([m[:n, :n].reshape(-1) for m, n in zip(allowed, lengths, strict=True)])
    elif not allowed[kept].all():
        key_mask = allowed[kept]
    packed_types = None if kinds is None else kinds[kept]
    return Packed(ids[kept], lengths, packed_types, key_mask, pair_mask, length)


def _pack_list(ids: Sequence[Any], mask: Any, types: Any) -> Packed:
    if len(ids) == 0:
        raise InputError("input_ids: found an empty list; expected at least one sequence.")
    rows = [_integers(row, f"input_ids[{b}]") for b, row in enumerate(ids)]
    for b, row in enumerate(rows):
        if row.ndim != 1 or row.size == 0:
            raise InputError(f"input_ids[{b}]: found shape {row.shape}; expected a list of at least one token id.")
    lengths = np.array([row.size for row in rows], dtype=np.int64)
    packed_types = None
    if types is not None:
        kinds = [_integers(k, f"token_type_ids[{b}]") for b, k in enumerate(_matching(types, rows, "token_type_ids"))]
        for b, (kind, row) in enumerate(zip(kinds, rows, strict=True)):
            if kind.shape != row.shape:
                raise InputError(f"token_type_ids[{b}]: found shape {kind.shape}; expected {row.shape}, one per token.")
        packed_types = np.concatenate(kinds)
    key_mask, pair_mask = None, None
    if mask is not None:
        masks = [_mask(m, f"attention_mask[{b}]") for b, m in enumerate(_matching(mask, rows, "attention_mask"))]
        key_mask, pair_mask = _list_masks(masks, lengths)
    return Packed(np.concatenate(rows), lengths, packed_types, key_mask, pair_mask, None)


def _matching(values: Any, rows: list[Any], name: str) -> Any:
    found = len(values) if isinstance(values, Sized) and np.iterable(values) else "no"
    if found != len(rows):
        raise InputError(
            f"{name}: found {found} entries; expected a list, one entry for each of the {len(rows)} sequences."
        )
    return values


def _list_masks(
    masks: list[npt.NDArray[np.uint8]], lengths: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8] | None, npt.NDArray[np.uint8] | None]:
    """(key_mask, pair_mask); a pair_mask if any of the masks is a square."""
    for b, (m, n) in enumerate(zip(masks, lengths, strict=True)):
        if m.shape not in ((n,), (n, n)):
            raise InputError(f"attention_mask[{b}]: found shape {m.shape}; expected {(int(n),)} or {(int(n), int(n))}.")
    if all(m.ndim == 1 for m in masks):
        flat = np.concatenate(masks)
        return (None if flat.all() else flat), None
    squares = [np.broadcast_to(m, (n, n)) for m, n in zip(masks, lengths, strict=True)]
    return None, np.concatenate([s.reshape(-1) for s in squares])
