"""The whole forward pass of docs/numerics.md in numpy, for one text, on the tensors of a model file.

No tiles, no threads, no padding: sequences are matrices [tokens, width] and every tensor is cut to its real size
first, which changes nothing, since padding adds zeros only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.numerics import operations as op
from tests.numerics.float32 import F32, fma

Array = NDArray[Any]


@dataclass
class Result:
    """The outputs for a text; None for outputs that the model lacks."""

    last_hidden_state: F32
    hidden_states: list[F32]
    attentions: list[F32]
    pooler_output: F32 | None = None
    logits: F32 | None = None
    seq_relationship_logits: F32 | None = None


@dataclass
class Linear:
    """W x + b of either precision, w being [N, K]."""

    w: Array
    bias: F32
    scale: F32 | None
    residual_scale: F32 | None = None
    activation_scale: F32 | None = None
    norm: tuple[F32, F32, float] | None = None

    def __call__(self, x: F32, residual: F32 | None = None, activation: str | None = None) -> F32:
        """The product, its residual, its activation, and its layer norm."""
        if self.scale is None:
            y = op.product_f32(x, self.w) + self.bias
        else:
            y = op.product_s8(op.quantise(x), self.w, self.scale, self.bias)
        if residual is not None:
            y = fma(residual, self.residual_scale, y)
        if activation is not None:
            y = op.activate(activation, y, self.activation_scale)
        return y if self.norm is None else op.layer_norm(y, *self.norm)


def unpack(weight: Array) -> Array:
    """[N, K] of a packed weight [N/16, K/group, 16, group] (group 1 is not written out)."""
    panels = weight[..., None] if weight.ndim == 3 else weight
    blocks, depth, columns, group = panels.shape
    return panels.transpose(0, 2, 1, 3).reshape(blocks * columns, depth * group)


@dataclass
class Forward:
    """The model of a configuration and its tensors (docs/model_format.md)."""

    config: Mapping[str, Any]
    tensors: Mapping[str, Array]
    _linears: dict[str, Linear] = field(default_factory=dict)

    def vector(self, name: str, size: int) -> F32:
        return self.tensors[name][:size]

    def linear(self, name: str, n: int, eps: str = "eps", ones: bool = False) -> Linear:
        """A layer of n outputs; eps names the epsilon of its norm, if it has one."""
        if name in self._linears:
            return self._linears[name]
        t = self.tensors
        made = Linear(unpack(t[name + ".weight"])[:n], self.vector(name + ".bias", n), None)
        if name + ".scale" in t:
            made.scale = self.vector(name + ".scale", n)
        if name + ".residual_scale" in t:
            made.residual_scale = self.vector(name + ".residual_scale", n)
        scale = name.removesuffix("intermediate") + "activation_scale"
        if name.endswith("intermediate") and scale in t:
            made.activation_scale = self.vector(scale, n)
        if ones:
            made.residual_scale = np.ones(n, np.float32)
        if name + ".norm.weight" in t:
            weight, bias = self.vector(name + ".norm.weight", n), self.vector(name + ".norm.bias", n)
            made.norm = (weight, bias, self.config[eps])
        self._linears[name] = made
        return made

    def run(self, name: str, x: F32, n: int, *then: Any, eps: str = "eps", **also: Any) -> F32:
        """The layer's result for rows x, padded to the width of its weight."""
        layer = self.linear(name, n, eps)
        padded = np.pad(x, ((0, 0), (0, layer.w.shape[1] - x.shape[1])))
        return layer(padded, *then, **also)

    def words(self, ids: Array) -> F32:
        """Rows of the word table, [tokens, pad16(E)]."""
        rows = self.tensors["embeddings.word.weight"][ids]
        if "embeddings.word.scale" not in self.tensors:
            return rows
        return rows.astype(np.float32) * self.tensors["embeddings.word.scale"][ids, None]

    def embeddings(self, ids: Array, types: Array) -> F32:
        c, t = self.config, self.tensors
        h = c["hidden_size"]
        words = self.words(ids)
        position = t["embeddings.position.weight"][: len(ids), :h]
        kinds = t["embeddings.type.weight"][types, :h] if c["type_vocab_size"] > 0 else None
        if c["trigram"] or c["embedding_size"] != h:
            if c["trigram"]:
                nothing = np.zeros_like(words[:1])
                following = np.concatenate([words[1:], nothing])
                previous = np.concatenate([nothing, words[:-1]])
                words = np.concatenate([following, words, previous], axis=1)
            x = self.linear("embeddings.projection", h, ones=True)(
                words, position if kinds is None else position + kinds
            )
        else:
            x = words[:, :h] if kinds is None else words[:, :h] + kinds
            x = x + position
        if c["norm"] == "no_norm" or not c.get("embedding_norm", True):
            return x
        weight, bias = self.vector("embeddings.norm.weight", h), self.vector("embeddings.norm.bias", h)
        return op.layer_norm(x, weight, bias, c["eps_embeddings"])

    def attention(self, query: F32, key: F32, value: F32, allowed: Array | None) -> tuple[F32, F32]:
        """(context [tokens, t], probabilities [A, tokens, tokens])."""
        width = query.shape[1] // self.config["num_heads"]
        contexts, probabilities = [], []
        for a in range(self.config["num_heads"]):
            part = slice(a * width, (a + 1) * width)
            head = self.head_s8 if self.config["precision"] == "int8" else self.head_f32
            e, inverse, context = head(query[:, part], key[:, part], value[:, part], allowed)
            contexts.append(context)
            probabilities.append(op.scaled_rows(e, inverse))
        return np.concatenate(contexts, axis=1), np.stack(probabilities)

    def head_f32(self, query: F32, key: F32, value: F32, allowed: Array | None) -> tuple[F32, F32, F32]:
        """(e, 1 / sum, context) of one head."""
        e, inverse = op.softmax(op.product_f32(query, key), allowed)
        return e, inverse, op.scaled_rows(op.product_f32(e, value.T), inverse)

    def head_s8(self, query: F32, key: F32, value: F32, allowed: Array | None) -> tuple[F32, F32, F32]:
        """The same in bytes."""
        q, k, v = op.quantise_head(query), op.quantise_head(key), op.quantise_head(value)
        e, inverse = op.softmax(op.exact_product(q.q, k.q) * k.scale, allowed, q.scale)
        weights = op.quantise_weights(e, inverse, v.scale)
        return e, inverse, op.scaled_rows(op.exact_product(weights.p, np.ascontiguousarray(v.q.T)), weights.factor)

    def block(self, name: str, hidden: F32, allowed: Array | None) -> tuple[F32, F32]:
        """One block: (the next hidden state, its attentions)."""
        c = self.config
        t, kind = c["body_size"], c["bottleneck"]
        stream = hidden if kind == "none" else self.run(name + "bottleneck.input", hidden, t)
        reads = stream if kind == "full" else hidden
        asks = self.run(name + "bottleneck.attention", hidden, t) if kind == "shared" else reads
        query, key, value = (
            self.run(f"{name}attention.{role}", x, t) for role, x in (("query", asks), ("key", asks), ("value", reads))
        )
        context, probabilities = self.attention(query, key, value, allowed)
        stream = self.run(name + "attention.output", context, t, stream)
        for j in range(c["num_ffn"]):
            ffn = f"{name}ffn.{j}."
            wide = self.run(ffn + "intermediate", stream, c["intermediate_size"], activation=c["activation"])
            eps = "eps_output" if j == c["num_ffn"] - 1 else "eps"
            stream = self.run(ffn + "output", wide, t, stream, eps=eps)
        if kind == "none":
            return stream, probabilities
        return self.run(name + "output_bottleneck", stream, c["hidden_size"], hidden), probabilities

    def heads(self, hidden: F32, result: Result) -> None:
        c, h = self.config, self.config["hidden_size"]
        pooled = hidden[:1]
        if c["pooler"] in ("tanh", "relu"):
            pooled = self.run("pooler", pooled, h, activation=c["pooler"])
        if c["pooler"] != "none":
            result.pooler_output = pooled[0]
        if c["head"] in ("masked_lm", "pretraining"):
            activation = c["mlm_activation"]
            x = self.run("mlm.transform", hidden, h, eps="eps_mlm", activation=activation)
            result.logits = self.run("mlm.decoder", x, c["vocab_size"])
        elif c["head"] in ("token_classification", "question_answering"):
            result.logits = self.run("classifier", hidden, c["num_labels"])
        elif c["num_labels"] > 0:
            result.logits = self.run("classifier", pooled, c["num_labels"])[0]
        if c["head"] == "pretraining":
            result.seq_relationship_logits = self.run("next_sentence", pooled, 2)[0]

    def __call__(self, ids: Array, types: Array | None = None, allowed: Array | None = None) -> Result:
        """ids, types [S]; allowed [S, S] or [1, S]: which keys (columns) a query (row) may attend."""
        types = np.zeros_like(ids) if types is None else types
        if self.config.get("causal"):
            before = np.tri(len(ids), dtype=bool)
            allowed = before if allowed is None else before & allowed
        hidden = self.embeddings(ids, types)
        states, attentions = [hidden], []
        for i in range(self.config["num_layers"]):
            hidden, probabilities = self.block(f"encoder.layer.{i}.", hidden, allowed)
            states.append(hidden)
            attentions.append(probabilities)
        scales = self.tensors.get("encoder.hidden_scale")
        if scales is not None:
            width = self.config["hidden_size"]
            states[:-1] = [x * s[:width] for x, s in zip(states, scales, strict=False)]
        result = Result(hidden, states, attentions)
        self.heads(hidden, result)
        return result
