"""A model as the engine runs it from an int8 file, with gradients to the float parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mbrt_train.errors import TrainingError
from mbrt_train.heads import AnyModel, QuestionAnswering, SequenceClassifier, TokenClassifier
from mbrt_train.layers import ACTIVATIONS as SMOOTH
from mbrt_train.layers import Block, Bottleneck, FeedForward, Intermediate, NoNorm, Normed
from mbrt_train.models import Encoder, Output, Pooler, PreTraining
from mbrt_train.quantised import arithmetic as exactly
from mbrt_train.quantised.arithmetic import Bytes, exact, int8_linear, join, layer_norm, quantise
from mbrt_train.quantised.attention import attention
from mbrt_train.quantised.scales import Factors, find_scales


class Quantised(nn.Module):
    """Wraps a model; called with ids, mask, types [B, S] it returns the model's outputs, each text as if run alone.

    The channel scales are the converter's at the last refresh: every `every` passes with gradients, and when the module
    is set to evaluation. Dropout is off. Raises TrainingError for a pre-training model, whose heads are not supported,
    and for a model that is not on the CPU, whose float arithmetic is reproduced.
    """

    def __init__(self, model: AnyModel, every: int = 20) -> None:
        super().__init__()
        if isinstance(model, PreTraining):
            raise TrainingError(
                "quantisation-aware training does not support pre-training heads; use an encoder or a task model."
            )
        self.model, self.every = model, every
        self.body: Encoder = model if isinstance(model, Encoder) else model.body
        self.config = model.config
        self.calls = 0
        self.refresh()

    def refresh(self) -> None:
        """Compute the converter's scales for the current parameters."""
        device = next(self.model.parameters()).device
        if device.type != "cpu":
            raise TrainingError(f"quantisation-aware training: the model is on {device}; expected the CPU.")
        self.scales = find_scales(self.model)

    def train(self, mode: bool = True) -> Quantised:
        super().train(mode)
        if not mode:
            self.refresh()
        return self

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> Any:
        if torch.is_grad_enabled():
            self.calls += 1
            if self.calls % self.every == 0:
                self.refresh()
        out = self.encode(ids, mask, types)
        if isinstance(self.model, (QuestionAnswering, TokenClassifier)):
            head = self.model.qa_outputs if isinstance(self.model, QuestionAnswering) else self.model.classifier
            return exactly.float_linear(out.last_hidden_state, head.weight, head.bias), out
        if isinstance(self.model, SequenceClassifier):
            assert out.pooled is not None
            head = self.model.classifier
            return exactly.float_linear(out.pooled, head.weight, head.bias), out
        return out

    def encode(self, ids: Tensor, mask: Tensor, types: Tensor) -> Output:
        """The encoder's output; hidden states as the engine reports them."""
        h = self.embed(ids, mask, types)
        out = Output()
        allowed = mask[:, None, None, :].bool()
        for i, block in enumerate(self.body.encoder.layer):
            assert isinstance(block, Block)
            out.hidden_states.append(h * self.scales.hidden[i])
            h, scores = self.block(i, block, h, allowed)
            out.attention_scores.append(scores)
        out.hidden_states.append(h)
        if self.body.pooling:
            out.pooled = h[:, 0]
            if self.config.classifier_activation:
                pooler = self.body.pooler
                assert isinstance(pooler, Pooler)
                dense = pooler.dense
                first = int8_linear(h[:, 0], dense.weight, dense.bias, quantise(h[:, 0]))
                out.pooled = activate("tanh", first, None)
        return out

    def embed(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        e, scales = self.body.embeddings, self.scales.arrays
        word: Tensor = e.word_embeddings.weight
        position: Tensor = e.position_embeddings.weight
        kind: Tensor = e.token_type_embeddings.weight
        norm = e.LayerNorm
        if isinstance(norm, NoNorm):
            word = word if e.projected else word * norm.weight
            position, kind = position * norm.weight + norm.bias, kind * norm.weight
        position = (position * scales["embeddings.position.weight"])[: ids.shape[1]]
        kind = F.embedding(types, kind * scales["embeddings.type.weight"])
        word = word * scales["embeddings.word.weight"]
        rows: Tensor = ByteRows.apply(F.embedding(ids, word))  # type: ignore[no-untyped-call]
        x = self.project(rows * mask[..., None], position + kind) if e.projected else (rows + kind) + position
        if isinstance(norm, NoNorm):
            return x
        assert isinstance(norm, nn.LayerNorm)
        weight, bias = (scales[f"embeddings.norm.{name}"] for name in ("weight", "bias"))
        return layer_norm(x, norm.weight * weight, norm.bias * bias, norm.eps)

    def project(self, rows: Tensor, sums: Tensor) -> Tensor:
        """Project the word vectors [B, S, E] of real tokens and add `sums` [B, S, H]."""
        projection, norm = self.body.embeddings.embedding_transformation, self.body.embeddings.LayerNorm
        assert isinstance(projection, nn.Linear)
        weight: Tensor = projection.weight
        bias: Tensor = projection.bias
        if isinstance(norm, NoNorm):
            weight, bias = norm.weight[:, None] * weight, norm.weight * bias
        if self.config.trigram_input:
            rows = torch.cat([F.pad(rows[:, 1:], (0, 0, 0, 1)), rows, F.pad(rows[:, :-1], (0, 0, 1, 0))], dim=-1)
        f = self.scales.linears["embeddings.projection"]
        return sums + int8_linear(rows, weight * f.weight, bias * f.bias, quantise(rows))

    def block(self, i: int, block: Block, h: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
        """h [B, S, H] -> h [B, S, H] and attention scores [B, A, S, S]."""
        c, at = self.config, f"encoder.layer.{i}."
        rows = quantise(h)
        asks = reads = (h, rows)
        residual = h
        if c.use_bottleneck:
            bottleneck = block.bottleneck
            assert isinstance(bottleneck, Bottleneck)
            residual = self.normed(at + "bottleneck.input", bottleneck.input, h, rows)
            if c.use_bottleneck_attention:
                asks = reads = (residual, quantise(residual))
            elif c.key_query_shared_bottleneck:
                shared = self.normed(at + "bottleneck.attention", bottleneck.attention, h, rows)
                asks = (shared, quantise(shared))
        context, scores = self.attend(at, block, asks, reads, allowed)
        x = self.normed(at + "attention.output", block.attention.output, context, quantise(context), residual)
        for j, (intermediate, output) in enumerate(_ffns(block)):
            name = f"{at}ffn.{j}."
            wide = self.plain(name + "intermediate", intermediate.dense, x, quantise(x))
            wide = activate(c.hidden_act, wide, self.scales.linears[name + "intermediate"].activation)
            x = self.normed(name + "output", output, wide, quantise(wide), x)
        if c.use_bottleneck:
            x = self.normed(at + "output_bottleneck", block.output.bottleneck, x, quantise(x), h)
        return x, scores

    def attend(
        self, at: str, block: Block, asks: tuple[Tensor, Bytes], reads: tuple[Tensor, Bytes], allowed: Tensor
    ) -> tuple[Tensor, Tensor]:
        own, heads = block.attention.self, self.config.num_attention_heads
        # As in the converter: the reciprocal of the rounded root, rounded.
        width = torch.tensor(self.config.body_size // heads, dtype=torch.float32)
        factor = 1.0 / exactly.root(width)
        query, key, value = (
            _split(self.plain(f"{at}attention.{role}", layer, *source, factor=by), heads)
            for role, layer, source, by in (
                ("query", own.query, asks, factor),
                ("key", own.key, asks, None),
                ("value", own.value, reads, None),
            )
        )
        context, scores = attention(query, key, value, allowed)
        return context.transpose(1, 2).flatten(2), scores

    def plain(self, name: str, layer: nn.Linear, x: Tensor, rows: Bytes, factor: Tensor | None = None) -> Tensor:
        """A linear layer without norm; factor: multiplied into it before the scales."""
        f = self.scales.linears[name]
        weight: Tensor = layer.weight
        bias: Tensor = layer.bias
        if factor is not None:
            weight, bias = weight * factor, bias * factor
        return int8_linear(x, weight * f.weight, bias * f.bias, rows)

    def normed(self, name: str, layer: Normed, x: Tensor, rows: Bytes, residual: Tensor | None = None) -> Tensor:
        """A linear layer, its residual, and its norm: NoNorm folded in, LayerNorm applied after it."""
        f: Factors = self.scales.linears[name]
        weight: Tensor = layer.dense.weight
        bias: Tensor = layer.dense.bias
        norm = layer.LayerNorm
        joined = torch.ones(())
        if isinstance(norm, NoNorm):
            weight, bias, joined = norm.weight[:, None] * weight, norm.weight * bias + norm.bias, norm.weight
        y = int8_linear(x, weight * f.weight, bias * f.bias, rows)
        if residual is not None:
            assert f.residual is not None
            y = join(residual, joined * f.residual, y)
        if isinstance(norm, NoNorm):
            return y
        assert isinstance(norm, nn.LayerNorm)
        assert f.norm_weight is not None
        assert f.norm_bias is not None
        return layer_norm(y, norm.weight * f.norm_weight, norm.bias * f.norm_bias, norm.eps)


def _ffns(block: Block) -> Iterator[tuple[Intermediate, Normed]]:
    """The FFNs in order."""
    for ffn in block.ffn:
        assert isinstance(ffn, FeedForward)
        yield ffn.intermediate, ffn.output
    yield block.intermediate, block.output


def _split(x: Tensor, heads: int) -> Tensor:
    """[B, S, t] -> [B, A, S, d]."""
    return x.view(*x.shape[:-1], heads, -1).transpose(1, 2)


class ByteRows(torch.autograd.Function):
    """Quantised word vectors; the gradient is passed through unchanged."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        q, scale = exactly.quantise_rows(rows)
        return q * scale[..., None]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


def activate(name: str, x: Tensor, scale: Tensor | None) -> Tensor:
    """The engine's activation, times its scale if the file has one."""
    with torch.no_grad():
        value = exactly.ACTIVATIONS[name](x)
    y = exact(SMOOTH[name](x), value)
    return y if scale is None else y * scale
