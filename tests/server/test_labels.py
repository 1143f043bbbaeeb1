"""Labels, ranks, answers, entities and words over HTTP are those of the library's tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mobilebert_rt as mbrt
from tests.server.process import Server
from tests.small_models.text import random_words

TEXTS = ["the film was good", "not very funny", random_words(20)]
PAIR = ("the cat", "a warm dog")


def same(found: list[dict[str, Any]], expected: Any, label: str = "label") -> None:
    """Labels in order, and scores bit for bit as float32."""
    assert [one["label"] for one in found] == [getattr(one, label) for one in expected]
    scores = np.array([one["score"] for one in found], np.float32)
    np.testing.assert_array_equal(scores, np.array([one.score for one in expected], np.float32))


def test_predict_a_text_a_pair_and_a_batch_of_both(server: Server, models: dict[str, Path]) -> None:
    classify = mbrt.TextClassifier.from_pretrained(models["sentiment"])
    same(server.post("/predict", {"inputs": TEXTS[0]}), classify(TEXTS[0]))
    same(server.post("/predict", {"inputs": list(PAIR)}), classify(PAIR))
    batch = [[text] for text in TEXTS] + [list(PAIR)]
    for found, expected in zip(server.post("/predict", {"inputs": batch}), classify([*TEXTS, PAIR]), strict=True):
        same(found, expected)


def test_predict_raw_scores_are_logits(server: Server, models: dict[str, Path]) -> None:
    model = mbrt.Model.from_pretrained(models["sentiment"])
    [(ids, types)] = mbrt.TextClassifier(model).sequences([TEXTS[0]])
    logits = model([ids], token_type_ids=[types]).logits[0]
    found = server.post("/predict", {"inputs": TEXTS[0], "raw_scores": True})
    scores = {one["label"]: np.float32(one["score"]) for one in found}
    assert [scores["bad"], scores["good"]] == list(logits)


@pytest.mark.parametrize("inputs", [[], ["a", "b", "c"], [["a", "b", "c"]], ["a", ["b"]], [[]], {"a": 1}])
def test_predict_refuses_other_inputs(server: Server, inputs: Any) -> None:
    assert server.post("/predict", {"inputs": inputs}, 422)["error_type"] == "validation"


@pytest.mark.parametrize("raw", [False, True])
def test_rerank_is_the_order_of_the_library(server: Server, models: dict[str, Path], raw: bool) -> None:
    reranker = mbrt.Reranker.from_pretrained(models["ranker"])
    found = server.post("/rerank", {"query": "the cat", "texts": TEXTS * 2, "raw_scores": raw, "return_text": True})
    expected = reranker.rank("the cat", TEXTS * 2, function_to_apply="none" if raw else "sigmoid")
    assert [(one["index"], one["text"]) for one in found] == [(one.corpus_id, one.text) for one in expected]
    assert [np.float32(one["score"]) for one in found] == [np.float32(one.score) for one in expected]
    without = server.post("/rerank", {"query": "the cat", "texts": TEXTS})
    assert [set(one) for one in without] == [{"index", "score"}] * 3


@pytest.mark.parametrize("several", [False, True])
def test_zero_shot(server: Server, models: dict[str, Path], several: bool) -> None:
    classify = mbrt.ZeroShotClassifier.from_pretrained(models["nli"])
    labels = ["film", "city", "dog"]
    parameters = {"candidate_labels": labels, "multi_label": several, "hypothesis_template": "it is a {}"}
    found = server.post("/v1/zero-shot", {"inputs": TEXTS, "parameters": parameters})
    expected = classify(TEXTS, labels, multi_label=several, hypothesis_template="it is a {}")
    for mine, theirs in zip(found, expected, strict=True):
        assert [one["label"] for one in mine] == list(theirs.labels)
        assert [np.float32(one["score"]) for one in mine] == [np.float32(score) for score in theirs.scores]
    alone = server.post("/v1/zero-shot", {"inputs": TEXTS[0], "parameters": parameters})
    assert alone == found[0]


def test_answer(server: Server, models: dict[str, Path]) -> None:
    answerer = mbrt.QuestionAnswerer.from_pretrained(models["squad"])
    question, context = "who wrote notes?", f"ada lovelace wrote the notes in london. {random_words(80)}"
    given = {"question": question, "context": context}
    found = server.post("/v1/answer", {"inputs": given, "parameters": {"top_k": 3, "max_answer_len": 5}})
    expected = answerer(question, context, top_k=3, max_answer_length=5)
    shown = [(one["answer"], one["start"], one["end"], np.float32(one["score"])) for one in found]
    assert shown == [(one.text, one.start, one.end, np.float32(one.score)) for one in expected]
    best = server.post("/v1/answer", {"inputs": given})
    assert best["answer"] == answerer(question, context)[0].text
    assert server.post("/v1/answer", {"inputs": [given, given]}) == [best, best]


def test_tag(server: Server, models: dict[str, Path]) -> None:
    tagger = mbrt.TokenClassifier.from_pretrained(models["ner"])
    for parameters, options in (({}, {}), ({"aggregation_strategy": "first"}, {"aggregation": "first"})):
        found = server.post("/v1/tag", {"inputs": TEXTS, "parameters": parameters})
        for mine, theirs in zip(found, tagger(TEXTS, **options), strict=True):
            shown = [(one["word"], one["entity_group"], one["start"], one["end"]) for one in mine]
            assert shown == [(one.text, one.label, one.start, one.end) for one in theirs]


def test_fill(server: Server, models: dict[str, Path]) -> None:
    fill = mbrt.FillMask.from_pretrained(models["masked"])
    texts = ["the [MASK] was good", "the [MASK] lived in [MASK]"]
    one, two = server.post("/v1/fill", {"inputs": texts, "parameters": {"top_k": 3}})
    for mine, theirs in zip([one, *two], [*fill(texts[0], top_k=3), *fill(texts[1], top_k=3)], strict=True):
        shown = [(f["token_str"], f["token"], f["sequence"], np.float32(f["score"])) for f in mine]
        assert shown == [(f.token, f.token_id, f.sequence, np.float32(f.score)) for f in theirs]


def test_fill_numbers_the_text_without_a_mask(server: Server) -> None:
    error = server.post("/v1/fill", {"inputs": ["the [MASK]", "no mask"]}, 422)["error"]
    assert error["type"] == "tokenizer"
    assert "1" in error["message"]


def test_small_request_cannot_ask_for_a_huge_answer(server: Server) -> None:
    text = "[MASK] " * 30 + " " * 100_000
    error = server.post("/v1/fill", {"inputs": [text] * 10, "parameters": {"top_k": 100}}, 413)["error"]
    assert error["type"] == "too_large"
    body = {"inputs": ["a"] * 100, "parameters": {"candidate_labels": [f"label {i}" for i in range(100)]}}
    assert server.post("/v1/zero-shot", body, 413)["error"]["type"] == "too_large"


@pytest.mark.parametrize("path", ["/predict", "/rerank", "/v1/zero-shot", "/v1/answer", "/v1/tag", "/v1/fill"])
def test_model_of_another_kind_is_424(server: Server, path: str) -> None:
    bodies = {
        "/rerank": {"query": "a", "texts": ["b"]},
        "/v1/zero-shot": {"inputs": "a", "parameters": {"candidate_labels": ["b"]}},
        "/v1/answer": {"inputs": {"question": "a", "context": "b"}},
    }
    body = bodies.get(path, {"inputs": "a"}) | {"model": "embed"}
    error = server.post(path, body, 424)
    kind, message = (
        (error["error_type"], error["error"])
        if "error_type" in error
        else (
            error["error"]["type"],
            error["error"]["message"],
        )
    )
    assert kind == "backend"
    assert message.startswith("model embed: cannot ")
