"""What travels with the weights as metadata strings: the source's config, labels, tokenizer and pooling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion.checkpoint import parse_object, read_text
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError

FORMAT = "mobilebert_rt"
FORMAT_VERSION = "1"

_PROBLEM_TYPES = ("single_label_classification", "multi_label_classification", "regression")
_SPECIAL_TOKENS = {
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "mask_token": "[MASK]",
}
# Pooling as sentence-transformers writes it: one flag a mode (before 5.0), or one name.
_POOLING_FLAGS = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}


def metadata(folder: Path, raw: dict[str, Any], config_text: str, cfg: EngineConfig) -> dict[str, str]:
    """All metadata of the file. Raises ModelFormatError or UnsupportedModelError for what cannot be kept."""
    entries = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "config": cfg.to_json(),
        "source_config": config_text,
    }
    if cfg.head in ("sequence_classification", "token_classification"):
        entries["labels"] = json.dumps(_labels(raw, cfg.num_labels), ensure_ascii=False)
    problem_type = raw.get("problem_type")
    if cfg.head == "sequence_classification" and problem_type is not None:
        if problem_type not in _PROBLEM_TYPES:
            raise UnsupportedModelError(
                f"config.json: problem_type is {problem_type!r}; the engine knows {', '.join(_PROBLEM_TYPES)}."
            )
        entries["problem_type"] = problem_type
    entries.update(_tokenizer(folder))
    pooling = _pooling(folder)
    if pooling is not None:
        entries["pooling"] = json.dumps(pooling)
    return entries


def _labels(raw: dict[str, Any], count: int) -> list[str]:
    """Label names by index; transformers' own LABEL_0, LABEL_1, ... when the config names none."""
    id2label = raw.get("id2label")
    if id2label is None:
        return [f"LABEL_{i}" for i in range(count)]
    if not isinstance(id2label, dict) or set(id2label) != {str(i) for i in range(count)}:
        found = len(id2label) if isinstance(id2label, dict) else repr(id2label)
        raise ModelFormatError(
            f"config.json: id2label names {found} labels, the classifier has "
            f"{count} outputs numbered from 0. "
            "Make id2label list exactly these."
        )
    return [str(id2label[str(i)]) for i in range(count)]


def _tokenizer(folder: Path) -> dict[str, str]:
    """The tokenizer's files, as they are, and its settings where either says anything."""
    entries = {name: read_text(folder / name) for name in ("tokenizer.json", "vocab.txt") if (folder / name).is_file()}
    if "vocab.txt" in entries or (folder / "tokenizer_config.json").is_file():
        entries["tokenizer_config"] = json.dumps(_tokenizer_config(folder), ensure_ascii=False)
    return entries


def _tokenizer_config(folder: Path) -> dict[str, Any]:
    """BERT's tokenizer settings with every default written out."""
    path = folder / "tokenizer_config.json"
    raw = parse_object(read_text(path), str(path)) if path.is_file() else {}
    settings: dict[str, Any] = {"do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True}
    settings = {key: raw.get(key, default) for key, default in settings.items()}
    for key, default in _SPECIAL_TOKENS.items():
        token = raw.get(key, default)
        settings[key] = token.get("content", default) if isinstance(token, dict) else token
    return settings


def _pooling(folder: Path) -> dict[str, Any] | None:
    """Pooling of a sentence-transformers folder; None for any other folder."""
    path = folder / "modules.json"
    if not path.is_file():
        return None
    try:
        modules = json.loads(read_text(path))
        kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in modules]
        paths = [str(module.get("path", "")) for module in modules]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelFormatError(f"{path}: not a list of sentence-transformers modules ({error!r}).") from None
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise UnsupportedModelError(
            f"{path}: the modules are {', '.join(kinds)}; the engine runs "
            "Transformer, Pooling and Normalize. "
            "Delete modules.json to convert the encoder alone."
        )
    if paths[1] in ("", ".", "..") or any(c in paths[1] for c in "/\\:\0"):
        raise ModelFormatError(f"{path}: the pooling module's path {paths[1]!r} is not a folder beside it.")
    config = folder / paths[1] / "config.json"
    if not config.is_file():
        raise ModelFormatError(f"{path}: {paths[1]}/config.json is missing. Fetch the whole folder.")
    pooling: dict[str, Any] = {"mode": _pooling_mode(config), "normalize": len(kinds) == 3}
    max_tokens = _max_tokens(folder)
    return pooling if max_tokens is None else pooling | {"max_tokens": max_tokens}


def _pooling_mode(config: Path) -> str:
    """`mean` or `cls`. Raises UnsupportedModelError for any other pooling or a combination of several."""
    raw = parse_object(read_text(config), str(config))
    flags = [key for key, value in raw.items() if key.startswith("pooling_mode_") and value is True]
    mode = _POOLING_FLAGS.get(flags[0]) if len(flags) == 1 else raw.get("pooling_mode") if not flags else None
    if mode not in ("mean", "cls"):
        raise UnsupportedModelError(
            f"{config}: the pooling is "
            f"{', '.join(flags) or raw.get('pooling_mode')}; the engine has mean and cls. "
            "Delete modules.json to convert the encoder alone."
        )
    return str(mode)


def _max_tokens(folder: Path) -> int | None:
    """How many tokens sentence-transformers keeps of a text, when the folder says so."""
    path = folder / "sentence_bert_config.json"
    value = parse_object(read_text(path), str(path)).get("max_seq_length") if path.is_file() else None
    return value if type(value) is int and value > 0 else None
