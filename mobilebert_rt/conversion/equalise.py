"""Channel equalisation for int8: every quantised vector has a power-of-two scale c, folded around it.

The model is walked as data flows, block by block. A vector's magnitude X comes from its producer, its
scale c from X and its readers (channels.channel_scale), both from the weights as they are before any
scale is folded; then the producer's rows are multiplied by c and the readers' columns divided. What a
block makes is scaled when the next one is there, since that reads it; the last hidden state, which
callers see, keeps c = 1. All products here are with powers of two, hence exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion.channels import (
    Doubles,
    channel_scale,
    linear_magnitude,
    norm_magnitude,
    pair_scale,
    word_magnitude,
)
from mobilebert_rt.conversion.fold import Embeddings, Ffn, Floats, Heads, Layer, Linear, Norm


@dataclass(frozen=True)
class Vector:
    """A vector of the model: its magnitude x and its scale c, a number a channel."""

    x: Doubles
    c: Floats


def equalise_layers(cfg: EngineConfig, layers: Iterable[Layer], x: Doubles) -> Iterator[tuple[Layer, Floats]]:
    """Each block with scales folded in, and the scale [H] of its input; x [H]: of the embeddings."""
    before: Layer | None = None
    c_before = np.ones(cfg.hidden_size, np.float32)
    for layer in layers:
        h = Vector(x, channel_scale(_input_readers(cfg, layer), x))
        if before is not None:
            yield _scale_block_output(before, h.c), c_before
        before, x = _equalise_layer(cfg, layer, h)
        c_before = h.c
    if before is not None:
        yield before, c_before


def _input_readers(cfg: EngineConfig, layer: Layer) -> list[Linear]:
    """The linear layers that read the block's input."""
    bottlenecks = [x for x in (layer.bottleneck_input, layer.bottleneck_attention) if x is not None]
    attention = {
        "none": [layer.query, layer.key, layer.value],
        "shared": [layer.value],
        "full": [],
        "residual": [layer.query, layer.key, layer.value],
    }
    return bottlenecks + attention[cfg.bottleneck]


def _equalise_layer(cfg: EngineConfig, layer: Layer, h: Vector) -> tuple[Layer, Doubles]:
    """The block for an input h, its own output not scaled yet, and the magnitude [H] of that output."""
    query_input = value_input = residual = h
    bottleneck_input, bottleneck_attention = layer.bottleneck_input, layer.bottleneck_attention
    if bottleneck_input is not None:  # but for "full" it is only a residual, which is not quantised
        readers = [layer.query, layer.key, layer.value] if cfg.bottleneck == "full" else []
        bottleneck_input, residual = _connect(bottleneck_input, h, readers)
    if cfg.bottleneck == "full":
        query_input = value_input = residual
    if bottleneck_attention is not None:
        bottleneck_attention, query_input = _connect(bottleneck_attention, h, [layer.query, layer.key])

    c_query = pair_scale(*(linear_magnitude(role, query_input.x) for role in (layer.query, layer.key)))
    value, context = _connect(layer.value, value_input, [layer.attention_output])
    attention_output, a = _connect(layer.attention_output, context, [layer.ffns[0].intermediate], residual=residual)
    output_bottleneck = layer.output_bottleneck
    readers_of_ffns = [[ffn.intermediate] for ffn in layer.ffns[1:]]
    readers_of_ffns.append([] if output_bottleneck is None else [output_bottleneck])
    ffns: list[Ffn] = []
    for ffn, readers in zip(layer.ffns, readers_of_ffns, strict=True):
        equalised, a = _equalise_ffn(cfg, ffn, a, readers)
        ffns.append(equalised)
    if output_bottleneck is not None:
        output_bottleneck, a = _connect(output_bottleneck, a, [], residual=h)
    return Layer(
        bottleneck_input=bottleneck_input,
        bottleneck_attention=bottleneck_attention,
        query=_scale_output(_scale_input(layer.query, query_input.c), c_query),
        key=_scale_output(_scale_input(layer.key, query_input.c), np.float32(1) / c_query),
        value=value,
        attention_output=attention_output,
        ffns=tuple(ffns),
        output_bottleneck=output_bottleneck,
    ), a.x


