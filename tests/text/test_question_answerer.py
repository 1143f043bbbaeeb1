from __future__ import annotations

import math

import numpy as np
import pytest

from mobilebert_rt.errors import InputError
from mobilebert_rt.text import Answer, QuestionAnswerer
from tests.text.fake_model import VOCABULARY, FakeModel, word_id
from tests.text.test_windows import words

PIECES = VOCABULARY.split("\n")
SEP = word_id("[SEP]")


def peaks(ids: list[int]) -> np.ndarray:
    """High start and end logits at "ada" and "##lace"; the question's own words have higher ones still."""
    logits = np.zeros((len(ids), 2))
    logits[[i for i, piece in enumerate(ids) if piece == word_id("ada")], 0] = 6
    logits[[i for i, piece in enumerate(ids) if piece == word_id("##lace")], 1] = 6
    logits[: ids.index(SEP)] = 20
    logits[0] = 3
    return logits


def noise(ids: list[int]) -> np.ndarray:
    """Logits that depend on the token alone, whatever window it is in."""
    return np.random.default_rng(7).standard_normal((len(PIECES), 2))[ids] * 3


def answerer(respond: object = peaks, max_positions: int = 64, **options: object) -> QuestionAnswerer:
    return QuestionAnswerer(FakeModel(respond, head="question_answering", max_positions=max_positions), **options)


def test_answer_is_a_span_of_the_context_as_given() -> None:
    context = "The  notes — wrote by: ADA   Lovelace, 1843."
    (answer,) = answerer()("Who wrote ada lovelace notes?", context)
    assert answer.text == "ADA   Lovelace"
    assert context[answer.start : answer.end] == answer.text
    assert 0 < answer.score < 1


def brute_force(context: str, longest: int, null: bool) -> list[tuple[tuple[int, int], float]]:
    """Every span of the whole context, scored one by one in plain Python."""
    task = answerer(noise, max_positions=4096)
    encoding = task.tokenizer.encode_bare(context)
    logits = noise(encoding.ids)
    spans = {
        (encoding.offsets[i][0], encoding.offsets[j][1]): logits[i, 0] + logits[j, 1]
        for i in range(len(encoding))
        for j in range(i, min(i + longest, len(encoding)))
    }
    if null:
        spans[0, 0] = float(noise([word_id("[CLS]")])[0].sum())
    total = math.fsum(math.exp(logit) for logit in spans.values())
    ranked = sorted(spans.items(), key=lambda item: -item[1])
    return [(characters, math.exp(logit) / total) for characters, logit in ranked]


@pytest.mark.parametrize("count", [5, 25, 90])
@pytest.mark.parametrize("null", [False, True])
def test_n_best_is_that_of_all_spans_whatever_the_windows(count: int, null: bool) -> None:
    context = words(count, count)
    task = answerer(noise, max_length=40, doc_stride=20, whole_words=False)
    answers = task("who wrote it", context, n_best=100, max_answer_length=8, allow_no_answer=null)
    expected = brute_force(context, 8, null)[:100]
    assert [(answer.start, answer.end) for answer in answers] == [characters for characters, _ in expected]
    assert [answer.score for answer in answers] == pytest.approx([score for _, score in expected], rel=1e-5)
    if count == 5:
        assert math.fsum(answer.score for answer in answers) == pytest.approx(1, rel=1e-5)


def test_no_two_answers_are_the_same_and_words_stay_whole() -> None:
    context = "ada lovelace dogs lovelace dogs"
    answers = answerer(noise)("who", context, n_best=50)
    spans = [(answer.start, answer.end) for answer in answers]
    assert len(set(spans)) == len(spans)
    edges = {0, 3, 4, 12, 13, 17, 18, 26, 27, 31}
    assert {edge for span in spans for edge in span} <= edges
    scores = [answer.score for answer in answers]
    assert scores == sorted(scores, reverse=True)


def test_answers_are_no_longer_than_asked() -> None:
    task = answerer(noise, whole_words=False)
    for answer in task("who", words(30, 3), n_best=40, max_answer_length=2):
        assert len(answer.text.split()) <= 2


def test_no_answer_must_be_allowed_and_beat_the_threshold() -> None:
    task = answerer()
    nothing = Answer("", pytest.approx(0.8, abs=0.2), 0, 0)
    assert task("who", "the cat was good", allow_no_answer=True) == [nothing]
    assert task("who", "the cat was good")[0].text != ""
    assert task("who", "ada lovelace", allow_no_answer=True)[0].text == "ada lovelace"
    assert task("who", "the cat", allow_no_answer=True, null_threshold=50.0)[0].text != ""


def test_an_empty_context_has_no_answer() -> None:
    assert answerer()("who", "") == []
    assert [answer.text for answer in answerer()("who", "", allow_no_answer=True)] == [""]


def test_lists_of_questions_share_a_context_or_have_their_own() -> None:
    task = answerer()
    contexts = ["ada lovelace", "the ada lovelace of london"]
    both = task(["who", "who wrote"], contexts)
    assert [answers[0].start for answers in both] == [0, 4]
    assert [answers[0].start for answers in task(["who", "when"], contexts[1])] == [4, 4]
    assert list(task.stream(zip(["who", "who wrote"], contexts, strict=True))) == both


@pytest.mark.parametrize(
    ("question", "context", "options", "message"),
    [
        (["a", "b"], ["c"], {}, "2 questions and 1 contexts"),
        ("a", ["b"], {}, "One question needs one context"),
        (words(61), words(9), {}, "input 0: its first text has"),
        ("a", "b", {"n_best": 0}, "n_best is 0"),
        ("a", "b", {"max_answer_length": -1}, "max_answer_length is -1"),
    ],
)
def test_wrong_arguments_are_named(question: object, context: object, options: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        answerer()(question, context, **options)


def test_policy_can_be_stricter() -> None:
    with pytest.raises(InputError, match="more than the 20 allowed"):
        answerer(max_length=20, on_overflow="error")("who", words(30))
    task = answerer(max_length=20, on_overflow="truncate")
    task("who", words(30) + " ada lovelace")
    assert [len(ids) for ids in task.model.calls[0]["ids"]] == [20]


def test_default_length_is_that_of_squad() -> None:
    assert answerer(max_positions=512).limits.max_length == 384
    assert answerer(max_positions=100).limits.max_length == 100
