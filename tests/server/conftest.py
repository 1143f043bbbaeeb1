"""A real `mbrt serve` process with small models, and the library's tasks with the same ones as the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.process import Server
from tests.small_models import save_model

MODELS = {
    "embed": {"family": "bert", "pooling": "mean", "max_tokens": 30},
    "sentiment": {"head": "ForSequenceClassification", "labels": ["bad", "good"]},
    "ranker": {"family": "bert", "head": "ForSequenceClassification", "labels": ["relevance"]},
    "nli": {"head": "ForSequenceClassification", "labels": ["contradiction", "neutral", "entailment"]},
    "ner": {"head": "ForTokenClassification"},
    "squad": {"head": "ForQuestionAnswering"},
    "masked": {"head": "ForMaskedLM"},
}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Paths of the model files by name."""
    folder = tmp_path_factory.mktemp("models")
    return {name: save_model(folder / f"{name}.safetensors", **options) for name, options in MODELS.items()}


@pytest.fixture(scope="session")
def server(models: dict[str, Path]) -> Iterator[Server]:
    """A server with all models."""
    with Server(*map(str, models.values())) as running:
        yield running


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """start(*words, **environment): another server, ended after the test."""
    running: list[Server] = []

    def run(*words: object, **environment: str) -> Server:
        running.append(Server(*map(str, words), **environment))
        return running[-1]

    yield run
    for one in running:
        one.kill()
