"""The tensors of the file, in file order, with dtypes and shapes; and how values are packed into them.

Matrices lie in the order in which the kernels read them, N and K rounded up to multiples of 16, zeros in the padding:

n16k1 (float32): weight of output n, input k at [n / 16, k, n % 16].
n16k4 (int8):    at [n / 16, k / 4, n % 16, k % 4].
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion.fold import Floats, Linear
from mobilebert_rt.conversion.layers import Array, Layer, parts
from mobilebert_rt.conversion.quantise import quantise_rows

Values = NDArray[Any]  # float32 or int8
Tensor = tuple[str, Values]


@dataclass(frozen=True)
class Spec:
    """One tensor of the file: its name, "F32" or "I8", and its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Size in the file; always a multiple of 64."""
        return math.prod(self.shape) * (4 if self.dtype == "F32" else 1)


def specs(cfg: EngineConfig) -> list[Spec]:
    """Every tensor of a model, in file order."""
    found: list[Spec] = []
    for name, group in parts(cfg):
        if name == "heads" and cfg.precision == "int8":
            found.append(Spec("encoder.hidden_scale", "F32", (cfg.num_layers, pad16(cfg.hidden_size))))
        for part in group:
            int8 = part.quantised and cfg.precision == "int8"
            found += array_specs(part, int8) if isinstance(part, Array) else layer_specs(part, int8)
    return found


def array_specs(array: Array, int8: bool) -> Iterator[Spec]:
    """The tensors of a table or vector."""
    width, rows = pad16(array.makes.width), array.rows
    if rows is None:
        yield Spec(array.name, "F32", (width,))
    elif int8:  # its size must be a multiple of 64 bytes
        yield Spec(array.name, "I8", ((rows + 3) // 4 * 4, width))
        yield Spec(array.name.removesuffix(".weight") + ".scale", "F32", (pad16(rows),))
    else:
        yield Spec(array.name, "F32", (rows, width))


def layer_specs(layer: Layer, int8: bool) -> Iterator[Spec]:
    """The tensors of a linear layer."""
    n, k = pad16(layer.makes.width), layer.taps * pad16(layer.reads.width)
    if int8:
        yield Spec(layer.name + ".weight", "I8", (n // 16, k // 4, 16, 4))
        yield Spec(layer.name + ".scale", "F32", (n,))
    else:
        yield Spec(layer.name + ".weight", "F32", (n // 16, k, 16))
    vectors = [layer.name + ".bias"]
    if layer.residual is not None:
        vectors.append(layer.name + ".residual_scale")
    if layer.keeps_norm:
        vectors += [layer.name + ".norm.weight", layer.name + ".norm.bias"]
    if int8 and layer.activation_scale is not None:
        vectors.append(layer.activation_scale)
    yield from (Spec(name, "F32", (n,)) for name in vectors)


def array_tensors(array: Array, values: Floats, int8: bool) -> Iterator[Tensor]:
    """The tensors of a table or vector of the embeddings, not packed yet."""
    if not (array.quantised and int8):
        return iter([(array.name, values)])
    rows, scale = quantise_rows(values)
    return iter([(array.name, rows), (array.name.removesuffix(".weight") + ".scale", scale)])


def layer_tensors(layer: Layer, linear: Linear, int8: bool) -> Iterator[Tensor]:
    """The tensors of a linear layer, not packed yet."""
    weight, scale = quantise_rows(linear.weight) if layer.quantised and int8 else (linear.weight, None)
    tensors = {
        layer.name + ".weight": _padded_taps(weight, layer),
        layer.name + ".scale": scale,
        layer.name + ".bias": linear.bias,
        layer.name + ".residual_scale": linear.residual_scale,
        layer.name + ".norm.weight": None if linear.norm is None else linear.norm.weight,
        layer.name + ".norm.bias": None if linear.norm is None else linear.norm.bias,
        str(layer.activation_scale): linear.activation_scale,  # None without a name
    }
    return ((name, values) for name, values in tensors.items() if values is not None)


def hidden_scale_tensor(scales: list[Floats]) -> Tensor:
    """1 / c of hidden states 0 .. L - 1, which restores what the model defines."""
    return "encoder.hidden_scale", np.stack([np.float32(1) / c for c in scales])


def pack(values: Values, spec: Spec) -> Values:
    """Values in the order and the padded shape of the file."""
    if len(spec.shape) <= 2:
        return padded(values, *spec.shape)
    return n16k4(values) if spec.dtype == "I8" else n16k1(values)


def pad16(size: int) -> int:
    """`size` rounded up to a multiple of 16."""
    return (size + 15) // 16 * 16


def padded(array: Values, *shape: int) -> Values:
    """`array` in the corner of a zero array of `shape`; the array itself when the shapes are equal."""
    if array.shape == shape:
        return array
    out = np.zeros(shape, dtype=array.dtype)
    out[tuple(slice(n) for n in array.shape)] = array
    return out


def _padded_taps(weight: Values, layer: Layer) -> Values:
    """Weight [N, taps * K] with every tap's columns padded to pad16(K)."""
    taps = weight.reshape(len(weight), layer.taps, -1)
    return padded(taps, len(weight), layer.taps, pad16(layer.reads.width)).reshape(len(weight), -1)


def n16k1(weight: Values) -> Values:
    """float32 [N, K] to [pad16(N) / 16, pad16(K), 16]."""
    n, k = pad16(weight.shape[0]), pad16(weight.shape[1])
    blocks = padded(weight, n, k).reshape(n // 16, 16, k)
    return np.ascontiguousarray(blocks.transpose(0, 2, 1))


def n16k4(weight: Values) -> Values:
    """int8 [N, K] to [pad16(N) / 16, pad16(K) / 4, 16, 4]."""
    n, k = pad16(weight.shape[0]), pad16(weight.shape[1])
    # Four k of one output move together: transpose them as one 32-bit word.
    words = np.ascontiguousarray(padded(weight, n, k)).view(np.int32).reshape(n // 16, 16, k // 4)
    return np.ascontiguousarray(words.transpose(0, 2, 1)).view(weight.dtype).reshape(n // 16, k // 4, 16, 4)
