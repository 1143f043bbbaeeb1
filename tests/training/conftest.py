"""Fixtures of the tests of fine-tuning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.text import documents


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random MobileBERT with a tokenizer of the made-up text."""
    from tests.training.small import STUDENT, models, spread, torch  # noqa: PLC0415 - skips without torch

    tokenizers = pytest.importorskip("mbrt_train.data.tokenizer")
    folder = tmp_path_factory.mktemp("model")
    tokenizer = tokenizers.learn_tokenizer(documents(200), 120)
    tokenizers.save_tokenizer(tokenizer, folder)
    torch.manual_seed(3)
    body = models.Encoder(replace(STUDENT, vocab_size=tokenizer.get_vocab_size()))
    models.save(spread(body), folder)
    return folder
