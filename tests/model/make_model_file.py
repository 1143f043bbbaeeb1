"""Random but valid model files, written from docs/model_format.md.

This is a second writer, independent of mobilebert_rt/conversion: it shares no code with it, so a reader that
agrees with both has read the document. Only numpy is needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Config = dict[str, Any]

PLAIN: Config = {
    "precision": "fp32",
    "vocab_size": 37,
    "hidden_size": 24,
    "body_size": 24,
    "embedding_size": 24,
    "num_layers": 2,
    "num_heads": 3,
    "intermediate_size": 40,
    "num_ffn": 1,
    "max_positions": 19,
    "type_vocab_size": 2,
    "trigram": False,
    "bottleneck": "none",
    "norm": "layer_norm",
    "activation": "gelu",
    "eps_embeddings": 1e-12,
    "eps": 1e-12,
    "eps_output": 1e-12,
    "eps_mlm": 1e-12,
    "mlm_activation": "gelu",
    "pooler": "tanh",
    "head": "none",
    "num_labels": 0,
}

MOBILEBERT: Config = PLAIN | {
    "vocab_size": 30522,
    "hidden_size": 512,
    "body_size": 128,
    "embedding_size": 128,
    "num_layers": 24,
    "num_heads": 4,
    "intermediate_size": 512,
    "num_ffn": 4,
    "max_positions": 512,
    "trigram": True,
    "bottleneck": "shared",
    "norm": "no_norm",
    "activation": "relu",
    "mlm_activation": "relu",
    "eps_embeddings": 1e-5,
    "eps_output": 1e-5,
    "pooler": "first_token",
}

# A MobileBERT whose widths are no multiples of 16.
ODD: Config = MOBILEBERT | {
    "vocab_size": 37,
    "hidden_size": 30,
    "body_size": 15,
    "embedding_size": 7,
    "num_layers": 2,
    "num_heads": 3,
    "intermediate_size": 21,
    "num_ffn": 2,
    "max_positions": 19,
}

# Together they have every tensor of the document and every value of every choice.
SMALL: dict[str, Config] = {
    "bert": PLAIN | {"head": "masked_lm"},
    "bert_pretraining": PLAIN | {"head": "pretraining", "activation": "gelu_tanh", "mlm_activation": "gelu_tanh"},
    "distilbert": PLAIN | {"type_vocab_size": 0, "pooler": "relu", "head": "sequence_classification", "num_labels": 5},
    "one_of_everything": PLAIN
    | dict.fromkeys(("vocab_size", "hidden_size", "body_size", "embedding_size", "num_layers", "num_heads"), 1)
    | {"intermediate_size": 1, "max_positions": 1, "type_vocab_size": 1, "activation": "silu"},
    "factorised": PLAIN | {"embedding_size": 9, "activation": "tanh", "head": "next_sentence", "num_labels": 2},
    "mobilebert": ODD | {"head": "pretraining"},
    "mobilebert_tagger": ODD | {"pooler": "none", "head": "token_classification", "num_labels": 17},
    "mobilebert_qa": ODD | {"pooler": "none", "head": "question_answering", "num_labels": 2, "activation": "relu6"},
    "without_opt": ODD | {"norm": "layer_norm", "activation": "gelu", "head": "multiple_choice", "num_labels": 1},
    "tiny": ODD | {"bottleneck": "full", "pooler": "tanh"},
    "teacher": ODD | {"bottleneck": "residual", "norm": "layer_norm", "num_ffn": 1, "activation": "gelu"},
    "gpt": PLAIN
    | {"type_vocab_size": 0, "activation": "gelu_tanh", "pooler": "none", "causal": True, "embedding_norm": False},
}
SMALL |= {f"{name}_int8": config | {"precision": "int8"} for name, config in list(SMALL.items())}


def pad(array: Array, *multiples: int) -> Array:
    """Pads each axis with zeros to a multiple."""
    widths = [(0, -size % multiple) for size, multiple in zip(array.shape, multiples, strict=True)]
    return np.pad(array, widths)


def pack(weight: Array, group: int) -> Array:
    """[N, K], both multiples of 16, as [N/16, K/group, 16, group]."""
    n, k = weight.shape
    return weight.reshape(n // 16, 16, k // group, group).transpose(0, 2, 1, 3)


class Writer:
    """The tensors of one model, in file order."""

    def __init__(self, config: Config, seed: int) -> None:
        self.config = config
        self.random = np.random.default_rng(seed)
        self.tensors: dict[str, Array] = {}
        self.int8 = config["precision"] == "int8"

    def normal(self, *shape: int, spread: float = 1.0, mean: float = 0.0) -> Array:
        return (mean + spread * self.random.standard_normal(shape)).astype(np.float32)

    def positive(self, *shape: int, low: float = 0.5) -> Array:
        return self.random.uniform(low, 2 * low, shape).astype(np.float32)

    def power_of_two(self, *shape: int) -> Array:
        return np.exp2(self.random.integers(-3, 4, shape)).astype(np.float32)

    def vector(self, name: str, values: Array) -> None:
        self.tensors[name] = pad(values, 16)

    def matrix(self, name: str, values: Array) -> None:
        self.tensors[name] = pad(values, 1, 16)

    def linear(self, name: str, k: int, n: int, *, parts: int = 1, fp32: bool = False) -> None:
        """NAME: parts * k -> n; each part of the input is padded on its own."""
        if self.int8 and not fp32:
            weight = self.random.integers(-127, 128, (n, parts, k)).astype(np.int8)
        else:
            weight = self.normal(n, parts, k, spread=(parts * k) ** -0.5)
        padded = pad(weight, 16, 1, 16)
        padded = padded.reshape(padded.shape[0], -1)
        if self.int8 and not fp32:
            self.tensors[name + ".weight"] = pack(padded, 4)
            self.vector(name + ".scale", self.positive(n, low=(parts * k) ** -0.5 / 100))
        else:
            self.tensors[name + ".weight"] = pack(padded, 1)[..., 0]
        self.vector(name + ".bias", self.normal(n, spread=0.1))

    def norm(self, name: str, n: int) -> None:
        self.vector(name + ".weight", self.normal(n, spread=0.1, mean=1.0))
        self.vector(name + ".bias", self.normal(n, spread=0.1))

    def linear_norm(self, name: str, k: int, n: int, *, residual: bool = False) -> None:
        self.linear(name, k, n)
        if residual:
            self.vector(name + ".residual_scale", self.normal(n, spread=0.1, mean=1.0))
        if self.config["norm"] == "layer_norm":
            self.norm(name + ".norm", n)

    def embeddings(self) -> None:
        c = self.config
        v, e, h = c["vocab_size"], c["embedding_size"], c["hidden_size"]
        if self.int8:
            words = self.random.integers(-127, 128, (v, e)).astype(np.int8)
            self.tensors["embeddings.word.weight"] = pad(words, 4, 16)
            self.vector("embeddings.word.scale", self.positive(v, low=0.01))
        else:
            self.matrix("embeddings.word.weight", self.normal(v, e))
        if c["trigram"] or e != h:
            self.linear("embeddings.projection", e, h, parts=3 if c["trigram"] else 1)
        self.matrix("embeddings.position.weight", self.normal(c["max_positions"], h))
        if c["type_vocab_size"] > 0:
            self.matrix("embeddings.type.weight", self.normal(c["type_vocab_size"], h))
        if c["norm"] == "layer_norm" and c.get("embedding_norm", True):
            self.norm("embeddings.norm", h)

    def block(self, name: str) -> None:
        c = self.config
        h, t, i = c["hidden_size"], c["body_size"], c["intermediate_size"]
        bottleneck = c["bottleneck"]
        if bottleneck != "none":
            self.linear_norm(name + "bottleneck.input", h, t)
        if bottleneck == "shared":
            self.linear_norm(name + "bottleneck.attention", h, t)
        query_width = t if bottleneck in ("shared", "full") else h
        value_width = t if bottleneck == "full" else h
        self.linear(name + "attention.query", query_width, t)
        self.linear(name + "attention.key", query_width, t)
        self.linear(name + "attention.value", value_width, t)
        self.linear_norm(name + "attention.output", t, t, residual=True)
        for j in range(c["num_ffn"]):
            ffn = f"{name}ffn.{j}."
            self.linear(ffn + "intermediate", t, i)
            if self.int8 and c["activation"] != "relu":
                self.vector(ffn + "activation_scale", self.power_of_two(i))
            self.linear_norm(ffn + "output", i, t, residual=True)
        if bottleneck != "none":
            self.linear_norm(name + "output_bottleneck", t, h, residual=True)

    def heads(self) -> None:
        c = self.config
        h = c["hidden_size"]
        if c["pooler"] in ("tanh", "relu"):
            self.linear("pooler", h, h)
        if c["head"] in ("masked_lm", "pretraining"):
            self.linear("mlm.transform", h, h)
            self.norm("mlm.transform.norm", h)
            self.linear("mlm.decoder", h, c["vocab_size"])
        if c["num_labels"] > 0:
            self.linear("classifier", h, c["num_labels"], fp32=True)
        if c["head"] == "pretraining":
            self.linear("next_sentence", h, 2, fp32=True)

    def modules(self, modules: list[dict[str, Any]], width: int) -> None:
        """The layers of the metadata's modules behind a pooled vector of that width."""
        for i, module in enumerate(modules):
            name = f"modules.{i}"
            if module["type"] == "layer_norm":
                self.norm(name + ".norm", width)
            elif module["type"] == "dense":
                self.linear(name, width, module["outputs"])
                if module.get("residual") and module["outputs"] != width:
                    self.linear(name + ".residual", width, module["outputs"])
                width = module["outputs"]

    def model(self) -> dict[str, Array]:
        self.embeddings()
        for i in range(self.config["num_layers"]):
            self.block(f"encoder.layer.{i}.")
        if self.int8:
            self.matrix(
                "encoder.hidden_scale",
                self.power_of_two(self.config["num_layers"], self.config["hidden_size"]),
            )
        self.heads()
        return self.tensors


