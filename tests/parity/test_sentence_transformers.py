"""Folders of sentence-transformers against the library: every vector and score equal, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mobilebert_rt import Model, Reranker, TextClassifier, TextEmbedder
from tests.small_models.sentence import (
    ACTIVATION,
    DROPOUT,
    IDENTITY,
    LAYER_NORM,
    NORMALIZE,
    dense,
    save_cross_encoder,
    save_sentence_folder,
)
from tests.small_models.text import random_words

library = pytest.importorskip("sentence_transformers")

TOLERANCE = 2e-5
ODD = [
    "",
    " ",
    "\t\n",
    "the",
    "THE Cat",
    "Ada LOVELACE lived in Paris!",
    "\u5317\u4eac \U0001f600",
    "e\u0301\u0323 \u00c9ada",
]
ODD += [
    "\u0130stanbul \u03a3\u0391\u03a3",
    "[MASK] [SEP] [PAD]",
    "\x00\x1b\u200d",
    "a" * 120,
    "-" * 60,
    "who ",
    "query: who wrote notes",
]
TEXTS = ODD + [random_words(int(n), int(n)) for n in np.random.default_rng(0).integers(1, 60, 50 - len(ODD))]

MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
PROMPTS = {"prompts": {"query": "who wrote ", "passage": "notes by "}}
CASED = {"tokenizer": {"do_lower_case": False}}
NO_LIMIT = {"max_position_embeddings": 128}

GRID: dict[str, dict[str, Any]] = {
    **{f"pooling_{mode}": {"pooling": [mode]} for mode in MODES},
    **{f"pooling_{mode}_v4": {"pooling": [mode], "version": 4} for mode in MODES},
    "joined": {"pooling": ["mean", "cls", "max"]},
    "joined_v4": {"pooling": ["mean", "lasttoken", "max"], "version": 4},
    "normalize": {"modules": [NORMALIZE]},
    "normalize_v2": {"modules": [NORMALIZE], "version": 2},
    "dropout": {"modules": [DROPOUT, NORMALIZE, DROPOUT]},
    "dense_tanh": {"modules": [dense(12)]},
    "dense_relu": {"modules": [dense(40, ACTIVATION + "ReLU", bias=False), NORMALIZE], "version": 4},
    "dense_gelu": {"modules": [dense(17, ACTIVATION + "GELU")]},
    "dense_silu": {"modules": [dense(17, ACTIVATION + "SiLU")]},
    "dense_relu6": {"modules": [dense(17, ACTIVATION + "ReLU6")]},
    "dense_identity": {"modules": [dense(7, IDENTITY, bias=False), NORMALIZE]},
    "dense_residual": {"modules": [dense(24, use_residual=True), dense(9, use_residual=True)]},
    "joined_dense": {"pooling": ["cls", "mean"], "modules": [dense(20, IDENTITY), LAYER_NORM, NORMALIZE]},
    "layer_norm": {"modules": [LAYER_NORM]},
    "layer_norm_v4": {"modules": [LAYER_NORM, NORMALIZE], "version": 4},
    "normalize_dense": {"modules": [NORMALIZE, dense(12), NORMALIZE, LAYER_NORM]},
    "subfolder": {"subfolder": "0_Transformer", "version": 2, "max_tokens": 20, "modules": [dense(5)]},
    "limit": {"max_tokens": 32} | NO_LIMIT,
    "limit_64": {"max_tokens": 64} | NO_LIMIT,
    "limit_v4": {"version": 4, "max_tokens": 32} | NO_LIMIT,
    "limit_none_v4": {"version": 4} | NO_LIMIT,
    "limit_512_v4": {"version": 4, "max_tokens": 512, "max_position_embeddings": 512},
    "prompts": {"settings": PROMPTS},
    "default_prompt": {"settings": PROMPTS | {"default_prompt_name": "passage"}},
    "default_prompt_query": {"settings": {"default_prompt_name": "query"}},
    **{
        f"prompt_not_pooled_{mode}": {
            "pooling": [mode],
            "include_prompt": False,
            "settings": PROMPTS | {"default_prompt_name": "query"},
        }
        for mode in MODES
    },
    "long_prompt_not_pooled": {
        "include_prompt": False,
        "settings": {"prompts": {"p": "the cat " * 40}, "default_prompt_name": "p"},
    },
    "truncate_dim": {"settings": {"truncate_dim": 5}},
    "truncate_after_normalize": {"settings": {"truncate_dim": 5}, "modules": [NORMALIZE]},
    "truncate_larger": {"settings": {"truncate_dim": 99}, "modules": [dense(7)]},
    "lower_case": {"lower_case": True} | CASED,
    "lower_case_v4": {"lower_case": True, "version": 4} | CASED,
    "lower_case_already": {"lower_case": True},
    "cased": CASED,
    "lower_case_with_accents": {"lower_case": True, "tokenizer": {"do_lower_case": False, "strip_accents": True}},
    "distilbert": {"family": "distilbert", "pooling": ["weightedmean"], "modules": [dense(8), NORMALIZE]},
    "mobilebert": {"family": "mobilebert", "pooling": ["mean", "max"], "modules": [dense(8), NORMALIZE]},
    "tiny": {"family": "tiny", "version": 4, "modules": [LAYER_NORM]},
    "similarity": {"settings": {"similarity_fn_name": "euclidean"}},
}


def reference(folder: Path, **encode: Any) -> npt.NDArray[np.float32]:
    """Of MobileBERT one text at a time: in transformers a text's vector depends on the padding of its batch."""
    model = library.SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    is_mobilebert = any("mobilebert" in path.read_text() for path in folder.rglob("config.json"))
    batch = 1 if is_mobilebert else len(TEXTS)
    return np.asarray(model.encode(TEXTS, batch_size=batch, show_progress_bar=False, **encode))


