"""A random MobileBERT of the published sizes, for tests and benchmarks that need no trained weights.

Naive random weights make a poor stand-in: within a few of the 24 blocks states explode or all tokens become
one. Here NoNorm shrinks the stream as much as the residual branches add to it, and the FFNs' output rows have
mean zero, so that ReLU's mean does not pull every token the same way. States stay near 1, tokens stay apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.small_models.folders import Array, write_folder

CONFIG: dict[str, Any] = {
    "model_type": "mobilebert",
    "architectures": ["MobileBertModel"],
    "vocab_size": 30522,
    "hidden_size": 512,
    "num_hidden_layers": 24,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "embedding_size": 128,
    "intra_bottleneck_size": 128,
    "num_feedforward_networks": 4,
    "use_bottleneck": True,
    "use_bottleneck_attention": False,
    "key_query_shared_bottleneck": True,
    "trigram_input": True,
    "normalization_type": "no_norm",
    "classifier_activation": False,
}

BRANCH = 0.4  # of the layers that join a residual: the deviation of what they add to a stream of 1
DECAY = 0.93  # of the NoNorm behind them: 0.93^2 * (1 + 0.4^2) = 1
SHARP = 1.7  # of query and key: attention prefers some tokens, without picking one


def config(**changes: Any) -> dict[str, Any]:
    """config.json of google/mobilebert-uncased, with changes (vocab_size is the one that saves time)."""
    return CONFIG | changes


def tensors(config: dict[str, Any], seed: int = 0) -> dict[str, Array]:
    """The state dict of a MobileBertModel, as Hugging Face names it, float32."""
    random = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    hidden, body, inner = config["hidden_size"], config["intra_bottleneck_size"], config["intermediate_size"]
    words = config["embedding_size"]

    def normal(*shape: int, spread: float = 1.0) -> Array:
        return random.standard_normal(shape, np.float32) * np.float32(spread)

    def dense(name: str, outputs: int, inputs: int, gain: float = 1.0, centred: bool = False) -> None:
        weight = normal(outputs, inputs, spread=gain * inputs**-0.5)
        found[name + ".weight"] = weight - weight.mean(axis=1, keepdims=True) if centred else weight
        found[name + ".bias"] = normal(outputs, spread=0.05)

    def norm(name: str, size: int, mean: float = 1.0) -> None:
        found[name + ".weight"] = np.float32(mean) * np.exp(normal(size, spread=0.15))
        found[name + ".bias"] = normal(size, spread=0.1)

    def joining(name: str, outputs: int, inputs: int, centred: bool = False) -> None:
        dense(name + ".dense", outputs, inputs, BRANCH, centred)
        norm(name + ".LayerNorm", outputs, DECAY)

    found["embeddings.word_embeddings.weight"] = normal(config["vocab_size"], words)
    found["embeddings.position_embeddings.weight"] = normal(config["max_position_embeddings"], hidden, spread=0.3)
    found["embeddings.token_type_embeddings.weight"] = normal(config["type_vocab_size"], hidden, spread=0.3)
    dense("embeddings.embedding_transformation", hidden, 3 * words)
    norm("embeddings.LayerNorm", hidden)
    for i in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        for bottleneck in ("input", "attention"):
            dense(f"{at}bottleneck.{bottleneck}.dense", body, hidden)
            norm(f"{at}bottleneck.{bottleneck}.LayerNorm", body)
        dense(at + "attention.self.query", body, body, SHARP)
        dense(at + "attention.self.key", body, body, SHARP)
        dense(at + "attention.self.value", body, hidden)
        joining(at + "attention.output", body, body)
        ffns = [f"{at}ffn.{j}." for j in range(config["num_feedforward_networks"] - 1)] + [at]
        for ffn in ffns:
            dense(ffn + "intermediate.dense", inner, body)
            joining(ffn + "output", body, inner, centred=True)
        joining(at + "output.bottleneck", hidden, body)
    return found


def folder(path: Path, seed: int = 0, **changes: Any) -> Path:
    """A Hugging Face folder with such a model."""
    settings = config(**changes)
    return write_folder(path, settings, tensors(settings, seed))


def token_ids(batch: int, length: int, vocab_size: int, seed: int = 0) -> Array:
    """[batch, length] int64 ids."""
    return np.random.default_rng(seed).integers(0, vocab_size, (batch, length))