def make_tensors(config: Config, seed: int, metadata: Mapping[str, str] | None = None) -> dict[str, Array]:
    """Every tensor of the configuration and of the metadata's modules, in file order, with random values."""
    writer = Writer(config, seed)
    writer.model()
    modes = json.loads((metadata or {}).get("pooling", '{"mode": "mean"}'))["mode"].split("+")
    writer.modules(json.loads((metadata or {}).get("modules", "[]")), config["hidden_size"] * len(modes))
    return writer.tensors


def make_metadata(config: Config, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"format": "mobilebert_rt", "format_version": "1", "config": json.dumps(config)} | dict(extra or {})


def describe(tensors: Mapping[str, Array]) -> dict[str, Any]:
    """The header's entries of consecutive tensors."""
    entries: dict[str, Any] = {}
    offset = 0
    for name, array in tensors.items():
        dtype = {"float32": "F32", "int8": "I8"}[array.dtype.name]
        offsets = [offset, offset + array.nbytes]
        entries[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": offsets}
        offset += array.nbytes
    return entries


def assemble(header: str | bytes, data: bytes) -> bytes:
    """The container: the length, the header padded with spaces, the data."""
    text = header.encode() if isinstance(header, str) else header
    text += b" " * (-(8 + len(text)) % 64)
    return len(text).to_bytes(8, "little") + text + data


def data_of(tensors: Mapping[str, Array]) -> bytes:
    return b"".join(np.ascontiguousarray(array).tobytes() for array in tensors.values())


def make_file(config: Config, seed: int, metadata: Mapping[str, str] | None = None) -> bytes:
    """A whole model file, with further metadata."""
    return write_file(config, make_tensors(config, seed, metadata), metadata)


def write_file(config: Config, tensors: Mapping[str, Array], metadata: Mapping[str, str] | None = None) -> bytes:
    """A whole model file of the given tensors."""
    header = {"__metadata__": make_metadata(config, metadata)} | describe(tensors)
    return assemble(json.dumps(header), data_of(tensors))
