from __future__ import annotations

import math

import numpy as np
import pytest

from mobilebert_rt.errors import InputError, UnsupportedModelError
from mobilebert_rt.text import Classification, TextClassifier
from tests.text.fake_model import FakeModel, word_id
from tests.text.test_windows import words

GOOD, BAD = word_id("good"), word_id("bad")


def counts(ids: list[int]) -> list[float]:
    return [float(ids.count(BAD)), float(ids.count(GOOD))]


def classifier(**options: object) -> TextClassifier:
    metadata = options.pop("metadata", {})
    return TextClassifier(
        FakeModel(counts, metadata, ["NEGATIVE", "POSITIVE"], head="sequence_classification"), **options
    )


def test_labels_come_best_first_with_softmax_scores() -> None:
    found = classifier()("a good good film")
    share = 1 / (1 + math.exp(-2))
    assert [result.label for result in found] == ["POSITIVE", "NEGATIVE"]
    assert [result.score for result in found] == pytest.approx([share, 1 - share])


def test_a_list_gives_a_list_in_order() -> None:
    found = classifier(max_batch_tokens=8)(["bad", "a very good film .", "good"], top_k=1)
    assert [result[0].label for result in found] == ["NEGATIVE", "POSITIVE", "POSITIVE"]
    assert all(len(result) == 1 for result in found)
    assert classifier()([]) == []


def test_a_tuple_is_a_pair() -> None:
    task = classifier()
    assert isinstance(task(("good", "bad"))[0], Classification)
    assert len(task([("good", "bad")])) == 1
    assert task.model.calls[0]["types"] == [[0, 0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("single_label_classification", [1 / (1 + math.e), math.e / (1 + math.e)]),
        ("multi_label_classification", [0.5, 1 / (1 + math.exp(-1))]),
        ("regression", [0.0, 1.0]),
    ],
)
def test_scores_follow_the_problem_type(problem: str, expected: list[float]) -> None:
    scores = classifier(metadata={"problem_type": problem}).scores(["a good film"])
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [expected], rtol=1e-6)


def test_a_single_output_is_a_regression_unless_told_otherwise() -> None:
    model = FakeModel(lambda ids: [2.5], labels=["SIMILARITY"], head="sequence_classification")
    assert TextClassifier(model)("a cat") == [Classification("SIMILARITY", 2.5)]
    assert TextClassifier(model, activation="sigmoid")("a cat")[0].score == pytest.approx(1 / (1 + math.exp(-2.5)))
    with pytest.raises(InputError, match="activation is 'tanh'"):
        TextClassifier(model, activation="tanh")


def test_labels_without_names_are_numbered() -> None:
    model = FakeModel(counts, head="sequence_classification", num_labels=2)
    assert TextClassifier(model)("good")[0].label == "LABEL_1"


def test_long_text_has_the_mean_logits_of_its_windows() -> None:
    task = classifier(max_length=10, on_overflow="stride", stride=0, activation="none")
    scores = task.scores(["good " * 8 + "bad " * 4])
    np.testing.assert_allclose(scores, [[2.0, 4.0]])


def test_models_for_other_tasks_are_refused() -> None:
    with pytest.raises(
        UnsupportedModelError, match=r"needs a model for sequence_classification; .* question_answering"
    ):
        TextClassifier(FakeModel(head="question_answering"))
    with pytest.raises(UnsupportedModelError, match="has no head, and gives vectors alone"):
        TextClassifier(FakeModel(head="none"))


def test_top_k_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="top_k is 0"):
        classifier()("good", top_k=0)


def test_stream_is_the_call() -> None:
    texts = [words(n, n) for n in range(1, 20)]
    assert list(classifier().stream(iter(texts), top_k=1)) == classifier()(texts, top_k=1)
