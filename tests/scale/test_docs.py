"""The Python blocks of docs/scale.md and the examples of the Spark module work as they stand."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest
from pyspark.sql import SparkSession

from mobilebert_rt.integrations import spark
from tests import interpreter
from tests.docs.pages import SCALE, blocks
from tests.docs.test_docstrings import run_examples
from tests.scale.rows import SECONDS

# Room for two actors and for reading and writing, whatever this machine has.
RAY = "import ray\nray.init('local', num_cpus=3, object_store_memory=256 << 20)\n"


def test_python_blocks_run_and_write_the_vectors(inside: Path) -> None:
    """In a process of their own, whose Java and Ray processes start in the folder of the documents."""
    code = RAY + "\n".join(block.text for block in blocks(SCALE) if block.language == "python")
    done = subprocess.run(
        interpreter.command("-c", code), cwd=inside, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    for folder in ("ray-vectors", "spark-vectors"):
        assert pyarrow.parquet.read_table(inside / folder)["vector"].null_count == 0


@pytest.fixture
def local_spark() -> Iterator[None]:
    """One CPU. The builder keeps the settings of other tests."""
    builder = SparkSession.builder.master("local[1]").config("spark.task.cpus", "1")
    session = builder.config("spark.ui.enabled", "false").getOrCreate()
    yield
    session.stop()


@pytest.mark.usefixtures("local_spark")
def test_examples_run() -> None:
    run_examples(spark)
