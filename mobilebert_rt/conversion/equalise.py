"""Channel equalisation for int8: every quantised vector has a power-of-two scale, folded into the layers around it.

The magnitude X of a vector follows from the layer that makes it, its scale c from X and the layers that read it
(channels.py), all from unscaled weights. The maker's rows are then multiplied by c and the readers' columns divided
by it. All products are with powers of two, hence exact. The last hidden state keeps c = 1, since callers see it.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from mobilebert_rt.conversion.channels import (
    Doubles,
    channel_scale,
    linear_magnitude,
    norm_magnitude,
    pair_scale,
    position_magnitude,
    table_magnitude,
)
from mobilebert_rt.conversion.fold import Floats, Folded, Linear, Norm
from mobilebert_rt.conversion.layers import Array, Layer, Vector, hidden, parts


class Equalised:
    """The arrays and layers of a folded model with the scales folded in."""

    def __init__(self, model: Folded) -> None:
        self._model, self.cfg = model, model.cfg
        self._arrays: list[Array] = []
        self._makers: dict[Vector, Layer] = {}
        self._readers: dict[Vector, list[Layer]] = defaultdict(list)
        self._loaded: dict[str, Linear] = {}
        self._magnitudes: dict[Vector, Doubles] = {}
        self._scales: dict[Vector, Floats] = {}
        for _, group in parts(model.cfg):
            for part in group:
                if isinstance(part, Array):
                    self._arrays.append(part)
                else:
                    self._makers[part.makes] = part
                    if part.quantised:
                        self._readers[part.reads].append(part)

    def array(self, array: Array) -> Floats:
        """A table or vector of the embeddings."""
        return _times(self._model.array(array), self.scale(array.makes))

    def linear(self, layer: Layer) -> Linear:
        """One linear layer. Its unscaled weights are then released, so that few layers are in memory at once."""
        made = self.scale(layer.makes)
        plain = self._load(layer)
        del self._loaded[layer.name]
        read: Floats = np.tile(self.scale(layer.reads), layer.taps)
        weight: Floats = plain.weight / read
        residual_scale = plain.residual_scale
        if residual_scale is not None and layer.residual is not None:
            residual_scale = residual_scale / self.scale(layer.residual)
        if layer.activation_scale is not None:
            return Linear(weight, plain.bias, activation_scale=made)
        if plain.norm is not None:
            norm = Norm(plain.norm.weight * made, plain.norm.bias * made)
            return Linear(weight, plain.bias, residual_scale, norm)
        residual_scale = None if residual_scale is None else residual_scale * made
        return Linear(_times(weight, made[:, None]), plain.bias * made, residual_scale)

    def scale(self, vector: Vector) -> Floats:
        """c [K] of a vector; 1 for one that is not quantised."""
        if vector not in self._scales:
            self._scales[vector] = self._find_scale(vector)
        return self._scales[vector]

    def _find_scale(self, vector: Vector) -> Floats:
        maker, readers = self._makers.get(vector), self._readers[vector]
        if maker is not None and maker.key is not None:
            return pair_scale(self._magnitude(vector), self._magnitude(maker.key))
        if maker is not None and maker.query is not None:
            return np.float32(1) / self.scale(maker.query)
        if not readers or vector == hidden(self.cfg, self.cfg.num_layers):
            return np.ones(vector.width, np.float32)
        x = np.tile(self._magnitude(vector), readers[0].taps)
        c = channel_scale([self._load(layer) for layer in readers], x)
        per_channel: Floats = c.reshape(-1, vector.width).max(axis=0)  # all taps read one vector
        return per_channel

    def _magnitude(self, vector: Vector) -> Doubles:
        """X [K] of a vector."""
        if vector not in self._magnitudes:
            self._magnitudes[vector] = self._find_magnitude(vector)
        return self._magnitudes[vector]

    def _find_magnitude(self, vector: Vector) -> Doubles:
        values = {array.name: self._model.array(array) for array in self._arrays if array.makes == vector}
        if "embeddings.norm.weight" in values:
            return norm_magnitude(Norm(*values.values()))
        terms = [
            position_magnitude(table) if name == "embeddings.position.weight" else table_magnitude(table)
            for name, table in values.items()
        ]
        if vector in self._makers:
            terms.append(self._layer_magnitude(self._makers[vector]))
        peak: Doubles = np.max(terms, axis=0)
        return peak

    def _layer_magnitude(self, layer: Layer) -> Doubles:
        linear = self._loaded.get(layer.name) or self._model.linear(layer)
        x = np.tile(self._magnitude(layer.reads), layer.taps)
        return linear_magnitude(linear, x, None if layer.residual is None else self._magnitude(layer.residual))

    def _load(self, layer: Layer) -> Linear:
        """The unscaled layer."""
        if layer.name not in self._loaded:
            self._loaded[layer.name] = self._model.linear(layer)
        return self._loaded[layer.name]


def _times(values: Floats, by: Floats) -> Floats:
    """The product, without a copy if `by` is 1."""
    return values if (by == 1).all() else values * by
