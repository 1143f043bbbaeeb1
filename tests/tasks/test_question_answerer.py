from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt import InputError, QuestionAnswerer
from mobilebert_rt.text import Answer
from tests.small_models.text import VOCAB_SIZE, VOCABULARY, random_words, word_id
from tests.tasks import make_answers
from tests.tasks.conftest import Make
from tests.text.library import wordpiece

# High start logits at "ada", end logits at "##lace"; the question's own words and [CLS] have high ones too.
PEAKS = np.zeros((VOCAB_SIZE, 2))
PEAKS[word_id("ada"), 0] = PEAKS[word_id("##lace"), 1] = 6
PEAKS[word_id("who")] = 20
PEAKS[word_id("[CLS]")] = 3
# Logits that depend on the token alone, whatever window it is in.
NOISE = (np.random.default_rng(7).standard_normal((VOCAB_SIZE, 2)) * 3).astype(np.float32)


def answerer(lookup: Make, table: np.ndarray = PEAKS, max_positions: int = 64, **options: object) -> QuestionAnswerer:
    return QuestionAnswerer(lookup(table, "question_answering", max_positions=max_positions), **options)


def test_answer_is_a_span_of_the_context_as_given(lookup: Make) -> None:
    context = "The  notes \u2014 wrote by: ADA   Lovelace, \U0001f600 1843."
    (answer,) = answerer(lookup)("Who wrote ada lovelace notes?", context)
    assert answer.text == "ADA   Lovelace"
    assert context[answer.start : answer.end] == answer.text
    assert 0 < answer.score < 1


def test_offsets_count_characters_after_wide_ones(lookup: Make) -> None:
    context = "\u5317\u4eac \U0001f469\u200d\U0001f680 e\u0301 ada lovelace"
    (answer,) = answerer(lookup)("who", context)
    assert (answer.text, context[answer.start : answer.end]) == ("ada lovelace", "ada lovelace")


def brute_force(context: str, longest: int, n_best: int, null: bool) -> list[tuple[tuple[int, int], float]]:
    """The best spans of one window, scored one by one in float64; spans of the same text are one answer."""
    encoding = wordpiece(VOCABULARY).encode(context, add_special_tokens=False)
    powers = np.exp(NOISE[[word_id("[CLS]"), *encoding.ids]].astype(np.float64))
    (nothing, *tokens) = powers / powers.sum(axis=0)
    spans = [
        (tokens[i][0] * tokens[j][1], encoding.offsets[i][0], encoding.offsets[j][1])
        for i in range(len(tokens))
        for j in range(i, min(i + longest, len(tokens)))
    ]
    spans = sorted(spans, key=lambda span: -span[0])[:n_best]
    scores: dict[str, float] = {}
    places: dict[str, tuple[int, int]] = {}
    for score, start, end in spans:
        text = context[start:end]
        scores[text] = scores.get(text, 0) + score
        places.setdefault(text, (start, end))
    if null:
        scores[""], places[""] = nothing.prod(), (0, 0)
    return [(places[text], scores[text]) for text in sorted(scores, key=lambda text: -scores[text])][:n_best]


@pytest.mark.parametrize("count", [5, 25, 50])
@pytest.mark.parametrize("null", [False, True])
def test_scores_are_probabilities_of_start_times_end(lookup: Make, count: int, null: bool) -> None:
    context = random_words(count, count)
    task = answerer(lookup, NOISE, whole_words=False)
    answers = task("who wrote it", context, n_best=100, max_answer_length=8, allow_no_answer=null)
    expected = brute_force(context, 8, 100, null)
    assert [(answer.start, answer.end) for answer in answers] == [characters for characters, _ in expected]
    assert [answer.score for answer in answers] == pytest.approx([score for _, score in expected], rel=1e-5)


def test_equal_texts_are_one_answer_in_any_case_and_window(lookup: Make) -> None:
    task = answerer(lookup, max_length=24, doc_stride=4)
    twice = task("who", "the Ada Lovelace or ADA LOVELACE was", n_best=3)
    assert (twice[0].text, twice[0].start) == ("Ada Lovelace", 4)
    assert twice[0].score == pytest.approx(0.5, abs=0.04)  # 2 spans of 1/2 * 1/2
    assert {answer.text.lower() for answer in twice[1:]}.isdisjoint({"ada lovelace"})
    far = f"ada lovelace {random_words(40)} ada lovelace"
    assert task("who", far)[0].score > 1.9  # nearly sure of it in two windows


def test_answers_differ_and_are_whole_words(lookup: Make) -> None:
    answers = answerer(lookup, NOISE)("who", "ada lovelace dogs lovelace dogs", n_best=50)
    spans = [(answer.start, answer.end) for answer in answers]
    assert len(set(spans)) == len(spans)
    edges = {0, 3, 4, 12, 13, 17, 18, 26, 27, 31}
    assert {edge for span in spans for edge in span} <= edges
    scores = [answer.score for answer in answers]
    assert scores == sorted(scores, reverse=True)


def test_answers_have_at_most_max_answer_length_tokens(lookup: Make) -> None:
    task = answerer(lookup, NOISE, whole_words=False)
    for answer in task("who", random_words(30, 3), n_best=40, max_answer_length=2):
        assert len(answer.text.split()) <= 2


def test_no_answer_must_be_allowed_and_exceed_the_threshold(lookup: Make) -> None:
    task = answerer(lookup)
    nothing = Answer("", pytest.approx(0.8, abs=0.2), 0, 0)
    assert task("who", "the cat was good", allow_no_answer=True) == [nothing]
    assert task("who", "the cat was good")[0].text != ""
    assert task("who", "ada lovelace", allow_no_answer=True)[0].text == "ada lovelace"
    assert task("who", "the cat", allow_no_answer=True, null_threshold=50.0)[0].text != ""
    assert task("who", "ada lovelace", allow_no_answer=True, null_threshold=-50.0)[0].text == ""


