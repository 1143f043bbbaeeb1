"""Classification of a text or of a pair: one label, several labels, or a number. Subclasses read the files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from mbrt_train.config import Config
from mbrt_train.heads import AnyModel, SequenceClassifier
from mbrt_train.tuning.metrics import METRICS
from mbrt_train.tuning.task import Encoded, Example, Predict, mixed

SINGLE, MULTI, REGRESSION = "single_label_classification", "multi_label_classification", "regression"


class Classification(ABC):
    """labels: names in the order of the logits; none for a number. metrics: the first determines the best epoch.

    Targets are a label's index, a list of 0 and 1 for each label (`MULTI`), or a number.
    """

    name: str
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    problem: str  # transformers' problem_type

    @property
    def main_metric(self) -> str:
        return self.metrics[0]

    @abstractmethod
    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        """Examples of a file. Raises TrainingError for wrong content."""

    def make_model(self, config: Config) -> AnyModel:
        return SequenceClassifier(config, max(1, len(self.labels)), multi=self.problem == MULTI)

    def extra(self) -> dict[str, Any]:
        names = self.labels or ("score",)
        return {
            "id2label": {str(i): label for i, label in enumerate(names)},
            "label2id": {label: i for i, label in enumerate(names)},
            "problem_type": self.problem,
        }

    def result(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        logits: Tensor = model(**batch)[0]
        return logits

    def loss(self, made: Tensor, examples: Sequence[Example], teacher: Tensor | None, alpha: float) -> Tensor:
        targets = torch.tensor([example.target for example in examples], device=made.device)
        if self.problem == SINGLE:
            return mixed(F.cross_entropy(made, targets), made, teacher, alpha)
        if self.problem == MULTI:
            truth = F.binary_cross_entropy_with_logits(made, targets.float())
            guided = None if teacher is None else F.binary_cross_entropy_with_logits(made, teacher.sigmoid())
        else:
            truth = F.mse_loss(made[:, 0], targets.float())
            guided = None if teacher is None else F.mse_loss(made, teacher)
        return truth if guided is None else alpha * truth + (1 - alpha) * guided

    def evaluate(self, predict: Predict, examples: Sequence[Example]) -> dict[str, float]:
        logits = np.stack(predict([example.sequences[0] for example in examples]))
        truth = np.array([example.target for example in examples])
        found = {SINGLE: logits.argmax(-1), MULTI: logits > 0, REGRESSION: logits[:, 0]}[self.problem]
        return {name: METRICS[name](truth, found) for name in self.metrics}


def encode(tokenizer: Tokenizer, texts: Sequence[Any], max_length: int) -> list[Encoded]:
    """Each text, or pair as a tuple, cut to max_length tokens."""
    tokenizer.enable_truncation(max_length)
    encoded = tokenizer.encode_batch(list(texts))
    tokenizer.no_truncation()
    return [Encoded(e.ids, e.type_ids) for e in encoded]
