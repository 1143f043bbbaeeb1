"""Tasks of sentence vectors: similarity of two texts, and retrieval of the passage that answers a question."""

from __future__ import annotations

from abc import ABC, abstractmethod
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
from mbrt_train.tuning.classification import encode
from mbrt_train.tuning.glue import HIGHEST, STS_B, score_of
from mbrt_train.tuning.metrics import METRICS, ndcg
from mbrt_train.tuning.squad import read_questions
from mbrt_train.tuning.tables import read_columns
from mbrt_train.tuning.task import Array, Encoded, Example, Predict

TEMPERATURE = 0.05  # of the cosines in retrieval's loss, as in sentence-transformers (scale 20)
NEAREST = 10


@dataclass(frozen=True)
class Sentences(ABC):
    """Each example is a pair of texts with a vector each, of which the first `dimensions` numbers count (0: all)."""

    name: str
    main_metric: str
    encoding: str = UTF8
    dimensions: int = 0

    @abstractmethod
    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        """Pairs of texts."""

    @abstractmethod
    def truth(self, first: Tensor, second: Tensor, examples: Sequence[Example]) -> Tensor:
        """Mean loss of vectors [B, H] against the data."""

    @abstractmethod
    def evaluate(self, predict: Predict, examples: Sequence[Example]) -> dict[str, float]:
        """Metrics in percent by name."""

    def make_model(self, config: Config) -> AnyModel:
        return Encoder(config, pooling=not config.classifier_activation)

    def extra(self) -> dict[str, Any]:
        return {}

    def result(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        out = model(**batch)
        states = (out[1] if isinstance(out, tuple) else out).last_hidden_state
        return mean_pooled(states, batch["mask"])

    def loss(self, made: Tensor, examples: Sequence[Example], teacher: Tensor | None, alpha: float) -> Tensor:
        truth = self.truth(made[0::2], made[1::2], examples)
        if teacher is None:
            return truth
        return alpha * truth + (1 - alpha) * (1 - F.cosine_similarity(made, teacher)).mean()

    def vectors(self, predict: Predict, sequences: Sequence[Encoded]) -> Array:
        """[N, dimensions] float64, of unit length. Raises TrainingError if the model's vectors are shorter."""
        found: Array = np.stack(predict(sequences)).astype(np.float64)
        if found.shape[1] < self.dimensions:
            raise TrainingError(
                f"the model's vectors have {found.shape[1]} numbers; expected at least {self.dimensions}. Use smaller "
                "--dimensions."
            )
        kept: Array = found[:, : self.dimensions or None]
        norms: Array = np.linalg.norm(kept, axis=1, keepdims=True)
        kept /= np.maximum(norms, 1e-12)
        return kept


@dataclass(frozen=True)
class Similarity(Sentences):
    """Cosines that are trained on human scores from 0 to 5; STS-B's files."""

    name: str = "similarity"
    main_metric: str = "spearman"

    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        lines = read_columns(file, (*STS_B.texts, STS_B.label), STS_B.places, self.encoding)
        sides = [encode(tokenizer, [line.fields[i] for line in lines], max_length) for i in (0, 1)]
        return [Example((a, b), score_of(line) / HIGHEST) for a, b, line in zip(*sides, lines, strict=True)]

    def truth(self, first: Tensor, second: Tensor, examples: Sequence[Example]) -> Tensor:
        targets = torch.tensor([example.target for example in examples], device=first.device)
        return F.mse_loss(F.cosine_similarity(first, second), targets)

    def evaluate(self, predict: Predict, examples: Sequence[Example]) -> dict[str, float]:
        vectors = self.vectors(predict, [s for example in examples for s in example.sequences])
        cosine = (vectors[0::2] * vectors[1::2]).sum(1)
        truth = np.array([example.target for example in examples])
        return {name: METRICS[name](truth, cosine) for name in ("spearman", "pearson")}


@dataclass(frozen=True)
class Retrieval(Sentences):
    """From a question to its passage among all passages of a file in SQuAD's format.

    An example is a question and its passage; the target is the passage's number. Questions without an answer are left
    out. Trained with the other passages of the batch as wrong answers.
    """

    name: str = "retrieval"
    main_metric: str = f"ndcg@{NEAREST}"

    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        questions = [question for question in read_questions(file, self.encoding) if question.answers]
        passages = list(dict.fromkeys(question.context for question in questions))
        numbers = {passage: i for i, passage in enumerate(passages)}
        asked = encode(tokenizer, [question.text for question in questions], max_length)
        answers = encode(tokenizer, passages, max_length)
        targets = [numbers[question.context] for question in questions]
        return [Example((q, answers[i]), i) for q, i in zip(asked, targets, strict=True)]

    def truth(self, first: Tensor, second: Tensor, examples: Sequence[Example]) -> Tensor:
        scores = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T / TEMPERATURE
        target = torch.tensor([example.target for example in examples], device=scores.device)
        same = (target[:, None] == target) & ~torch.eye(len(target), dtype=torch.bool, device=scores.device)
        scores = scores.masked_fill(same, float("-inf"))  # another question's passage that is this one's too
        return F.cross_entropy(scores, torch.arange(len(target), device=scores.device))

    def evaluate(self, predict: Predict, examples: Sequence[Example]) -> dict[str, float]:
        passages = {example.target: example.sequences[1] for example in examples}
        numbers = list(passages)
        vectors = self.vectors(predict, [*passages.values(), *(example.sequences[0] for example in examples)])
        scores = vectors[len(numbers) :] @ vectors[: len(numbers)].T
        place = {number: i for i, number in enumerate(numbers)}
        right = np.array([place[example.target] for example in examples])
        ranks = (scores >= np.take_along_axis(scores, right[:, None], 1)).sum(1) - 1  # equal ones come before it
        return {f"ndcg@{NEAREST}": ndcg(ranks, NEAREST), "first": 100 * float((ranks == 0).mean())}