@pytest.mark.parametrize("threshold", [-30.0, -4.0, 0.0, 2.5, 30.0])
def test_null_threshold_is_a_margin_of_log_scores_and_changes_no_score(lookup: Make, threshold: float) -> None:
    task = answerer(lookup, NOISE)
    arguments = {"n_best": 50, "allow_no_answer": True}
    plain = task("who", "the cat was good in london", **arguments)
    answers = task("who", "the cat was good in london", null_threshold=threshold, **arguments)
    assert sorted(map(repr, answers)) == sorted(map(repr, plain))
    place = [answer.text for answer in answers].index("")
    margins = [math.log(answers[place].score / answer.score) for answer in answers if answer.text]
    assert [margin > threshold for margin in margins] == [False] * place + [True] * (len(answers) - place - 1)


def test_empty_context_has_no_answer(lookup: Make) -> None:
    task = answerer(lookup)
    assert task("who", "") == []
    assert [answer.text for answer in task("who", "", allow_no_answer=True)] == [""]


def test_lists_of_questions_share_a_context_or_have_their_own(lookup: Make) -> None:
    task = answerer(lookup)
    contexts = ["ada lovelace", "the ada lovelace of london"]
    both = task(["who", "who wrote"], contexts)
    assert [answers[0].start for answers in both] == [0, 4]
    assert [answers[0].start for answers in task(["who", "when"], contexts[1])] == [4, 4]
    assert list(task.stream(zip(["who", "who wrote"], contexts, strict=True))) == both


@pytest.mark.parametrize(
    ("question", "context", "options", "message"),
    [
        (["a", "b"], ["c"], {}, "found 1 contexts; expected 2"),
        ("a", ["b"], {}, "context: found list; expected a str"),
        (random_words(61), random_words(9), {}, "input 0: its first text has"),
        ("a", "b", {"n_best": 0}, "n_best: found 0"),
        ("a", "b", {"max_answer_length": -1}, "max_answer_length: found -1"),
    ],
)
def test_wrong_arguments_are_named(
    lookup: Make, question: object, context: object, options: dict[str, int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        answerer(lookup)(question, context, **options)


def test_stream_of_single_texts_is_refused(lookup: Make) -> None:
    with pytest.raises(InputError, match="input 1 should be a pair"):
        list(answerer(lookup).stream([("who", "ada"), "who"]))


def test_long_contexts_can_be_refused_or_truncated(lookup: Make) -> None:
    with pytest.raises(InputError, match="more than the 20 allowed"):
        answerer(lookup, max_length=20, on_overflow="error")("who", random_words(30))
    task = answerer(lookup, max_length=20, on_overflow="truncate")
    assert [len(ids) for ids, _ in task.sequences([("who", random_words(30))])] == [20]


def test_default_length_is_that_of_squad(lookup: Make) -> None:
    limits = answerer(lookup, max_positions=512).limits
    assert (limits.max_length, limits.stride, limits.on_overflow) == (384, 128, "stride")
    limits = answerer(lookup, max_positions=100).limits
    assert (limits.max_length, limits.stride) == (100, 50)
    assert answerer(lookup, max_positions=100, max_length=40).limits.stride == 20


@pytest.mark.parametrize(("question", "stride"), [(5, 20), (15, 20), (6, 0), (6, 29)])
def test_windows_are_those_of_the_tokenizers_library(lookup: Make, question: int, stride: int) -> None:
    pair = (random_words(question), random_words(90, 3))
    oracle = wordpiece(VOCABULARY)
    oracle.enable_truncation(40, stride=stride, strategy="only_second")
    encoding = oracle.encode(*pair)
    task = answerer(lookup, max_length=40, doc_stride=stride)
    assert [ids for ids, _ in task.sequences([pair])] == [one.ids for one in (encoding, *encoding.overflowing)]


def test_answers_follow_the_models_logits(random_model: Make) -> None:
    model = random_model("ForQuestionAnswering")
    task = QuestionAnswerer(model, whole_words=False)
    pair = ("who wrote", random_words(7, 7))
    ((ids, types),) = task.sequences([pair])
    output = model([ids], token_type_ids=[types])
    start, end = output.start_logits[0][4:-1], output.end_logits[0][4:-1]
    _, i, j = max((start[i] + end[j], i, j) for i in range(len(start)) for j in range(i, len(end)))
    offsets = task.tokenizer.encode_batch([pair])[0].offsets[4:]
    (answer,) = task(*pair)
    assert (answer.start, answer.end) == (offsets[i][0], offsets[j][1])


@pytest.mark.parametrize("number", range(len(make_answers.MODELS)))
def test_answers_and_scores_are_those_of_the_pipeline(tmp_path: Path, number: int) -> None:
    folder = make_answers.save_model(tmp_path / "m", *make_answers.MODELS[number])
    task = QuestionAnswerer.from_pretrained(folder, precision="fp32")
    expected = json.loads(make_answers.PATH.read_text())[number]
    for case, wanted in zip(make_answers.cases(), expected, strict=True):
        answers = task(
            case["question"],
            case["context"],
            top_k=case["top_k"],
            max_answer_length=case["max_answer_len"],
            whole_words=case["align_to_words"],
            allow_no_answer=case["handle_impossible_answer"],
            max_length=case.get("max_seq_len"),
            doc_stride=case.get("doc_stride"),
        )
        assert [(answer.start, answer.end) for answer in answers] == [(start, end) for start, end, _ in wanted], case
        scores = [row[2] for row in wanted]
        assert [answer.score for answer in answers] == pytest.approx(scores, rel=1e-5), case
