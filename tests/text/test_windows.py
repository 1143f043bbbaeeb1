from __future__ import annotations

import numpy as np
import pytest

from mobilebert_rt.errors import InputError
from mobilebert_rt.text.tokenizer import tokenizer_of
from mobilebert_rt.text.vocabulary import wordpiece
from mobilebert_rt.text.windows import Limits, encode_windows, own_tokens
from tests.text.fake_model import VOCABULARY, FakeModel, word_id

CLS, SEP = word_id("[CLS]"), word_id("[SEP]")
TOKENIZER = tokenizer_of(FakeModel())


def words(count: int, seed: int = 0) -> str:
    pieces = [word for word in VOCABULARY.split("\n")[5:] if word.isalpha()]
    return " ".join(np.random.default_rng(seed).choice(pieces, count).tolist())


def test_error_names_the_input_its_length_and_the_limit() -> None:
    with pytest.raises(InputError, match=r"input 11 has 14 tokens .* more than the 10 allowed.*'truncate'.*'stride'"):
        encode_windows(TOKENIZER, [words(8), words(12)], Limits(10, "error", 2), first_index=10)


def test_a_text_of_exactly_the_limit_is_whole() -> None:
    (window,) = encode_windows(TOKENIZER, [words(8)], Limits(10, "error", 2))
    assert len(window.ids) == 10


@pytest.mark.parametrize("counts", [(30, 30), (3, 40), (40, 3), (12, 13), (13, 12), (5, 5), (0, 40)])
@pytest.mark.parametrize("limit", [10, 11, 16])
def test_truncation_is_that_of_the_tokenizers_library(counts: tuple[int, int], limit: int) -> None:
    pair = (words(counts[0], 1), words(counts[1], 2))
    oracle = wordpiece(VOCABULARY, {}, "v")
    oracle.enable_truncation(limit, strategy="longest_first")
    for text in (pair, pair[1]):
        expected = oracle.encode(*(text if isinstance(text, tuple) else (text,)))
        (window,) = encode_windows(TOKENIZER, [text], Limits(limit, "truncate", 0))
        assert (window.ids, window.type_ids) == (expected.ids, expected.type_ids)


@pytest.mark.parametrize("count", [9, 10, 17, 40])
@pytest.mark.parametrize("stride", [0, 1, 3, 7])
def test_windows_cover_the_text_and_share_stride_tokens_but_half_at_most(count: int, stride: int) -> None:
    text = words(count)
    whole = TOKENIZER.encode_bare(text).ids
    step = 8 - min(stride, 4)
    windows = encode_windows(TOKENIZER, [text], Limits(10, "stride", stride), with_offsets=True)
    assert [window.first for window in windows] == [i * step for i in range(len(windows))]
    for window in windows:
        assert window.ids == [CLS, *whole[window.first : window.first + 8], SEP]
        for place in window.part(0):
            assert window.encoding is not None
            start, end = window.encoding.offsets[place]
            assert TOKENIZER.encode_bare(text[start:end]).ids == [window.ids[place]]
    assert windows[-1].first + len(windows[-1].ids) - 2 == count


def test_windows_of_a_pair_repeat_the_first_text() -> None:
    question, context = words(3, 1), words(20, 2)
    windows = encode_windows(TOKENIZER, ["the", (question, context)], Limits(12, "stride", 2), with_offsets=True)
    head = [CLS, *TOKENIZER.encode_bare(question).ids, SEP]
    for window in windows[1:]:
        assert window.index == 1
        assert window.ids[:5] == head
        assert window.type_ids == [0] * 5 + [1] * (len(window.ids) - 5)
        assert list(window.part(0)) == [1, 2, 3]
        assert window.part(1).start == 5


@pytest.mark.parametrize(
    ("text", "limits", "message"),
    [
        (
            (words(7), words(20)),
            Limits(10, "stride", 2),
            "input 0: its first text has 7 tokens, which leaves",
        ),
        ((words(20), "the"), Limits(10, "stride", 0), "leaves a window no room for the second"),
        (words(20), Limits(2, "truncate", 0), "leaves input 0 no room"),
    ],
)
def test_windows_that_cannot_move_are_refused(text: object, limits: Limits, message: str) -> None:
    with pytest.raises(InputError, match=message):
        encode_windows(TOKENIZER, [text], limits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, "error", 1), "max_length is 0"),
        ((9, "cut", 1), "on_overflow is 'cut'"),
        ((9, "stride", -1), "stride is -1"),
    ],
)
def test_limits_that_make_no_sense_are_refused(arguments: tuple[int, str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Limits(*arguments)


@pytest.mark.parametrize("count", [5, 8, 9, 23, 40])
@pytest.mark.parametrize("stride", [0, 1, 4, 5, 7])
def test_each_token_is_answered_for_once_by_a_window_that_shows_it_well(count: int, stride: int) -> None:
    windows = encode_windows(TOKENIZER, [words(count)], Limits(10, "stride", stride), with_offsets=True)
    counts = [len(window.part(0)) for window in windows]
    owned = own_tokens(windows, counts)
    assert [token for own in owned for token in own] == list(range(count))

    def context(number: int, token: int) -> int:
        first, last = windows[number].first, windows[number].first + counts[number] - 1
        # A text's own ends are no edge: nothing is missing there.
        left = token - first if number else count
        right = last - token if number + 1 < len(windows) else count
        return min(left, right)

    for number, own in enumerate(owned):
        for token in own:
            assert windows[number].first <= token < windows[number].first + counts[number]
            best = max(context(n, token) for n in range(len(windows)))
            assert context(number, token) >= best - 1
