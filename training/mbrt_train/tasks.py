"""Training tasks: from a batch to the weighted terms of the loss.

A term is a sum and the name of the count that it is divided by. The loop adds up the counts of all micro-batches on all
processes before it divides, so that the gradient is that of the whole batch, however it is split.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from mbrt_train import objectives
from mbrt_train.errors import TrainingError
from mbrt_train.models import Output, PreTraining
from mbrt_train.quantised.model import Quantised
from mbrt_train.strategies import Stage
from mbrt_train.teachers import Teacher, check_fit, layer_map

IGNORED = -100
PREFIXES = (64, 128, 256)


@dataclass(frozen=True)
class Batch:
    """B texts of up to S tokens, padded on the right; int64.

    ids, mask, types [B, S]; labels [B, S], the word to predict at a masked token, else IGNORED; relation [B], 0 if
    the second segment is the next one, 1 if not, IGNORED for a text of one segment. vectors [B, H] float32: the
    teacher's, of unit length, if they come from a file.
    """

    ids: Tensor
    mask: Tensor
    types: Tensor
    labels: Tensor
    relation: Tensor
    vectors: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: part.to(device) for name, part in parts.items() if part is not None})

    def __len__(self) -> int:
        return len(self.ids)

    def counts(self) -> dict[str, int]:
        """The counts that terms are averaged over: texts, tokens, masked words, pairs of segments."""
        return {
            "texts": len(self),
            "tokens": int(self.mask.sum()),
            "words": int((self.labels != IGNORED).sum()),
            "pairs": int((self.relation != IGNORED).sum()),
        }


class Term(NamedTuple):
    """weight * total / count; `per` is the name of the count."""

    name: str
    total: Tensor
    per: str
    weight: float = 1.0


@dataclass(frozen=True)
class Weights:
    """Weights of the objectives; the defaults are the published ones."""

    feature: float = 100.0
    mean: float = 5000.0
    variance: float = 5.0
    attention: float = 1.0
    alpha: float = 0.5  # weight of the true word in pre-training distillation
    similarity: float = 0.0  # of the cosines between texts, for vectors from a file
    prefixes: float = 0.0  # of the cosines of the first 64, 128 and 256 numbers, for vectors from a file


class Made(NamedTuple):
    """Logits of the M masked words [M, V] and of the pairs [B, 2], None if not requested; and the encoder's output."""

    words: Tensor | None
    relation: Tensor | None
    output: Output


class Student(nn.Module):
    """The forward pass of training, in one module so that DDP sees all of it.

    quantised: run the whole encoder, without heads, in the engine's int8 arithmetic. The converter's scales are
    computed at every step, so that they do not depend on interruptions.
    """

    def __init__(self, model: PreTraining, quantised: bool = False) -> None:
        super().__init__()
        self.model = model
        self.quantised = Quantised(model.body, every=1) if quantised else None

    def forward(self, batch: Batch, depth: int | None = None, heads: bool = False) -> Made:
        """The first `depth` blocks, or all of them, and the logits if `heads`."""
        if self.quantised is not None:
            return Made(None, None, self.quantised(batch.ids, batch.mask, batch.types))
        if heads:
            predict = batch.labels != IGNORED
            return Made(*self.model(batch.ids, batch.mask, batch.types, alone=True, predict=predict))
        return Made(None, None, self.model.body(batch.ids, batch.mask, batch.types, alone=True, depth=depth))


class Task(Protocol):
    """Interface of a task."""

    uses_heads: bool
    dropout: bool

    def terms(self, student: nn.Module, batch: Batch, stage: Stage) -> list[Term]:
        """The terms of one micro-batch."""


def language_terms(made: Made, batch: Batch, weight: float, teacher: Tensor | None, alpha: float) -> list[Term]:
    """Masked LM (distilled if the teacher's logits [M, V] are given) and next sentence."""
    assert made.words is not None
    assert made.relation is not None
    labels = batch.labels[batch.labels != IGNORED]
    pairs = batch.relation != IGNORED
    words = objectives.masked_words(made.words, labels, teacher, alpha)
    relation = objectives.next_sentence(made.relation[pairs], batch.relation[pairs])
    return [Term("words", words.sum(), "words", weight), Term("next_sentence", relation.sum(), "pairs", weight)]


class Pretraining:
    """Masked LM and next sentence without a teacher."""

    uses_heads, dropout = True, True

    def terms(self, student: nn.Module, batch: Batch, stage: Stage) -> list[Term]:
        return language_terms(student(batch, heads=True), batch, stage.final, teacher=None, alpha=1.0)


