"""Folders of OpenAI GPT: names and values of config.json, fused and transposed weights, heads beside the base model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt.conversion import build
from mobilebert_rt.errors import MobileBertError, ModelFormatError, UnsupportedModelError
from tests.conversion.reader import File
from tests.small_models.families import FAMILIES, save_folder, tensors
from tests.small_models.folders import Array, write_folder

GPT = FAMILIES["gpt"] | {"architectures": ["OpenAIGPTModel"]}


def config_of(folder: Path, **changes: Any) -> dict[str, Any]:
    config: dict[str, Any] = File(bytes(build(save_folder(folder, "gpt", **changes)))).config
    return config


def tensors_of(folder: Path, changed: dict[str, Array], **config: Any) -> dict[str, Array]:
    return File(bytes(build(write_folder(folder, GPT | config, changed), "fp32"))).tensors


def test_keys_have_their_own_names_and_the_rest_is_fixed(tmp_path: Path) -> None:
    wanted = {
        "hidden_size": 24,
        "intermediate_size": 96,
        "num_layers": 2,
        "num_heads": 3,
        "max_positions": 40,
        "type_vocab_size": 0,
        "activation": "gelu_tanh",
        "eps": 1e-5,
        "pooler": "none",
        "head": "none",
        "causal": True,
        "embedding_norm": False,
    }
    assert wanted.items() <= config_of(tmp_path, type_vocab_size=2, intermediate_size=7).items()


@pytest.mark.parametrize(("afn", "activation"), [("relu", "relu"), ("silu", "silu"), ("swish", "silu")])
def test_other_activations(tmp_path: Path, afn: str, activation: str) -> None:
    assert config_of(tmp_path, afn=afn)["activation"] == activation


def test_optional_keys_of_the_config_are_documented(tmp_path: Path) -> None:
    document = (Path(__file__).parents[2] / "docs" / "model_format.md").read_text()
    optional = document.split("may be left out:\n\n")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", optional, re.MULTILINE)) == {"causal", "embedding_norm"}
    bert = File(bytes(build(save_folder(tmp_path / "bert", "bert")))).config
    assert config_of(tmp_path / "gpt").keys() - bert.keys() == {"causal", "embedding_norm"}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"n_embd": "24"}, ModelFormatError, "n_embd is '24'; expected an integer"),
        ({"n_embd": 8192}, UnsupportedModelError, "n_embd is 8192; the engine supports 1 to 4096"),
        ({"n_head": 0}, UnsupportedModelError, "n_head is 0; the engine supports"),
        ({"n_head": 5}, UnsupportedModelError, "5 attention heads do not divide"),
        ({"n_layer": 129}, UnsupportedModelError, "n_layer is 129"),
        ({"n_positions": True}, ModelFormatError, "n_positions is True; expected an integer"),
        ({"afn": "tanh"}, UnsupportedModelError, "afn is 'tanh'; the engine supports gelu, relu, silu, swish"),
        ({"afn": ["gelu"]}, UnsupportedModelError, "afn is"),
        ({"layer_norm_epsilon": 0}, ModelFormatError, "layer_norm_epsilon is 0; expected a number above 0"),
    ],
)
def test_wrong_values_are_refused(
    tmp_path: Path, changes: dict[str, Any], error: type[MobileBertError], message: str
) -> None:
    with pytest.raises(error, match=message):
        build(write_folder(tmp_path, GPT | changes, tensors(GPT, "Model", 0)))


def test_heads_other_than_that_of_the_language_model_are_refused(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path, GPT | {"architectures": ["OpenAIGPTForSequenceClassification"]}, tensors(GPT, "Model", 0)
    )
    with pytest.raises(UnsupportedModelError, match="supports one of OpenAIGPTModel, OpenAIGPTLMHeadModel"):
        build(folder)


def test_language_model_gives_its_base_model(tmp_path: Path) -> None:
    base = tensors(GPT, "Model", 0)
    plain = tensors_of(tmp_path / "plain", base)
    whole = {"transformer." + name: array for name, array in base.items()}
    whole["lm_head.weight"] = np.zeros((GPT["vocab_size"], 24), np.float32)
    whole["transformer.h.0.attn.bias"] = np.tri(40, dtype=np.float32)[None, None]
    found = tensors_of(tmp_path / "whole", whole, architectures=["OpenAIGPTLMHeadModel"])
    assert plain.keys() == found.keys()
    assert all(np.array_equal(plain[name], found[name]) for name in plain)


def test_query_key_and_value_are_the_columns_of_one_layer(tmp_path: Path) -> None:
    source = tensors(GPT, "Model", 0)
    source["h.1.attn.c_attn.bias"] = np.repeat(np.float32([8, 2, 3]), 24)
    found = tensors_of(tmp_path, source)
    at = "encoder.layer.1.attention."
    assert found[at + "query.bias"][:24] == pytest.approx(8 * 8**-0.5)  # with the factor of the scores
    assert (found[at + "key.bias"][:24] == 2).all()
    assert (found[at + "value.bias"][:24] == 3).all()


@pytest.mark.parametrize(
    ("name", "shape", "wanted"),
    [
        ("h.0.attn.c_attn.weight", (72, 24), [24, 72]),
        ("h.0.attn.c_attn.bias", (24,), [72]),
        ("h.1.mlp.c_fc.weight", (96, 24), [24, 96]),
        ("tokens_embed.weight", (3, 24), [GPT["vocab_size"], 24]),
    ],
)
def test_wrong_shape_is_named_as_stored(tmp_path: Path, name: str, shape: tuple[int, ...], wanted: list[int]) -> None:
    changed = tensors(GPT, "Model", 0) | {name: np.zeros(shape, np.float32)}
    message = f'tensor "{name}" has shape {list(shape)}; config.json requires {wanted}'
    with pytest.raises(ModelFormatError, match=re.escape(message)):
        tensors_of(tmp_path, changed)


def test_missing_and_unknown_tensors_are_named(tmp_path: Path) -> None:
    source = tensors(GPT, "Model", 0)
    with pytest.raises(ModelFormatError, match=r'tensor "h.0.attn.c_attn.weight" is missing'):
        tensors_of(tmp_path / "less", {k: v for k, v in source.items() if k != "h.0.attn.c_attn.weight"})
    with pytest.raises(UnsupportedModelError, match=r'tensor "h.2.ln_1.weight" is not part of the model'):
        tensors_of(tmp_path / "more", source | {"h.2.ln_1.weight": np.zeros(24, np.float32)})
