"""Results of a task for a column of texts: a pyarrow array in, a pyarrow array out, null where the text is null.

What Parquet files, Ray and Spark have in common. The package pyarrow is imported when it is first used.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from mobilebert_rt.errors import InputError

Column: TypeAlias = Any  # pyarrow.Array or pyarrow.ChunkedArray
# Options of from_pretrained; all others are keywords of a call.
_LOADING = ("precision", "isa", "cache", "download", "revision")
_LABEL = {"label": "string", "score": "float32"}
_ENTITY = {"text": "string", "label": "string", "score": "float32", "start": "int32", "end": "int32"}


def vectors_array(vectors: np.ndarray[Any, Any]) -> Column:
    """[N, H] numbers as N lists of H."""
    import pyarrow  # noqa: PLC0415

    return pyarrow.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])


def _records_array(rows: list[list[dict[str, Any]]], fields: Mapping[str, str]) -> Column:
    """Lists of records of any length."""
    import pyarrow  # noqa: PLC0415

    kinds = [(name, getattr(pyarrow, kind)()) for name, kind in fields.items()]
    return pyarrow.array(rows, pyarrow.list_(pyarrow.struct(kinds)))


def _labels_array(found: Any) -> Column:
    return _records_array([[{"label": one.label, "score": one.score} for one in row] for row in found], _LABEL)


def _zero_shot_array(found: Any) -> Column:
    pairs = [zip(one.labels, one.scores, strict=True) for one in found]
    return _records_array([[{"label": label, "score": score} for label, score in row] for row in pairs], _LABEL)


def _entities_array(found: Any) -> Column:
    return _records_array([[{name: getattr(one, name) for name in _ENTITY} for one in row] for row in found], _ENTITY)


@dataclass(frozen=True)
class Task:
    """A task that runs on columns."""

    class_name: str  # in mobilebert_rt.text
    result_column: str  # its usual name
    to_array: Callable[[Any], Column]


TASKS = {
    "embed": Task("TextEmbedder", "vector", vectors_array),
    "classify": Task("TextClassifier", "labels", _labels_array),
    "zero-shot": Task("ZeroShotClassifier", "labels", _zero_shot_array),
    "tag": Task("TokenClassifier", "entities", _entities_array),
}


def find_task(name: str) -> Task:
    """One of TASKS. Raises InputError for another name."""
    if name not in TASKS:
        raise InputError(f"task: found {name!r}; expected one of {', '.join(TASKS)}.")
    return TASKS[name]


def load(name: str, model: str, num_threads: int | None, options: Mapping[str, Any]) -> Callable[[Column], Column]:
    """The task with its model, as a function from a column of texts to a column of results.

    name: one of TASKS. options: keywords of `from_pretrained` and of a call. Wrong ones are errors now, as they are
    errors of the task's class.
    """
    task = find_task(name)
    loading = {key: value for key, value in options.items() if key in _LOADING}
    keywords = {key: value for key, value in options.items() if key not in _LOADING}
    kind = getattr(importlib.import_module("mobilebert_rt.text"), task.class_name)
    run = functools.partial(kind.from_pretrained(model, num_threads=num_threads, **loading), **keywords, progress=False)
    run([])
    return functools.partial(run_on_column, run, task.to_array)


def run_on_column(run: Callable[[list[str]], Any], to_array: Callable[[Any], Column], texts: Column) -> Column:
    """Results of `run` for the texts, null where a text is null."""
    import pyarrow  # noqa: PLC0415

    values = texts.to_pylist()
    made = to_array(run([text for text in values if text is not None]))
    if texts.null_count == 0:
        return made
    is_null = np.array([text is None for text in values])
    return made.take(pyarrow.array(np.cumsum(~is_null) - 1, mask=is_null))


def check_named(schema: Any, name: str, argument: str) -> None:
    """Raises InputError unless the schema has the column. argument: which named it."""
    if name not in schema.names:
        raise InputError(f"{argument}: found no {name!r}; expected one of {', '.join(schema.names)}.")


def check_texts(schema: Any, column: str) -> None:
    """Raises InputError unless the schema has the column, and it holds strings."""
    check_named(schema, column, "column")
    found = str(schema.field(column).type)
    if found not in ("string", "large_string", "string_view", "null"):
        raise InputError(f"column: found {column!r} of type {found}; expected strings.")
