"""The file's metadata strings: configuration, the source's config.json, labels, tokenizer, and sentence.py's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mobilebert_rt.config import EngineConfig
from mobilebert_rt.conversion.checkpoint import parse_object, read_text
from mobilebert_rt.conversion.layers import HEADS
from mobilebert_rt.conversion.sentence import SentenceFolder
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError

FORMAT = "mobilebert_rt"
FORMAT_VERSION = "1"

_PROBLEM_TYPES = ("single_label_classification", "multi_label_classification", "regression")
# The tokenizer's files by their keys in the metadata. csrc/tasks/vocabulary.cc reads them as it reads a folder.
_TOKENIZER_FILES = {
    "tokenizer.json": "tokenizer.json",
    "vocab.txt": "vocab.txt",
    "tokenizer_config": "tokenizer_config.json",
    "special_tokens_map.json": "special_tokens_map.json",
    "added_tokens.json": "added_tokens.json",
}


def metadata(source: SentenceFolder, raw: dict[str, Any], config_text: str, cfg: EngineConfig) -> dict[str, str]:
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
    entries |= _tokenizer(source.encoder)
    if source.lower_case:
        entries |= lower_cased(entries)
    return entries | source.metadata(raw, cfg.hidden_size, cfg.num_labels)


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
    labels = [str(id2label[str(i)]) for i in range(count)]
    label2id = raw.get("label2id")
    for name, index in label2id.items() if isinstance(label2id, dict) else ():
        if name in labels and (
            index not in range(count) or labels[index] != name
        ):  # some pipelines of transformers read one, some the other
            raise ModelFormatError(
                f"config.json: label2id: {json.dumps(name)} is {index}; id2label has it as {labels.index(name)}. "
                "Correct the wrong one."
            )
    return labels


def _tokenizer(folder: Path) -> dict[str, str]:
    """The tokenizer's files unchanged."""
    return {key: read_text(folder / name) for key, name in _TOKENIZER_FILES.items() if (folder / name).is_file()}


def lower_cased(entries: dict[str, str]) -> dict[str, str]:
    """The tokenizer of `entries` with lower-casing before everything else, and accents as before."""
    settings = parse_object(entries.get("tokenizer_config", "{}"), "tokenizer_config.json")
    lower, strip = settings.get("do_lower_case"), settings.get("strip_accents")
    changed: dict[str, str] = {}
    if "tokenizer.json" in entries:
        tokenizer = parse_object(entries["tokenizer.json"], "tokenizer.json")
        tokenizer["normalizer"] = _lower_cased(tokenizer.get("normalizer"))
        changed["tokenizer.json"] = json.dumps(tokenizer, ensure_ascii=False)
        if lower is None and strip is None:
            return changed
    if strip is None:
        strip = lower is not False
    settings |= {"do_lower_case": True, "strip_accents": strip}
    return changed | {"tokenizer_config": json.dumps(settings, ensure_ascii=False)}


def _lower_cased(normalizer: Any) -> Any:
    if isinstance(normalizer, dict) and normalizer.get("type") == "BertNormalizer":
        strip = normalizer.get("strip_accents")
        strip = normalizer.get("lowercase", True) if strip is None else strip
        return normalizer | {"lowercase": True, "strip_accents": strip}
    parts = normalizer.get("normalizers") if isinstance(normalizer, dict) else None
    parts = parts or ([] if normalizer is None else [normalizer])
    return {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, *parts]}
