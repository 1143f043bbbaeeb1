"""24 layers of every family member, each text alone: hidden states, attention, pooler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.parity.comparison import assert_text, engine
from tests.parity.transformers_models import BERT, ODD, PUBLISHED, TINY, WITHOUT_OPT, make, segments, texts

MEMBERS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "mobilebert": ("MobileBert", PUBLISHED, (1, 7, 128, 511, 512)),
    "without_opt": ("MobileBert", PUBLISHED | WITHOUT_OPT, (1, 33, 128)),
    "tiny": ("MobileBert", PUBLISHED | TINY, (1, 33, 128)),
    "bert": ("Bert", BERT, (1, 7, 128)),
    "odd": ("MobileBert", ODD, (1, 7, 128, 511, 512)),
    "odd_without_opt": ("MobileBert", ODD | WITHOUT_OPT, (1, 7, 511)),
    "odd_tiny": ("MobileBert", ODD | TINY, (1, 7, 128)),
    "odd_tiny_without_opt": ("MobileBert", ODD | TINY | WITHOUT_OPT, (1, 7)),
}


@pytest.mark.parametrize("member", MEMBERS)
def test_24_layers_match_transformers(tmp_path: Path, member: str) -> None:
    family, config, lengths = MEMBERS[member]
    model = make(family, "Model", config)
    rt = engine(model, tmp_path)
    for ids in texts(*lengths):
        assert_text(rt, model, ids, segments(ids))


@pytest.mark.parametrize("kind", ["no_norm", "layer_norm"])
def test_mobilebert_without_bottlenecks(tmp_path: Path, kind: str) -> None:
    config = ODD | {
        "use_bottleneck": False,
        "num_attention_heads": 6,
        "normalization_type": kind,
        "trigram_input": False,
    }
    model = make("MobileBert", "Model", config)
    rt = engine(model, tmp_path)
    for ids in texts(1, 33):
        assert_text(rt, model, ids, segments(ids))


ACTIVATIONS = ("relu", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu6", "silu", "tanh")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(tmp_path: Path, activation: str) -> None:
    model = make("MobileBert", "ForMaskedLM", ODD | {"hidden_act": activation})
    for name, parameter in model.named_parameters():
        if "intermediate.dense" in name:
            parameter.data *= 4  # so that every bend is passed, that of relu6 as well
        elif ".output.dense.weight" in name and "attention" not in name:
            parameter.data /= 4
    rt = engine(model, tmp_path)
    for ids in texts(1, 29):
        assert_text(rt, model, ids)


def test_epsilons_where_variances_are_small(tmp_path: Path) -> None:
    # A word table of 1e-3 makes the first norms' variances as small as their eps, 1e-5 and 1e-12, or ours.
    model = make("MobileBert", "Model", ODD | WITHOUT_OPT | {"layer_norm_eps": 1e-6})
    for name, parameter in model.named_parameters():
        if name.startswith("embeddings") and "LayerNorm" not in name:
            parameter.data *= 1e-3
    rt = engine(model, tmp_path)
    for ids in texts(1, 29):
        assert_text(rt, model, ids)
