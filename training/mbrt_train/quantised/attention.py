"""Attention as the engine has it in an int8 file; the gradient is that of softmax(q k^T) v."""

from __future__ import annotations

import torch
from torch import Tensor

from mbrt_train.quantised.arithmetic import FLOAT, ROUND, TINY, byte_product, exact, exp2, fma, row_sum

LOG2_E = FLOAT("0x1.715476p+0")


def attention(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """query (times 1 / sqrt d already), key, value [B, A, S, d], allowed [B, 1, 1, S] -> context and masked scores."""
    lowest = torch.finfo(torch.float32).min
    scores = (query @ key.transpose(2, 3)).masked_fill(~allowed, lowest)
    context = scores.softmax(-1) @ value
    with torch.no_grad():
        made = in_bytes(query, key, value, allowed)
    return exact(context, made), scores


def in_bytes(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor) -> Tensor:
    """One scale for each token and head; exact sums. A key's value scale goes into its weights."""
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
    """Bytes of each row by its largest absolute value, and scales."""
    most = x.abs().amax(-1)
    live = most >= TINY
    r = torch.where(live, 127.0 / most, 0.0)
    return fma(x, r[..., None], ROUND) - ROUND, torch.where(live, most / 127.0, 0.0)