def assert_equal(found: npt.ArrayLike, expected: npt.ArrayLike) -> None:
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape
    scale = np.maximum(1, np.abs(expected).max(axis=-1, keepdims=True))
    assert np.abs((found - expected) / scale).max() <= TOLERANCE


@pytest.mark.parametrize("name", GRID)
def test_vectors_are_those_of_the_library(tmp_path: Path, name: str) -> None:
    folder = save_sentence_folder(tmp_path / "m", **GRID[name])
    assert_equal(TextEmbedder.from_pretrained(folder, precision="fp32")(TEXTS), reference(folder))


@pytest.mark.parametrize(
    "options",
    [
        {"prompt_name": "query"},
        {"prompt": "the cat "},
        {"prompt": "", "prompt_name": "query"},
        {"truncate_dim": 3},
        {"truncate_dim": 3, "normalize": True},
        {"normalize": True},
        {"prompt_name": "document"},
    ],
)
def test_options_are_those_of_encode(tmp_path: Path, options: dict[str, Any]) -> None:
    settings = PROMPTS | {"default_prompt_name": "passage", "truncate_dim": 9}
    folder = save_sentence_folder(tmp_path / "m", modules=[NORMALIZE], settings=settings)
    encode = {{"normalize": "normalize_embeddings"}.get(key, key): value for key, value in options.items()}
    assert_equal(TextEmbedder.from_pretrained(folder, precision="fp32", **options)(TEXTS), reference(folder, **encode))


def test_folder_that_the_library_saves_is_read(tmp_path: Path) -> None:
    source = save_sentence_folder(tmp_path / "source", modules=[dense(12), LAYER_NORM, NORMALIZE], settings=PROMPTS)
    model = library.SentenceTransformer(str(source), device="cpu", truncate_dim=8, local_files_only=True)
    model.save_pretrained(str(tmp_path / "saved"))
    embedder = TextEmbedder.from_pretrained(tmp_path / "saved", precision="fp32")
    assert_equal(embedder(TEXTS), model.encode(TEXTS))


CROSS_ENCODERS = [(1, None), (1, ACTIVATION + "Sigmoid"), (1, IDENTITY), (3, IDENTITY)]
CROSS_ENCODERS += [(3, ACTIVATION + "Softmax"), (3, ACTIVATION + "Sigmoid")]
# Version 3 names no activation in such a folder, which is then that of any classifier.
CASES = [(*case, version) for case in CROSS_ENCODERS for version in (3, 4, 6)] + [(3, None, 4), (3, None, 6)]


@pytest.mark.parametrize("version", [4, 6])
def test_limit_of_a_cross_encoder_is_that_of_its_tokenizer(tmp_path: Path, version: int) -> None:
    folder = save_cross_encoder(tmp_path / "m", 1, IDENTITY, version, tokenizer={"model_max_length": 16})
    pairs = [("who wrote", text) for text in TEXTS]
    model = library.CrossEncoder(str(folder), device="cpu", local_files_only=True)
    expected = np.asarray(model.predict(pairs, batch_size=len(pairs), show_progress_bar=False))
    assert_equal(
        TextClassifier.from_pretrained(folder, precision="fp32", on_overflow="truncate").scores(pairs)[:, 0], expected
    )
    assert_equal(
        [found.score for found in Reranker.from_pretrained(folder, precision="fp32").rank("who wrote", TEXTS)],
        np.sort(expected)[::-1],
    )


@pytest.mark.parametrize(("labels", "activation", "version"), CASES)
def test_scores_are_those_of_a_cross_encoder(tmp_path: Path, labels: int, activation: str | None, version: int) -> None:
    folder = save_cross_encoder(tmp_path / "m", labels, activation, version)
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    pairs = [pair for pair in pairs if sum(len(text.split()) for text in pair) < 60]
    model = library.CrossEncoder(str(folder), device="cpu", local_files_only=True)
    expected = np.asarray(model.predict(pairs, batch_size=len(pairs), show_progress_bar=False))
    task = TextClassifier(Model.from_pretrained(folder, precision="fp32"), on_overflow="truncate")
    found = task.scores(pairs)
    assert_equal(found[:, 0] if labels == 1 else found, expected)
