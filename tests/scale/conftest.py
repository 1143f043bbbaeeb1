"""Texts and expected vectors for Ray and Spark; small models of the other tasks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyspark
import pytest

from mobilebert_rt import convert
from tests.docs.conftest import inside, models
from tests.scale import rows
from tests.small_models import save_folder

__all__ = ["inside", "models"]

MODELS: dict[str, dict[str, Any]] = {
    "classify": {"head": "ForSequenceClassification", "labels": ["bad", "good"]},
    "zero-shot": {"head": "ForSequenceClassification", "labels": ["contradiction", "neutral", "entailment"]},
    "tag": {"head": "ForTokenClassification"},
}


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What Ray's and Spark's processes find; a JVM lives as long as this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("SPARK_HOME", os.path.dirname(pyspark.__file__))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("SPARK_WORKER_DIR", str(tmp_path_factory.mktemp("workers")))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        yield


@pytest.fixture(scope="session")
def texts() -> list[str | None]:
    return rows.make_texts()


@pytest.fixture(scope="session")
def source(texts: list[str | None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rows.write_source(tmp_path_factory.mktemp("rows") / "source", texts)


@pytest.fixture(scope="session")
def vectors(texts: list[str | None]) -> np.ndarray:
    return rows.vectors_in_one_process(texts)


@pytest.fixture(scope="session")
def task_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model file for each task that the default model does not do."""
    folder = tmp_path_factory.mktemp("models")
    for task, options in MODELS.items():
        convert(save_folder(folder / task, **options), folder / f"{task}.safetensors")
    return {task: folder / f"{task}.safetensors" for task in MODELS}
