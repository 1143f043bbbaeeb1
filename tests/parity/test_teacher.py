"""IB-BERT, which transformers lacks: the engine against the model of the training package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mobilebert_rt
from tests.parity.comparison import assert_parity, collect
from tests.parity.random_weights import randomise
from tests.parity.transformers_models import Array, Outputs, segments, texts, torch

configs = pytest.importorskip("mbrt_train.config")
models = pytest.importorskip("mbrt_train.models")


def teacher(**changes: Any) -> Any:
    model = models.PreTraining(replace(configs.IB_BERT_LARGE, vocab_size=1003, **changes)).eval()
    randomise(model)
    return model


def reference(model: Any, ids: Array, types: Array) -> Outputs:
    with torch.no_grad():
        words, relation, out = model(torch.tensor(ids)[None], types=torch.tensor(types)[None])
    found = {"logits": words, "seq_relationship_logits": relation}
    found |= {f"hidden_state.{i}": state for i, state in enumerate(out.hidden_states)}
    found |= {f"attention.{i}": scores.softmax(-1) for i, scores in enumerate(out.attention_scores)}
    return {name: value[0].numpy() for name, value in found.items()}


def assert_as_reference(model: Any, folder: Path, *lengths: int) -> None:
    models.save(model, folder)
    rt = mobilebert_rt.Model.from_pretrained(folder, precision="fp32", num_threads=1)
    assert rt.config.bottleneck == "residual"
    for ids in texts(*lengths):
        types = segments(ids)
        out = rt([ids], None, [types], output_hidden_states=True, output_attentions=True)
        assert_parity(collect(out), reference(model, ids, types))


@pytest.mark.parametrize("kind", ["layer_norm", "no_norm"])
@pytest.mark.parametrize("activation", ["gelu", "gelu_new"])
def test_24_layers_at_reduced_widths(tmp_path: Path, kind: str, activation: str) -> None:
    sizes = {"hidden_size": 128, "embedding_size": 40, "intra_bottleneck_size": 256, "intermediate_size": 512}
    model = teacher(**sizes, normalization_type=kind, hidden_act=activation)
    assert_as_reference(model, tmp_path, 1, 7, 128)


def test_odd_widths(tmp_path: Path) -> None:
    sizes = {
        "hidden_size": 96,
        "embedding_size": 25,
        "intra_bottleneck_size": 185,
        "intermediate_size": 211,
        "num_attention_heads": 5,
    }
    assert_as_reference(teacher(**sizes), tmp_path, 1, 29)


def test_two_layers_at_the_published_widths(tmp_path: Path) -> None:
    model = teacher(num_hidden_layers=2)
    assert model.config.body_size == 1024
    assert model.config.intermediate_size == 4096
    assert_as_reference(model, tmp_path, 1, 64)


def test_teacher_query_reads_the_stream_between_blocks() -> None:
    # What transformers' class cannot be told: there this layer expects intra_bottleneck_size inputs.
    layer = teacher(num_hidden_layers=1).body.encoder.layer[0].attention.self
    assert np.array_equal(layer.query.weight.shape, (1024, 512))
    assert np.array_equal(layer.value.weight.shape, (1024, 512))
