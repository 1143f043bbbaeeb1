"""Layers as the engine runs them: NoNorm and the attention factor are folded into float32 weights.

NoNorm(x) = gamma x + beta is linear in each channel, so it can be folded into the layer before it:

    gamma (W x + b + r) + beta  =  (gamma W) x + (gamma b + beta) + gamma r

Only single float32 operations on elements are used (no sums), so the same checkpoint gives the same bits
everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion.layers import Array, Layer, hidden
from mobilebert_rt.conversion.state_dict import StateDict
from mobilebert_rt.errors import UnsupportedModelError

Floats = NDArray[np.float32]

_WORDS, _EMBEDDINGS_NORM = "embeddings.word_embeddings.weight", "embeddings.LayerNorm"


@dataclass(frozen=True)
class Norm:
    """Weight and bias of a norm, float32 [N]."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True)
class Linear:
    """y = residual * residual_scale + (weight x + bias), then the norm; float32.

    weight [N, K], bias [N]; residual_scale [N] only where a residual is added; norm only where a LayerNorm
    follows. activation_scale [N] multiplies the result of the activation that follows.
    """

    weight: Floats
    bias: Floats
    residual_scale: Floats | None = None
    norm: Norm | None = None
    activation_scale: Floats | None = None


class Folded:
    """Arrays and layers of a checkpoint, folded. Raises ModelFormatError for missing tensors and wrong shapes."""

    def __init__(self, cfg: EngineConfig, source: StateDict, tied: bool = True) -> None:
        """tied: the masked-LM decoder is the word table, even if the file holds it twice."""
        self.cfg, self._source, self._tied = cfg, source, tied

    def array(self, array: Array) -> Floats:
        """A table [rows, N] or a vector [N] of the embeddings."""
        width = array.makes.width
        values = self._source.take(array.source, (width,) if array.rows is None else (array.rows, width))
        if self.cfg.layer_norm or array.makes != hidden(self.cfg, 0):
            return values
        norm = self._norm(_EMBEDDINGS_NORM, width)
        return values * norm.weight + norm.bias if array.name == "embeddings.position.weight" else values * norm.weight

    def linear(self, layer: Layer) -> Linear:
        """One linear layer."""
        outputs, inputs = layer.makes.width, layer.taps * layer.reads.width
        if layer.name == "mlm.decoder":
            return self._decoder(outputs, inputs)
        weight = self._source.take(layer.source + ".weight", (outputs, inputs))
        bias = self._source.take(layer.source + ".bias", (outputs,))
        if layer.key is not None:  # a query
            factor = np.float32(1) / np.sqrt(np.float32(self.cfg.head_size))
            return Linear(weight * factor, bias * factor)
        if layer.name == "embeddings.projection" and not self.cfg.layer_norm:
            gamma = self._norm(_EMBEDDINGS_NORM, outputs).weight  # beta is added to the positions
            return Linear(gamma[:, None] * weight, gamma * bias)
        linear = Linear(weight, bias, None if layer.residual is None else np.ones(outputs, np.float32))
        if layer.norm is None:
            return linear
        norm = self._norm(layer.norm, outputs)
        if layer.keeps_norm:
            return replace(linear, norm=norm)
        residual_scale = None if layer.residual is None else norm.weight
        return Linear(norm.weight[:, None] * weight, norm.weight * bias + norm.bias, residual_scale)

    def _norm(self, name: str, size: int) -> Norm:
        return Norm(self._source.take(name + ".weight", (size,)), self._source.take(name + ".bias", (size,)))

    def _decoder(self, vocab: int, inputs: int) -> Linear:
        """The masked-LM decoder [V, H]: the word table if tied and, for MobileBERT, extra columns beside it."""
        width, at = self.cfg.embedding_size, "cls.predictions."
        weight = self._source.take_tied(at + "decoder.weight", _WORDS if self._tied else None, (vocab, width))
        bias = self._source.take_tied(at + "decoder.bias", at + "bias", (vocab,), self._tied)
        if inputs < width:
            raise UnsupportedModelError(
                f"config.json: hidden_size is {inputs}; a masked-LM head requires at least embedding_size, {width}."
            )
        if inputs > width:
            extra = self._source.take(at + "dense.weight", (inputs - width, vocab))
            weight = np.concatenate([weight, extra.T], axis=1)
        return Linear(weight, bias)
