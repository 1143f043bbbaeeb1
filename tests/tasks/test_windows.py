"""Truncation and windows; the oracle is the `tokenizers` library."""

from __future__ import annotations

import numpy as np
import pytest

from mobilebert_rt import InputError, TextEmbedder, TokenClassifier
from tests.small_models.text import VOCAB_SIZE, VOCABULARY, random_words, word_id
from tests.tasks.conftest import Make
from tests.text.library import wordpiece

CLS, SEP = word_id("[CLS]"), word_id("[SEP]")


def ids_of(text: str) -> list[int]:
    return list(wordpiece(VOCABULARY).encode(text, add_special_tokens=False).ids)


def test_too_long_text_is_named_with_its_length_and_the_limit(random_model: Make) -> None:
    task = TextEmbedder(random_model(), max_length=10, on_overflow="error")
    with pytest.raises(InputError, match=r"input 1 has 14 tokens .* more than the 10 allowed.*truncate.*stride"):
        task([random_words(8), random_words(12)])


def test_text_of_exactly_the_limit_is_whole(random_model: Make) -> None:
    ((ids, _),) = TextEmbedder(random_model(), max_length=10).sequences([random_words(8)])
    assert len(ids) == 10


@pytest.mark.parametrize("counts", [(30, 30), (3, 40), (40, 3), (12, 13), (13, 12), (5, 5), (0, 40), (40, 0)])
@pytest.mark.parametrize("limit", [10, 11, 16])
def test_truncation_is_that_of_the_tokenizers_library(random_model: Make, counts: tuple[int, int], limit: int) -> None:
    pair = (random_words(counts[0], 1), random_words(counts[1], 2))
    oracle = wordpiece(VOCABULARY)
    oracle.enable_truncation(limit, strategy="longest_first")
    task = TextEmbedder(random_model(), max_length=limit, on_overflow="truncate")
    for text in (pair, pair[1]):
        expected = oracle.encode(*(text if isinstance(text, tuple) else (text,)))
        assert task.sequences([text]) == [(expected.ids, expected.type_ids)]


@pytest.mark.parametrize("count", [5, 8, 9, 10, 17, 40])
@pytest.mark.parametrize("stride", [0, 1, 3, 7])
def test_windows_are_those_of_the_tokenizers_library(random_model: Make, count: int, stride: int) -> None:
    text = random_words(count)
    oracle = wordpiece(VOCABULARY)
    oracle.enable_truncation(10, stride=min(stride, 4))  # at most half a window is shared
    first = oracle.encode(text)
    task = TextEmbedder(random_model(), max_length=10, on_overflow="stride", stride=stride)
    assert task.sequences([text]) == [(window.ids, window.type_ids) for window in [first, *first.overflowing]]


def test_windows_of_a_pair_repeat_the_first_text(random_model: Make) -> None:
    question, context = random_words(3, 1), random_words(20, 2)
    task = TextEmbedder(random_model(), max_length=12, on_overflow="stride", stride=2)
    windows = task.sequences([(question, context)])
    moving = ids_of(context)
    for i, (ids, types) in enumerate(windows):
        assert ids == [CLS, *ids_of(question), SEP, *moving[4 * i : 4 * i + 6], SEP]
        assert types == [0] * 5 + [1] * (len(ids) - 5)
    assert windows[-1][0][-2] == moving[-1]


@pytest.mark.parametrize(
    ("text", "limits", "message"),
    [
        ((random_words(7), random_words(20)), (10, "stride"), "input 0: its first text has 7 tokens, which leaves"),
        ((random_words(20), "the"), (10, "stride"), "leaves no tokens of a window for the second"),
        (random_words(20), (2, "truncate"), "leaves input 0 no tokens"),
    ],
)
def test_windows_without_capacity_are_refused(
    random_model: Make, text: str, limits: tuple[int, str], message: str
) -> None:
    task = TextEmbedder(random_model(), max_length=limits[0], on_overflow=limits[1], stride=2)
    with pytest.raises(InputError, match=message):
        task([text])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 0}, "max_length: found 0; expected at least 1"),
        ({"max_length": 41}, "max_length: found 41; expected at most 40"),
        ({"max_length": "x"}, "max_length: found 'x'; expected a whole number"),
        ({"max_batch_tokens": 0}, "max_batch_tokens: found 0"),
        ({"on_overflow": "cut"}, "on_overflow: found 'cut'; expected error, truncate, stride"),
        ({"stride": -1}, "stride: found -1"),
    ],
)
def test_limits_out_of_range_are_refused(random_model: Make, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextEmbedder(random_model(), **options)


def test_unknown_keywords_are_refused(random_model: Make) -> None:
    with pytest.raises(TypeError, match="'max_len'"):
        TextEmbedder(random_model(), max_len=3)
    with pytest.raises(TypeError, match="'time_out'"):
        TextEmbedder(random_model())("a cat", time_out=3)


@pytest.mark.parametrize("count", [5, 9, 23, 40])
@pytest.mark.parametrize("stride", [0, 1, 4, 7])
def test_each_token_of_a_long_text_is_labelled_once(lookup: Make, count: int, stride: int) -> None:
    table = np.eye(2)[np.arange(VOCAB_SIZE) % 2]
    model = lookup(table, "token_classification", labels=["EVEN", "ODD"])
    task = TokenClassifier(
        model, aggregation="none", ignore_labels=[], max_length=10, on_overflow="stride", stride=stride
    )
    text = random_words(count, count)
    entities = task(text)
    assert [entity.text for entity in entities] == text.split()
    assert [entity.label for entity in entities] == [("EVEN", "ODD")[i % 2] for i in ids_of(text)]
