"""Random weights for any configuration, as a Hugging Face folder: speed does not depend on their values.

They are still made so that 24 layers of them say something, because the peers' outputs are compared: what joins a
residual is small beside it and has mean zero, NoNorm takes off what the branches add, queries and keys prefer some
tokens. tests/random_mobilebert.py explains the numbers.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.paper.costs import Shape, shapes
from benchmarks.paper.systems import Config

BRANCH = 0.4
DECAY = 0.93
SHARP = 1.7
JOINING = ("output.dense.weight", "output.bottleneck.dense.weight")
QUERY_KEY = ("self.query.weight", "self.key.weight")


def write(folder: Path, config: Config, seed: int = 0) -> Path:
    """config.json and model.safetensors in `folder`, both there or neither."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        (made / "config.json").write_text(json.dumps(dict(config), indent=2) + "\n", encoding="utf-8")
        _write_tensors(made / "model.safetensors", config, seed)
        os.replace(made, folder)
    return folder


def _write_tensors(path: Path, config: Config, seed: int) -> None:
    """One tensor after another, so that BERT_LARGE never lies in memory whole."""
    wanted = shapes(config)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in wanted.items():
        begin, end = end, end + 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    random = np.random.default_rng(seed)
    no_norm = config.get("normalization_type") == "no_norm"
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape in wanted.items():
            file.write(_tensor(random, name, shape, no_norm).tobytes())


def _tensor(random: np.random.Generator, name: str, shape: Shape, no_norm: bool) -> NDArray[np.float32]:
    values: NDArray[np.float32] = random.standard_normal(shape, np.float32)
    if "LayerNorm.weight" in name:
        joins = ".output." in name or "output.LayerNorm" in name
        values = np.exp(np.float32(0.15) * values)
        return values * np.float32(DECAY if no_norm and joins else 1)
    if len(shape) == 1:
        return values * np.float32(0.1 if "LayerNorm" in name else 0.05)
    if "_embeddings." in name:
        return values * np.float32(1.0 if "word" in name else 0.3)
    values *= np.float32(shape[1] ** -0.5)
    if name.endswith(JOINING):
        values = np.float32(BRANCH) * (values - values.mean(axis=1, keepdims=True))
    elif name.endswith(QUERY_KEY):
        values *= np.float32(SHARP)
    return values
