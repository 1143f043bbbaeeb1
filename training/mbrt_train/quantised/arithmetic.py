"""docs/numerics.md in PyTorch: float32, with the roundings of the specification.

fma is computed in float64, where the product of two floats is exact. It differs from a single rounding only if the sum,
rounded to float64, is exactly half-way between two floats: about once in 1e9 operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

ROUND = 12582912.0  # 1.5 * 2^23: floats of this size are integers
TINY = 2.0**-96
LANES = 16
EXACT_DEPTH = 1032  # maximum depth of exact sums in float32: 1032 * 128 * 127 < 2^24
FLOAT = float.fromhex


class Exact(torch.autograd.Function):
    """The value of `exact` with the gradient of `smooth`, the same function without rounding."""

    @staticmethod
    def forward(ctx: Any, smooth: Tensor, exact: Tensor) -> Tensor:
        return exact.view_as(exact)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def exact(smooth: Tensor, value: Tensor) -> Tensor:
    found: Tensor = Exact.apply(smooth, value)  # type: ignore[no-untyped-call]
    return found


def fma(a: Tensor, b: Tensor | float, c: Tensor | float) -> Tensor:
    """a * b + c, rounded to float32."""
    wide = [x.double() if isinstance(x, Tensor) else x for x in (b, c)]
    return (a.double() * wide[0] + wide[1]).float()


def root(x: Tensor) -> Tensor:
    """The square root, rounded once; PyTorch's float32 square root is sometimes an ulp off."""
    return x.double().sqrt().float()


def fold(lane: Tensor) -> Tensor:
    """[.., 16] -> [..]: lane j + lane j + 8, then + 4, + 2, + 1."""
    for half in (8, 4, 2, 1):
        lane = lane[..., :half] + lane[..., half : 2 * half]
    return lane[..., 0]


def row_sum(x: Tensor, squares: bool = False) -> Tensor:
    """Sum over 16 lanes and fold of the last axis, of x or of its squares."""
    padded = F.pad(x, (0, -x.shape[-1] % LANES))
    lanes = padded.view(*padded.shape[:-1], -1, LANES)
    total = torch.zeros_like(lanes[..., 0, :])
    for i in range(lanes.shape[-2]):
        part = lanes[..., i, :]
        total = fma(part, part, total) if squares else total + part
    return fold(total)


class Bytes(NamedTuple):
    """Rows of bytes q [.., K] as floats; the values are q * scale + shift, both [.., 1]."""

    q: Tensor
    scale: Tensor
    shift: Tensor

    @property
    def values(self) -> Tensor:
        return self.q * self.scale + self.shift


def quantise(x: Tensor) -> Bytes:
    """Quantise each row by the range of its values and 0, in 253 steps."""
    low, high = x.amin(-1, keepdim=True).clamp(max=0.0), x.amax(-1, keepdim=True).clamp(min=0.0)
    d = high - low
    live = d >= TINY
    r = torch.where(live, 253.0 / d, 0.0)
    z = torch.where(live, (fma(-low, r, ROUND) - ROUND) - 127.0, 0.0)
    q = torch.where(live, fma(x, r, ROUND + z) - ROUND, 0.0)
    scale = torch.where(live, d / 253.0, 0.0)
    return Bytes(q, scale, -z * scale)


def quantise_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Symmetric bytes of each row as floats, and scales [N], as in the converter."""
    m = weight.abs().amax(-1)
    live = m >= TINY
    divisor = torch.where(live, m, 1.0)
    r = torch.where(live, 127.0 / divisor, 0.0)
    return (weight * r[..., None]).round().clamp(-127, 127), divisor / 127.0


def byte_product(a: Tensor, b: Tensor) -> Tensor:
    """a @ b of bytes held as floats, [.., M, K] and [.., K, N]: the exact sum, rounded to float32 once."""
    if a.shape[-1] <= EXACT_DEPTH:
        return a @ b
    return (a.double() @ b.double()).float()


class Int8Linear(torch.autograd.Function):
    """W x + b in bytes; the gradient is that of the product of the dequantised values."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, rows: Bytes) -> Tensor:
        q, scale = quantise_rows(weight)
        ctx.save_for_backward(rows.values, q * scale[:, None])
        sums = byte_product(rows.q, q.T)
        w_sum = scale * q.double().sum(-1).float()
        return fma(sums, rows.scale * scale, fma(rows.shift, w_sum, bias))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        (g,), (x, weight) = gradients, ctx.saved_tensors
        flat = g.flatten(0, -2)
        return g @ weight, flat.T @ x.flatten(0, -2), flat.sum(0), None


def int8_linear(x: Tensor, weight: Tensor, bias: Tensor, rows: Bytes) -> Tensor:
    """x [.., K] quantised as `rows`, weight [N, K], bias [N] -> [.., N]."""
    found: Tensor = Int8Linear.apply(x, weight, bias, rows)  # type: ignore[no-untyped-call]
    return found


