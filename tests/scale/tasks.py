"""Tasks with their options, and what one process gives for them, as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mobilebert_rt import TextClassifier, TokenClassifier, ZeroShotClassifier

TEXTS: list[str | None] = ["Ada Lovelace lived in London", None, "a warm, funny film", ""]
OPTIONS: dict[str, dict[str, Any]] = {
    "classify": {"top_k": 1},
    "zero-shot": {"candidate_labels": ["good", "bad"], "multi_label": True},
    "tag": {"aggregation": "first"},
}
RESULT_COLUMNS = {"classify": "labels", "zero-shot": "labels", "tag": "entities"}


def expected(task: str, model: Path) -> list[list[dict[str, Any]] | None]:
    """Records of each text, None for null."""
    return [None if text is None else list(_records(task, model, text)) for text in TEXTS]


def _records(task: str, model: Path, text: str) -> Iterable[dict[str, Any]]:
    options = OPTIONS[task]
    if task == "zero-shot":
        found = ZeroShotClassifier.from_pretrained(model)(text, **options)
        return [{"label": label, "score": score} for label, score in zip(found.labels, found.scores, strict=True)]
    names = ("text", "label", "score", "start", "end") if task == "tag" else ("label", "score")
    kind: Any = TokenClassifier if task == "tag" else TextClassifier
    return [{name: getattr(one, name) for name in names} for one in kind.from_pretrained(model)(text, **options)]
