"""Entities, proposals and labels equal those of transformers' pipelines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import FillMask, TextClassifier, TokenClassifier
from tests.small_models import save_folder
from tests.small_models.text import random_words

pipelines = pytest.importorskip("tests.tasks.pipelines")

SCHEMES = {
    "io": ["O", "PER", "LOC", "MISC"],
    "iob2": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
    "iob1": ["I-PER", "I-LOC", "B-LOC", "O"],
    "bilou": ["B-PER", "I-PER", "L-PER", "U-PER", "O", "B-GEO-LOC", "I-GEO-LOC", "L-GEO-LOC", "U-GEO-LOC"],
}
AGGREGATIONS = ["none", "simple", "first", "average", "max"]
TEXTS = [
    "Ada Lovelace lived in London, and the dogs of Paris!",
    "",
    *(random_words(12, n) + " lovelace dogs" for n in range(40)),
    "Z\u00fcrich \u6771\u4eac don't U.S. 1843 lovelacelovelace",
]

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Random folders whose heads were made once; the logits of a classifier are spread out."""
    made: dict[str, Path] = {}

    def make(head: str, **options: Any) -> Path:
        name = repr((head, sorted(options.items())))
        if name not in made:
            made[name] = save_folder(tmp_path_factory.mktemp("random") / "m", "bert", head, **options)
        return made[name]

    return make


def as_records(entities: Any) -> list[tuple[Any, ...]]:
    return [(e["entity"] if "entity" in e else e["entity_group"], e["start"], e["end"]) for e in entities]


@pytest.mark.parametrize("how", AGGREGATIONS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_entities_equal_the_pipelines(folder: Make, scheme: str, how: Any) -> None:
    source = folder("ForTokenClassification", labels=SCHEMES[scheme])
    expected = pipelines.pipeline("token-classification", source, aggregation_strategy=how)(TEXTS)
    found = TokenClassifier.from_pretrained(source, precision="fp32", aggregation=how)(TEXTS)
    for entities, wanted in zip(found, expected, strict=True):
        assert [(e.label, e.start, e.end) for e in entities] == as_records(wanted)
        assert [e.score for e in entities] == pytest.approx([float(e["score"]) for e in wanted], abs=1e-5)
    assert sum(map(len, found)) > 50


@pytest.mark.parametrize("how", ["none", "average"])
@pytest.mark.parametrize("ignored", [[], ["O", "PER"], ["B-PER", "LOC"]])
def test_ignored_labels_are_those_of_the_pipeline(folder: Make, ignored: list[str], how: Any) -> None:
    source = folder("ForTokenClassification", labels=SCHEMES["iob2"])
    expected = pipelines.pipeline("token-classification", source, aggregation_strategy=how, ignore_labels=ignored)
    found = TokenClassifier.from_pretrained(source, precision="fp32", aggregation=how)
    for entities, wanted in zip(found(TEXTS, ignore_labels=ignored), expected(TEXTS), strict=True):
        assert [(e.label, e.start, e.end) for e in entities] == as_records(wanted)


@pytest.mark.parametrize("how", AGGREGATIONS)
def test_split_words_are_those_of_the_pipeline(folder: Make, how: Any) -> None:
    words = [["Ada", "Lovelace's", "dogs", ",", "U.S.", "London"], ["", "a  b", "\u6771\u4eac"], ["cat"]]
    source = folder("ForTokenClassification", labels=SCHEMES["iob2"])
    pipe = pipelines.pipeline("token-classification", source, aggregation_strategy=how)
    expected = pipe(words, is_split_into_words=True)
    task = TokenClassifier.from_pretrained(source, precision="fp32", aggregation=how)
    found = task(words, is_split_into_words=True)
    assert (
        task(words[0], is_split_into_words=True) == list(task.stream(words[:1], is_split_into_words=True)) == found[:1]
    )
    for entities, wanted in zip(found, expected, strict=True):
        assert [(e.label, e.start, e.end) for e in entities] == as_records(wanted)
        assert [e.score for e in entities] == pytest.approx([float(e["score"]) for e in wanted], abs=1e-5)


@pytest.mark.parametrize("targets", [None, "good", ["good", "bad", "##ing", "[SEP]", "good"]])
@pytest.mark.parametrize("top_k", [1, 3, 5])
def test_proposals_equal_the_pipelines(folder: Make, targets: Any, top_k: int) -> None:
    source = folder("ForMaskedLM")
    texts = ["the [MASK] was good .", "a [MASK] dog and [MASK] [MASK]"]
    pipe = pipelines.pipeline("fill-mask", source)
    found = FillMask.from_pretrained(source, precision="fp32")(texts, top_k=top_k, targets=targets)
    for text, masks in zip(texts, found, strict=True):
        wanted = pipe(text, top_k=top_k, **({} if targets is None else {"targets": targets}))
        for fills, best in zip(masks, wanted if isinstance(wanted[0], list) else [wanted], strict=True):
            assert [fill.token_id for fill in fills] == [row["token"] for row in best]
            assert [fill.score for fill in fills] == pytest.approx([row["score"] for row in best], abs=1e-5)


@pytest.mark.parametrize("function", ["sigmoid", "softmax", "none"])
@pytest.mark.parametrize("top_k", [None, 1, 2])
def test_labels_equal_the_pipelines(folder: Make, function: Any, top_k: int | None) -> None:
    source = folder("ForSequenceClassification", labels=["bad", "neither", "good"])
    pipe = pipelines.pipeline("text-classification", source, function_to_apply=function, top_k=top_k)
    task = TextClassifier.from_pretrained(source, precision="fp32")
    for found, wanted in zip(task(TEXTS, function_to_apply=function, top_k=top_k), pipe(TEXTS), strict=True):
        assert [label.label for label in found] == [label["label"] for label in wanted]
        assert [label.score for label in found] == pytest.approx([label["score"] for label in wanted], abs=1e-5)
    by_name = TextClassifier.from_pretrained(source, precision="fp32", function_to_apply=function)
    np.testing.assert_array_equal(by_name.scores(TEXTS), task.scores(TEXTS, function_to_apply=function))
