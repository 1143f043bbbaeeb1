"""The Python blocks of docs/scale.md and the examples of the Spark module work as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import ray
from pyspark.sql import SparkSession

from mobilebert_rt.integrations import spark
from tests.docs.pages import SCALE, blocks
from tests.docs.test_docstrings import run_examples


@pytest.fixture
def ray_of_three_cpus() -> Iterator[None]:
    ray.init("local", num_cpus=3, object_store_memory=256 << 20, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture
def local_spark() -> Iterator[None]:
    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    yield
    session.stop()


@pytest.mark.usefixtures("ray_of_three_cpus", "local_spark")
def test_python_blocks_run_and_write_the_vectors(inside: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(SCALE):
        if block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.text, str(SCALE), "exec"), names)
    for folder in ("ray-vectors", "spark-vectors"):
        assert pyarrow.parquet.read_table(inside / folder)["vector"].null_count == 0


@pytest.mark.usefixtures("local_spark")
def test_examples_run() -> None:
    run_examples(spark)
