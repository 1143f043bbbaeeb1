from __future__ import annotations

import math

import numpy as np
import pytest

from mobilebert_rt import InputError, TextClassifier, UnsupportedModelError
from mobilebert_rt.text import Classification
from tests.small_models.text import VOCAB_SIZE, random_words, word_id
from tests.tasks.conftest import Make

LABELS = ["NEGATIVE", "POSITIVE"]
TABLE = np.zeros((VOCAB_SIZE, 2))
TABLE[word_id("bad"), 0] = TABLE[word_id("good"), 1] = 8


def share(logits: list[float]) -> list[float]:
    """Softmax in Python floats."""
    powers = [math.exp(x) for x in logits]
    return [power / math.fsum(powers) for power in powers]


def classifier(
    lookup: Make, table: np.ndarray = TABLE, labels: list[str] | None = None, **options: object
) -> TextClassifier:
    model = lookup(table, "sequence_classification", labels or LABELS, metadata=options.pop("metadata", {}))
    return TextClassifier(model, **options)


def test_labels_come_best_first_with_softmax_scores(lookup: Make) -> None:
    found = classifier(lookup)("a good film")  # [CLS] a good film [SEP]: the mean of the rows is 8 / 5
    assert [result.label for result in found] == ["POSITIVE", "NEGATIVE"]
    assert [result.score for result in found] == pytest.approx(share([0, 8 / 5])[::-1])


def test_list_gives_a_list_in_order(lookup: Make) -> None:
    task = classifier(lookup, max_batch_tokens=8)
    found = task(["bad", "a very good film .", "good"], top_k=1)
    assert [[result.label for result in results] for results in found] == [["NEGATIVE"], ["POSITIVE"], ["POSITIVE"]]
    assert task([]) == []


def test_tuple_is_a_pair(lookup: Make) -> None:
    task = classifier(lookup)
    assert isinstance(task(("good", "bad"))[0], Classification)
    assert len(task([("good", "bad")])) == 1
    assert task.sequences([("good", "bad")])[0][1] == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("single_label_classification", share([0, 2])),
        ("multi_label_classification", [0.5, 1 / (1 + math.exp(-2))]),
        ("regression", [0.0, 2.0]),
    ],
)
def test_scores_follow_the_problem_type(lookup: Make, problem: str, expected: list[float]) -> None:
    scores = classifier(lookup, metadata={"problem_type": problem}).scores(["good film"])
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [expected], rtol=1e-6)


@pytest.mark.parametrize(
    ("function_to_apply", "expected"), [("softmax", [1.0, 0.0]), ("sigmoid", [1.0, 0.0]), ("none", [2e6, -2e6])]
)
def test_huge_logits_give_finite_scores(lookup: Make, function_to_apply: str, expected: list[float]) -> None:
    table = np.zeros((VOCAB_SIZE, 2))
    table[:, 0], table[:, 1] = 1e6, -1e6
    np.testing.assert_allclose(
        classifier(lookup, table, function_to_apply=function_to_apply).scores("a cat"), [expected], rtol=1e-6
    )


def test_one_output_has_a_sigmoid_by_default(lookup: Make) -> None:
    model = lookup(np.full((VOCAB_SIZE, 1), 1.25), "sequence_classification", ["SIMILARITY"])
    assert TextClassifier(model)("a cat")[0].score == pytest.approx(1 / (1 + math.exp(-2.5)))
    assert TextClassifier(model, function_to_apply="none")("a cat") == [Classification("SIMILARITY", 2.5)]
    with pytest.raises(InputError, match="function_to_apply: found 'tanh'; expected softmax, sigmoid, none"):
        TextClassifier(model, function_to_apply="tanh")


def test_labels_without_names_are_numbered(lookup: Make) -> None:
    assert TextClassifier(lookup(TABLE, "sequence_classification"))("good")[0].label == "LABEL_1"


def test_long_text_has_the_mean_logits_of_its_windows(lookup: Make) -> None:
    task = classifier(lookup, max_length=10, on_overflow="stride", stride=0, function_to_apply="none")
    # Windows of 8 and 4 words: means 8 * 8 / 10 and 4 * 8 / 6.
    np.testing.assert_allclose(task.scores(["good " * 8 + "bad " * 4]), [[32 / 6 / 2, 6.4 / 2]], rtol=1e-6)


def test_models_with_another_head_are_refused(random_model: Make) -> None:
    with pytest.raises(UnsupportedModelError, match=r"model for sequence_classification; .* question_answering"):
        TextClassifier(random_model("ForQuestionAnswering"))
    with pytest.raises(UnsupportedModelError, match="has no head"):
        TextClassifier(random_model())


@pytest.mark.parametrize("top_k", [0, -1])
def test_top_k_below_one_is_refused(lookup: Make, top_k: int) -> None:
    with pytest.raises(InputError, match=f"top_k: found {top_k}"):
        classifier(lookup)("good", top_k=top_k)


def test_stream_equals_the_call(random_model: Make) -> None:
    texts = [random_words(n, n) for n in range(1, 20)]
    task = TextClassifier(random_model("ForSequenceClassification"))
    assert list(task.stream(iter(texts), top_k=1)) == task(texts, top_k=1)


def test_scores_are_the_softmax_of_the_models_logits(random_model: Make) -> None:
    model = random_model("ForSequenceClassification")
    task = TextClassifier(model, max_batch_tokens=24)
    texts = [random_words(n, n) for n in (1, 20, 7, 3, 12)]
    logits = [model([ids]).logits[0].tolist() for ids, _ in task.sequences(texts)]
    np.testing.assert_allclose(task.scores(texts), [share(row) for row in logits], rtol=1e-6)


@pytest.mark.parametrize(("activation", "expected"), [("none", [0.0, 2.0]), ("sigmoid", [0.5, 0.8807971])])
def test_activation_of_a_cross_encoder_wins(lookup: Make, activation: str, expected: list[float]) -> None:
    metadata = {"activation": activation, "problem_type": "single_label_classification"}
    np.testing.assert_allclose(classifier(lookup, metadata=metadata).scores(["good film"]), [expected], rtol=1e-6)


def test_prompt_is_that_of_a_cross_encoder(lookup: Make) -> None:
    prompts = {"prompts": '{"p": "good "}', "default_prompt": "p"}
    task = classifier(lookup, metadata=prompts | {"activation": "none"})
    np.testing.assert_allclose(task.scores([("film", "bad")]), [[8 / 6, 8 / 6]], rtol=1e-6)
    without = classifier(lookup, metadata=prompts)  # of an embedding model
    assert without.sequences(["film"]) != task.sequences(["film"])
