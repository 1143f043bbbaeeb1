from __future__ import annotations

import json
import logging
import pickle
import re

import numpy as np
import pytest

from mobilebert_rt import CancelledError, CancelToken, InputError, Model, TextEmbedder, TimeoutError
from mobilebert_rt.text import quantize
from mobilebert_rt.text.vectors import OUTPUTS, Output
from tests.small_models.text import random_words
from tests.tasks.conftest import Make

TEXTS = ["the cat was not good", "a dog", "", "paris is the capital of france.", ("a cat", "the dogs")]


def reference(model: Model, text: str | tuple[str, str], mode: str, unit: bool) -> np.ndarray:
    """The vector, from the model's states, in float64."""
    ((ids, types),) = TextEmbedder(model).sequences([text])
    states = model([ids], token_type_ids=[types]).last_hidden_state[0].astype(np.float64)
    vector = states.mean(axis=0) if mode == "mean" else states[0]
    return vector / np.linalg.norm(vector) if unit else vector


@pytest.mark.parametrize("mode", ["mean", "cls"])
@pytest.mark.parametrize("unit", [True, False])
def test_pooling_is_that_of_the_model_file(random_model: Make, mode: str, unit: bool) -> None:
    model = random_model(pooling=mode, normalize=unit)
    task = TextEmbedder(model)
    assert (task.pooling, task.normalize) == (mode, unit)
    vectors = task(TEXTS)
    assert vectors.shape == (len(TEXTS), task.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [reference(model, text, mode, unit) for text in TEXTS], rtol=2e-6, atol=1e-7)


def test_arguments_override_the_model_file(random_model: Make) -> None:
    model = random_model(pooling="mean", max_tokens=6)
    embedder = TextEmbedder(model, pooling="cls", normalize=False, max_length=20)
    np.testing.assert_allclose(embedder("a cat"), reference(model, "a cat", "cls", False), rtol=1e-6)
    with pytest.raises(InputError, match="more than the 6 allowed"):
        TextEmbedder(model, on_overflow="error")(random_words(12))
    for pooling in ("min", "", "max+max", "max+"):
        expected = rf"pooling: found '{re.escape(pooling)}'; expected cls, max, .*joined by \+"
        with pytest.raises(InputError, match=expected):
            TextEmbedder(model, pooling=pooling)
    with pytest.raises(InputError, match="truncate_dim: found 0; expected at least 1"):
        TextEmbedder(model, truncate_dim=0)
    with pytest.raises(InputError, match='prompt_name: found "web"; expected none, the model has no prompts'):
        TextEmbedder(model, prompt_name="web")


def test_one_text_gives_one_vector_and_none_gives_no_rows(random_model: Make) -> None:
    embedder = TextEmbedder(random_model())
    width = embedder.dimension
    assert embedder("a cat").shape == embedder(("a cat", "a dog")).shape == (width,)
    assert embedder([]).shape == (0, width)
    np.testing.assert_array_equal(embedder(["a cat"])[0], embedder("a cat"))


@pytest.mark.parametrize("head", ["Model", "ForMaskedLM", "ForTokenClassification"])
def test_same_bits_alone_in_any_batch_and_streamed(random_model: Make, head: str) -> None:
    embedder = TextEmbedder(random_model(head), normalize=True, max_batch_tokens=16)
    texts = [random_words(int(n), int(n)) for n in np.random.default_rng(0).integers(1, 28, 30)]
    batch = embedder(texts)
    for i, (text, streamed) in enumerate(zip(texts, embedder.stream(iter(texts)), strict=True)):
        np.testing.assert_array_equal(embedder(text), batch[i])
        np.testing.assert_array_equal(streamed, batch[i])


def test_long_text_is_the_token_weighted_mean_of_its_windows(random_model: Make) -> None:
    model = random_model()
    task = TextEmbedder(model, max_length=10, on_overflow="stride", stride=2)
    text = random_words(13)
    windows = task.sequences([text])
    assert [len(ids) for ids, _ in windows] == [10, 9]
    means = [model([ids]).last_hidden_state[0].astype(np.float64).mean(axis=0) for ids, _ in windows]
    np.testing.assert_allclose(task(text), (means[0] * 10 + means[1] * 9) / 19, rtol=2e-6)


