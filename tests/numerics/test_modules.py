"""The modules behind the pooling, in numpy by docs/numerics.md, give the same bits as the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import Model, TextEmbedder, available_isas
from tests.model.make_model_file import make_file, make_tensors
from tests.numerics import operations as op
from tests.numerics.float32 import F32
from tests.numerics.forward import Forward
from tests.small_models.files import READS_TEXT, TEXT
from tests.small_models.text import random_words

MODULES: list[dict[str, Any]] = [
    {"type": "dense", "outputs": 21, "activation": "gelu"},
    {"type": "layer_norm"},
    {"type": "dense", "outputs": 21, "activation": "tanh", "residual": True},
    {"type": "dense", "outputs": 40, "activation": "none", "residual": True},
    {"type": "layer_norm"},
    {"type": "dense", "outputs": 9, "activation": "relu"},
]
TEXTS = [random_words(n, n) for n in (1, 5, 30, 12, 2)]


def expected(forward: Forward, vector: F32) -> F32:
    """The vector after the modules."""
    x = vector[None]
    for i, module in enumerate(MODULES):
        name = f"modules.{i}"
        if module["type"] == "layer_norm":
            weight, bias = (forward.vector(f"{name}.norm.{part}", x.shape[1]) for part in ("weight", "bias"))
            x = op.layer_norm(x, weight, bias, np.float32(1e-5))
            continue
        activation = None if module["activation"] == "none" else module["activation"]
        made = forward.run(name, x, module["outputs"], None, activation)
        if module.get("residual"):
            made = made + (x if x.shape == made.shape else forward.run(name + ".residual", x, module["outputs"]))
        x = made
    return x[0]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_modules_have_the_bits_of_the_document_on_every_kernel_set(tmp_path: Path, precision: str) -> None:
    config = TEXT | {"precision": precision}
    metadata = READS_TEXT | {"modules": json.dumps(MODULES), "pooling": '{"mode": "cls", "normalize": false}'}
    path = tmp_path / "model"
    path.write_bytes(make_file(config, 5, metadata))
    forward = Forward(config, make_tensors(config, 5, metadata))
    for isa in available_isas():
        embedder = TextEmbedder(Model.from_pretrained(path, isa=isa))
        wanted = [expected(forward, states[0]) for states in embedder.token_vectors(TEXTS)]
        np.testing.assert_array_equal(embedder(TEXTS), np.stack(wanted))
        np.testing.assert_array_equal(np.stack([embedder(text) for text in TEXTS]), np.stack(wanted))
