"""The model's layers as the engine has them: NoNorm and the attention factor folded into float32 weights.

NoNorm(x) = gamma x + beta is linear in each channel, so it vanishes into the layer before it:

    gamma (W x + b + r) + beta  =  (gamma W) x + (gamma b + beta) + gamma r

Only single float32 operations on elements are used (no sums), so the same checkpoint gives the same bits
anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion import names
from mobilebert_rt.conversion.names import Name, StateDict
from mobilebert_rt.errors import UnsupportedModelError

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Norm:
    """A LayerNorm that stays: weight and bias, float32 [N]."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True)
class Linear:
    """y = residual * residual_scale + (weight x + bias), then the norm; float32.

    weight [N, K], bias [N]; residual_scale [N] only where a residual joins; norm only where a LayerNorm
    follows.
    """

    weight: Floats
    bias: Floats
    residual_scale: Floats | None = None
    norm: Norm | None = None


@dataclass(frozen=True)
class Ffn:
    """One feed-forward network; activation_scale [I] multiplies the activation's result (None for 1)."""

    intermediate: Linear
    output: Linear
    activation_scale: Floats | None = None


@dataclass(frozen=True)
class Layer:
    """One block. `bottleneck_*` and `output_bottleneck` are None where the configuration has none."""

    bottleneck_input: Linear | None
    bottleneck_attention: Linear | None
    query: Linear
    key: Linear
    value: Linear
    attention_output: Linear
    ffns: tuple[Ffn, ...]
    output_bottleneck: Linear | None


@dataclass(frozen=True)
class Embeddings:
    """word [V, E], position [P, H], type [T, H] or None, projection [H, taps * E] or None, norm or None."""

    word: Floats
    projection: Linear | None
    position: Floats
    type: Floats | None
    norm: Norm | None


@dataclass(frozen=True)
class Heads:
    """What reads the last hidden state; None for what the model does not have."""

    pooler: Linear | None
    mlm_transform: Linear | None
    mlm_decoder: Linear | None
    classifier: Linear | None
    next_sentence: Linear | None


def load_layer(cfg: EngineConfig, source: StateDict, model_type: str, layer: int) -> Layer:
    """Block `layer`, folded. Raises ModelFormatError for missing tensors and wrong shapes."""
    name = names.layer_names(model_type, layer, cfg.num_ffn)
    hidden, body, inner = cfg.hidden_size, cfg.body_size, cfg.intermediate_size
    has_bottleneck = cfg.bottleneck != "none"

    def normed(key: str, outputs: int, inputs: int, joins_residual: bool = True) -> Linear:
        return _load_normed(cfg, source, name[key], outputs=outputs, inputs=inputs, joins_residual=joins_residual)

    def plain(key: str, outputs: int, inputs: int) -> Linear:
        return Linear(*source.linear(name[key][0], outputs, inputs))

    return Layer(
        bottleneck_input=normed("bottleneck.input", body, hidden, False) if has_bottleneck else None,
        bottleneck_attention=normed("bottleneck.attention", body, hidden, False)
        if cfg.bottleneck == "shared"
        else None,
        query=_scaled_query(cfg, plain("attention.query", body, cfg.query_inputs)),
        key=plain("attention.key", body, cfg.query_inputs),
        value=plain("attention.value", body, cfg.value_inputs),
        attention_output=normed("attention.output", body, body),
        ffns=tuple(
            Ffn(plain(f"ffn.{j}.intermediate", inner, body), normed(f"ffn.{j}.output", body, inner))
            for j in range(cfg.num_ffn)
        ),
        output_bottleneck=normed("output_bottleneck", hidden, body) if has_bottleneck else None,
    )


def _load_normed(
    cfg: EngineConfig, source: StateDict, name: Name, *, outputs: int, inputs: int, joins_residual: bool
) -> Linear:
    """A linear layer and the norm behind it: NoNorm folded in, LayerNorm kept."""
    weight, bias = source.linear(name[0], outputs, inputs)
    norm = _load_norm(source, str(name[1]), outputs)
    if cfg.layer_norm:
        return Linear(weight, bias, np.ones(outputs, np.float32) if joins_residual else None, norm)
    folded = norm.weight[:, None] * weight
    return Linear(folded, norm.weight * bias + norm.bias, norm.weight.copy() if joins_residual else None)