class KnowledgeTransfer(ABC):
    """Transfer of feature maps and attention from a frozen teacher; a subclass adds the last objective.

    Dropout is off in both, as in the published code. Raises TrainingError if student and teacher do not match.
    """

    uses_heads, dropout = False, False

    def __init__(self, teacher: Teacher, student: PreTraining, weights: Weights) -> None:
        check_fit(teacher, student.config)
        self.teacher, self.weights = teacher, weights
        self.blocks = layer_map(teacher.config, student.config)

    def terms(self, student: nn.Module, batch: Batch, stage: Stage) -> list[Term]:
        ours: Made = student(batch, depth=stage.depth, heads=self.uses_heads and stage.final > 0)
        theirs = self._teacher_output(batch, stage)
        found = self._transfer(ours.output, theirs, batch, stage)
        if stage.final:
            found += self.last(ours, theirs, batch, stage.final)
        return found

    @abstractmethod
    def last(self, ours: Made, theirs: Output, batch: Batch, weight: float) -> list[Term]:
        """The terms of the last objective."""

    def _teacher_output(self, batch: Batch, stage: Stage) -> Output:
        depth = None if stage.depth is None else self.blocks[stage.depth - 1] + 1 if stage.depth else 0
        return self.teacher.states(batch.ids, batch.mask, batch.types, depth)

    def _transfer(self, ours: Output, theirs: Output, batch: Batch, stage: Stage) -> list[Term]:
        """One term per objective: the sum over layers, weighted by the gates."""
        sums: dict[str, Tensor] = {}
        for i, gate in enumerate(stage.gates):
            if not gate:
                continue
            other = self.blocks[i - 1] + 1 if i else 0
            states = (theirs.hidden_states[other], ours.hidden_states[i])
            compared = i > 0 and self.weights.attention > 0
            scores = (theirs.attention_scores[other - 1], ours.attention_scores[i - 1]) if compared else None
            for name, value in self._layer(states, scores, batch.mask).items():
                sums[name] = sums.get(name, torch.zeros((), device=value.device)) + gate * value.sum()
        weights: Mapping[str, float] = vars(self.weights)
        return [Term(name, total, "tokens", weights[name]) for name, total in sums.items()]

    def _layer(
        self, states: tuple[Tensor, Tensor], scores: tuple[Tensor, Tensor] | None, mask: Tensor
    ) -> dict[str, Tensor]:
        """The transfer terms of one layer, [B, S] each, without those of weight 0."""
        w, found = self.weights, {}
        if w.feature:
            found["feature"] = objectives.feature_distance(*states, mask)
        if w.mean or w.variance:
            mean, variance = objectives.feature_statistics(*states, mask)
            found |= {"mean": mean, "variance": variance}
        if scores is not None:
            found["attention"] = objectives.attention_transfer(*scores, mask)
        return found


class PretrainingDistillation(KnowledgeTransfer):
    """The paper's last objective: alpha MLM + (1 - alpha) CE(teacher's words) + next sentence."""

    uses_heads = True

    def __init__(self, teacher: Teacher, student: PreTraining, weights: Weights) -> None:
        super().__init__(teacher, student, weights)
        if teacher.predictions is None and weights.alpha < 1:
            raise TrainingError(
                f"the teacher {teacher.name} has no masked LM head. Use a checkpoint with one, or "
                'weights.alpha = 1, or objective = "sentence".'
            )

    def last(self, ours: Made, theirs: Output, batch: Batch, weight: float) -> list[Term]:
        logits = None
        if self.teacher.predictions is not None:
            with torch.no_grad():
                logits = self.teacher.predictions(theirs.last_hidden_state[batch.labels != IGNORED])
        return language_terms(ours, batch, weight, logits, self.weights.alpha)


class SentenceDistillation(KnowledgeTransfer):
    """For teachers of sentence vectors: 1 - cosine of the mean-pooled states."""

    def last(self, ours: Made, theirs: Output, batch: Batch, weight: float) -> list[Term]:
        t = objectives.mean_pooled(theirs.last_hidden_state, batch.mask)
        s = objectives.mean_pooled(ours.output.last_hidden_state, batch.mask)
        return [Term("sentence", objectives.pooled_cosine(t, s).sum(), "texts", weight)]


class VectorDistillation:
    """For vectors of a teacher from a file: 1 - cosine; the same of the vectors' first numbers, so that they can be cut
    (Kusupati et al. 2022); and the cosines between the texts of a micro-batch.

    The last term, if its weight is not 0, depends on how a batch is split into micro-batches.
    """

    uses_heads, dropout = False, False

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def terms(self, student: nn.Module, batch: Batch, stage: Stage) -> list[Term]:
        assert batch.vectors is not None
        made: Made = student(batch)
        ours = objectives.mean_pooled(made.output.last_hidden_state, batch.mask)
        found = [Term("sentence", objectives.pooled_cosine(batch.vectors, ours).sum(), "texts", stage.final)]
        if self.weights.prefixes:
            total = objectives.prefix_cosine(batch.vectors, ours, PREFIXES).sum()
            found.append(Term("prefixes", total, "texts", stage.final * self.weights.prefixes))
        if self.weights.similarity:
            distance = objectives.similarity_distance(batch.vectors, ours)
            found.append(Term("similarity", distance.sum(), "texts", stage.final * self.weights.similarity))
        return found


def trainable(name: str, task: Task, stage: Stage) -> bool:
    """Whether a parameter gets a gradient in this stage: it is used, and its rate is not 0."""
    if stage.rate(name) == 0:
        return False
    if (name.startswith("cls.") or ".pooler." in name) and not (task.uses_heads and stage.final):
        return False
    parts = name.split(".")
    if "layer" in parts and stage.depth is not None:
        return int(parts[parts.index("layer") + 1]) < stage.depth
    return True
