"""A task on the batches of a Ray dataset: `documents.map_batches(MapTexts, ...)`. Needs the extra `ray`."""

from __future__ import annotations

from typing import Any

from mobilebert_rt import columns
from mobilebert_rt.errors import InputError, MobileBertError


class MapTexts:
    """Adds a column with the results of a task to each batch of a `ray.data.Dataset`; null where the text is null.

    task: "embed", "classify", "zero-shot" or "tag". model: a path that every node can read, or "default". column: of
    the texts. result_column: a new column, by default "vector", "labels", "labels" or "entities". num_threads: by
    default the CPUs that Ray gave to the actor (`num_cpus=` of map_batches). Other keywords are those of
    `from_pretrained` and of a call of the task's class: precision, max_length, top_k, candidate_labels and so on.

    Each actor loads the model once. Results are pyarrow values: a vector is a list of H float32 numbers; labels are
    records of label and score, best first; entities are records of text, label, score, start and end. They depend on
    the text alone, so a batch that Ray runs again, on whatever machine, gives the same bits.

    Raises InputError for an unknown task, a column that is not there or holds no strings, and a result_column that is
    there already; MobileBertError if num_threads is None and Ray is not installed; what loading the model and a call
    of the task raise.

    >>> import pyarrow
    >>> embed = MapTexts("embed", "default", num_threads=1)  # Ray does this in each actor
    >>> embed(pyarrow.table({"text": ["a cat", None]})).column_names
    ['text', 'vector']
    """

    def __init__(
        self,
        task: str,
        model: str,
        *,
        column: str = "text",
        result_column: str | None = None,
        num_threads: int | None = None,
        **options: Any,
    ) -> None:
        self._column = column
        self._result_column = result_column or columns.find_task(task).result_column
        self._run = columns.load(task, model, num_threads or _cpus_of_actor(), options)

    def __call__(self, batch: Any) -> Any:
        """The batch as a pyarrow.Table with the new column. batch: of any batch_format; "pyarrow" copies nothing."""
        table = _as_table(batch)
        columns.check_texts(table.schema, self._column)
        if self._result_column in table.schema.names:
            raise InputError(
                f"result_column: found a column {self._result_column!r} in the dataset; expected a new name."
            )
        return table.append_column(self._result_column, self._run(table[self._column]))


def _as_table(batch: Any) -> Any:
    import pyarrow  # noqa: PLC0415

    if isinstance(batch, pyarrow.Table):
        return batch
    from ray.data.block import BlockAccessor  # noqa: PLC0415

    return BlockAccessor.for_block(BlockAccessor.batch_to_block(batch)).to_arrow()


def _cpus_of_actor() -> int:
    """num_cpus of the actor that this process is; one for fractions and for none."""
    try:
        import ray  # noqa: PLC0415 - not a requirement
    except ImportError as error:
        raise MobileBertError(
            f"MapTexts: {error}; expected the packages of the extra ray. Install them: pip install 'mobilebert-rt[ray]'"
        ) from error
    return max(1, int(ray.get_runtime_context().get_assigned_resources().get("CPU", 1)))
