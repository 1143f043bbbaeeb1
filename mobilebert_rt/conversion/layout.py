"""The tensors of the file, in file order, with dtypes and shapes: docs/model_format.md's tables as code."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion.fold import Embeddings, Floats, Heads, Layer, Linear
from mobilebert_rt.conversion.pack import n16k1, n16k4, pad16, padded
from mobilebert_rt.conversion.quantise import quantise_rows

Tensor = tuple[str, NDArray[np.float32] | NDArray[np.int8]]


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
    tensors = list(_embedding_specs(cfg))
    for layer in range(cfg.num_layers):
        tensors += _layer_specs(cfg, f"encoder.layer.{layer}.")
    return tensors + list(_head_specs(cfg))


def _embedding_specs(cfg: EngineConfig) -> Iterator[Spec]:
    hidden, width = pad16(cfg.hidden_size), pad16(cfg.embedding_size)
    int8 = cfg.precision == "int8"
    if int8:
        yield Spec("embeddings.word.weight", "I8", (word_rows(cfg), width))
        yield Spec("embeddings.word.scale", "F32", (pad16(cfg.vocab_size),))
    else:
        yield Spec("embeddings.word.weight", "F32", (cfg.vocab_size, width))
    if cfg.has_projection:
        yield from _linear_specs(cfg, "embeddings.projection", hidden, cfg.taps * width)
    yield Spec("embeddings.position.weight", "F32", (cfg.max_positions, hidden))
    if cfg.type_vocab_size:
        yield Spec("embeddings.type.weight", "F32", (cfg.type_vocab_size, hidden))
    if cfg.layer_norm:
        yield Spec("embeddings.norm.weight", "F32", (hidden,))
        yield Spec("embeddings.norm.bias", "F32", (hidden,))


def _layer_specs(cfg: EngineConfig, at: str) -> Iterator[Spec]:
    hidden, body, inner, norm = cfg.hidden_size, cfg.body_size, cfg.intermediate_size, cfg.layer_norm
    if cfg.bottleneck != "none":
        yield from _linear_specs(cfg, at + "bottleneck.input", body, hidden, norm=norm)
    if cfg.bottleneck == "shared":
        yield from _linear_specs(cfg, at + "bottleneck.attention", body, hidden, norm=norm)
    yield from _linear_specs(cfg, at + "attention.query", body, cfg.query_inputs)
    yield from _linear_specs(cfg, at + "attention.key", body, cfg.query_inputs)
    yield from _linear_specs(cfg, at + "attention.value", body, cfg.value_inputs)
    yield from _linear_specs(cfg, at + "attention.output", body, body, residual=True, norm=norm)
    for j in range(cfg.num_ffn):
        yield from _linear_specs(cfg, f"{at}ffn.{j}.intermediate", inner, body)
        if cfg.precision == "int8" and cfg.activation != "relu":
            yield Spec(f"{at}ffn.{j}.activation_scale", "F32", (pad16(inner),))
        yield from _linear_specs(cfg, f"{at}ffn.{j}.output", body, inner, residual=True, norm=norm)
    if cfg.bottleneck != "none":
        yield from _linear_specs(cfg, at + "output_bottleneck", hidden, body, residual=True, norm=norm)


def _head_specs(cfg: EngineConfig) -> Iterator[Spec]:
    hidden = cfg.hidden_size
    if cfg.precision == "int8":
        yield Spec("encoder.hidden_scale", "F32", (cfg.num_layers, pad16(hidden)))
    if cfg.pooler in ("tanh", "relu"):
        yield from _linear_specs(cfg, "pooler", hidden, hidden)
    if cfg.has_mlm:
        yield from _linear_specs(cfg, "mlm.transform", hidden, hidden, norm=True)
        yield from _linear_specs(cfg, "mlm.decoder", cfg.vocab_size, hidden)
    fp32 = cfg.with_precision("fp32")
    if cfg.num_labels:
        yield from _linear_specs(fp32, "classifier", cfg.num_labels, hidden)
    if cfg.head == "pretraining":
        yield from _linear_specs(fp32, "next_sentence", 2, hidden)


def _linear_specs(
    cfg: EngineConfig, name: str, outputs: int, inputs: int, *, residual: bool = False, norm: bool = False
) -> Iterator[Spec]:
    n, k = pad16(outputs), pad16(inputs)
    if cfg.precision == "int8":
        yield Spec(name + ".weight", "I8", (n // 16, k // 4, 16, 4))
        yield Spec(name + ".scale", "F32", (n,))
    else:
        yield Spec(name + ".weight", "F32", (n // 16, k, 16))
    yield Spec(name + ".bias", "F32", (n,))
    if residual:
        yield Spec(name + ".residual_scale", "F32", (n,))
    if norm:
        yield Spec(name + ".norm.weight", "F32", (n,))
        yield Spec(name + ".norm.bias", "F32", (n,))


def word_rows(cfg: EngineConfig) -> int:
    """Rows of the int8 word table: the vocabulary rounded up to a multiple of 4, its bytes to one of 64."""
    return (cfg.vocab_size + 3) // 4 * 4


def linear_tensors(cfg: EngineConfig, name: str, linear: Linear) -> Iterator[Tensor]:
    """A linear layer as the file holds it at cfg.precision."""
    n = pad16(len(linear.bias))
    if cfg.precision == "int8":
        weight, scale = quantise_rows(linear.weight)
        yield name + ".weight", n16k4(weight)
        yield name + ".scale", padded(scale, n)
    else:
        yield name + ".weight", n16k1(linear.weight)
    yield name + ".bias", padded(linear.bias, n)
    if linear.residual_scale is not None:
        yield name + ".residual_scale", padded(linear.residual_scale, n)
    if linear.norm is not None:
        yield name + ".norm.weight", padded(linear.norm.weight, n)
        yield name + ".norm.bias", padded(linear.norm.bias, n)


def embedding_tensors(cfg: EngineConfig, embeddings: Embeddings) -> Iterator[Tensor]:
    """Word, position and type tables, projection and norm."""
    hidden, width = pad16(cfg.hidden_size), pad16(cfg.embedding_size)
    if cfg.precision == "int8":
        word, scale = quantise_rows(embeddings.word)
        yield "embeddings.word.weight", padded(word, word_rows(cfg), width)
        yield "embeddings.word.scale", padded(scale, pad16(cfg.vocab_size))
    else:
        yield "embeddings.word.weight", padded(embeddings.word, cfg.vocab_size, width)
    if embeddings.projection is not None:
        taps = np.split(embeddings.projection.weight, cfg.taps, axis=1)
        weight = np.concatenate([padded(tap, cfg.hidden_size, width) for tap in taps], axis=1)
        yield from linear_tensors(cfg, "embeddings.projection", Linear(weight, embeddings.projection.bias))
    yield "embeddings.position.weight", padded(embeddings.position, cfg.max_positions, hidden)
    if embeddings.type is not None:
        yield "embeddings.type.weight", padded(embeddings.type, cfg.type_vocab_size, hidden)
    if embeddings.norm is not None:
        yield "embeddings.norm.weight", padded(embeddings.norm.weight, hidden)
        yield "embeddings.norm.bias", padded(embeddings.norm.bias, hidden)


def layer_tensors(cfg: EngineConfig, index: int, layer: Layer) -> Iterator[Tensor]:
    """One block."""
    at = f"encoder.layer.{index}."
    linears = {
        "bottleneck.input": layer.bottleneck_input,
        "bottleneck.attention": layer.bottleneck_attention,
        "attention.query": layer.query,
        "attention.key": layer.key,
        "attention.value": layer.value,
        "attention.output": layer.attention_output,
        "output_bottleneck": layer.output_bottleneck,
    }
    for j, ffn in enumerate(layer.ffns):
        linears[f"ffn.{j}.intermediate"] = ffn.intermediate
        linears[f"ffn.{j}.output"] = ffn.output
        if ffn.activation_scale is not None:
            yield f"{at}ffn.{j}.activation_scale", padded(ffn.activation_scale, pad16(cfg.intermediate_size))
    for name, linear in linears.items():
        if linear is not None:
            yield from linear_tensors(cfg, at + name, linear)


def head_tensors(cfg: EngineConfig, heads: Heads) -> Iterator[Tensor]:
    """Pooler and heads; the task classifiers stay float32."""
    fp32 = cfg.with_precision("fp32")
    for name, linear, precision in (
        ("pooler", heads.pooler, cfg),
        ("mlm.transform", heads.mlm_transform, cfg),
        ("mlm.decoder", heads.mlm_decoder, cfg),
        ("classifier", heads.classifier, fp32),
        ("next_sentence", heads.next_sentence, fp32),
    ):
        if linear is not None:
            yield from linear_tensors(precision, name, linear)


def hidden_scale_tensor(cfg: EngineConfig, scales: list[Floats]) -> Tensor:
    """1 / c of the hidden states 0 .. L - 1, which callers need to see them as the model means them."""
    restore = np.stack([np.float32(1) / c for c in scales]).astype(np.float32)
    return "encoder.hidden_scale", padded(restore, cfg.num_layers, pad16(cfg.hidden_size))
