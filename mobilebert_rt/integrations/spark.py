"""A task on a column of a Spark DataFrame: a pandas UDF. Needs the extra `spark`."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from mobilebert_rt import columns
from mobilebert_rt.errors import InputError

try:
    import pandas as pd
    import pyarrow
    from pyspark import SparkFiles, TaskContext
    from pyspark.sql.functions import pandas_udf
except ImportError as error:
    raise ImportError(
        f"mobilebert_rt.integrations.spark: {error}; expected the packages of the extra spark. "
        "Install them: pip install 'mobilebert-rt[spark]'"
    ) from error

_LABELS = "array<struct<label:string,score:float>>"
_ENTITIES = "array<struct<text:string,label:string,score:float,start:int,end:int>>"
_TYPES = {"embed": "array<float>", "classify": _LABELS, "zero-shot": _LABELS, "tag": _ENTITIES}


def texts_udf(task: str, model: str, *, num_threads: int | None = None, **options: Any) -> Any:
    """A pandas UDF from a column of texts to a column with the results of a task; null where the text is null.

    task: "embed", "classify", "zero-shot" or "tag". model: the name of a file or folder given to
    `SparkContext.addFile`, or a path that every worker can read, or "default". num_threads: by default the CPUs of a
    Spark task (`spark.task.cpus`). Other keywords are those of `from_pretrained` and of a call of the task's class:
    precision, max_length, top_k, candidate_labels and so on.

    Each Python worker loads the model once. A vector is an array of H floats; labels are structs of label and score,
    best first; entities are structs of text, label, score, start and end. They depend on the text alone, so a task
    that Spark runs again, on whatever machine, gives the same bits.

    Raises InputError for an unknown task, and for an option that is no string, number, boolean, list or None. On the
    workers: InputError for a column that holds no strings, what loading the model and a call of the task raise.

    >>> import pyspark.sql
    >>> spark = pyspark.sql.SparkSession.builder.master("local[1]").getOrCreate()
    >>> documents = spark.createDataFrame([("a cat",), (None,)], "text string")
    >>> found = documents.withColumn("vector", texts_udf("embed", "default")("text")).collect()
    >>> len(found[0].vector), found[1].vector
    (384, None)
    """
    columns.find_task(task)
    settings = _settings(task, os.fspath(model), options)

    def run(parts: Iterator[pd.Series]) -> Iterator[pd.Series]:
        task_on_column = _loaded(settings, num_threads or TaskContext.get().cpus())
        for texts in parts:
            yield _as_series(task_on_column(_as_column(texts)))

    return pandas_udf(run, returnType=_TYPES[task])


def _settings(task: str, model: str, options: dict[str, Any]) -> str:
    """The key of a Python worker's cache; each call of Spark brings its own copy of the objects."""
    try:
        return json.dumps((task, model, options))
    except TypeError as error:
        raise InputError(f"options: {error}; expected strings, numbers, booleans, lists and None.") from None


@functools.cache
def _loaded(settings: str, num_threads: int) -> Callable[[columns.Column], columns.Column]:
    """The task, loaded once in a Python worker, which runs many Spark tasks."""
    task, model, options = json.loads(settings)
    shipped = SparkFiles.get(model)
    return columns.load(task, shipped if os.path.exists(shipped) else model, num_threads, options)


def _as_column(texts: pd.Series) -> columns.Column:
    try:
        return pyarrow.array(texts, pyarrow.string(), from_pandas=True)
    except (pyarrow.ArrowTypeError, pyarrow.ArrowInvalid):
        raise InputError(f"column: found values of type {texts.dtype}; expected strings.") from None


def _as_series(column: columns.Column) -> pd.Series:
    return column.to_pandas()
