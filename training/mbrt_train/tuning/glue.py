"""GLUE's sentence tasks, from GLUE's files or common variants of them without a header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from mbrt_train.config import Config
from mbrt_train.data.files import UTF8
from mbrt_train.errors import TrainingError
from mbrt_train.heads import AnyModel
from mbrt_train.models import Encoder
from mbrt_train.objectives import mean_pooled
from mbrt_train.tuning.classification import REGRESSION, SINGLE, Classification, encode
from mbrt_train.tuning.metrics import METRICS
from mbrt_train.tuning.tables import Line, read_columns
from mbrt_train.tuning.task import Example, Predict

HIGHEST = 5.0  # score of STS-B


@dataclass(frozen=True)
class Glue(Classification):
    """A classification task, or regression if it has no labels.

    texts: column names of the one or two texts; label: names of the label's column; places: their column numbers
    without a header. metrics: the first determines the best epoch.
    """

    name: str
    texts: tuple[tuple[str, ...], ...]
    label: tuple[str, ...]
    places: tuple[int, ...]
    labels: tuple[str, ...]
    metrics: tuple[str, ...]

    encoding: str = UTF8

    @property
    def problem(self) -> str:  # type: ignore[override]
        return SINGLE if self.labels else REGRESSION

    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        lines = read_columns(file, (*self.texts, self.label), self.places, self.encoding)
        texts = [line.fields[0] if len(self.texts) == 1 else (line.fields[0], line.fields[1]) for line in lines]
        encoded = encode(tokenizer, texts, max_length)
        return [Example((e,), self.target(line)) for e, line in zip(encoded, lines, strict=True)]

    def target(self, line: Line) -> int | float:
        """The label's index, or the score. Raises TrainingError for an unknown label."""
        text = line.fields[-1].strip()
        if not self.labels:
            return _score(line)
        if text in self.labels:
            return self.labels.index(text)
        if text.isdecimal() and int(text) < len(self.labels) == 2:  # only files with numbers as labels have two
            return int(text)
        allowed = ", ".join(self.labels) + (" (or 0, 1)" if len(self.labels) == 2 else "")
        raise TrainingError(f"{line.where}: the label is {text!r}; expected one of {allowed}.")


@dataclass(frozen=True)
class Similarity:
    """Sentence vectors whose cosine is trained on human scores from 0 to 5; STS-B's files."""

    name: str = "similarity"
    main_metric: str = "spearman"
    encoding: str = UTF8

    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        lines = read_columns(file, (*STS_B.texts, STS_B.label), STS_B.places, self.encoding)
        sides = [encode(tokenizer, [line.fields[i] for line in lines], max_length) for i in (0, 1)]
        return [Example((a, b), _score(line) / HIGHEST) for a, b, line in zip(*sides, lines, strict=True)]

    def make_model(self, config: Config) -> AnyModel:
        return Encoder(config, pooling=not config.classifier_activation)

    def extra(self) -> dict[str, Any]:
        return {}

    def result(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        out = model(**batch)
        states = (out[1] if isinstance(out, tuple) else out).last_hidden_state
        return mean_pooled(states, batch["mask"])

    def loss(self, made: Tensor, examples: Sequence[Example], teacher: Tensor | None, alpha: float) -> Tensor:
        targets = torch.tensor([example.target for example in examples], device=made.device)
        truth = F.mse_loss(F.cosine_similarity(made[0::2], made[1::2]), targets)
        if teacher is None:
            return truth
        return alpha * truth + (1 - alpha) * (1 - F.cosine_similarity(made, teacher)).mean()

    def evaluate(self, predict: Predict, examples: Sequence[Example]) -> dict[str, float]:
        vectors = np.stack(predict([s for example in examples for s in example.sequences])).astype(np.float64)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        cosine = (vectors[0::2] * vectors[1::2]).sum(1)
        truth = np.array([example.target for example in examples])
        return {name: METRICS[name](truth, cosine) for name in ("spearman", "pearson")}


def _score(line: Line) -> float:
    try:
        value = float(line.fields[-1])
    except ValueError:
        value = float("nan")
    if not 0 <= value <= HIGHEST:
        raise TrainingError(f"{line.where}: the score is {line.fields[-1]!r}; expected a number from 0 to 5.")
    return value


_PAIR = (("sentence1", "#1 String"), ("sentence2", "#2 String"))
STS_B = Glue("STS-B", _PAIR, ("score",), (0, 1, 2), (), ("pearson", "spearman"))
_ENTAILMENT = ("entailment", "not_entailment")
TASKS = {
    task.name: task
    for task in (
        Glue("CoLA", (("sentence",),), ("label",), (3, 1), ("unacceptable", "acceptable"), ("matthews",)),
        Glue("SST-2", (("sentence",),), ("label",), (0, 1), ("negative", "positive"), ("accuracy",)),
        Glue("MRPC", _PAIR, ("Quality", "label"), (3, 4, 0), ("different", "equivalent"), ("f1", "accuracy")),
        STS_B,
        Glue(
            "QQP",
            (("question1",), ("question2",)),
            ("is_duplicate",),
            (3, 4, 5),
            ("different", "duplicate"),
            ("f1", "accuracy"),
        ),
        Glue(
            "MNLI",
            _PAIR,
            ("gold_label", "label"),
            (8, 9, 11),
            ("entailment", "neutral", "contradiction"),
            ("accuracy",),
        ),
        Glue("QNLI", (("question",), ("sentence",)), ("label",), (1, 2, 3), _ENTAILMENT, ("accuracy",)),
        Glue("RTE", _PAIR, ("label",), (1, 2, 3), _ENTAILMENT, ("accuracy",)),
    )
}