def test_lengths_whose_squares_overflow_are_normalised(lookup: Make) -> None:
    scale = np.float32(3e30)
    task = TextEmbedder(lookup(np.full((67, 2), scale) * [1, 0], "none"), normalize=True)
    np.testing.assert_allclose(task("a cat"), [1, 0])


def test_long_texts_are_cut_with_one_warning_for_a_call(random_model: Make, caplog: pytest.LogCaptureFixture) -> None:
    embedder = TextEmbedder(random_model(), max_length=10)
    texts = [random_words(30), "a cat", random_words(9)]
    with caplog.at_level(logging.WARNING, logger="mobilebert_rt"):
        vectors = embedder(texts)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages[0].startswith("texts cut because they have more than 10 tokens: 2;")
    cut = TextEmbedder(random_model(), max_length=10, on_overflow="truncate")
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="mobilebert_rt"):
        np.testing.assert_array_equal(cut(texts), vectors)
        np.testing.assert_array_equal(embedder(texts, on_overflow="truncate"), vectors)
        assert caplog.messages == []  # it was asked for
        list(embedder.stream(texts))
    assert len(caplog.messages) == 1


def test_modules_do_not_fit_another_number_of_modes(lookup: Make) -> None:
    modules = json.dumps([{"type": "normalize"}])
    model = lookup(np.ones((67, 2)), "none", metadata={"modules": modules})
    assert TextEmbedder(model, pooling="cls").dimension == 2
    with pytest.raises(InputError, match=r'pooling: found "cls\+max"; expected 1 modes, as in "mean"'):
        TextEmbedder(model, pooling="cls+max")


@pytest.mark.parametrize("pooling", ["max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", "cls+max"])
def test_pooling_modes_in_float64(random_model: Make, pooling: str) -> None:
    embedder = TextEmbedder(random_model(), pooling=pooling)
    for text in TEXTS:
        states = np.asarray(embedder.token_vectors(text), np.float64)
        weights = np.arange(1, len(states) + 1)
        expected = {
            "max": states.max(axis=0),
            "mean_sqrt_len_tokens": states.sum(axis=0) / np.sqrt(len(states)),
            "weightedmean": weights @ states / weights.sum(),
            "lasttoken": states[-1],
            "cls+max": np.concatenate([states[0], states.max(axis=0)]),
        }[pooling]
        np.testing.assert_allclose(embedder(text), expected, rtol=2e-6, atol=1e-6)
    assert embedder.pooling == pooling


def test_prompt_is_put_before_each_text(random_model: Make) -> None:
    model = random_model()
    plain, prompted = TextEmbedder(model), TextEmbedder(model, prompt="who wrote ")
    np.testing.assert_array_equal(prompted(["notes", ("a", "b")]), plain(["who wrote notes", ("who wrote a", "b")]))
    assert prompted.count_tokens("notes") == plain.count_tokens("who wrote notes")
    assert prompted.sequences(["notes"]) == plain.sequences(["who wrote notes"])
    with pytest.raises(InputError, match="input 1 has"):
        TextEmbedder(model, prompt="who ", on_overflow="error")(["a", random_words(60)])


def test_prompt_is_not_pooled_in_any_window(lookup: Make) -> None:
    table = np.arange(67.0)[:, None]
    pooling = {"mode": "mean", "normalize": False, "include_prompt": False}
    model = lookup(table, "none", metadata={"pooling": json.dumps(pooling)})
    embedder = TextEmbedder(model, prompt="the cat ", on_overflow="stride", stride=0, max_length=4)
    windows = embedder.sequences(["dog film good"])  # [CLS] the cat [SEP], [CLS] dog film [SEP], [CLS] good [SEP]
    assert [len(ids) for ids, _ in windows] == [4, 4, 3]
    kept = [windows[0][0][3:], windows[1][0], windows[2][0]]
    means = [np.mean(ids) for ids in kept]
    np.testing.assert_allclose(embedder("dog film good"), [np.average(means, weights=[4, 4, 3])], rtol=1e-6)


def test_embedder_pickles_with_its_own_options(random_model: Make) -> None:
    ranges = np.stack([-np.ones(22), np.ones(22)])
    embedder = TextEmbedder(random_model(), prompt="who ", truncate_dim=22, output="int8", ranges=ranges)
    copy = pickle.loads(pickle.dumps(embedder))
    np.testing.assert_array_equal(copy("a cat"), embedder("a cat"))
    assert copy("a cat").dtype == np.int8


