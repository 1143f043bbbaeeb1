"""A Hugging Face folder with random weights, for measurements that need no trained ones: time does not depend on them.

With naive random weights the states explode or all tokens become equal within a few of 24 blocks.
Here NoNorm shrinks the residual stream by as much as the branches add to it (0.93^2 * (1 + 0.4^2) = 1), and the output
rows of a branch have mean zero, so that ReLU's mean does not pull every token the same way. States stay near 1 and
tokens stay distinct, so engines can be compared by their outputs.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.configs import Config, Shape, shapes

BRANCH_GAIN = 0.4  # standard deviation of what a branch adds to a stream of 1
NO_NORM_GAIN = 0.93  # of the NoNorm behind the sum
QUERY_KEY_GAIN = 1.7  # attention prefers some tokens, without selecting one
BRANCH_OUTPUTS = ("output.dense.weight", "output.bottleneck.dense.weight", "c_proj.weight")
QUERY_KEY = ("self.query.weight", "self.key.weight")


def is_table(name: str) -> bool:
    """Whether a tensor is a table of embeddings and not a linear layer."""
    return "_embeddings." in name or "_embed." in name


def write(folder: Path, config: Config, seed: int = 0) -> Path:
    """config.json and model.safetensors in `folder`, both or neither. Never holds more than one tensor in memory."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        (made / "config.json").write_text(json.dumps(dict(config), indent=2) + "\n", encoding="utf-8")
        header: dict[str, object] = {"__metadata__": {"format": "pt"}}
        end = 0
        for name, shape in shapes(config).items():
            begin, end = end, end + 4 * int(np.prod(shape))
            header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [begin, end]}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with (made / "model.safetensors").open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for _, values in tensors(config, seed):
                file.write(values.tobytes())
        os.replace(made, folder)
    return folder


def tensors(config: Config, seed: int = 0) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Every tensor of the encoder with its name, in the order of the file."""
    random = np.random.default_rng(seed)
    no_norm = config.get("normalization_type") == "no_norm"
    for name, shape in shapes(config).items():
        yield name, _tensor(random, name, shape, no_norm)


def _tensor(random: np.random.Generator, name: str, shape: Shape, no_norm: bool) -> NDArray[np.float32]:
    values: NDArray[np.float32] = random.standard_normal(shape, np.float32)
    if "LayerNorm.weight" in name or (".ln_" in name and name.endswith("weight")):
        after_branch = ".output." in name or "output.LayerNorm" in name
        values = np.exp(np.float32(0.15) * values)
        values *= np.float32(NO_NORM_GAIN if no_norm and after_branch else 1)
        return values
    if len(shape) == 1:
        return values * np.float32(0.1 if "LayerNorm" in name else 0.05)
    if is_table(name):
        return values * np.float32(0.3 if "position" in name or "type" in name else 1.0)
    inputs = 0 if ".c_" in name else 1  # OpenAI GPT's linear layers are [in, out]
    values *= np.float32(shape[inputs] ** -0.5)
    if name.endswith(BRANCH_OUTPUTS):
        values = np.float32(BRANCH_GAIN) * (values - values.mean(axis=inputs, keepdims=True))
    elif name.endswith(QUERY_KEY):
        values *= np.float32(QUERY_KEY_GAIN)
    return values
