"""Checkpoints of the same function with differently scaled channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.small_models.folders import BOTTLENECKS, Array

Scales = Callable[[int], Array]  # a factor for each channel of a vector of that size


def powers_of_two(seed: int, largest: int = 9) -> Scales:
    """2^-largest .. 2^largest, at random."""
    random = np.random.default_rng(seed)
    return lambda size: np.float32(2.0) ** random.integers(-largest, largest + 1, size).astype(np.float32)


def few_times(factor: float, share: float, seed: int) -> Scales:
    """`factor` for that share of the channels, at random, and 1 for the others."""
    random = np.random.default_rng(seed)
    return lambda size: np.where(random.random(size) < share, factor, 1).astype(np.float32)


class Rescaling:
    """Multiplies vectors of a MobileBERT checkpoint, channel by channel, and divides where they are read."""

    def __init__(self, tensors: dict[str, Array], scales: Scales) -> None:
        self.tensors = {name: array.copy() for name, array in tensors.items()}
        self.scales = scales

    def rows(self, dense: str, s: Array) -> None:
        self.tensors[dense + ".weight"] *= s[:, None]
        self.tensors[dense + ".bias"] *= s

    def columns(self, dense: str, s: Array) -> None:
        self.tensors[dense + ".weight"] /= s

    def norm(self, name: str, s: Array) -> None:
        self.tensors[name + ".weight"] *= s
        self.tensors[name + ".bias"] *= s

    def residual(self, stem: str, s: Array) -> None:
        """norm(dense(x) + r) for r times s: the dense follows r, NoNorm's gamma takes it out again."""
        self.rows(stem + ".dense", s)
        self.tensors[stem + ".LayerNorm.weight"] /= s

    def size(self, dense: str) -> int:
        return int(self.tensors[dense + ".weight"].shape[1])

    def words(self, config: dict[str, Any]) -> None:
        s = self.scales(config["embedding_size"])
        self.tensors["embeddings.word_embeddings.weight"] *= s
        self.columns("embeddings.embedding_transformation", np.tile(s, 3))

    def linear_parts(self, at: str, ffns: list[str]) -> None:
        """Vectors rescaled with any norm: query and key, context and, with ReLU, the FFNs' inner vectors."""
        s = self.scales(self.size(at + "attention.output.dense"))
        self.rows(at + "attention.self.query", s)
        self.rows(at + "attention.self.key", 1 / s)
        s = self.scales(self.size(at + "attention.output.dense"))
        self.rows(at + "attention.self.value", s)
        self.columns(at + "attention.output.dense", s)
        for ffn in ffns:
            s = self.scales(self.size(ffn + "output.dense"))
            self.rows(ffn + "intermediate.dense", s)
            self.columns(ffn + "output.dense", s)

    def streams(self, at: str, ffns: list[str], config: dict[str, Any], producer: str) -> None:
        """Vectors rescaled with NoNorm: the stream between blocks, the bottlenecks, and inside the block."""
        kind = next(k for k, v in BOTTLENECKS.items() if v.items() <= config.items())
        attention = [at + f"attention.self.{x}" for x in ("query", "key", "value")]
        bottlenecks = [at + f"bottleneck.{x}.dense" for x in ("input", "attention")]
        readers = {
            "none": attention,
            "shared": [*bottlenecks, attention[2]],
            "full": bottlenecks[:1],
            "residual": [bottlenecks[0], *attention],
        }[kind]
        s = self.scales(config["hidden_size"])
        self.norm(producer, s)
        for reader in readers:
            self.columns(reader, s)
        inner = s
        if kind != "none":
            self.residual(at + "output.bottleneck", s)
            inner = self.scales(config["intra_bottleneck_size"])
            self.norm(at + "bottleneck.input.LayerNorm", inner)
        if kind == "full":
            for reader in attention:
                self.columns(reader, inner)
        if kind == "shared":
            s = self.scales(config["intra_bottleneck_size"])
            self.norm(at + "bottleneck.attention.LayerNorm", s)
            self.columns(attention[0], s)
            self.columns(attention[1], s)
        stems = [at + "attention.output", *(ffn + "output" for ffn in ffns)]
        self.residual(stems[0], inner)
        for before, ffn, stem in zip(stems[:-1], ffns, stems[1:], strict=True):
            s = self.scales(self.size(ffn + "intermediate.dense"))
            self.norm(before + ".LayerNorm", s)
            self.columns(ffn + "intermediate.dense", s)
            self.residual(stem, s)
        if kind != "none":
            s = self.scales(config["intra_bottleneck_size"])
            self.norm(stems[-1] + ".LayerNorm", s)
            self.columns(at + "output.bottleneck.dense", s)


def rescaled(config: dict[str, Any], tensors: dict[str, Array], scales: Scales) -> dict[str, Array]:
    """The same function, with every possible vector multiplied by scales(its size)."""
    change = Rescaling(tensors, scales)
    change.words(config)
    producer = "embeddings.LayerNorm"
    for i in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        ffns = [f"{at}ffn.{j}." for j in range(config["num_feedforward_networks"] - 1)] + [at]
        change.linear_parts(at, ffns)
        if config["normalization_type"] == "no_norm":
            change.streams(at, ffns, config, producer)
        producer = at + ("output.bottleneck.LayerNorm" if config["use_bottleneck"] else "output.LayerNorm")
    return change.tensors
