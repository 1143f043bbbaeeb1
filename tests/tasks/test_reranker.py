from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import InputError, Reranker, TextClassifier, UnsupportedModelError
from mobilebert_rt.text import RankedDocument
from tests.small_models import save_folder
from tests.small_models.text import VOCAB_SIZE, random_words, word_id
from tests.tasks.conftest import Make

QUERY = "who wrote the notes?"
DOCUMENTS = ["ada lovelace wrote the notes", "the film was funny", "", "Ada in Z\u00fcrich.", "the film was funny"]


def reranker(lookup: Make, **options: Any) -> Reranker:
    """The more often "good" is among the words, the higher the score."""
    table = np.zeros((VOCAB_SIZE, 1))
    table[word_id("good")] = 8
    return Reranker(lookup(table, "sequence_classification", ["SCORE"]), **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_folder(tmp_path_factory.mktemp("m") / "m", "bert", "ForSequenceClassification", labels=["SCORE"])


def logits(folder: Path, pairs: list[tuple[str, str]]) -> np.ndarray:
    """transformers' own, as sentence-transformers' CrossEncoder computes them."""
    pipelines = pytest.importorskip("tests.tasks.pipelines")
    tokenizer = pipelines.transformers.AutoTokenizer.from_pretrained(folder)
    model = pipelines.transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with pipelines.torch.no_grad():
        found = [
            model(**tokenizer([pair], return_tensors="pt", truncation=True, max_length=40)).logits[0] for pair in pairs
        ]
    return np.concatenate(found)


@pytest.mark.parametrize("function", ["sigmoid", "none"])
def test_rank_sorts_the_scores_of_a_cross_encoder(folder: Path, function: Any) -> None:
    documents = [*DOCUMENTS, random_words(90), random_words(25, 1)]
    scores = logits(folder, [(QUERY, document) for document in documents])
    if function == "sigmoid":
        scores = 1 / (1 + np.exp(-scores))
    task = Reranker.from_pretrained(folder, precision="fp32", function_to_apply=function)
    ranked = task.rank(QUERY, documents)
    assert [found.corpus_id for found in ranked] == np.argsort(-scores, kind="stable").tolist()
    assert [found.score for found in ranked] == pytest.approx(sorted(scores.tolist(), reverse=True), abs=1e-5)
    assert [found.text for found in ranked] == [documents[found.corpus_id] for found in ranked]
    np.testing.assert_allclose(task([(QUERY, document) for document in documents]), scores, atol=1e-5)


def test_top_k_keeps_the_best(lookup: Make) -> None:
    task = reranker(lookup, function_to_apply="none")
    assert task.rank("good", ["bad", "good", "a good cat"], top_k=1) == [
        RankedDocument(1, pytest.approx(8 * 2 / 5), "good")
    ]
    assert len(task.rank("good", (text for text in DOCUMENTS), top_k=3)) == 3
    assert task.rank("good", []) == []
    with pytest.raises(InputError, match="top_k: found 0"):
        task.rank("good", DOCUMENTS, top_k=0)


def test_equal_scores_keep_the_order_of_the_documents(lookup: Make) -> None:
    ranked = reranker(lookup).rank("good", ["cat", "good", "dog", "film"])
    assert [found.corpus_id for found in ranked] == [1, 0, 2, 3]


def test_pairs_have_the_scores_of_the_classifier(folder: Path) -> None:
    task = Reranker.from_pretrained(folder)
    pairs = [(QUERY, document) for document in DOCUMENTS]
    scores = task(pairs, function_to_apply="none")
    assert (scores.dtype, scores.shape) == (np.float32, (5,))
    np.testing.assert_array_equal(scores, TextClassifier(task.model, function_to_apply="none").scores(pairs)[:, 0])
    assert task(pairs[0], function_to_apply="none") == scores[0]
    assert task.function_to_apply == TextClassifier(task.model).function_to_apply


def test_long_pairs_are_truncated_unless_that_is_an_error(folder: Path) -> None:
    task = Reranker.from_pretrained(folder)
    assert [len(ids) for ids, _ in task.sequences([(QUERY, random_words(90))])] == [40]
    with pytest.raises(InputError, match="input 1 has"):
        Reranker(task.model, on_overflow="error").rank(QUERY, ["a", random_words(90)])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda task: task("good"), "input 0 should be a pair: query and document"),
        (lambda task: task([("a", "b"), "good"]), "input 1 should be a pair"),
        (lambda task: task.rank("good", "bad"), "documents: found one str; expected a list"),
        (lambda task: task.rank("good", [("a", "b")]), "input 0 is a pair"),
        (lambda task: task.rank(3, ["a"]), "query: found 3; expected a text"),
    ],
)
def test_wrong_inputs_are_named(lookup: Make, call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(reranker(lookup))


def test_model_of_several_labels_is_refused(lookup: Make) -> None:
    with pytest.raises(UnsupportedModelError, match=r"A reranker needs a model with one label; .* has 3"):
        Reranker(lookup(np.zeros((VOCAB_SIZE, 3)), "sequence_classification"))
