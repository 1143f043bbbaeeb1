"""The kernels of docs/numerics.md in numpy: products, quantiser, layer norm, softmax, activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.numerics.float32 import (
    F32,
    exp,
    exp2,
    exp_parts,
    f32,
    fma,
    hexadecimal,
    maximum,
    minimum,
    row_sum,
    row_sum_of_squares,
    scaled_by_power,
)

ROUND = f32(12582912)


class Quantised(NamedTuple):
    """Rows of signed bytes q [m, k]; a row means q * scale + shift, both [m]."""

    q: NDArray[np.int8]
    scale: F32
    shift: F32


def high_and_low(x: F32) -> tuple[F32, F32]:
    """(max, min) of each row and 0."""
    return maximum(x.max(axis=1), f32(0)), minimum(x.min(axis=1), f32(0))


def quantise(x: F32, high: F32 | None = None, low: F32 | None = None) -> Quantised:
    """Each row by its own range, or by the one given."""
    if high is None or low is None:
        high, low = high_and_low(x)
    with np.errstate(all="ignore"):
        d = high - low
        tiny = d < hexadecimal("0x1p-96")
        scale = np.where(tiny, f32(0), d / f32(253))
        r = np.where(tiny, f32(0), f32(253) / d)
        z = np.where(tiny, f32(0), (fma(-low, r, ROUND) - ROUND) - f32(127))
        t = fma(x, r[:, None], (ROUND + z)[:, None])
        return Quantised((t.view(np.int32) & 255).astype(np.uint8).view(np.int8), scale, -z * scale)


class QuantisedHead(NamedTuple):
    """A head's part of rows: signed bytes q [m, width]; a row means q * scale [m]."""

    q: NDArray[np.int8]
    scale: F32


def quantise_head(x: F32) -> QuantisedHead:
    """Each row of one head's columns by its own largest absolute value."""
    with np.errstate(all="ignore"):
        most = np.abs(x).max(axis=1)
        tiny = most < hexadecimal("0x1p-96")
        scale = np.where(tiny, f32(0), most / f32(127))
        t = fma(x, np.where(tiny, f32(0), f32(127) / most)[:, None], ROUND)
        return QuantisedHead((t.view(np.int32) & 255).astype(np.uint8).view(np.int8), scale)


def exact_product(x: NDArray[np.int8], w: NDArray[np.int8]) -> F32:
    """x [m, K] times w [N, K], as floats."""
    return (x.astype(np.int64) @ w.astype(np.int64).T).astype(np.float32)


def product_s8(x: Quantised, w: NDArray[np.int8], w_scale: F32, bias: F32) -> F32:
    """x times w [N, K], with its bias."""
    with np.errstate(all="ignore"):
        w_sum = w_scale * w.sum(axis=1, dtype=np.int64).astype(np.float32)
        return fma(exact_product(x.q, w), x.scale[:, None] * w_scale, fma(x.shift[:, None], w_sum, bias))


def product_f32(x: F32, w: F32) -> F32:
    """x [m, K] times w [N, K]: one accumulator per output, k ascending."""
    total = np.zeros((x.shape[0], w.shape[0]), np.float32)
    for k in range(x.shape[1]):
        total = fma(x[:, k : k + 1], w[:, k], total)
    return total


def layer_norm(x: F32, weight: F32, bias: F32, eps: Any) -> F32:
    with np.errstate(all="ignore"):
        n = f32(x.shape[1])
        mean = row_sum(x) / n
        d = x - mean[:, None]
        inverse = f32(1) / np.sqrt(row_sum_of_squares(d) / n + f32(eps))
        return fma(d * inverse[:, None], weight, bias)