def float_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """W x + b with one accumulator per output, k ascending: the task classifiers."""
    with torch.no_grad():
        total = torch.zeros((*x.shape[:-1], weight.shape[0]))
        for k in range(x.shape[-1]):
            total = fma(x[..., k : k + 1], weight[:, k], total)
        value = total + bias
    return exact(F.linear(x, weight, bias), value)


def join(residual: Tensor, scale: Tensor, x: Tensor) -> Tensor:
    """fma(residual, scale, x), with its gradients."""
    with torch.no_grad():
        value = fma(residual, scale, x)
    return exact(residual * scale + x, value)


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    with torch.no_grad():
        n = float(x.shape[-1])
        d = x - (row_sum(x) / n)[..., None]
        inverse = 1.0 / root(row_sum(d, squares=True) / n + torch.tensor(eps))
        value = fma(d * inverse[..., None], weight, bias)
    return exact(F.layer_norm(x, (x.shape[-1],), weight, bias, eps), value)


def exp_parts(x: Tensor) -> tuple[Tensor, Tensor]:
    """expm1 of the remainder, and the power of two as exponent bits."""
    t = fma(x, FLOAT("0x1.715476p+0"), FLOAT("0x1.8p+23"))
    n = t - FLOAT("0x1.8p+23")
    r = fma(n, FLOAT("-0x1.62e400p-1"), x)
    r = fma(n, FLOAT("-0x1.7f7d1cp-20"), r)
    c = fma(r, FLOAT("0x1.6ab8bep-10"), FLOAT("0x1.122c60p-7"))
    for coefficient in ("0x1.55579cp-5", "0x1.5554aap-3", "0x1.fffffep-2"):
        c = fma(c, r, FLOAT(coefficient))
    return fma(c, r * r, r), t.view(torch.int32) << 23


def scaled_by_power(x: Tensor, exponent: Tensor) -> Tensor:
    return (x.view(torch.int32) + exponent).view(torch.float32)


def exp2(x: Tensor) -> Tensor:
    """Two to the power of x <= 0."""
    t = x + FLOAT("0x1.8p+23")
    f = x - (t - FLOAT("0x1.8p+23"))
    p = fma(f, FLOAT("0x1.408b5ep-7"), FLOAT("0x1.ca8f48p-5"))
    for coefficient in ("0x1.ebf1b8p-3", "0x1.62dfcap-1", "0x1p+0"):
        p = fma(p, f, FLOAT(coefficient))
    return torch.where(x > -126.0, scaled_by_power(p, t.view(torch.int32) << 23), 0.0)


def exp(x: Tensor) -> Tensor:
    """exp(x) for x <= 0."""
    p, exponent = exp_parts(x)
    return torch.where(x > FLOAT("-0x1.5d58a0p+6"), scaled_by_power(1.0 + p, exponent), 0.0)


def tanh(x: Tensor) -> Tensor:
    bounded = x.abs().clamp(max=10.0)
    p, exponent = exp_parts(bounded + bounded)
    s = scaled_by_power(torch.ones_like(x), exponent)
    q = fma(s, p, s - 1.0)
    y = q / (q + 2.0)
    return torch.where(x < 0, -y, y)


def _gate(b: Tensor, z: Tensor) -> Tensor:
    e = exp(-z.abs())
    return torch.where(b > 0, b, b * e) / (1.0 + e)


def silu(x: Tensor) -> Tensor:
    b = x.clamp(min=-90.0)
    return _gate(b, b)


def gelu_tanh(x: Tensor) -> Tensor:
    b = x.clamp(min=-90.0)
    return _gate(b, b * fma(b * b, FLOAT("0x1.2444f2p-4"), FLOAT("0x1.988454p+0")))


_TAIL = """
    -0x1.1efbcep-21 0x1.cf27a2p-18 -0x1.985af0p-15 0x1.762912p-13 0x1.10cf56p-15
    -0x1.3e2430p-8 0x1.29fb32p-5 0x1.45f082p-2 0x1.98846cp-1 0x1.62e430p-1
"""


def gelu(x: Tensor) -> Tensor:
    b = x.clamp(min=-90.0)
    a = b.abs()
    c = torch.full_like(a, FLOAT("0x1.321ccap-26"))
    for coefficient in _TAIL.split():
        c = fma(c, a, FLOAT(coefficient))
    tail = exp(-c)
    return b * torch.where(b > 0, 1.0 - tail, tail)


# By transformers' names, as in mbrt_train.models.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": gelu,
    "gelu_new": gelu_tanh,
    "relu6": F.relu6,
    "silu": silu,
    "tanh": tanh,
}
