from __future__ import annotations

import json

import numpy as np
import pytest

from mobilebert_rt.errors import InputError, ModelFormatError
from mobilebert_rt.text import TextEmbedder
from tests.text.fake_model import HIDDEN, FakeModel
from tests.text.test_windows import words

TEXTS = ["the cat was not good", "a dog", "", "paris is the capital of france.", ("a cat", "the dogs")]


def reference(model: FakeModel, text: str | tuple[str, str], mode: str, unit: bool) -> np.ndarray:
    tokenizer = TextEmbedder(model).tokenizer
    encoding = tokenizer.encode_batch([text], 0, False)[0]
    states = model.states(encoding.ids, encoding.type_ids).astype(np.float64)
    vector = states.mean(axis=0) if mode == "mean" else states[0]
    return vector / np.linalg.norm(vector) if unit else vector


@pytest.mark.parametrize("mode", ["mean", "cls"])
@pytest.mark.parametrize("unit", [True, False])
def test_pooling_is_what_the_model_says(mode: str, unit: bool) -> None:
    model = FakeModel(metadata={"pooling": json.dumps({"mode": mode, "normalize": unit})})
    vectors = TextEmbedder(model)(TEXTS)
    assert vectors.shape == (5, HIDDEN)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [reference(model, text, mode, unit) for text in TEXTS], rtol=1e-6, atol=1e-7)


def test_arguments_override_the_model() -> None:
    model = FakeModel(metadata={"pooling": json.dumps({"mode": "mean", "normalize": True, "max_tokens": 6})})
    embedder = TextEmbedder(model, pooling="cls", normalize=False, max_length=20)
    np.testing.assert_allclose(embedder(TEXTS[0]), reference(model, TEXTS[0], "cls", False), rtol=1e-6)
    with pytest.raises(InputError, match="more than the 6 allowed"):
        TextEmbedder(model)(words(12))


def test_one_text_gives_one_vector_and_none_gives_no_rows() -> None:
    embedder = TextEmbedder(FakeModel())
    assert embedder("a cat").shape == (HIDDEN,)
    assert embedder(("a cat", "a dog")).shape == (HIDDEN,)
    assert embedder([]).shape == (0, HIDDEN)
    np.testing.assert_array_equal(embedder(["a cat"])[0], embedder("a cat"))


def test_same_bits_alone_in_any_batch_and_streamed() -> None:
    model = FakeModel()
    embedder = TextEmbedder(model, normalize=True, max_batch_tokens=16)
    texts = [words(int(n), int(n)) for n in np.random.default_rng(0).integers(1, 28, 30)]
    batch = embedder(texts)
    assert len(model.calls) > 5
    for i, (text, streamed) in enumerate(zip(texts, embedder.stream(iter(texts)), strict=True)):
        np.testing.assert_array_equal(embedder(text), batch[i])
        np.testing.assert_array_equal(streamed, batch[i])


def test_long_text_is_the_token_weighted_mean_of_its_windows() -> None:
    model = FakeModel()
    embedder = TextEmbedder(model, max_length=10, on_overflow="stride", stride=2)
    vector = embedder(words(13))
    sequences = sorted((call for call in model.calls[0]["ids"]), key=len, reverse=True)
    assert [len(ids) for ids in sequences] == [10, 9]
    means = [model.states(ids, [0] * len(ids)).astype(np.float64).mean(axis=0) for ids in sequences]
    np.testing.assert_allclose(vector, (means[0] * 10 + means[1] * 9) / 19, rtol=1e-6)


def test_masked_lm_computes_no_logits() -> None:
    positions = []

    class Spy(FakeModel):
        def __call__(self, *args: object, **options: object) -> object:
            positions.append(options["logit_positions"])
            return super().__call__(*args, **options)

    TextEmbedder(Spy(head="masked_lm", respond=lambda ids: np.zeros((len(ids), 67))))(["a cat", "the dog was"])
    assert positions == [[[], []]]


@pytest.mark.parametrize("text", ["{", "[]", '{"mode": "mean"}', "3"])
def test_damaged_pooling_is_named(text: str) -> None:
    with pytest.raises(ModelFormatError, match=r'"pooling" is .*should be'):
        TextEmbedder(FakeModel(metadata={"pooling": text}))


def test_unknown_pooling_is_refused() -> None:
    with pytest.raises(InputError, match="pooling is 'max'; it can be mean, cls"):
        TextEmbedder(FakeModel(), pooling="max")
