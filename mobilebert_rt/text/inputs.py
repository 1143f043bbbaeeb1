"""Texts as they are given to a task: one text, or a list, column or generator of texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mobilebert_rt.errors import InputError

_SEVERAL = "expected a list, a generator or a column of texts"


def as_texts(texts: object) -> tuple[tuple[Any, ...], bool]:
    """The texts of a call, and whether one text was given alone: a str, a pair as a tuple, or a mapping."""
    if isinstance(texts, str | tuple):
        return (texts,), True
    if isinstance(texts, Mapping):
        return (_from_mapping(texts, "texts"),), True
    return tuple(read_texts(texts)), False


def read_texts(texts: object, name: str = "texts") -> Iterator[Any]:
    """Several texts, one by one. The container is checked now; C++ checks that each item is text.

    name: of the argument, in messages.
    """
    items = _checked(texts, name)
    return (item if type(item) is str else _as_text(item, number) for number, item in enumerate(items))


def _checked(texts: Any, name: str) -> Iterable[Any]:
    found = type(texts).__name__
    if isinstance(texts, str | tuple | Mapping):
        raise InputError(f"{name}: found one {found}; {_SEVERAL}. Put it into a list.")
    if isinstance(texts, bytes | bytearray | memoryview):
        raise InputError(f"{name}: found {found}; expected str. Decode it: bytes({name}).decode('utf-8').")
    if isinstance(texts, set | frozenset):
        raise InputError(f"{name}: found {found}, which has no order; {_SEVERAL}. Give sorted({name}).")
    if hasattr(type(texts), "columns"):
        raise InputError(f"{name}: found {found}, a table; {_SEVERAL}. Give one column: {name}['name of the column'].")
    if getattr(texts, "ndim", 1) != 1:
        raise InputError(f"{name}: found {found} of shape {tuple(texts.shape)}; {_SEVERAL}. Give an array [N].")
    if hasattr(texts, "to_pylist"):  # pyarrow, whose items are no str
        texts = texts.to_pylist()
    if not isinstance(texts, Iterable):
        raise InputError(f"{name}: found {found}; expected a str, a pair of them as a tuple, or a list.")
    return texts


def _as_text(item: object, number: int) -> object:
    return _from_mapping(item, f"input {number}") if isinstance(item, Mapping) else item


def _from_mapping(given: Mapping[Any, Any], where: str) -> Any:
    """The text, or the pair, of a mapping as pipelines of transformers read it."""
    if given.keys() == {"text"}:
        return given["text"]
    if given.keys() == {"text", "text_pair"}:
        return given["text"], given["text_pair"]
    keys = ", ".join(map(str, given)) or "no keys"
    fix = " Token ids are for a Model." if "input_ids" in given else ""
    raise InputError(
        f"{where}: found {type(given).__name__} with {keys}; expected a str, or the keys text and text_pair.{fix}"
    )
