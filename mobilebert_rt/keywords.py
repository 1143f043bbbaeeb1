"""Keywords of public calls: an unknown one is a TypeError that names the nearest known one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType
from typing import Any, TypeVar

T = TypeVar("T")

# What other libraries call a keyword of this package.
_SYNONYMS = {
    "aggregation_strategy": "aggregation",
    "handle_impossible_answer": "allow_no_answer",
    "max_answer_len": "max_answer_length",
    "max_seq_len": "max_length",
    "normalize_embeddings": "normalize",
    "show_progress_bar": "progress",
    "truncation": "on_overflow",
}


def checks_keywords(cls: type[T]) -> type[T]:
    """Make the public methods of a class check the names of their keywords."""
    for name, method in list(vars(cls).items()):
        if name.startswith("_") and name not in ("__init__", "__call__"):
            continue
        where = cls.__name__ if name == "__init__" else f"{cls.__name__}.{name}"
        if isinstance(method, FunctionType):
            setattr(cls, name, checked(method, keyword_names(method), where))
        elif isinstance(method, classmethod):
            function = method.__func__
            setattr(cls, name, classmethod(checked(function, keyword_names(function), where)))
    return cls


def keyword_names(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """Names of the parameters after the first (self or cls); None when any keyword is accepted."""
    code = getattr(function, "__wrapped__", function).__code__
    takes_any = code.co_flags & 0x08
    return None if takes_any else code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]


def checked(function: Callable[..., Any], known: Sequence[str] | None, where: str) -> Callable[..., Any]:
    """The function with a check of its keywords. known: their names, None for any. where: in messages."""
    if known is None:
        return function
    names = frozenset(known)

    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        if not names.issuperset(keywords):
            refuse_unknown(keywords, known, where)
        return function(*args, **keywords)

    return call


def refuse_unknown(keywords: Iterable[str], known: Sequence[str], where: str) -> None:
    """Raise TypeError for the first keyword that is not known."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for errors

    for name in keywords:
        if name in known:
            continue
        synonym = _SYNONYMS.get(name, "")
        near = [synonym] if synonym in known else get_close_matches(name, known, 1, 0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise TypeError(f"{where}: found the keyword {name!r}; expected one of {', '.join(known)}.{hint}")
