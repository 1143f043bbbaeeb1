from __future__ import annotations

import numpy as np
import pytest

from mobilebert_rt import InputError, Model, TextEmbedder
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
        TextEmbedder(model)(random_words(12))
    with pytest.raises(InputError, match="pooling: found 'max'; expected mean, cls"):
        TextEmbedder(model, pooling="max")


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
