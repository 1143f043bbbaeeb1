"""Interface of a fine-tuning task, and functions that all tasks share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from mbrt_train.config import Config
from mbrt_train.heads import AnyModel

Array = NDArray[Any]
# From N sequences to the model's result for each: logits [n], logits [S, 2], or a vector [H].
Predict = Callable[[Sequence["Encoded"]], list[Array]]


@dataclass(frozen=True)
class Encoded:
    """One sequence: ids and segment types, [S] each."""

    ids: list[int]
    types: list[int]


@dataclass(frozen=True)
class Example:
    """The sequences of one example (two for a pair of vectors), its target, and the data for its evaluation."""

    sequences: tuple[Encoded, ...]
    target: Any
    origin: Any = None


class TuningTask(Protocol):
    """A task with its own format of data files."""

    @property
    def name(self) -> str:
        """Name on the command line."""

    @property
    def main_metric(self) -> str:
        """The metric that determines the best epoch and seed."""

    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        """Examples of a file. Raises TrainingError for wrong content."""

    def make_model(self, config: Config) -> AnyModel:
        """An untrained model with this task's head."""

    def extra(self) -> dict[str, Any]:
        """Further keys of config.json."""

    def loss(self, made: Tensor, examples: Sequence[Example], teacher: Tensor | None, alpha: float) -> Tensor:
        """Mean loss; made: the student's `result` for these examples, teacher: the teacher's."""

    def result(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """The values of `Predict` for a padded batch."""

    def evaluate(self, predict: Predict, examples: Sequence[Example]) -> dict[str, float]:
        """Metrics in percent by name."""


def pad(sequences: Sequence[Encoded], device: torch.device | None = None) -> dict[str, Tensor]:
    """ids, mask, types [B, S]."""
    longest = max(len(s.ids) for s in sequences)
    arrays = {name: np.zeros((len(sequences), longest), np.int64) for name in ("ids", "mask", "types")}
    for i, s in enumerate(sequences):
        n = len(s.ids)
        arrays["ids"][i, :n], arrays["mask"][i, :n], arrays["types"][i, :n] = s.ids, 1, s.types
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}


def mixed(truth: Tensor, student: Tensor, teacher: Tensor | None, alpha: float) -> Tensor:
    """alpha truth + (1 - alpha) KL(teacher || student), logits along the last axis; without a teacher only truth."""
    if teacher is None:
        return truth
    log_t, log_s = teacher.log_softmax(-1), student.log_softmax(-1)
    distilled = (log_t.exp() * (log_t - log_s)).nan_to_num(0.0).sum(-1).mean()
    return alpha * truth + (1 - alpha) * distilled
