"""What may be given to a task as text or texts, and what is refused."""

from __future__ import annotations

import re
from collections import UserDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import FillMask, InputError, QuestionAnswerer, TextClassifier, TextEmbedder, TokenClassifier
from tests.emulation import import_on_host
from tests.tasks.conftest import Make

TEXTS = ["the cat", "good", "a"]


class Column:
    """A column as pandas and polars give it: it iterates over its values and has no length."""

    ndim = 1

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)


class ArrowColumn:
    """A column as pyarrow gives it: its items are no str."""

    def __iter__(self) -> Iterator[Any]:
        return iter([object()])

    def to_pylist(self) -> list[str]:
        return TEXTS


class DataFrame:
    """A table as pandas and polars give it: it iterates over its columns."""

    ndim = 2
    shape = (3, 1)

    @property
    def columns(self) -> list[str]:
        return ["text"]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.columns)


SEVERAL = {
    "list": lambda: TEXTS,
    "generator": lambda: (text for text in TEXTS),
    "map": lambda: map(str, TEXTS),
    "keys of a dict": lambda: dict.fromkeys(TEXTS).keys(),
    "numpy array of str": lambda: np.array(TEXTS),
    "numpy array of objects": lambda: np.array(TEXTS, dtype=object),
    "column": lambda: Column(TEXTS),
    "pyarrow column": ArrowColumn,
    "list of mappings": lambda: [{"text": text} for text in TEXTS],
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_texts_in_any_container(random_model: Make, name: str) -> None:
    embedder = TextEmbedder(random_model())
    expected = embedder(TEXTS)
    np.testing.assert_array_equal(embedder(SEVERAL[name]()), expected)
    np.testing.assert_array_equal(list(embedder.stream(SEVERAL[name]())), expected)
    assert embedder.count_tokens(SEVERAL[name]()) == embedder.count_tokens(TEXTS)
    assert embedder.sequences(SEVERAL[name]()) == embedder.sequences(TEXTS)
    assert embedder.tokenizer.encode_batch(SEVERAL[name]()) == embedder.tokenizer.encode_batch(TEXTS)


def test_columns_of_pandas_and_polars(random_model: Make) -> None:
    pandas, polars = import_on_host("pandas"), import_on_host("polars")
    tokenizer = TextEmbedder(random_model()).tokenizer
    expected = tokenizer.encode_batch(TEXTS)
    for column in (
        pandas.Series(TEXTS),
        pandas.Index(TEXTS),
        pandas.Series(TEXTS, index=[7, 8, 9]),
        polars.Series(TEXTS),
    ):
        assert tokenizer.encode_batch(column) == expected
    for table in (pandas.DataFrame({"text": TEXTS}), polars.DataFrame({"text": TEXTS})):
        with pytest.raises(InputError, match="found DataFrame, a table"):
            tokenizer.encode_batch(table)


@pytest.mark.parametrize(
    "pair", [("the cat", "good"), {"text": "the cat", "text_pair": "good"}, UserDict(text="the cat", text_pair="good")]
)
def test_pair_is_a_tuple_or_a_mapping(random_model: Make, pair: Any) -> None:
    classifier = TextClassifier(random_model("ForSequenceClassification"))
    expected = classifier([("the cat", "good")])[0]
    assert classifier(pair) == expected
    assert classifier([pair, pair]) == [expected, expected]
    assert list(classifier.stream([pair])) == [expected]
    assert classifier({"text": "good"}) == classifier("good")


WRONG_CONTAINERS = [
    (None, "texts: found NoneType; expected a str, a pair of them as a tuple, or a list"),
    (3, "texts: found int"),
    (b"text", "texts: found bytes; expected str. Decode it"),
    (bytearray(b"text"), "texts: found bytearray; expected str"),
    ({"good", "bad"}, "texts: found set, which has no order"),
    (frozenset({"good"}), "texts: found frozenset, which has no order"),
    ({}, "texts: found dict with no keys; expected a str, or the keys text and text_pair"),
    ({"good": 1, "bad": 2}, "texts: found dict with good, bad; expected a str, or the keys text and text_pair"),
    ({"text": "a", "label": 1}, "texts: found dict with text, label"),
    (
        UserDict(input_ids=[2, 3], attention_mask=[1, 1]),
        "texts: found UserDict with input_ids, attention_mask; expected a str, or the keys text and text_pair. Token "
        "ids are for a Model",
    ),
    (
        DataFrame(),
        "texts: found DataFrame, a table; expected a list, a generator or a column of texts. Give one column",
    ),
    (np.array([["a"], ["b"]]), "texts: found ndarray of shape (2, 1)"),
    (np.array("a"), "texts: found ndarray of shape ()"),
    ({"text": None}, "input 0 is NoneType, not text"),
    ({"text": b"a"}, "input 0 is bytes, not text. Decode it"),
    (("a", "b", "c"), "input 0 is a tuple of 3 items. A tuple is a pair of two texts; give several texts as a list"),
    (("a", 3), "input 0 is int, not text"),
    (["a", 3], "input 1 is int, not text"),
    (["a", None], "input 1 is NoneType, not text"),
    (["a", float("nan")], "input 1 is float, not text"),
    (["a", b"b"], "input 1 is bytes, not text. Decode it"),
    (["a", ["b", "c"]], "input 1 is list, not text. Give a str, or a pair of them as a tuple"),
    (["a", {"question": "b"}], "input 1: found dict with question; expected a str, or the keys text and text_pair"),
    (np.array([1, 2]), "input 0 is numpy.int64, not text"),
    (np.array([b"a"]), "input 0 is bytes, not text. Decode it"),
]
FOR_STREAMS = [
    ("text", "texts: found one str; expected a list, a generator or a column of texts. Put it into a list"),
    (("a", "b"), "texts: found one tuple"),
    ({"text": "a"}, "texts: found one dict"),
]


@pytest.mark.parametrize("head", ["Model", "ForSequenceClassification", "ForTokenClassification", "ForMaskedLM"])
@pytest.mark.parametrize(("given", "message"), WRONG_CONTAINERS, ids=range(len(WRONG_CONTAINERS)))
def test_wrong_container_is_refused_by_name(random_model: Make, head: str, given: Any, message: str) -> None:
    kinds = {"Model": TextEmbedder, "ForSequenceClassification": TextClassifier, "ForMaskedLM": FillMask}
    task: Any = kinds.get(head, TokenClassifier)(random_model(head))
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        task(given)
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        task.count_tokens(given)


@pytest.mark.parametrize(("given", "message"), FOR_STREAMS)
def test_one_text_is_refused_where_several_are_expected(random_model: Make, given: Any, message: str) -> None:
    embedder = TextEmbedder(random_model())
    for several in (embedder.stream, embedder.sequences, embedder.tokenizer.encode_batch):
        with pytest.raises(InputError, match=re.escape(message)):
            several(given)


def test_wrong_item_of_a_stream_has_its_own_number(random_model: Make) -> None:
    embedder = TextEmbedder(random_model(), max_batch_tokens=8)
    with pytest.raises(InputError, match="input 400 is int, not text"):
        list(embedder.stream(["the cat was good"] * 400 + [3]))
    with pytest.raises(InputError, match="input 400: found dict with key"):
        list(embedder.stream(["the cat was good"] * 400 + [{"key": 3}]))


@pytest.mark.parametrize("kind", ["ForTokenClassification", "ForMaskedLM"])
def test_pair_is_refused_by_tasks_of_single_texts(random_model: Make, kind: str) -> None:
    task: Any = {"ForTokenClassification": TokenClassifier, "ForMaskedLM": FillMask}[kind](random_model(kind))
    for pair in (("a", "b"), {"text": "a", "text_pair": "b"}):
        with pytest.raises(InputError, match="input 0 is a pair of texts; this task reads single texts"):
            task(pair)


@pytest.mark.parametrize(
    ("question", "context", "message"),
    [
        ("who", ["a cat"], "context: found list; expected a str, as the question is"),
        (["who"], 3, "context: found int"),
        (3, "a cat", "question: found int"),
        ({"who"}, "a cat", "question: found set, which has no order"),
        ({"question": "who"}, "a cat", "question: found one dict"),
        (b"who", "a cat", "question: found bytes"),
        (["who", "who"], ["a cat"], "context: found 1 contexts; expected 2"),
        (["who"], [None], "input 0 is NoneType, not text"),
    ],
)
def test_wrong_question_or_context_is_refused(random_model: Make, question: Any, context: Any, message: str) -> None:
    answerer = QuestionAnswerer(random_model("ForQuestionAnswering"))
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        answerer(question, context)
