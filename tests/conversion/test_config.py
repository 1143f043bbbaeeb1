"""The kinds of config.json: the meaning of each key, defaults, and refused values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt.conversion import build
from mobilebert_rt.conversion.checkpoint import Entry
from mobilebert_rt.conversion.hf_config import engine_config, read_source
from mobilebert_rt.conversion.state_dict import StateDict
from mobilebert_rt.errors import MobileBertError, ModelFormatError, UnsupportedModelError
from tests.conversion.reader import File
from tests.model import make_model_file
from tests.small_models.folders import BOTTLENECKS, odd, random_tensors, write_folder

# The four JSON files that Google published, without the keys that do not concern inference.
GOOGLE_COMMON = {
    "hidden_size": 512,
    "max_position_embeddings": 512,
    "num_attention_heads": 4,
    "num_hidden_layers": 24,
    "type_vocab_size": 2,
    "vocab_size": 30522,
    "embedding_size": 128,
    "trigram_input": True,
    "use_bottleneck": True,
}
GOOGLE_TEACHER = GOOGLE_COMMON | {
    "hidden_act": "gelu",
    "intermediate_size": 4096,
    "intra_bottleneck_size": 1024,
}
GOOGLE_OPT = GOOGLE_COMMON | {
    "hidden_act": "relu",
    "intermediate_size": 512,
    "intra_bottleneck_size": 128,
    "key_query_shared_bottleneck": True,
    "num_feedforward_networks": 4,
    "normalization_type": "no_norm",
    "classifier_activation": False,
}
GOOGLE_TINY = {k: v for k, v in GOOGLE_OPT.items() if k != "key_query_shared_bottleneck"} | {
    "use_bottleneck_attention": True,
    "num_feedforward_networks": 2,
}
GOOGLE_QAT = GOOGLE_OPT | {"hidden_act": "relu6"}


def tensors_named(**shapes: tuple[int, ...]) -> StateDict:
    """A state dict of which only names and shapes matter; `__` stands for a dot."""
    empty = np.zeros(0, np.uint8)
    entries = {name.replace("__", "."): Entry("x.safetensors", "F32", shape, empty) for name, shape in shapes.items()}
    return StateDict(entries, "mobilebert")


def parsed(raw: dict[str, Any], **shapes: tuple[int, ...]) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(engine_config(read_source(raw), tensors_named(**shapes)).to_json())
    return config


def test_default_mobilebert_config() -> None:
    assert parsed(MOBILEBERT, pooler__dense__weight=(512, 512)) == make_model_file.MOBILEBERT | {"pooler": "tanh"}


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (GOOGLE_TEACHER, ("residual", "layer_norm", "gelu_tanh", 1024, 4096, 1)),
        (GOOGLE_OPT, ("shared", "no_norm", "relu", 128, 512, 4)),
        (GOOGLE_TINY, ("full", "no_norm", "relu", 128, 512, 2)),
        (GOOGLE_QAT, ("shared", "no_norm", "relu6", 128, 512, 4)),
    ],
)
def test_google_json_has_google_defaults(raw: dict[str, Any], wanted: tuple[Any, ...]) -> None:
    config = parsed(raw)
    keys = ("bottleneck", "norm", "activation", "body_size", "intermediate_size", "num_ffn")
    assert tuple(config[key] for key in keys) == wanted
    # Only transformers' class ignores the eps in two norms.
    assert {config[key] for key in ("eps", "eps_embeddings", "eps_output", "eps_mlm")} == {1e-12}


def test_google_json_without_sizes_has_berts() -> None:
    config = parsed({"trigram_input": True})
    assert (config["hidden_size"], config["embedding_size"], config["body_size"]) == (768, 768, 768)
    assert (config["num_layers"], config["num_heads"], config["type_vocab_size"]) == (12, 12, 16)


def test_google_pooler_follows_its_default() -> None:
    with_mlm = {
        "cls__seq_relationship__weight": (2, 512),
        "cls__predictions__transform__dense__weight": (512, 512),
    }
    assert parsed(GOOGLE_TEACHER, **with_mlm)["pooler"] == "tanh"
    assert parsed(GOOGLE_OPT, **with_mlm)["pooler"] == "first_token"


def test_same_keys_with_model_type_have_transformers_defaults() -> None:
    config = parsed(GOOGLE_TEACHER | {"model_type": "mobilebert"})
    assert (config["bottleneck"], config["norm"], config["activation"]) == ("shared", "no_norm", "gelu")
    assert config["num_ffn"] == 4


def test_bert_ignores_mobileberts_keys() -> None:
    raw = {"model_type": "bert", "trigram_input": True, "embedding_size": 3, "normalization_type": "no_norm"}
    config = parsed(raw | {"layer_norm_eps": 1e-6, "hidden_act": "gelu_new"})
    assert not config["trigram"]
    assert (config["embedding_size"], config["norm"], config["activation"]) == (
        768,
        "layer_norm",
        "gelu_tanh",
    )
    assert config["eps"] == config["eps_embeddings"] == config["eps_output"] == config["eps_mlm"] == 1e-6


def test_old_bert_config_without_model_type() -> None:
    config = parsed({"hidden_size": 312, "num_hidden_layers": 4, "intermediate_size": 1200, "emb_size": 312})
    assert (config["bottleneck"], config["norm"], config["activation"]) == ("none", "layer_norm", "gelu")


def test_distilbert_has_its_own_names() -> None:
    raw = {
        "model_type": "distilbert",
        "dim": 24,
        "n_layers": 2,
        "n_heads": 3,
        "hidden_dim": 40,
        "activation": "relu",
    }
    config = parsed(raw | {"layer_norm_eps": 1.0})
    wanted = {
        "hidden_size": 24,
        "num_layers": 2,
        "num_heads": 3,
        "intermediate_size": 40,
        "activation": "relu",
    }
    assert wanted.items() <= config.items()
    assert (config["type_vocab_size"], config["pooler"], config["eps"]) == (0, "none", 1e-12)


@pytest.mark.parametrize(
    ("shapes", "head"),
    [
        ({"qa_outputs__weight": (2, 512)}, "question_answering"),
        ({"cls__predictions__transform__dense__weight": (512, 512)}, "masked_lm"),
        ({"cls__seq_relationship__weight": (2, 512)}, "next_sentence"),
        ({}, "none"),
    ],
)
def test_head_without_architectures_comes_from_the_tensors(shapes: dict[str, Any], head: str) -> None:
    assert parsed({"model_type": "mobilebert"}, **shapes)["head"] == head


MOBILEBERT = {"model_type": "mobilebert", "architectures": ["MobileBertModel"]}


@pytest.mark.parametrize(
    ("raw", "error", "message"),
    [
        (
            {"model_type": "roberta"},
            UnsupportedModelError,
            "model_type is 'roberta'; the engine supports mobilebert, bert",
        ),
        ({"model_type": ["bert"]}, UnsupportedModelError, "model_type is .'bert'."),
        ({"foo": 1}, ModelFormatError, "neither model_type nor hidden_size"),
        ({"architectures": ["MobileBertForCausalLM"]}, UnsupportedModelError, "MobileBertForCausalLM"),
        ({"architectures": ["BertModel"], "model_type": "mobilebert"}, UnsupportedModelError, "BertModel"),
        ({"architectures": ["MobileBertModel", "X"]}, UnsupportedModelError, "architectures is"),
        (
            {"architectures": ["DistilBertForPreTraining"], "model_type": "distilbert"},
            UnsupportedModelError,
            "supports one of DistilBertModel",
        ),
        (MOBILEBERT | {"position_embedding_type": "relative_key"}, UnsupportedModelError, "relative_key"),
        (MOBILEBERT | {"is_decoder": True}, UnsupportedModelError, "is_decoder is True; decoders"),
        (MOBILEBERT | {"add_cross_attention": True}, UnsupportedModelError, "cross attention"),
        (MOBILEBERT | {"pruned_heads": {"0": [1]}}, UnsupportedModelError, "pruned_heads"),
        (MOBILEBERT | {"quantization_config": {"bits": 4}}, UnsupportedModelError, "Dequantise the model"),
        (MOBILEBERT | {"auto_map": {"AutoModel": "x.Y"}}, UnsupportedModelError, "brings its own code"),
        (MOBILEBERT | {"hidden_act": "quick_gelu"}, UnsupportedModelError, "hidden_act is 'quick_gelu'"),
        (MOBILEBERT | {"hidden_act": ["relu"]}, UnsupportedModelError, "hidden_act is"),
        (MOBILEBERT | {"normalization_type": "rms"}, UnsupportedModelError, "normalization_type is 'rms'"),
        (
            MOBILEBERT | {"hidden_size": 8192},
            UnsupportedModelError,
            "hidden_size is 8192; the engine supports 1 to 4096",
        ),
        (MOBILEBERT | {"hidden_size": 0}, UnsupportedModelError, "hidden_size is 0"),
        (MOBILEBERT | {"hidden_size": "512"}, ModelFormatError, "hidden_size is '512'; expected an integer"),
        (MOBILEBERT | {"hidden_size": True}, ModelFormatError, "hidden_size is True; expected an integer"),
        (MOBILEBERT | {"trigram_input": 1}, ModelFormatError, "trigram_input is 1; expected true or false"),
        (MOBILEBERT | {"layer_norm_eps": 0}, ModelFormatError, "layer_norm_eps is 0; expected a number above 0"),
        (MOBILEBERT | {"layer_norm_eps": float("inf")}, ModelFormatError, "layer_norm_eps"),
        (MOBILEBERT | {"num_attention_heads": 3}, UnsupportedModelError, "3 attention heads do not divide"),
    ],
)
def test_wrong_values_are_refused(raw: dict[str, Any], error: type[MobileBertError], message: str) -> None:
    with pytest.raises(error, match=message):
        parsed(raw)


def test_keys_without_effect_are_ignored(tmp_path: Path) -> None:
    extra = {
        "chunk_size_feed_forward": 16,
        "use_cache": True,
        "pruned_heads": {},
        "is_decoder": False,
        "x": None,
    }
    plain = build(write_folder(tmp_path / "a", odd()))
    other = build(write_folder(tmp_path / "b", odd(**extra)))
    assert File(bytes(plain)).config == File(bytes(other)).config


def test_ambiguous_classifier_asks_for_architectures() -> None:
    with pytest.raises(UnsupportedModelError, match='Add for example "architectures"'):
        parsed({"model_type": "mobilebert"}, classifier__weight=(3, 512))


def test_source_config_is_kept_in_the_metadata(tmp_path: Path) -> None:
    source = write_folder(tmp_path, odd(note="für Menschen"))
    metadata = File(bytes(build(source))).metadata
    assert json.loads(metadata["source_config"])["note"] == "für Menschen"
    assert (metadata["format"], metadata["format_version"]) == ("mobilebert_rt", "1")


@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
def test_config_has_every_documented_key(tmp_path: Path, bottleneck: str) -> None:
    config = File(bytes(build(write_folder(tmp_path, odd(bottleneck))))).config
    document = (Path(__file__).parents[2] / "docs" / "model_format.md").read_text()
    table = document.split("## Config")[1].split("|\n\n")[0]  # the section's first table
    keys = {
        key
        for row in table.splitlines()
        if row.startswith("| `")
        for key in row.split("|")[1].replace("`", "").split(",")
    }
    assert set(config) == {key.strip() for key in keys}
    assert config["bottleneck"] == bottleneck


def test_wrong_shape_names_tensor_and_both_shapes(tmp_path: Path) -> None:
    source = write_folder(tmp_path, odd(intermediate_size=20), random_tensors(odd()))
    with pytest.raises(
        ModelFormatError, match=r'"encoder.layer.0.+has shape \[19, 15\]; config.json requires \[20, 15\]'
    ):
        build(source)
