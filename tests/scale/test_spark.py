"""Spark on a local cluster of two workers: every row once, with the bits of one process, though an executor is lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from pyspark.errors import PythonException
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf

from mobilebert_rt import InputError, default_model_path
from mobilebert_rt.integrations import spark as integration
from mobilebert_rt.integrations.spark import texts_udf
from tests.scale import tasks
from tests.scale.rows import FILES, check_result, is_alive, kill_tree, run_and_kill

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.task.cpus": "2",
    "spark.sql.files.maxPartitionBytes": "100000",  # a partition for each file
}


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    """Two workers of two CPUs and 1 GiB each; the default model as a file that is shipped to them."""
    builder = SparkSession.builder.master("local-cluster[2,2,1024]")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.addFile(str(default_model_path()))
    yield session
    session.stop()


def executors(spark: SparkSession) -> list[psutil.Process]:
    """Their JVMs, which the workers in the driver have started."""
    driver = psutil.Process(spark.sparkContext._gateway.proc.pid)
    return [one for one in driver.children() if is_alive(one) and one.name() == "java"]


@pytest.mark.parametrize("task", tasks.OPTIONS)
def test_results_are_those_of_one_process(spark: SparkSession, task: str, task_models: dict[str, Path]) -> None:
    spark.sparkContext.addFile(str(task_models[task]))
    documents = spark.createDataFrame([(text,) for text in tasks.TEXTS], "body string")
    udf = texts_udf(task, task_models[task].name, **tasks.OPTIONS[task])
    found = documents.select(udf("body").alias("found")).collect()
    records = [None if row.found is None else [one.asDict() for one in row.found] for row in found]
    assert records == tasks.expected(task, task_models[task])


def test_model_is_loaded_once_in_a_python_worker(spark: SparkSession) -> None:
    def probe(parts: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for vectors in parts:
            cache = integration._loaded.cache_info()
            yield pd.Series([f"{os.getpid()} {cache.misses} {cache.hits}"] * len(vectors))

    documents = spark.createDataFrame([(f"text {i}",) for i in range(8)], "text string").repartition(8)
    embed = texts_udf("embed", Path(default_model_path()).name, truncate_dim=8)
    found = documents.select(pandas_udf(probe, "string")(embed("text")).alias("found")).collect()
    counts = [tuple(map(int, row.found.split())) for row in found]
    by_process: dict[int, list[int]] = {}
    for process, misses, _ in counts:
        by_process.setdefault(process, []).append(misses)
    assert all(len(set(misses)) == 1 for misses in by_process.values())
    assert max(hits for _, _, hits in counts) >= 1


def test_column_without_strings_is_named(spark: SparkSession) -> None:
    with pytest.raises(PythonException, match="column: found values of type int32; expected strings"):
        spark.sql("SELECT 1 AS text").select(texts_udf("embed", "default")("text")).collect()


def test_option_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(InputError, match="options: Object of type Event is not JSON serializable; expected strings"):
        texts_udf("embed", "default", cancel=threading.Event())


def test_every_row_once_when_an_executor_is_lost(
    spark: SparkSession, source: Path, texts: list[str | None], vectors: np.ndarray, tmp_path: Path
) -> None:
    target = tmp_path / "vectors"
    documents = spark.read.parquet(str(source))
    assert documents.rdd.getNumPartitions() == FILES
    embed = texts_udf("embed", Path(default_model_path()).name)
    made = documents.withColumn("vector", embed("text"))

    killed: list[psutil.Process] = []

    def is_under_way() -> bool:
        return len(list(target.glob("_temporary/0/task_*"))) >= 5 and len(executors(spark)) == 2

    def kill() -> None:
        killed.append(executors(spark)[0])
        kill_tree(killed[0])

    run_and_kill(lambda: made.write.parquet(str(target)), is_under_way, kill)
    assert len(killed) == 1
    check_result(target, texts, vectors)
