"""Predictions of a PyTorch model and of the engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

import mobilebert_rt as mbrt
from mbrt_train.heads import AnyModel, SequenceClassifier, TokenClassifier
from mbrt_train.models import Encoder, PreTraining
from mbrt_train.tuning.task import Array, Encoded, Predict, TuningTask, pad

BATCH_TOKENS = 4096


class AsAlone(nn.Module):
    """A model called with ids, mask, types, which runs each text as if alone."""

    def __init__(self, model: AnyModel) -> None:
        super().__init__()
        self.model = model.body if isinstance(model, PreTraining) else model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> object:
        if isinstance(self.model, Encoder):
            return self.model(ids, mask, types, alone=True)
        return self.model(ids, mask, types)


def with_torch(task: TuningTask, model: nn.Module, device: torch.device | None = None) -> Predict:
    """Predictions by PyTorch, from `task.result`."""

    @torch.no_grad()
    def predict(sequences: Sequence[Encoded]) -> list[Array]:
        found: list[Array] = [np.empty(0)] * len(sequences)
        for group in by_length(sequences):
            made = task.result(model, pad([sequences[i] for i in group], device)).float().cpu().numpy()
            for i, row in zip(group, made, strict=True):
                found[i] = row[: len(sequences[i].ids)] if row.ndim == 2 else row
        return found

    return predict


def with_engine(engine: mbrt.Model) -> Predict:
    """Predictions by the engine, from the head of its file."""

    def predict(sequences: Sequence[Encoded]) -> list[Array]:
        found: list[Array] = [np.empty(0)] * len(sequences)
        typed = engine.config.type_vocab_size > 0
        for group in by_length(sequences):
            parts = [sequences[i] for i in group]
            out = engine([s.ids for s in parts], token_type_ids=[s.types for s in parts] if typed else None)
            for n, i in enumerate(group):
                if out.start_logits is not None:
                    found[i] = np.stack([out.start_logits[n], out.end_logits[n]], axis=-1)
                elif out.logits is not None:
                    found[i] = np.asarray(out.logits[n])
                else:
                    found[i] = np.asarray(out.last_hidden_state[n]).mean(0)
        return found

    return predict


def by_length(sequences: Sequence[Encoded]) -> list[list[int]]:
    """Indices in groups of similar length, of up to BATCH_TOKENS padded tokens."""
    order = sorted(range(len(sequences)), key=lambda i: -len(sequences[i].ids))
    groups: list[list[int]] = []
    for i in order:
        if not groups or (len(groups[-1]) + 1) * len(sequences[groups[-1][0]].ids) > BATCH_TOKENS:
            groups.append([])
        groups[-1].append(i)
    return groups


def check_head(task: TuningTask, model: AnyModel) -> bool:
    """Whether the model has this task's head with as many outputs."""
    wanted = task.make_model(model.config)
    if isinstance(wanted, (SequenceClassifier, TokenClassifier)):
        return isinstance(model, type(wanted)) and model.labels == wanted.labels
    return type(model) is type(wanted) or (isinstance(wanted, Encoder) and isinstance(model, PreTraining))