def softmax(scores: F32, allowed: NDArray[np.bool_] | None = None, scale: F32 | None = None) -> tuple[F32, F32]:
    """(e, 1 / sum) of each row: e = exp(score - maximum), or 2^((score - maximum) * (scale * log2 e)), scale [m]."""
    with np.errstate(all="ignore"):
        attended = ~np.isnan(scores)
        if allowed is not None:
            attended &= allowed
        visible = np.where(attended, scores, f32("-inf"))
        mx = visible.max(axis=1, keepdims=True)
        if scale is None:
            e = exp(visible - mx)
        else:
            e = exp2((visible - mx) * (scale * hexadecimal("0x1.715476p+0"))[:, None])
        e = np.where(attended, e, f32(0))
        return e, f32(1) / row_sum(e)


class Weights(NamedTuple):
    """Attention weights as bytes p [m, keys], 0 .. 127; a row means p * factor / value_scale."""

    p: NDArray[np.int8]
    factor: F32


def quantise_weights(e: F32, inverse: F32, value_scale: F32) -> Weights:
    """The result of softmax times each key's value scale [keys], as bytes."""
    with np.errstate(all="ignore"):
        weight = e * value_scale
        top = maximum(np.where(np.isnan(weight), f32(0), weight).max(axis=1), f32(0))
        tiny = top < hexadecimal("0x1p-96")
        steps = np.where(tiny, f32(0), f32(127) / top)
        t = fma(weight, steps[:, None], ROUND)
        p = (t.view(np.int32) & 255).astype(np.uint8).view(np.int8)
        return Weights(p, np.where(tiny, f32(0), top / f32(127) * inverse))


def scaled_rows(x: F32, factor: F32) -> F32:
    """x * factor, row by row."""
    with np.errstate(all="ignore"):
        product: F32 = x * factor[:, None]
        return product


def tanh(x: F32) -> F32:
    bounded = minimum(f32(10), np.abs(x))
    p, exponent = exp_parts(bounded + bounded)
    s = scaled_by_power(np.ones_like(x), exponent)
    q = fma(s, p, s - f32(1))
    y = q / (q + f32(2))
    odd: F32 = np.where(x < 0, -y, y)
    return odd


def _sigmoid_gate(b: F32, z: F32) -> F32:
    e = exp(-np.abs(z))
    gated: F32 = np.where(b > 0, b, b * e) / (f32(1) + e)
    return gated


def silu(x: F32) -> F32:
    b = maximum(f32(-90), x)
    return _sigmoid_gate(b, b)


def gelu_tanh(x: F32) -> F32:
    b = maximum(f32(-90), x)
    z = b * fma(b * b, hexadecimal("0x1.2444f2p-4"), hexadecimal("0x1.988454p+0"))
    return _sigmoid_gate(b, z)


GELU_TAIL = (
    "0x1.cf27a2p-18",
    "-0x1.985af0p-15",
    "0x1.762912p-13",
    "0x1.10cf56p-15",
    "-0x1.3e2430p-8",
    "0x1.29fb32p-5",
    "0x1.45f082p-2",
    "0x1.98846cp-1",
    "0x1.62e430p-1",
)


def gelu_erf(x: F32) -> F32:
    b = maximum(f32(-90), x)
    a = np.abs(b)
    c = fma(hexadecimal("0x1.321ccap-26"), a, hexadecimal("-0x1.1efbcep-21"))
    for coefficient in GELU_TAIL:
        c = fma(c, a, hexadecimal(coefficient))
    tail = exp(-c)
    return b * np.where(b > 0, f32(1) - tail, tail)


def relu(x: F32) -> F32:
    return maximum(x, f32(0))


def relu6(x: F32) -> F32:
    return minimum(relu(x), f32(6))


# By the name in a model file's configuration (docs/model_format.md).
ACTIVATIONS: dict[str, Callable[[F32], F32]] = {
    "relu": relu,
    "gelu": gelu_erf,
    "gelu_tanh": gelu_tanh,
    "relu6": relu6,
    "silu": silu,
    "tanh": tanh,
}


def activate(name: str, x: F32, scale: F32 | None = None) -> F32:
    with np.errstate(all="ignore"):
        y = ACTIVATIONS[name](x)
        return y if scale is None else y * scale