def _equalise_ffn(cfg: EngineConfig, ffn: Ffn, a: Vector, readers: Sequence[Linear]) -> tuple[Ffn, Vector]:
    """One FFN with scales folded in, and the stream behind it, which `readers` read."""
    x = linear_magnitude(ffn.intermediate, a.x)
    inner = Vector(x, channel_scale([ffn.output], x))
    intermediate, activation_scale = _scale_input(ffn.intermediate, a.c), None
    if cfg.activation == "relu":  # relu(c x) = c relu(x): the scale moves through
        intermediate = _scale_output(intermediate, inner.c)
    else:
        activation_scale = inner.c
    output, stream = _connect(ffn.output, inner, readers, residual=a)
    return Ffn(intermediate, output, activation_scale), stream


def _connect(
    linear: Linear, source: Vector, readers: Sequence[Linear], residual: Vector | None = None
) -> tuple[Linear, Vector]:
    """`linear` for inputs that come scaled, making a vector scaled for its readers; and that vector.

    Without readers c = 1: a residual is not quantised, and a block's output is scaled later.
    """
    x = linear_magnitude(linear, source.x, None if residual is None else residual.x)
    c = channel_scale(readers, x) if readers else np.ones(len(x), np.float32)
    scaled = _scale_input(linear, source.c)
    if residual is not None and linear.residual_scale is not None:
        scaled = replace(scaled, residual_scale=linear.residual_scale / residual.c)
    return _scale_output(scaled, c), Vector(x, c)


def _scale_block_output(layer: Layer, c: Floats) -> Layer:
    """The block whose output comes times c [H]."""
    if layer.output_bottleneck is not None:
        return replace(layer, output_bottleneck=_scale_output(layer.output_bottleneck, c))
    *ffns, last = layer.ffns
    return replace(layer, ffns=(*ffns, replace(last, output=_scale_output(last.output, c))))


def equalise_embeddings(cfg: EngineConfig, embeddings: Embeddings, c_out: Floats) -> Embeddings:
    """Embeddings that make the stream times c_out [H]; the word table takes what the projection wants."""
    norm, projection = embeddings.norm, embeddings.projection
    word, position, types = embeddings.word, embeddings.position, embeddings.type
    if projection is not None:
        # One word vector is read by all taps, so they share its scale.
        x = word_magnitude(embeddings)
        c_taps = channel_scale([projection], np.tile(x, cfg.taps)).reshape(cfg.taps, -1)
        c_word: Floats = c_taps.max(axis=0)
        word = word * c_word
        projection = _scale_input(projection, np.tile(c_word, cfg.taps))
    if norm is not None:
        norm = Norm(norm.weight * c_out, norm.bias * c_out)
    else:
        position = position * c_out
        types = None if types is None else types * c_out
        if projection is None:
            word = word * c_out
        else:
            projection = _scale_output(projection, c_out)
    return Embeddings(word, projection, position, types, norm)


def equalise_heads(heads: Heads) -> Heads:
    """The decoder's input is scaled by the MLM norm; the rest reads the last hidden state, where c = 1."""
    transform, decoder = heads.mlm_transform, heads.mlm_decoder
    if transform is None or decoder is None or transform.norm is None:
        return heads
    c = channel_scale([decoder], norm_magnitude(transform.norm))
    return replace(heads, mlm_transform=_scale_output(transform, c), mlm_decoder=_scale_input(decoder, c))


def _scale_output(linear: Linear, c: Floats) -> Linear:
    """The layer that makes its result times c [N]: in its LayerNorm if it has one, else in its rows."""
    if linear.norm is not None:
        return replace(linear, norm=Norm(linear.norm.weight * c, linear.norm.bias * c))
    residual = None if linear.residual_scale is None else linear.residual_scale * c
    return Linear(linear.weight * c[:, None], linear.bias * c, residual)


def _scale_input(linear: Linear, c: Floats) -> Linear:
    """The layer for an input that comes times c [K]."""
    return replace(linear, weight=linear.weight / c)
