"""Vectors over HTTP are those of the library, bit for bit."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import TextEmbedder
from tests.server.process import Server
from tests.small_models.sentence import save_sentence_folder
from tests.small_models.text import random_words

TEXTS = ["the cat", "a dog in paris", "", *(random_words(n, n) for n in range(1, 25))]
LONG = random_words(60)


@pytest.fixture(scope="module")
def embedder(models: dict[str, Path]) -> TextEmbedder:
    return TextEmbedder.from_pretrained(models["embed"])


def float32(found: Any) -> Any:
    return np.array(found, np.float32)


@pytest.mark.parametrize("inputs", ["the cat", TEXTS], ids=["one", "many"])
def test_embed_gives_the_bits_of_the_library(server: Server, embedder: TextEmbedder, inputs: Any) -> None:
    texts = [inputs] if isinstance(inputs, str) else inputs
    found = server.post("/embed", {"inputs": inputs})
    np.testing.assert_array_equal(float32(found), embedder(texts), strict=True)


def test_embed_takes_the_options_of_tei(server: Server, embedder: TextEmbedder) -> None:
    found = server.post(
        "/embed",
        {"inputs": [LONG], "normalize": False, "truncate": True, "truncation_direction": "Right", "dimensions": 8},
    )
    expected = embedder([LONG], normalize=False, on_overflow="truncate", truncate_dim=8)
    np.testing.assert_array_equal(float32(found), expected, strict=True)


def test_embed_all_gives_a_vector_for_each_token(server: Server, embedder: TextEmbedder) -> None:
    found = server.post("/embed_all", {"inputs": TEXTS})
    for mine, expected in zip(found, embedder.token_vectors(TEXTS), strict=True):
        np.testing.assert_array_equal(float32(mine), expected, strict=True)


@pytest.mark.parametrize("name", ["query", None])
def test_prompt_name_puts_the_prompt_before_each_text(
    start: Callable[..., Server], tmp_path: Path, name: str | None
) -> None:
    folder = save_sentence_folder(tmp_path / "prompts", settings={"prompts": {"query": "who "}})
    server = start(folder, "--precision", "fp32")
    embedder = TextEmbedder.from_pretrained(folder, precision="fp32")
    texts = TEXTS[:2] if name is None else [f"who {text}" for text in TEXTS[:2]]
    body = {"inputs": TEXTS[:2], "prompt_name": name}
    np.testing.assert_array_equal(float32(server.post("/embed", body)), embedder(texts, normalize=True), strict=True)
    for mine, expected in zip(server.post("/embed_all", body), embedder.token_vectors(texts), strict=True):
        np.testing.assert_array_equal(float32(mine), expected, strict=True)
    assert server.post("/embed_all", body | {"prompt_name": "no"}, 422)["error"].startswith("prompt_name: found 'no'")


def test_similarity_is_the_cosine(server: Server, embedder: TextEmbedder) -> None:
    found = server.post("/similarity", {"inputs": {"source_sentence": TEXTS[0], "sentences": TEXTS[1:]}})
    vectors = embedder(TEXTS)
    np.testing.assert_array_equal(float32(found), embedder.similarity(vectors[:1], vectors[1:])[0])
    np.testing.assert_allclose(found, vectors[1:].astype(np.float64) @ vectors[0], atol=1e-6)


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_openai_gives_the_bits_of_the_library(server: Server, embedder: TextEmbedder, encoding: str) -> None:
    found = server.post("/v1/embeddings", {"input": TEXTS, "model": "embed", "encoding_format": encoding})
    rows = [one["embedding"] for one in found["data"]]
    if encoding == "base64":
        rows = [np.frombuffer(base64.b64decode(row), "<f4") for row in rows]
    np.testing.assert_array_equal(float32(rows), embedder(TEXTS), strict=True)
    assert [one["index"] for one in found["data"]] == list(range(len(TEXTS)))
    tokens = sum(embedder.count_tokens(TEXTS))  # type: ignore[arg-type]
    assert found["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}
    assert (found["object"], found["model"], found["data"][0]["object"]) == ("list", "embed", "embedding")


def test_root_is_the_route_of_the_first_model(server: Server) -> None:
    assert server.post("/", {"inputs": TEXTS[:2]}) == server.post("/embed", {"inputs": TEXTS[:2]})


def test_path_and_body_choose_the_model(server: Server, models: dict[str, Path]) -> None:
    expected = TextEmbedder.from_pretrained(models["sentiment"])(["the cat"], normalize=True)
    for path, body in (("/models/sentiment/embed", {}), ("/embed", {"model": "sentiment"})):
        found = server.post(path, {"inputs": "the cat"} | body)
        np.testing.assert_array_equal(float32(found), expected, strict=True)


def test_long_text_is_refused_unless_it_is_truncated(server: Server) -> None:
    error = server.post("/embed", {"inputs": ["the cat", LONG]}, 422)
    assert error["error_type"] == "tokenizer"
    assert error["error"].startswith("input 1: found 62 tokens; expected at most 30.")
    error = server.post("/v1/embeddings", {"input": LONG, "model": "embed"}, 422)["error"]
    assert (error["type"], error["code"]) == ("tokenizer", 422)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dimensions": 9999}, "dimensions: found 9999; expected at most 24"),
        ({"prompt_name": "query"}, "prompt_name: found 'query'"),
        ({"inputs": []}, "inputs: found an empty list"),
        ({"inputs": [3]}, "Expected `str`, got `int` - at `$.inputs[0]`"),
        ({"inputs": ["the cat", "a \ud800"]}, "body: found malformed JSON"),
        ({"truncation_direction": "Left"}, "Invalid enum value 'Left'"),
    ],
)
def test_wrong_value_is_named(server: Server, change: dict[str, Any], words: str) -> None:
    error = server.post("/embed", {"inputs": "the cat"} | change, 422)
    assert words in error["error"]
    assert error["error_type"] in ("validation", "tokenizer")
