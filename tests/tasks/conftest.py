from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pytest

from mobilebert_rt import Model
from tests.small_models import save_model
from tests.small_models.files import READS_TEXT, write_lookup_model

Make = Callable[..., Model]


@pytest.fixture
def lookup(tmp_path: Path) -> Make:
    """Makes a model whose logits are the rows of a table [vocabulary, labels]: see write_lookup_model."""

    def make(table: npt.ArrayLike, head: str, labels: list[str] | None = None, **options: Any) -> Model:
        metadata = READS_TEXT | options.pop("metadata", {})
        if labels:
            metadata["labels"] = json.dumps(labels)
        return Model.from_pretrained(
            write_lookup_model(tmp_path / "lookup.safetensors", table, head, metadata, **options)
        )

    return make


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes a small random model of a head, such as "ForMaskedLM" or "Model", once for all tests."""
    folder = tmp_path_factory.mktemp("random")
    made: dict[str, Model] = {}

    def make(head: str = "Model", **options: Any) -> Model:
        name = "-".join([head, *(f"{key}_{value}" for key, value in sorted(options.items()))])
        if name not in made:
            made[name] = Model.from_pretrained(save_model(folder / f"{len(made)}.safetensors", head=head, **options))
        return made[name]

    return make
