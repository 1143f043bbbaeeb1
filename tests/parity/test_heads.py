"""Every head of every family, at odd sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity.comparison import assert_parity, assert_text, collect, engine
from tests.parity.transformers_models import (
    ODD,
    ODD_BERT,
    ODD_DISTILBERT,
    VOCABULARY,
    make,
    run,
    segments,
    texts,
)

CONFIGS = {"MobileBert": ODD | {"num_hidden_layers": 6}, "Bert": ODD_BERT, "DistilBert": ODD_DISTILBERT}

HEADS: dict[str, tuple[str, dict[str, Any]]] = {
    "base": ("Model", {}),
    "masked_lm": ("ForMaskedLM", {}),
    "pretraining": ("ForPreTraining", {}),
    "next_sentence": ("ForNextSentencePrediction", {}),
    "single_label": (
        "ForSequenceClassification",
        {"num_labels": 35, "problem_type": "single_label_classification"},
    ),
    "two_labels": (
        "ForSequenceClassification",
        {"num_labels": 2, "problem_type": "single_label_classification"},
    ),
    "multi_label": (
        "ForSequenceClassification",
        {"num_labels": 3, "problem_type": "multi_label_classification"},
    ),
    "regression": ("ForSequenceClassification", {"num_labels": 1, "problem_type": "regression"}),
    "token_classification": ("ForTokenClassification", {"num_labels": 35}),
    "token_one_label": ("ForTokenClassification", {"num_labels": 1}),
    "question_answering": ("ForQuestionAnswering", {"num_labels": 2}),
    "multiple_choice": ("ForMultipleChoice", {}),
}


def cases() -> list[Any]:
    """(family, head, changes); MobileBERT's pooled heads with and without its tanh."""
    found = []
    for family in CONFIGS:
        for name, (head, changes) in HEADS.items():
            if family == "DistilBert" and name in ("pretraining", "next_sentence"):
                continue
            found.append(pytest.param(family, head, changes, id=f"{family}-{name}"))
            if family == "MobileBert" and head not in (
                "ForMaskedLM",
                "ForTokenClassification",
                "ForQuestionAnswering",
            ):
                raw = changes | {"classifier_activation": False}
                found.append(pytest.param(family, head, raw, id=f"{family}-{name}-no_pooler"))
    return found


@pytest.mark.parametrize(("family", "head", "changes"), cases())
def test_heads_match_transformers(tmp_path: Path, family: str, head: str, changes: dict[str, Any]) -> None:
    model = make(family, head, CONFIGS[family] | changes)
    rt = engine(model, tmp_path)
    for ids in texts(1, 7, 128):
        if head == "ForMultipleChoice":
            assert_choice(rt, model, ids)
        else:
            assert_text(rt, model, ids, None if family == "DistilBert" else segments(ids))


def assert_choice(rt: Any, model: Any, ids: Any) -> None:
    """transformers: [B, choices, S] -> [B, choices]; the engine takes each choice as a text."""
    out = rt([ids])
    ours = {"logits": collect(out)["logits"]}
    assert_parity(ours, {"logits": run(model, ids)["logits"]})


def test_multiple_choice_matches_transformers(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model = make("Bert", "ForMultipleChoice", ODD_BERT)
    choices = np.stack(texts(9, 9, 9, 9))
    out = engine(model, tmp_path)(choices)
    with torch.no_grad():
        wanted = model(torch.tensor(choices)[None]).logits.numpy()
    assert out.logits is not None
    assert_parity({"logits": out.logits.reshape(1, 4)}, {"logits": wanted})


def test_masked_lm_at_the_published_sizes(tmp_path: Path) -> None:
    config = {"vocab_size": 30522, "num_hidden_layers": 2, "classifier_activation": False}
    model = make("MobileBert", "ForPreTraining", config)
    (ids,) = texts(12, vocabulary=30522)
    assert ids.max() > VOCABULARY
    assert_text(engine(model, tmp_path), model, ids, segments(ids))