def _load_norm(source: StateDict, name: str, size: int) -> Norm:
    return Norm(source.take(name + ".weight", (size,)), source.take(name + ".bias", (size,)))


def _scaled_query(cfg: EngineConfig, query: Linear) -> Linear:
    """1 / sqrt(head size), rounded once to float32, multiplied into the query."""
    factor = np.float32(1) / np.sqrt(np.float32(cfg.head_size))
    return Linear(query.weight * factor, query.bias * factor)


def load_embeddings(cfg: EngineConfig, source: StateDict) -> Embeddings:
    """The embeddings, folded: gamma into projection (or words) and types, gamma x + beta into positions."""
    hidden = cfg.hidden_size
    word = source.take(names.WORD, (cfg.vocab_size, cfg.embedding_size))
    position = source.take(names.POSITION, (cfg.max_positions, hidden))
    types = source.take(names.TYPE, (cfg.type_vocab_size, hidden)) if cfg.type_vocab_size else None
    projection = None
    if cfg.has_projection:
        projection = Linear(*source.linear(names.PROJECTION, hidden, cfg.taps * cfg.embedding_size))
    norm = _load_norm(source, names.EMBEDDINGS_NORM, hidden)
    if cfg.layer_norm:
        return Embeddings(word, projection, position, types, norm)
    gamma, beta = norm.weight, norm.bias
    if projection is not None:
        projection = Linear(gamma[:, None] * projection.weight, gamma * projection.bias)
    else:
        word = word * gamma
    return Embeddings(word, projection, position * gamma + beta, None if types is None else types * gamma, None)


def load_heads(cfg: EngineConfig, source: StateDict, model_type: str, tied: bool) -> Heads:
    """The heads of cfg.head. `tied`: the decoder is the word table, whatever the file holds twice.

    Raises ModelFormatError for missing tensors, wrong shapes, and duplicates that differ although they are
    tied.
    """
    hidden = cfg.hidden_size
    head = names.head_names(model_type)
    transform = decoder = classifier = next_sentence = None
    if cfg.has_mlm:
        dense, norm = head.mlm_transform
        transform = Linear(*source.linear(dense, hidden, hidden), norm=_load_norm(source, str(norm), hidden))
        decoder = _load_decoder(cfg, source, model_type, tied)
    if cfg.head == "pretraining":
        next_sentence = Linear(*source.linear("cls.seq_relationship", 2, hidden))
    if cfg.num_labels:
        name = {"question_answering": "qa_outputs", "next_sentence": "cls.seq_relationship"}.get(cfg.head, "classifier")
        classifier = Linear(*source.linear(name, cfg.num_labels, hidden))
    pooler = Linear(*source.linear(head.pooler, hidden, hidden)) if cfg.pooler in ("tanh", "relu") else None
    return Heads(pooler, transform, decoder, classifier, next_sentence)


def _load_decoder(cfg: EngineConfig, source: StateDict, model_type: str, tied: bool) -> Linear:
    """The decoder [V, H]: the word table if tied and, for MobileBERT, extra columns beside it."""
    vocab, width = cfg.vocab_size, cfg.embedding_size
    head = names.head_names(model_type)
    weight = source.one_of(head.mlm_decoder + ".weight", names.WORD if tied else None, (vocab, width))
    bias = source.one_of(head.mlm_decoder + ".bias", head.mlm_bias, (vocab,), tied)
    if cfg.hidden_size < width:
        raise UnsupportedModelError(
            f"config.json: a masked-language-model head needs hidden_size >= "
            f"embedding_size, found {cfg.hidden_size} < {width}."
        )
    if cfg.hidden_size > width:
        extra = source.take("cls.predictions.dense.weight", (cfg.hidden_size - width, vocab))
        weight = np.concatenate([weight, extra.T], axis=1)
    return Linear(weight, bias)
