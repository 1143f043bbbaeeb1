"""Folders of sentence-transformers: what goes into the file, and what is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt.conversion import build
from mobilebert_rt.errors import MobileBertError, ModelFormatError, UnsupportedModelError
from tests.conversion.reader import File
from tests.small_models.sentence import (
    ACTIVATION,
    DROPOUT,
    IDENTITY,
    LAYER_NORM,
    NORMALIZE,
    dense,
    save_cross_encoder,
    save_sentence_folder,
    write_modules,
)


def read(folder: Path, precision: str = "fp32") -> File:
    return File(bytes(build(folder, precision)))


def change(path: Path, **settings: Any) -> None:
    """Changes a JSON file; None removes a key."""
    raw = (json.loads(path.read_text()) if path.is_file() else {}) | settings
    path.write_text(json.dumps({key: value for key, value in raw.items() if value is not None}))


@pytest.mark.parametrize("version", [2, 6])
def test_modules_and_settings_are_in_the_file(tmp_path: Path, version: int) -> None:
    settings = {
        "prompts": {"query": "who ", "passage": None},
        "default_prompt_name": "query",
        "truncate_dim": 5,
        "similarity_fn_name": "dot",
    }
    folder = save_sentence_folder(
        tmp_path,
        version=version,
        pooling=["cls", "max"],
        include_prompt=False,
        modules=[DROPOUT, dense(12, bias=False), LAYER_NORM, NORMALIZE, dense(12, use_residual=True), NORMALIZE],
        settings=settings,
    )
    metadata = read(folder).metadata
    pooling = json.loads(metadata["pooling"])
    assert pooling == {"mode": "cls+max", "normalize": True, "truncate_dim": 5, "include_prompt": False}
    assert json.loads(metadata["modules"]) == [
        {"type": "dense", "outputs": 12, "activation": "tanh"},
        {"type": "layer_norm"},
        {"type": "normalize"},
        {"type": "dense", "outputs": 12, "activation": "tanh", "residual": True},
    ]
    assert json.loads(metadata["prompts"]) == {"query": "who ", "passage": ""}
    assert (metadata["default_prompt"], metadata["similarity"]) == ("query", "dot")


def test_limit_of_older_versions_is_in_the_file(tmp_path: Path) -> None:
    folder = save_sentence_folder(tmp_path, version=4, max_tokens=20)
    assert json.loads(read(folder).metadata["pooling"]) == {"mode": "mean", "normalize": False, "max_tokens": 20}


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_layers_come_last_in_the_file(tmp_path: Path, precision: str) -> None:
    folder = save_sentence_folder(tmp_path, modules=[LAYER_NORM, dense(12, use_residual=True)])
    scale = ["scale"] if precision == "int8" else []
    layers = [f"modules.1.{name}" for name in ("weight", *scale, "bias")]
    layers += [f"modules.1.residual.{name}" for name in ("weight", *scale, "bias")]
    assert list(read(folder, precision).tensors)[-len(layers) - 2 :] == [
        "modules.0.norm.weight",
        "modules.0.norm.bias",
        *layers,
    ]


def test_encoder_alone_has_no_such_entries(tmp_path: Path) -> None:
    folder = save_sentence_folder(tmp_path, settings={"prompts": {"query": "who "}, "default_prompt_name": "query"})
    (folder / "modules.json").unlink()
    assert not {"pooling", "modules", "prompts", "default_prompt", "activation"} & set(read(folder).metadata)


@pytest.mark.parametrize("strip", [None, True])
def test_lower_casing_keeps_accents_as_they_were(tmp_path: Path, strip: bool | None) -> None:
    tokenizer = {"do_lower_case": False, "strip_accents": strip}
    folder = save_sentence_folder(tmp_path, lower_case=True, tokenizer=tokenizer)
    settings = json.loads(read(folder).metadata["tokenizer_config"])
    assert (settings["do_lower_case"], settings["strip_accents"]) == (True, bool(strip))


@pytest.mark.parametrize(
    ("labels", "activation", "expected"),
    [
        (1, None, "sigmoid"),
        (3, None, "none"),
        (1, IDENTITY, "none"),
        (1, ACTIVATION + "Sigmoid", "sigmoid"),
        (3, ACTIVATION + "Softmax", "softmax"),
    ],
)
@pytest.mark.parametrize("version", [3, 4, 6])
def test_activation_of_a_cross_encoder(
    tmp_path: Path, labels: int, activation: str | None, expected: str, version: int
) -> None:
    metadata = read(save_cross_encoder(tmp_path, labels, activation, version)).metadata
    assert metadata["activation"] == expected
    assert "pooling" not in metadata


def test_prompts_of_a_cross_encoder_are_in_the_file(tmp_path: Path) -> None:
    folder = save_cross_encoder(tmp_path, 1, None)
    change(folder / "config_sentence_transformers.json", prompts={"q": "who "}, default_prompt_name="q")
    metadata = read(folder).metadata
    assert (json.loads(metadata["prompts"]), metadata["default_prompt"]) == ({"q": "who "}, "q")


def settings_of(name: str, **settings: Any) -> Callable[[Path], None]:
    return lambda folder: change(folder / name, **settings)


def replaced_by(kind: str, position: int = 2) -> Callable[[Path], None]:
    """The Dense module, or another one, is of another kind."""

    def replace(folder: Path) -> None:
        modules = json.loads((folder / "modules.json").read_text())
        modules[position]["type"] = kind
        (folder / "modules.json").write_text(json.dumps(modules))

    return replace


def with_path(path: str) -> Callable[[Path], None]:
    return lambda folder: write_modules(folder, [("Transformer", ""), ("Pooling", path)], 4)


def pickled(folder: Path) -> None:
    (folder / "2_Dense/model.safetensors").rename(folder / "2_Dense/pytorch_model.bin")


UNSUPPORTED: dict[str, tuple[Callable[[Path], None], str]] = {
    **{
        f"module_{kind}": (replaced_by(f"sentence_transformers.models.{kind}"), rf"module 2 is .*\.{kind}; the engine")
        for kind in ("CNN", "LSTM", "WeightedLayerPooling", "WordWeights", "Asym", "Router", "StaticEmbedding", "BoW")
    },
    "clip": (replaced_by("sentence_transformers.models.CLIPModel", 0), "CLIPModel; the engine supports Transformer"),
    "splade": (replaced_by("sentence_transformers.sparse_encoder.models.SpladePooling", 1), "SpladePooling; the"),
    "own_code": (replaced_by("custom_st.Transformer", 0), "module 0 is custom_st.Transformer"),
    "code_named_alike": (replaced_by("mine.Dense"), "module 2 is mine.Dense"),
    "no_pooling": (lambda f: write_modules(f, [("Transformer", "")], 6), "no Pooling module. Delete modules.json"),
    "pickled_dense": (pickled, "pytorch_model.bin, which can run code .* python -c"),
    "unknown_pooling": (settings_of("1_Pooling/config.json", pooling_mode="min"), "the pooling is .*min"),
    "unknown_pooling_key": (settings_of("1_Pooling/config.json", weights=[1]), "setting 'weights' is unknown"),
    "sigmoid": (settings_of("2_Dense/config.json", activation_function=ACTIVATION + "Sigmoid"), "Sigmoid'; the engine"),
    "own_activation": (settings_of("2_Dense/config.json", activation_function="mine.Tanh"), "'mine.Tanh'; the engine"),
    "dense_of_tokens": (settings_of("2_Dense/config.json", module_input_name="token_embeddings"), "module_input_name"),
    "unknown_dense_key": (settings_of("2_Dense/config.json", dropout=0.5), "setting 'dropout' is unknown"),
    "wide_dense": (settings_of("2_Dense/config.json", out_features=20000), "out_features is 20000; expected"),
    "normalized_tokens": (settings_of("3_Normalize/config.json", module_input_name="token_embeddings"), "input_name"),
    "query_length": (settings_of("sentence_bert_config.json", query_length=32), "query_length is 32"),
    "processing": (
        settings_of("sentence_bert_config.json", processing_kwargs={"text": {"max_length": 9}}),
        "max_length",
    ),
    "model_arguments": (settings_of("sentence_bert_config.json", model_args={"num_hidden_layers": 1}), "model_args is"),
    "images": (settings_of("sentence_bert_config.json", modality_config={"image": {}}), "modality_config is"),
    "task": (settings_of("sentence_bert_config.json", transformer_task="fill-mask"), "transformer_task is 'fill-mask'"),
    "truncate_dim": (settings_of("config_sentence_transformers.json", truncate_dim=0), "truncate_dim is 0"),
    "similarity": (settings_of("config_sentence_transformers.json", similarity_fn_name="maxsim"), "'maxsim'; expected"),
    "prompts": (settings_of("config_sentence_transformers.json", prompts=["a"]), "prompts is"),
    "default": (
        settings_of("config_sentence_transformers.json", default_prompt_name="x"),
        "default_prompt_name is 'x'",
    ),
}
DAMAGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "path_outside": (with_path("../1_Pooling"), "expected the name of a folder"),
    "no_path": (with_path(""), "expected the name of a folder"),
    "no_pooling_config": (with_path("9_Pooling"), r"9_Pooling/config\.json: the file is missing"),
    "no_modules": (lambda f: write_modules(f, [], 6), "no modules"),
    "not_modules": (lambda f: (f / "modules.json").write_text('{"a": 1}') and None, "not a list of"),
    "numbers": (lambda f: (f / "modules.json").write_text("[3]") and None, "not a list of"),
    "include_prompt": (settings_of("1_Pooling/config.json", include_prompt="no"), "include_prompt is 'no'"),
    "other_inputs": (
        settings_of("2_Dense/config.json", in_features=25),
        "in_features is 25; the module before gives 24",
    ),
    "other_outputs": (settings_of("2_Dense/config.json", out_features=13), r"shape \[12, 24\]; its config"),
    "no_weights": (lambda f: (f / "2_Dense/model.safetensors").unlink(), "no model.safetensors"),
    "no_bias": (settings_of("2_Dense/config.json", bias="no"), "bias is 'no'; expected true or false"),
}
REFUSED = [(name, UnsupportedModelError, *case) for name, case in UNSUPPORTED.items()]
REFUSED += [(name, ModelFormatError, *case) for name, case in DAMAGED.items()]


@pytest.mark.parametrize(("name", "error", "damage", "message"), REFUSED, ids=[case[0] for case in REFUSED])
def test_other_folders_are_refused_by_name(
    tmp_path: Path, name: str, error: type[MobileBertError], damage: Callable[[Path], None], message: str
) -> None:
    folder = save_sentence_folder(tmp_path, modules=[dense(12), NORMALIZE])
    damage(folder)
    with pytest.raises(error, match=message):
        build(folder)


@pytest.mark.parametrize("activation", ["mine.Sigmoid", ACTIVATION + "Tanh"])
def test_unknown_activation_of_a_cross_encoder_is_refused(tmp_path: Path, activation: str) -> None:
    with pytest.raises(UnsupportedModelError, match=f"the activation is '{activation}'; the engine supports"):
        build(save_cross_encoder(tmp_path, 1, activation))


def test_settings_that_change_nothing_are_accepted(tmp_path: Path) -> None:
    folder = save_sentence_folder(tmp_path)
    settings = {"unpad_inputs": True, "model_args": {"dtype": "float32"}, "processing_kwargs": {}, "query_length": None}
    path = folder / "sentence_bert_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    assert read(folder).metadata["pooling"]


def test_dense_weights_are_those_of_the_folder(tmp_path: Path) -> None:
    folder = save_sentence_folder(tmp_path, modules=[dense(12)])
    file = read(folder)
    weight = np.random.default_rng(2).normal(0, 24**-0.5, (12, 24)).astype(np.float32)
    packed = file.tensors["modules.0.weight"]
    np.testing.assert_array_equal(packed.transpose(0, 2, 1).reshape(16, -1)[:12, :24], weight)
