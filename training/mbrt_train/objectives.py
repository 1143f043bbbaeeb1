"""Losses: feature maps, attention maps, words and sentences (Sun et al. 2020, section 3.3).

Sizes: B texts, S tokens, H width between blocks, A heads, M masked tokens, V vocabulary. The transfer losses
have one value per token, 0 on padding; the others one per prediction. The caller divides their sum by the number of
real tokens or predictions of the whole batch, so the result does not depend on how a batch is split over processes
and micro-batches. (The published code averages padding too.)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

NORM_EPS = 1e-12  # as in the published code's layer norm


def full(x: Tensor) -> Tensor:
    """At least float32: losses of bfloat16 activations are computed in float32."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def feature_distance(teacher: Tensor, student: Tensor, mask: Tensor) -> Tensor:
    """Feature-map transfer: mean over channels of (norm(t) - norm(s))^2 of two block outputs [B, S, H]; [B, S].

    norm is layer norm without weight and bias: the paper's mean squared error, decomposed as in section 3.3 so that a
    few large channels do not dominate. The mean and variance are in `feature_statistics`. Published weight: 100.
    """
    width = (teacher.shape[-1],)
    t, s = (F.layer_norm(full(x), width, eps=NORM_EPS) for x in (teacher, student))
    return (t - s).square().mean(-1) * mask.to(s.dtype)


def feature_statistics(teacher: Tensor, student: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Transfer of feature statistics: (mean t - mean s)^2 and |var t - var s| over channels, [B, S] each.

    Published weights: 5000 and 5. The published code compares every layer's statistics with those of all teacher layers
    at once, which is probably a mistake; here they are compared layer by layer.
    """
    (var_t, mean_t), (var_s, mean_s) = (torch.var_mean(full(x), -1, correction=0) for x in (teacher, student))
    real = mask.to(mean_s.dtype)
    return (mean_t - mean_s).square() * real, (var_t - var_s).abs() * real


def attention_transfer(teacher: Tensor, student: Tensor, mask: Tensor) -> Tensor:
    """KL(teacher || student) of each query's attention in nats, mean over heads: [B, S].

    teacher, student: scores before softmax [B, A, S, S], scaled, padding keys at the lowest float; mask [B, S].
    """
    log_t, log_s = full(teacher).log_softmax(-1), full(student).log_softmax(-1)
    rows = (log_t.exp() * (log_t - log_s)).sum(-1)  # [B, A, S]; padding keys contribute 0 times a finite number
    return rows.mean(1) * mask.to(rows.dtype)


def masked_words(student: Tensor, labels: Tensor, teacher: Tensor | None, alpha: float) -> Tensor:
    """alpha CE(label) + (1 - alpha) CE(teacher) of each masked word: [M].

    student, teacher: logits [M, V]; labels [M]. As published, with alpha = 0.5: the target is the mean of the true word
    and of the teacher's distribution. Without a teacher it is the true word alone.
    """
    log_s = full(student).log_softmax(-1)
    truth = F.nll_loss(log_s, labels, reduction="none")
    if teacher is None:
        return truth
    distilled = -(full(teacher).softmax(-1) * log_s).sum(-1)
    return alpha * truth + (1 - alpha) * distilled


def next_sentence(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each pair [B]; logits [B, 2], labels [B]: 0 is next, 1 is not."""
    return F.cross_entropy(full(logits), labels, reduction="none")


def mean_pooled(states: Tensor, mask: Tensor) -> Tensor:
    """The mean of each text's real tokens: states [B, S, H], mask [B, S] -> [B, H]."""
    real = mask.to(full(states).dtype)
    return torch.einsum("bsh,bs->bh", full(states), real) / real.sum(1, keepdim=True)


def pooled_cosine(teacher: Tensor, student: Tensor) -> Tensor:
    """1 - cosine of each text's sentence vector: [B, H] twice -> [B]."""
    return 1 - F.cosine_similarity(full(teacher), full(student), dim=-1)


def prefix_cosine(teacher: Tensor, student: Tensor, lengths: Sequence[int]) -> Tensor:
    """The mean of 1 - cosine over the vectors' first numbers, for the lengths below H, at least one: [B, H] -> [B]."""
    parts = [pooled_cosine(teacher[:, :n], student[:, :n]) for n in lengths if n < teacher.shape[1]]
    return torch.stack(parts).mean(0)


def similarity_distance(teacher: Tensor, student: Tensor) -> Tensor:
    """For each text the mean squared difference of its cosines to the other texts: [B, H] twice -> [B]; 0 for B = 1."""
    t, s = (F.normalize(full(x), dim=-1) for x in (teacher, student))
    difference = (t @ t.T - s @ s.T).fill_diagonal_(0.0)
    return difference.square().sum(1) / max(1, len(t) - 1)
