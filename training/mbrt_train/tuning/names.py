"""Fine-tuning tasks by name."""

from __future__ import annotations

from dataclasses import replace

from mbrt_train.errors import TrainingError
from mbrt_train.tuning.classification import MULTI, REGRESSION, SINGLE
from mbrt_train.tuning.glue import TASKS
from mbrt_train.tuning.own import Data, OwnTexts
from mbrt_train.tuning.sentences import Retrieval, Sentences, Similarity
from mbrt_train.tuning.squad import Squad
from mbrt_train.tuning.task import TuningTask
from mbrt_train.tuning.tokens import OwnTokens

OWN = {"classification": SINGLE, "multi-label": MULTI, "regression": REGRESSION, "token-classification": ""}
OTHERS: dict[str, type[Squad | Similarity | Retrieval]] = {
    "SQuAD": Squad,
    "similarity": Similarity,
    "retrieval": Retrieval,
}
NAMES = (*OWN, *TASKS, *OTHERS)


def task_by_name(name: str, data: Data | None = None) -> TuningTask:
    """A task on one's own data, a GLUE task, SQuAD, or one of sentence vectors. Raises TrainingError.

    data: how files are read; the published tasks take only its encoding.
    """
    data = data or Data()
    known = next((known for known in NAMES if known.lower() == name.lower()), None)
    if known is None:
        raise TrainingError(f"unknown task {name!r}; expected one of {', '.join(NAMES)}.")
    if known in OWN:
        return _own(known, data)
    if data != Data(encoding=data.encoding):
        raise TrainingError(
            f"{known}: its files have fixed columns and labels; --text-column, --pair-column, --label-column and "
            f"--labels apply to {', '.join(OWN)}. Omit them, or use one of these tasks."
        )
    if known in TASKS:
        return replace(TASKS[known], encoding=data.encoding)
    return OTHERS[known](encoding=data.encoding)


def shortened(task: TuningTask, dimensions: int) -> TuningTask:
    """The task with the first `dimensions` numbers of each vector, or all for 0. Raises TrainingError."""
    if dimensions == 0:
        return task
    if dimensions < 0:
        raise TrainingError(f"--dimensions is {dimensions}; expected at least 1.")
    if not isinstance(task, Sentences):
        raise TrainingError(f"--dimensions: {task.name} has no vectors; expected similarity or retrieval. Omit it.")
    return replace(task, dimensions=dimensions)


def _own(known: str, data: Data) -> TuningTask:
    if known == "token-classification":
        if data.pair is not None:
            raise TrainingError("token-classification: --pair-column is given; expected single texts. Omit it.")
        return OwnTokens(known, data)
    if data.labels is not None and OWN[known] == REGRESSION:
        raise TrainingError("regression: --labels is given; a regression has none. Omit it.")
    return OwnTexts(known, OWN[known], data)
