"""all-MiniLM-L6-v2 as it was published, from its folder to vectors. Skipped where it cannot be had."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt.text import TextEmbedder
from scripts import published
from scripts.common import UnavailableError
from tests.emulation import import_on_host

TEXTS = [
    "A man is playing a guitar.",
    "Someone plays an instrument.",
    "The stock market fell sharply today.",
    "Share prices dropped.",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return published.minilm_folder(tmp_path_factory.mktemp("minilm"))
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_like_sentences_have_like_vectors(folder: Path, precision: str) -> None:
    embedder = TextEmbedder.from_pretrained(folder, precision=precision)
    assert (embedder.pooling, embedder.normalize, embedder.limits.max_length) == ("mean", True, 256)
    vectors = embedder(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    similarity = vectors @ vectors.T
    assert min(similarity[0, 1], similarity[2, 3]) > 0.3 + similarity[:2, 2:].max()


def test_vectors_are_those_of_transformers(folder: Path) -> None:
    torch = import_on_host("torch")
    transformers = import_on_host("transformers")
    reference = transformers.AutoModel.from_pretrained(folder, local_files_only=True).eval()
    embedder = TextEmbedder.from_pretrained(folder, precision="fp32")
    vectors = embedder(TEXTS)
    for text, vector in zip(TEXTS, vectors, strict=True):
        ids = embedder.tokenizer.encode_batch([text])[0].ids
        with torch.no_grad():
            states = reference(torch.tensor([ids])).last_hidden_state[0].double().numpy()
        expected = states.mean(axis=0)
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=2e-6)
