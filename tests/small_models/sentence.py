"""Folders as each version of sentence-transformers writes them, by hand: no version of the library is needed.

    folder = save_sentence_folder(tmp_path / "m", "bert", version=6, pooling=["cls", "max"], modules=[dense(12), NORM])

Versions 2 to 4 name a module by its file, write one flag per pooling mode and the limit in sentence_bert_config.json;
versions 5.5 and later name the class, write the modes' names and the limit in tokenizer_config.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.small_models.families import save_folder
from tests.small_models.folders import safetensors_bytes

ACTIVATION = "torch.nn.modules.activation."
IDENTITY = "torch.nn.modules.linear.Identity"
NORMALIZE: dict[str, Any] = {"kind": "Normalize"}
LAYER_NORM: dict[str, Any] = {"kind": "LayerNorm"}
DROPOUT: dict[str, Any] = {"kind": "Dropout", "dropout": 0.2}

_FLAGS = {
    "cls": "pooling_mode_cls_token",
    "mean": "pooling_mode_mean_tokens",
    "max": "pooling_mode_max_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
_BASE = ("Transformer", "Dense", "Normalize")  # in the package `base` since 5.5
_FILES = {"LayerNorm": "layer_norm"}


def dense(outputs: int, activation: str = ACTIVATION + "Tanh", bias: bool = True, **settings: Any) -> dict[str, Any]:
    """A Dense module."""
    return {"kind": "Dense", "outputs": outputs, "activation": activation, "bias": bias, "settings": settings}


def save_sentence_folder(
    folder: Path,
    family: str = "bert",
    *,
    version: int = 6,
    pooling: Sequence[str] = ("mean",),
    include_prompt: bool = True,
    modules: Sequence[dict[str, Any]] = (),
    max_tokens: int | None = None,
    lower_case: bool | None = None,
    settings: dict[str, Any] | None = None,
    subfolder: str = "",
    **options: Any,
) -> Path:
    """A SentenceTransformer of a small random encoder.

    settings: of config_sentence_transformers.json. subfolder: of the encoder, such as 0_Transformer. options: of
    save_folder.
    """
    if max_tokens is not None and version >= 5:
        options["tokenizer"] = options.get("tokenizer", {}) | {"model_max_length": max_tokens}
    encoder = save_folder(folder / subfolder, family, **options)
    config = json.loads((encoder / "config.json").read_text())
    width = config.get("hidden_size", config.get("dim"))
    names = ["Transformer", "Pooling", *(module["kind"] for module in modules)]
    write_modules(folder, [(n, f"{i}_{n}" if i else subfolder) for i, n in enumerate(names)], version)
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling/config.json").write_text(json.dumps(pooling_config(pooling, width, include_prompt, version)))
    width *= len(pooling)
    for index, module in enumerate(modules, 2):
        width = _write_module(folder / f"{index}_{module['kind']}", module, width, index, version)
    limits: dict[str, Any] = {} if version >= 5 else {"max_seq_length": max_tokens, "do_lower_case": False}
    if version >= 5:
        text = {"method": "forward", "method_output_name": "last_hidden_state"}
        limits = {"transformer_task": "feature-extraction", "modality_config": {"text": text}}
        limits["module_output_name"] = "token_embeddings"
    limits |= {} if lower_case is None else {"do_lower_case": lower_case}
    (encoder / "sentence_bert_config.json").write_text(json.dumps(limits))
    write_settings(folder, "SentenceTransformer", version, **(settings or {}))
    return folder


def save_cross_encoder(
    folder: Path, labels: int, activation: str | None, version: int = 6, family: str = "bert", **options: Any
) -> Path:
    """A CrossEncoder; activation: the dotted name that the folder gives, None for none."""
    if activation is not None and version < 4:
        options["sbert_ce_default_activation_function"] = activation
    elif version < 5:
        options["sentence_transformers"] = {"version": "4.1.0"} | ({"activation_fn": activation} if activation else {})
    save_folder(folder, family, "ForSequenceClassification", labels=[f"label {i}" for i in range(labels)], **options)
    if version >= 5:
        write_modules(folder, [("Transformer", "")], version)
        text = {"method": "forward", "method_output_name": "logits"}
        task = {"transformer_task": "sequence-classification", "modality_config": {"text": text}}
        (folder / "sentence_bert_config.json").write_text(json.dumps(task | {"module_output_name": "scores"}))
        settings = {"prompts": {}, "default_prompt_name": None}
        settings |= {"activation_fn": activation} if activation else {}
        write_settings(folder, "CrossEncoder", version, **settings)
    return folder


def write_modules(folder: Path, modules: Sequence[tuple[str, str]], version: int) -> None:
    """modules.json, of (kind, path) of each module."""

    def kind_of(kind: str) -> str:
        if version < 5:
            return f"sentence_transformers.models.{kind}"
        package = "base.modules" if kind in _BASE else "sentence_transformer.modules"
        return f"sentence_transformers.{package}.{_FILES.get(kind, kind.lower())}.{kind}"

    entries = [{"idx": i, "name": str(i), "path": p, "type": kind_of(kind)} for i, (kind, p) in enumerate(modules)]
    (folder / "modules.json").write_text(json.dumps(entries))


def write_settings(folder: Path, model_type: str, version: int, **settings: Any) -> None:
    """config_sentence_transformers.json."""
    found: dict[str, Any] = {"__version__": {"sentence_transformers": f"{version}.0.0"}}
    found |= {"model_type": model_type} if version >= 5 else {}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(found | settings))


def pooling_config(modes: Sequence[str], width: int, include_prompt: bool, version: int) -> dict[str, Any]:
    if version >= 5:
        mode = modes[0] if len(modes) == 1 else list(modes)
        return {"embedding_dimension": width, "pooling_mode": mode, "include_prompt": include_prompt}
    flags = {flag: mode in modes for mode, flag in _FLAGS.items()}
    return {"word_embedding_dimension": width} | flags | {"include_prompt": include_prompt}


def _write_module(folder: Path, module: dict[str, Any], width: int, seed: int, version: int) -> int:
    """A folder of a module; the width of its result."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(seed)
    kind = module["kind"]
    names = {"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"}
    config: dict[str, Any] = names if kind == "Normalize" and version >= 5 else {}
    tensors: dict[str, Any] = {}
    if kind == "Dense":
        outputs = module["outputs"]
        config = {"in_features": width, "out_features": outputs, "bias": module["bias"]}
        config |= {"activation_function": module["activation"]} | (names if version >= 5 else {}) | module["settings"]
        tensors["linear.weight"] = random.normal(0, width**-0.5, (outputs, width)).astype(np.float32)
        if module["bias"]:
            tensors["linear.bias"] = random.normal(0, 0.3, outputs).astype(np.float32)
        if module["settings"].get("use_residual") and outputs != width:
            tensors["residual.weight"] = random.normal(0, width**-0.5, (outputs, width)).astype(np.float32)
        width = outputs
    elif kind == "LayerNorm":
        config = {"dimension": width}
        tensors = {"norm.weight": random.normal(1, 0.2, width).astype(np.float32)}
        tensors["norm.bias"] = random.normal(0, 0.2, width).astype(np.float32)
    elif kind == "Dropout":
        config = {"dropout": module["dropout"]}
    if config:
        (folder / "config.json").write_text(json.dumps(config))
    if tensors:
        (folder / "model.safetensors").write_bytes(safetensors_bytes(tensors))
    return width
