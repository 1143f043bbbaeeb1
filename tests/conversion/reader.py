"""An independent implementation of docs/model_format.md: unpacks a file and runs it in float64."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "gelu": lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
}


def pad16(size: int) -> int:
    return -(-size // 16) * 16


@dataclass
class File:
    """A parsed file: config, metadata, and tensors as stored (packed), in file order."""

    config: dict[str, Any]
    metadata: dict[str, str]
    tensors: dict[str, Array]
    offsets: dict[str, int]  # of the first byte, from the beginning of the file
    data_start: int

    def __init__(self, image: bytes) -> None:
        length = int.from_bytes(image[:8], "little")
        header = json.loads(image[8 : 8 + length])
        self.metadata = header.pop("__metadata__")
        self.config = json.loads(self.metadata["config"])
        self.data_start = 8 + length
        self.tensors, self.offsets = {}, {}
        for name, info in header.items():
            begin, end = (self.data_start + at for at in info["data_offsets"])
            dtype = {"F32": "<f4", "I8": "i1"}[info["dtype"]]
            self.tensors[name] = np.frombuffer(image[begin:end], dtype).reshape(info["shape"])
            self.offsets[name] = begin

    def weight(self, name: str, outputs: int, inputs: int) -> Array:
        """A linear layer's weight [outputs, inputs] in float64, dequantised; checks its padding."""
        packed = self.tensors[name + ".weight"]
        n, k = pad16(outputs), pad16(inputs)
        if packed.dtype == np.int8:
            assert packed.shape == (n // 16, k // 4, 16, 4)
            whole = np.zeros((n, k))
            for i in range(16):
                for j in range(4):
                    whole[i::16, j::4] = packed[:, :, i, j]
            scale = self.tensors[name + ".scale"]
            assert (scale[:outputs] > 0).all()
            assert not scale[outputs:].any()
            whole *= scale.astype(np.float64)[:, None]
        else:
            assert packed.shape == (n // 16, k, 16)
            whole = np.concatenate([block.T for block in packed]).astype(np.float64)
        assert not whole[outputs:].any()
        assert not whole[:, inputs:].any()
        return whole[:outputs, :inputs]

    def vector(self, name: str, size: int) -> Array:
        """float64 [size]; checks the padding."""
        stored = self.tensors[name]
        assert stored.shape == (pad16(size),)
        assert stored.dtype == np.float32
        assert not stored[size:].any()
        return stored[:size].astype(np.float64)

    def table(self, name: str, rows: int, columns: int) -> Array:
        """float64 [rows, columns]; checks the padding."""
        stored = self.tensors[name]
        assert stored.shape == (rows, pad16(columns))
        assert not stored[:, columns:].any()
        return stored[:, :columns].astype(np.float64)


@dataclass
class Outputs:
    """Of one sequence: hidden_states [L + 1][S, H]; the others None where the model has none."""

    hidden_states: list[Array]
    pooled: Array | None
    logits: Array | None
    next_sentence: Array | None


class Reference:
    """The documented model in float64, one sequence at a time."""

    def __init__(self, file: File) -> None:
        self.file, self.c = file, file.config
        self.int8 = self.c["precision"] == "int8"

    def run(self, ids: Array, types: Array | None = None) -> Outputs:
        c, file = self.c, self.file
        h = self.embed(ids, np.zeros_like(ids) if types is None else types)
        states = [h]
        for i in range(c["num_layers"]):
            h = self.block(f"encoder.layer.{i}.", h)
            states.append(h)
        if self.int8:
            scales = file.table("encoder.hidden_scale", c["num_layers"], c["hidden_size"])
            states = [state * scale for state, scale in zip(states, [*scales, 1], strict=True)]
        return Outputs(states, *self.heads(h))

    def embed(self, ids: Array, types: Array) -> Array:
        c, file = self.c, self.file
        vocab, width, hidden = c["vocab_size"], c["embedding_size"], c["hidden_size"]
        rows = -(-vocab // 4) * 4 if self.int8 else vocab
        word = file.table("embeddings.word.weight", rows, width)
        assert not word[vocab:].any()
        if self.int8:
            word = word[:vocab] * file.vector("embeddings.word.scale", vocab)[:, None]
        x = word[ids]
        if c["trigram"] or width != hidden:
            taps = [x]
            if c["trigram"]:
                zero = np.zeros((1, width))
                taps = [np.concatenate([x[1:], zero]), x, np.concatenate([zero, x[:-1]])]
            wide = pad16(width)
            padded = [np.pad(tap, ((0, 0), (0, wide - width))) for tap in taps]
            weight = file.weight("embeddings.projection", hidden, wide * len(taps))
            assert not weight.reshape(hidden, len(taps), wide)[:, :, width:].any()
            x = np.concatenate(padded, axis=1) @ weight.T + file.vector("embeddings.projection.bias", hidden)
        x = x + file.table("embeddings.position.weight", c["max_positions"], hidden)[: len(ids)]
        if c["type_vocab_size"]:
            x = x + file.table("embeddings.type.weight", c["type_vocab_size"], hidden)[types]
        normed = c["norm"] == "layer_norm" and c.get("embedding_norm", True)
        return self.norm("embeddings", x, c["eps_embeddings"]) if normed else x

    def norm(self, name: str, x: Array, eps: float) -> Array:
        d = x - x.mean(axis=-1, keepdims=True)
        unit = d / np.sqrt((d * d).mean(axis=-1, keepdims=True) + eps)
        size = x.shape[-1]
        return unit * self.file.vector(name + ".norm.weight", size) + self.file.vector(name + ".norm.bias", size)

    def linear(self, name: str, x: Array, outputs: int) -> Array:
        return x @ self.file.weight(name, outputs, x.shape[-1]).T + self.file.vector(name + ".bias", outputs)

    def normed(self, name: str, x: Array, outputs: int, eps: float | None = None) -> Array:
        y = self.linear(name, x, outputs)
        return self.norm(name, y, eps or self.c["eps"]) if self.c["norm"] == "layer_norm" else y

    def joined(self, name: str, x: Array, residual: Array, eps: float) -> Array:
        outputs = residual.shape[-1]
        y = residual * self.file.vector(name + ".residual_scale", outputs) + self.linear(name, x, outputs)
        return self.norm(name, y, eps) if self.c["norm"] == "layer_norm" else y

    def block(self, at: str, h: Array) -> Array:
        c = self.c
        body, kind = c["body_size"], c["bottleneck"]
        inner = h if kind == "none" else self.normed(at + "bottleneck.input", h, body)
        query_input = value_input = h
        if kind == "shared":
            query_input = self.normed(at + "bottleneck.attention", h, body)
        elif kind == "full":
            query_input = value_input = inner
        query = self.linear(at + "attention.query", query_input, body)
        key = self.linear(at + "attention.key", query_input, body)
        value = self.linear(at + "attention.value", value_input, body)
        context = attention(query, key, value, c["num_heads"], c.get("causal", False))
        a = self.joined(at + "attention.output", context, inner, c["eps"])
        for j in range(c["num_ffn"]):
            a = self.ffn(f"{at}ffn.{j}.", a, c["eps_output"] if j == c["num_ffn"] - 1 else c["eps"])
        return a if kind == "none" else self.joined(at + "output_bottleneck", a, h, c["eps"])

    def ffn(self, at: str, a: Array, eps: float) -> Array:
        inner = self.c["intermediate_size"]
        u = ACTIVATIONS[self.c["activation"]](self.linear(at + "intermediate", a, inner))
        if self.int8 and self.c["activation"] != "relu":
            u = u * self.file.vector(at + "activation_scale", inner)
        return self.joined(at + "output", u, a, eps)

    def heads(self, h: Array) -> tuple[Array | None, Array | None, Array | None]:
        c, hidden = self.c, self.c["hidden_size"]
        pooled = None if c["pooler"] == "none" else h[0]
        if c["pooler"] in ("tanh", "relu"):
            pooled = ACTIVATIONS[c["pooler"]](self.linear("pooler", h[0], hidden))
        logits = next_sentence = None
        if c["head"] in ("masked_lm", "pretraining"):
            z = ACTIVATIONS[c["mlm_activation"]](self.linear("mlm.transform", h, hidden))
            logits = self.linear("mlm.decoder", self.norm("mlm.transform", z, c["eps_mlm"]), c["vocab_size"])
        if c["head"] == "pretraining":
            next_sentence = self.linear("next_sentence", pooled, 2)
        if c["num_labels"]:
            per_token = c["head"] in ("token_classification", "question_answering")
            logits = self.linear("classifier", h if per_token else pooled, c["num_labels"])
        return pooled, logits, next_sentence


def attention(query: Array, key: Array, value: Array, heads: int, causal: bool) -> Array:
    """softmax(query key^T) value, head by head; the scale is in the query already."""
    parts = []
    for q, k, v in zip(*(np.split(x, heads, axis=1) for x in (query, key, value)), strict=True):
        scores = np.where(np.tri(len(q), dtype=bool) | (not causal), q @ k.T, -np.inf)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        parts.append(weights / weights.sum(axis=1, keepdims=True) @ v)
    return np.concatenate(parts, axis=1)
