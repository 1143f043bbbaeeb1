"""The file's metadata strings: configuration, the source's config.json, labels, tokenizer and pooling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion.checkpoint import parse_object, read_text
from mobilebert_rt.conversion.layers import HEADS
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError

FORMAT = "mobilebert_rt"
FORMAT_VERSION = "1"

_PROBLEM_TYPES = ("single_label_classification", "multi_label_classification", "regression")
# BERT's tokenizer settings and special tokens with their defaults.
_SETTINGS: dict[str, Any] = {"do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True}
_SETTINGS |= {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "cls", "sep", "pad", "mask")}
# Pooling as sentence-transformers writes it: one flag per mode (before 5.0), or one name.
_POOLING_FLAGS = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}


def metadata(folder: Path, raw: dict[str, Any], config_text: str, cfg: EngineConfig) -> dict[str, str]:
    """All metadata of the file. Raises ModelFormatError (damaged) or UnsupportedModelError."""
    entries = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "config": cfg.to_json(),
        "source_config": config_text,
    }
    if HEADS[cfg.head].num_labels is None:
        entries["labels"] = json.dumps(_labels(raw, cfg.num_labels), ensure_ascii=False)
    problem_type = raw.get("problem_type")
    if cfg.head == "sequence_classification" and problem_type is not None:
        if problem_type not in _PROBLEM_TYPES:
            raise UnsupportedModelError(
                f"config.json: problem_type is {problem_type!r}; expected one of {', '.join(_PROBLEM_TYPES)}."
            )
        entries["problem_type"] = problem_type
    entries |= _tokenizer(folder)
    if (folder / "modules.json").is_file():
        entries["pooling"] = json.dumps(_pooling(folder))
    return entries


def _labels(raw: dict[str, Any], count: int) -> list[str]:
    """Label names by index; transformers' own LABEL_0, LABEL_1, ... when the config names none."""
    id2label = raw.get("id2label")
    if id2label is None:
        return [f"LABEL_{i}" for i in range(count)]
    if not isinstance(id2label, dict) or set(id2label) != {str(i) for i in range(count)}:
        kind = f"an object with {len(id2label)} keys" if isinstance(id2label, dict) else type(id2label).__name__
        raise ModelFormatError(
            f'config.json: id2label is {kind}; expected an object with the keys "0" to "{count - 1}", '
            "one for each output of the classifier."
        )
    return [str(id2label[str(i)]) for i in range(count)]


def _tokenizer(folder: Path) -> dict[str, str]:
    """The tokenizer's files unchanged, and its settings if there are any or a vocabulary needs them."""
    entries = {name: read_text(folder / name) for name in ("tokenizer.json", "vocab.txt") if (folder / name).is_file()}
    path = folder / "tokenizer_config.json"
    if path.is_file() or "vocab.txt" in entries:
        raw = parse_object(read_text(path), str(path)) if path.is_file() else {}
        settings = {key: raw.get(key, default) for key, default in _SETTINGS.items()}
        for key, token in settings.items():
            if key.endswith("_token") and isinstance(token, dict):
                settings[key] = token.get("content", _SETTINGS[key])
        entries["tokenizer_config"] = json.dumps(settings, ensure_ascii=False)
    return entries


def _pooling(folder: Path) -> dict[str, Any]:
    """Pooling of a sentence-transformers folder."""
    path = folder / "modules.json"
    try:
        modules = json.loads(read_text(path))
        kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in modules]
        paths = [str(module.get("path", "")) for module in modules]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelFormatError(f"{path}: not a list of sentence-transformers modules ({error!r}).") from None
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise UnsupportedModelError(
            f"{path}: the modules are {', '.join(kinds)}; the engine supports Transformer, Pooling and Normalize. "
            "Delete modules.json to convert only the encoder."
        )
    if paths[1] in ("", ".", "..") or any(c in paths[1] for c in "/\\:\0"):
        raise ModelFormatError(f"{path}: the pooling module's path is {paths[1]!r}; expected the name of a folder.")
    config = folder / paths[1] / "config.json"
    if not config.is_file():
        raise ModelFormatError(f"{path}: {paths[1]}/config.json is missing. Download the whole folder.")
    pooling: dict[str, Any] = {"mode": _pooling_mode(config), "normalize": len(kinds) == 3}
    limits = folder / "sentence_bert_config.json"
    max_tokens = parse_object(read_text(limits), str(limits)).get("max_seq_length") if limits.is_file() else None
    return pooling | {"max_tokens": max_tokens} if type(max_tokens) is int and max_tokens > 0 else pooling


def _pooling_mode(config: Path) -> str:
    """`mean` or `cls`. Raises UnsupportedModelError for any other pooling or a combination of several."""
    raw = parse_object(read_text(config), str(config))
    flags = [key for key, value in raw.items() if key.startswith("pooling_mode_") and value is True]
    mode = _POOLING_FLAGS.get(flags[0]) if len(flags) == 1 else raw.get("pooling_mode") if not flags else None
    if mode not in ("mean", "cls"):
        found = ", ".join(flags) or raw.get("pooling_mode")
        raise UnsupportedModelError(
            f"{config}: the pooling is {found}; the engine supports mean and cls. "
            "Delete modules.json to convert only the encoder."
        )
    return str(mode)
