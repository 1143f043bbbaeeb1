"""Compares a PyTorch model and the engine on texts: hidden states, sentence vectors, and the head's results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import mobilebert_rt as mbrt
from mbrt_train.heads import AnyModel, QuestionAnswering, SequenceClassifier, TokenClassifier
from mbrt_train.models import Encoder, Output, PreTraining

Floats = NDArray[Any]


@dataclass
class Row:
    """Errors of the rows of one kind of output: relative (max |a - b| / max |b|), and cosines."""

    relative: list[Floats] = field(default_factory=list)
    cosine: list[Floats] = field(default_factory=list)

    def add(self, ours: Floats, theirs: Floats) -> None:
        a, b = np.atleast_2d(ours).astype(np.float64), np.atleast_2d(theirs).astype(np.float64)
        self.relative.append(np.abs(a - b).max(-1) / np.maximum(np.abs(b).max(-1), 1e-30))
        norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
        self.cosine.append((a * b).sum(-1) / np.maximum(norms, 1e-30))

    @property
    def worst(self) -> float:
        return float(np.concatenate(self.relative).max())

    @property
    def cosines(self) -> tuple[float, float]:
        """Mean and minimum."""
        values = np.concatenate(self.cosine)
        return float(values.mean()), float(values.min())


@dataclass
class Report:
    """Rows by name ("embeddings", "layer 1", ..., "logits", "sentence"), and the number of equal decisions."""

    precision: str
    rows: dict[str, Row] = field(default_factory=dict)
    agreed: int = 0
    decided: int = 0
    decision: str = ""
    metrics: dict[str, tuple[float, float]] = field(default_factory=dict)  # by name: of PyTorch and of the engine

    def add(self, name: str, ours: Floats, theirs: Floats) -> None:
        self.rows.setdefault(name, Row()).add(ours, theirs)

    def agree(self, what: str, ours: Floats, theirs: Floats) -> None:
        self.decision = what
        self.decided += ours.size
        self.agreed += int((ours == theirs).sum())

    @property
    def agreement(self) -> float:
        return self.agreed / self.decided if self.decided else 1.0

    def __str__(self) -> str:
        lines = [f"{self.precision:<14}{'max relative':>16}{'mean cosine':>14}{'min cosine':>14}"]
        for name, row in self.rows.items():
            mean, worst = row.cosines
            lines.append(f"{name:<14}{row.worst:>16.2e}{mean:>14.6f}{worst:>14.6f}")
        if self.decided:
            lines.append(f"{self.decision}: {self.agreed:,} of {self.decided:,} agree ({100 * self.agreement:.2f} %)")
        lines += [f"{name}: {ours:.2f} (PyTorch {theirs:.2f})" for name, (theirs, ours) in self.metrics.items()]
        return "\n".join(lines)


@torch.no_grad()
def compare(model: AnyModel, engine: mbrt.Model, texts: list[list[int]]) -> Report:
    """Run each text of ids alone in both; the reference is PyTorch in fp32."""
    report = Report(engine.config.precision)
    for ids in texts:
        batch = torch.tensor([ids])
        logits, out = forward(model, batch)
        ours = engine([ids], output_hidden_states=True)
        for i, (state, mine) in enumerate(zip(out.hidden_states, ours.hidden_states or (), strict=True)):
            report.add("embeddings" if i == 0 else f"layer {i}", mine[0], state[0].numpy())
        sentence = ours.last_hidden_state[0].mean(0)
        report.add("sentence", sentence, out.last_hidden_state[0].mean(0).numpy())
        if logits is not None:
            _compare_logits(model, report, ours, logits.numpy())
    return report


def forward(model: AnyModel, ids: torch.Tensor) -> tuple[torch.Tensor | None, Output]:
    """Logits, if there is a head, and the encoder's output; ids [1, S]."""
    ones, zeros = torch.ones_like(ids), torch.zeros_like(ids)
    if isinstance(model, Encoder):
        return None, model(ids, ones, zeros, alone=True)
    if isinstance(model, PreTraining):
        words, _, out = model(ids, ones, zeros, alone=True)
        return words, out
    found: tuple[torch.Tensor, Output] = model(ids, ones, zeros)
    return found


def _compare_logits(model: AnyModel, report: Report, ours: mbrt.ModelOutput, theirs: Floats) -> None:
    if isinstance(model, QuestionAnswering):
        mine = np.stack([ours.start_logits[0], ours.end_logits[0]])
        report.add("logits", mine, theirs[0].T)
        report.agree("starts and ends", mine.argmax(-1), theirs[0].T.argmax(-1))
        return
    mine = np.asarray(ours.logits[0])
    report.add("logits", mine, theirs[0])
    if isinstance(model, SequenceClassifier):
        if model.multi:
            report.agree("labels", mine > 0, theirs[0] > 0)
        elif model.labels > 1:
            report.agree("labels", mine.argmax(-1, keepdims=True), theirs[0].argmax(-1, keepdims=True))
    elif isinstance(model, TokenClassifier):
        report.agree("labels of tokens", mine.argmax(-1), theirs[0].argmax(-1))
    else:
        report.agree("most likely words", mine.argmax(-1), theirs[0].argmax(-1))