@pytest.mark.parametrize("output", OUTPUTS)
def test_output_of_a_call_is_that_of_quantize(random_model: Make, output: Output) -> None:
    embedder = TextEmbedder(random_model())
    vectors = embedder(TEXTS)
    np.testing.assert_array_equal(embedder(TEXTS, output=output), quantize(vectors, output))
    assert embedder([], output=output).shape == quantize(vectors[:0], output).shape
    ranges = np.stack([vectors.min(axis=0), vectors.max(axis=0)])
    same = TextEmbedder(embedder.model, output=output, ranges=ranges)
    expected = list(quantize(vectors, output))
    np.testing.assert_array_equal(list(same.stream(TEXTS)), expected)
    np.testing.assert_array_equal(list(embedder.stream(TEXTS, output=output, ranges=ranges)), expected)
    np.testing.assert_array_equal(same(TEXTS, output="float32"), vectors)


def test_wrong_outputs_are_named_before_any_work(random_model: Make) -> None:
    embedder, expected = TextEmbedder(random_model()), "output: found 'int4'; expected float32, int8"
    with pytest.raises(InputError, match=expected):
        TextEmbedder(embedder.model, output="int4")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=expected):
        embedder("a", output="int4")
    with pytest.raises(InputError, match="ranges: output 'int8' of one vector needs them"):
        embedder.stream(["a"], output="int8")
    with pytest.raises(InputError, match=r"ranges: found shape \(2, 3\); expected \(2, 22\)"):
        embedder.stream(["a"], output="uint8", ranges=np.ones((2, 3)))


def test_search_stops(random_model: Make) -> None:
    embedder, cancel = TextEmbedder(random_model()), CancelToken()
    vectors = embedder(TEXTS)
    assert embedder.search(vectors[:1], vectors, 1, timeout=60, cancel=cancel)[1].tolist() == [[0]]
    with pytest.raises(TimeoutError):
        embedder.search(vectors, vectors, timeout=0)
    cancel.cancel()
    with pytest.raises(CancelledError):
        embedder.search(vectors, vectors, cancel=cancel)
    with pytest.raises(InputError, match="timeout: found 'a'; expected a number of seconds"):
        embedder.search(vectors, vectors, timeout="a")  # type: ignore[arg-type]


def test_search_takes_texts_in_any_container(random_model: Make) -> None:
    embedder, texts = TextEmbedder(random_model()), TEXTS[:4]
    vectors = embedder(texts)
    expected = embedder.search(vectors[:1], vectors, 2)[1]
    for corpus in (vectors, vectors.tolist(), texts, iter(texts), np.array(texts), [{"text": text} for text in texts]):
        np.testing.assert_array_equal(embedder.search(texts[0], corpus, 2)[1], expected)
    assert embedder.search(TEXTS, [])[1].shape == (5, 0)
    with pytest.raises(InputError, match="no order"):
        embedder.search(texts[0], set(texts))


def test_token_vectors_take_the_keywords_of_a_call(random_model: Make) -> None:
    embedder = TextEmbedder(random_model())
    for options in ({"prompt": "who "}, {"max_length": 7}, {"max_length": 9, "on_overflow": "stride", "stride": 2}):
        changed = TextEmbedder(embedder.model, **options)
        for one, other in zip(embedder.token_vectors(TEXTS, **options), changed.token_vectors(TEXTS), strict=True):
            np.testing.assert_array_equal(one, other)
    with pytest.raises(TimeoutError):
        embedder.token_vectors(TEXTS, timeout=0)


def test_token_vectors_are_the_last_hidden_states(random_model: Make) -> None:
    model = random_model()
    embedder = TextEmbedder(model, max_batch_tokens=12)
    texts = [random_words(n, n) for n in (1, 9, 3, 20)]
    found = embedder.token_vectors(texts)
    for text, states in zip(texts, found, strict=True):
        ((ids, _),) = embedder.sequences([text])
        np.testing.assert_array_equal(states, model([ids]).last_hidden_state[0])
        np.testing.assert_array_equal(embedder.token_vectors(text), states)
