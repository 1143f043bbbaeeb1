"""Attention of int8 models as in the engine; the gradient is that of softmax(q k^T) v."""

from __future__ import annotations

import torch
from torch import Tensor

from mbrt_train.quantised.arithmetic import FLOAT, ROUND, TINY, byte_product, exact, exp2, fma, row_sum

LOG2_E = FLOAT("0x1.715476p+0")


def attention(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """query (scaled by 1 / sqrt d), key, value [B, A, S, d], allowed [B, 1, 1, S] -> context and masked scores."""
    lowest = torch.finfo(torch.float32).min
    scores = (query @ key.transpose(2, 3)).masked_fill(~allowed, lowest)
    context = scores.softmax(-1) @ value
    with torch.no_grad():
        made = in_bytes(query, key, value, allowed)
    return exact(context, made), scores


def in_bytes(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor) -> Tensor:
    """One scale per token and head; exact sums. The scale of a value is multiplied into its attention weights."""
    (q, q_scale), (k, k_scale), (v, v_scale) = (_symmetric(x) for x in (query, key, value))
    scores = byte_product(q, k.transpose(2, 3)) * k_scale[..., None, :]
    visible = scores.masked_fill(~allowed, -torch.inf)
    distance = (visible - visible.amax(-1, keepdim=True)) * (q_scale * LOG2_E)[..., None]
    e = exp2(distance).masked_fill(~allowed, 0.0)
    inverse = 1.0 / row_sum(e)
    weight = e * v_scale[..., None, :]
    top = weight.amax(-1)
    live = top >= TINY
    steps = torch.where(live, 127.0 / top, 0.0)
    p = fma(weight, steps[..., None], ROUND) - ROUND
    factor = torch.where(live, top / 127.0 * inverse, 0.0)
    return byte_product(p, v) * factor[..., None]


def _symmetric(x: Tensor) -> tuple[Tensor, Tensor]:
    """Quantise each row by its largest absolute value: bytes and scales."""
    largest = x.abs().amax(-1)
    live = largest >= TINY
    r = torch.where(live, 127.0 / largest, 0.0)
    return fma(x, r[..., None], ROUND) - ROUND, torch.where(live, largest / 127.0, 0.0)
