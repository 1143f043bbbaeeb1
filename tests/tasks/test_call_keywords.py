"""Keywords of every public call: what they are, what they change, and what is refused."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, get_type_hints

import numpy as np
import pytest

from mobilebert_rt import (
    CancelToken,
    FillMask,
    InputError,
    Model,
    QuestionAnswerer,
    TextClassifier,
    TextEmbedder,
    TokenClassifier,
)
from mobilebert_rt.text.task import TextTask
from tests.small_models.text import random_words
from tests.tasks.conftest import Make

LONG = random_words(60)
TASKS: dict[type[TextTask[Any]], tuple[str, Any]] = {
    TextEmbedder: ("Model", "a cat"),
    TextClassifier: ("ForSequenceClassification", "a cat"),
    TokenClassifier: ("ForTokenClassification", "a cat"),
    QuestionAnswerer: ("ForQuestionAnswering", ("who", "a cat")),
    FillMask: ("ForMaskedLM", "a [MASK]"),
}
LOADING = {"precision", "num_threads", "isa", "cache", "download", "revision"}
OF_ALL = {"max_length", "on_overflow", "max_batch_tokens", "batch_size", "progress", "timeout", "cancel"}


def keywords_of(function: Callable[..., Any]) -> set[str]:
    parameters = inspect.signature(function).parameters.values()
    assert not [p for p in parameters if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    return {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}


def call(task: Any, given: Any, **keywords: Any) -> Any:
    return task(*given, **keywords) if isinstance(task, QuestionAnswerer) else task(given, **keywords)


@pytest.mark.parametrize("kind", TASKS)
def test_signatures_show_every_keyword(kind: type[TextTask[Any]]) -> None:
    of_constructor = keywords_of(kind)
    of_call = keywords_of(kind.__call__)
    assert of_call >= OF_ALL | (of_constructor - {"tokenizer"})
    assert keywords_of(kind.stream) == of_call
    assert keywords_of(kind.from_pretrained) == of_constructor | LOADING
    for keyword in of_call:
        assert re.search(rf"\b{keyword}\b", kind.__call__.__doc__ or ""), keyword
        assert re.search(rf"\b{keyword}\b", f"{kind.__doc__}{kind.__call__.__doc__}{TextTask.__doc__}"), keyword


@pytest.mark.parametrize("kind", [TextClassifier, TokenClassifier, QuestionAnswerer, FillMask])
def test_overloads_take_the_keywords_of_the_call(kind: type[TextTask[Any]]) -> None:
    module = inspect.getmodule(kind)
    (options,) = [
        value for name, value in vars(module).items() if re.fullmatch("(Answer|Classify|Fill|Tag)Options", name)
    ]
    assert set(get_type_hints(options)) == keywords_of(kind.__call__)


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("max_lenght", "max_length"),
        ("onoverflow", "on_overflow"),
        ("time_out", "timeout"),
        ("truncation", "on_overflow"),
        ("show_progress_bar", "progress"),
        ("batchsize", "batch_size"),
    ],
)
def test_unknown_keyword_names_the_nearest_known_one(
    random_model: Make, kind: type[TextTask[Any]], wrong: str, right: str
) -> None:
    head, given = TASKS[kind]
    task: Any = kind(random_model(head))
    message = rf"found the keyword '{wrong}'; expected one of .*Did you mean '{right}'\?"
    with pytest.raises(TypeError, match=rf"{kind.__name__}\.__call__: {message}"):
        call(task, given, **{wrong: 1})
    with pytest.raises(TypeError, match=rf"{kind.__name__}\.stream: {message}"):
        task.stream([given], **{wrong: 1})
    if right in keywords_of(kind):
        with pytest.raises(TypeError, match=rf"{kind.__name__}: {message}"):
            kind(task.model, **{wrong: 1})
        with pytest.raises(TypeError, match=rf"{kind.__name__}\.from_pretrained: {message}"):
            kind.from_pretrained("nowhere", **{wrong: 1})


def test_model_names_the_nearest_known_keyword(random_model: Make) -> None:
    with pytest.raises(TypeError, match=r"Model\.__call__: found the keyword 'output_hidden'.*'output_hidden_states'"):
        random_model()([[2, 3]], output_hidden=True)
    with pytest.raises(TypeError, match=r"Model\.from_pretrained: found the keyword 'threads'.*'num_threads'"):
        Model.from_pretrained("nowhere", threads=1)


WRONG_VALUES = [
    ("max_length", "8", "max_length: found '8'; expected a whole number"),
    ("max_length", True, "max_length: found True; expected a whole number"),
    ("max_length", 8.0, "max_length: found 8.0; expected a whole number"),
    ("max_length", 0, "max_length: found 0; expected at least 1"),
    ("max_batch_tokens", "a", "max_batch_tokens: found 'a'; expected a whole number"),
    ("batch_size", 0, "batch_size: found 0; expected at least 1"),
    ("on_overflow", True, "on_overflow: found True; expected error, truncate, stride"),
    ("timeout", "a", "timeout: found 'a'; expected a number of seconds"),
    ("timeout", True, "timeout: found True; expected a number of seconds"),
    ("timeout", -1, "timeout: found -1; expected a number of seconds, 0 or more"),
    ("timeout", float("nan"), "timeout: found nan; expected a number of seconds"),
    ("cancel", 1, "cancel: found 1; expected a CancelToken"),
    ("progress", "yes", "progress: found 'yes'; expected True, False or None"),
    ("progress", 1, "progress: found 1; expected True, False or None"),
]
WRONG_VALUES_OF = {
    TextEmbedder: [
        ("normalize", "no", "normalize: found 'no'; expected True or False"),
        ("normalize", 1, "normalize: found 1; expected True or False"),
        ("pooling", 3, "pooling: found 3; expected a text"),
        ("pooling", "min", "pooling: found 'min'; expected cls, max, mean"),
        ("prompt", 3, "prompt: found 3; expected a text"),
        ("prompt_name", "web", 'prompt_name: found "web"; expected none'),
        ("truncate_dim", 0, "truncate_dim: found 0; expected at least 1"),
        ("stride", -1, "stride: found -1; expected at least 0"),
    ],
    TextClassifier: [
        ("top_k", 0, "top_k: found 0; expected at least 1"),
        ("top_k", "3", "top_k: found '3'; expected a whole number"),
        ("function_to_apply", "tanh", "function_to_apply: found 'tanh'; expected"),
    ],
    TokenClassifier: [
        ("aggregation", 1, "aggregation: found 1; expected"),
        ("ignore_labels", 3, "ignore_labels: found 3; expected a text or a list of texts"),
        ("ignore_labels", [1], "ignore_labels: found 1; expected a text"),
    ],
    QuestionAnswerer: [
        ("n_best", 0, "n_best: found 0; expected at least 1"),
        ("top_k", True, "top_k: found True; expected a whole number"),
        ("max_answer_length", 1.5, "max_answer_length: found 1.5; expected a whole number"),
        ("allow_no_answer", 1, "allow_no_answer: found 1; expected True or False"),
        ("null_threshold", "0", "null_threshold: found '0'; expected a number"),
        ("null_threshold", float("nan"), "null_threshold: found nan; expected a number"),
        ("whole_words", "no", "whole_words: found 'no'; expected True or False"),
        ("doc_stride", 1.0, "doc_stride: found 1.0; expected a whole number"),
    ],
    FillMask: [("top_k", 0, "top_k: found 0; expected at least 1")],
}


@pytest.mark.parametrize(
    ("kind", "name", "value", "message"),
    [(kind, *wrong) for kind in TASKS for wrong in WRONG_VALUES + WRONG_VALUES_OF[kind]],
)
def test_wrong_value_is_refused_by_name(
    random_model: Make, kind: type[TextTask[Any]], name: str, value: object, message: str
) -> None:
    head, given = TASKS[kind]
    task: Any = kind(random_model(head))
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        call(task, given, **{name: value})
    stream = task.stream
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        list(stream([given], **{name: value}))
    if name in keywords_of(kind):
        with pytest.raises(InputError, match=f"^{re.escape(message)}"):
            kind(task.model, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("output_hidden_states", "no", "output_hidden_states: found 'no'; expected True or False"),
        ("output_attentions", 1, "output_attentions: found 1; expected True or False"),
        ("output_logits", "yes", "output_logits: found 'yes'; expected True or False"),
        ("logit_positions", 3, "logit_positions: found 3; expected a list of lists of whole numbers"),
        ("timeout", "a", "timeout: found 'a'; expected a number of seconds"),
        ("timeout", -0.5, "timeout: found -0.5; expected a number of seconds, 0 or more"),
        ("cancel", 1, "cancel: found 1; expected a CancelToken"),
        ("padding", 1, 'padding: found 1; expected "packed" or "hf"'),
    ],
)
def test_wrong_value_of_a_model_call_is_refused_by_name(
    random_model: Make, name: str, value: object, message: str
) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        random_model()([[2, 3]], **{name: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_threads": True}, "num_threads: found True"),
        ({"num_threads": "2"}, "num_threads: found '2'"),
        ({"num_threads": 0}, "num_threads: found 0"),
        ({"isa": 3}, "isa: found 3"),
        ({"precision": 8}, "precision: found 8"),
        ({"progress": True}, "progress: found True"),
    ],
)
def test_wrong_value_of_a_loading_option_is_refused_by_name(
    random_model: Make, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        Model.from_pretrained(random_model().path, **options)


@pytest.mark.parametrize("path", [None, 3, b"model"])
def test_path_of_a_wrong_type_is_refused(path: Any) -> None:
    with pytest.raises(InputError, match=r"path: found .*; expected a str or a Path"):
        Model.from_pretrained(path)


def test_stride_as_long_as_its_window_is_refused(random_model: Make) -> None:
    message = "stride: found 12; expected less than max_length, 12"
    with pytest.raises(InputError, match=message):
        TextEmbedder(random_model(), on_overflow="stride", max_length=12, stride=12)
    embedder = TextEmbedder(random_model(), on_overflow="stride", stride=12)
    with pytest.raises(InputError, match=message):
        embedder(LONG, max_length=12)


def test_options_that_exclude_each_other_are_refused(random_model: Make) -> None:
    with pytest.raises(InputError, match="max_batch_tokens and batch_size are both given"):
        TextEmbedder(random_model())("a", max_batch_tokens=8, batch_size=2)
    with pytest.raises(InputError, match="n_best and top_k are both given"):
        QuestionAnswerer(random_model("ForQuestionAnswering"))("who", "a cat", n_best=1, top_k=2)


@pytest.mark.parametrize(
    ("kind", "given", "options"),
    [
        (TextEmbedder, "a cat was good", {"pooling": "cls"}),
        (TextEmbedder, "a cat was good", {"normalize": True}),
        (TextEmbedder, "a cat was good", {"prompt": "the dog ", "truncate_dim": 5}),
        (TextEmbedder, LONG, {"on_overflow": "truncate"}),
        (TextEmbedder, LONG, {"on_overflow": "truncate", "max_length": 9}),
        (TextEmbedder, LONG, {"on_overflow": "stride", "stride": 3, "max_length": 9, "max_batch_tokens": 10}),
        (TextEmbedder, LONG, {"on_overflow": "stride", "batch_size": 2}),
        (TextClassifier, LONG, {"on_overflow": "truncate", "function_to_apply": "sigmoid"}),
        (TokenClassifier, LONG, {"on_overflow": "stride", "max_length": 9, "aggregation": "none"}),
        (TokenClassifier, "a cat was good", {"ignore_labels": ["LABEL_0"]}),
        (QuestionAnswerer, ("who", LONG), {"max_length": 16, "doc_stride": 4, "whole_words": False}),
        (FillMask, f"a [MASK] {LONG}", {"on_overflow": "stride", "max_length": 9}),
    ],
)
def test_option_of_a_call_is_that_of_a_constructor(
    random_model: Make, kind: type[TextTask[Any]], given: Any, options: dict[str, Any]
) -> None:
    model = random_model(TASKS[kind][0])
    expected = call(kind(model, **options), given)
    task: Any = kind(model)
    np.testing.assert_array_equal(call(task, given, **options), expected)
    np.testing.assert_array_equal(next(iter(task.stream([given], **options))), expected)
    other: Any = kind(model, max_length=7, max_batch_tokens=8, on_overflow="truncate")
    reset = {"max_length": 40, "on_overflow": "error"} | options
    if kind is QuestionAnswerer:
        return
    np.testing.assert_array_equal(call(other, given, **reset), expected)


def test_option_of_a_call_does_not_outlive_it(random_model: Make) -> None:
    embedder = TextEmbedder(random_model(), normalize=False)
    before = embedder("a cat")
    assert not np.array_equal(embedder("a cat", normalize=True), before)
    np.testing.assert_array_equal(embedder("a cat"), before)
    with pytest.raises(InputError, match="tokens with its special tokens"):
        embedder(LONG, on_overflow="error")


def test_top_k_is_n_best(random_model: Make) -> None:
    answerer = QuestionAnswerer(random_model("ForQuestionAnswering"))
    assert len(answerer("who", "a cat was good", top_k=3)) == 3
    assert answerer("who", "a cat was good", top_k=3) == answerer("who", "a cat was good", n_best=3)


def test_batch_size_counts_texts_of_max_length(random_model: Make) -> None:
    assert TextEmbedder(random_model(), max_length=10, batch_size=3).max_batch_tokens == 30
    assert TextEmbedder(random_model(), batch_size=2**62).max_batch_tokens > 2**62


def test_number_types_of_numpy_are_taken(random_model: Make) -> None:
    embedder = TextEmbedder(random_model(), max_length=np.int64(9), on_overflow="truncate")
    assert embedder.limits.max_length == 9
    token = CancelToken()
    assert embedder(LONG, timeout=np.float32(60), normalize=np.True_, cancel=token).shape == (embedder.dimension,)
