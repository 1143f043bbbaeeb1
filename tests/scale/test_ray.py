"""Ray Data on a cluster of two nodes: every row once, with the bits of one process, though a node is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow
import pytest
import ray
from ray.cluster_utils import Cluster
from ray.data import ActorPoolStrategy

from mobilebert_rt.integrations.ray import MapTexts, _cpus_of_actor
from tests.scale import tasks
from tests.scale.rows import FILES, check_result, kill_tree, run_and_kill

MEMORY = 256 << 20  # bytes of a node's object store


class Nodes:
    """A head without CPUs and two workers, each with room for one actor of two CPUs and for reading and writing."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.cluster.add_node(num_cpus=0, object_store_memory=MEMORY)
        self.workers = [self._add_worker() for _ in range(2)]
        ray.init(address=self.cluster.address, log_to_driver=False)
        self.cluster.wait_for_nodes()

    def replace_worker(self) -> None:
        """Kills a node; another takes its place, without which the actors that are lost have no room to restart."""
        node = self.workers[0]
        kill_tree(psutil.Process(node.all_processes["raylet"][0].process.pid))
        self.workers[0] = self._add_worker()

    def stop(self) -> None:
        ray.shutdown()
        self.cluster.shutdown()

    def _add_worker(self) -> Any:
        return self.cluster.add_node(num_cpus=3, object_store_memory=MEMORY)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    nodes = Nodes()
    yield nodes
    nodes.stop()


@pytest.mark.parametrize("task", tasks.OPTIONS)
def test_results_are_those_of_one_process(nodes: Nodes, task: str, task_models: dict[str, Path]) -> None:
    table = pyarrow.table({"body": pyarrow.array(tasks.TEXTS, "string"), "n": [3, 2, 1, 0]})
    found = ray.data.from_arrow(table).map_batches(
        MapTexts,
        fn_constructor_args=(task, str(task_models[task])),
        fn_constructor_kwargs={"column": "body", **tasks.OPTIONS[task]},
        batch_format="pyarrow",
        num_cpus=1,
        compute=ActorPoolStrategy(size=1),
    )
    rows = found.take_all()
    assert [row["n"] for row in rows] == [3, 2, 1, 0]
    assert [row[tasks.RESULT_COLUMNS[task]] for row in rows] == tasks.expected(task, task_models[task])


@pytest.mark.parametrize("batch_format", ["numpy", "pandas", "pyarrow"])
def test_batches_of_every_format(nodes: Nodes, batch_format: str) -> None:
    table = pyarrow.table({"text": ["a cat", None], "pair": [[1, 2], [3, 4]]})
    found = ray.data.from_arrow(table).map_batches(
        MapTexts,
        fn_constructor_args=("embed", "default"),
        batch_format=batch_format,
        num_cpus=1,
        compute=ActorPoolStrategy(size=1),
    )
    rows = found.take_all()
    assert (len(rows[0]["vector"]), rows[1]["vector"]) == (384, None)
    assert [list(row["pair"]) for row in rows] == [[1, 2], [3, 4]]


def test_dataset_without_rows(nodes: Nodes) -> None:
    empty = ray.data.from_arrow(pyarrow.table({"text": pyarrow.array([], "string")}))
    found = empty.map_batches(MapTexts, fn_constructor_args=("embed", "default"), batch_format="pyarrow", num_cpus=1)
    assert found.count() == 0


def test_missing_column_is_named(nodes: Nodes) -> None:
    table = pyarrow.table({"body": ["a cat"]})
    found = ray.data.from_arrow(table).map_batches(
        MapTexts, fn_constructor_args=("embed", "default"), batch_format="pyarrow", num_cpus=1
    )
    with pytest.raises(Exception, match="column: found no 'text'; expected one of body"):
        found.take_all()


@pytest.mark.parametrize(("cpus", "threads"), [(2, 2), (1, 1), (0.5, 1), (0, 1)])
def test_threads_are_the_cpus_that_ray_gave(nodes: Nodes, cpus: float, threads: int) -> None:
    assert ray.get(ray.remote(num_cpus=cpus)(_cpus_of_actor).remote()) == threads


def test_every_row_once_when_a_node_is_lost(
    nodes: Nodes, source: Path, texts: list[str | None], vectors: np.ndarray, tmp_path: Path
) -> None:
    target = tmp_path / "vectors"
    documents = ray.data.read_parquet(str(source)).repartition(FILES)
    made = documents.map_batches(
        MapTexts,
        fn_constructor_args=("embed", "default"),
        batch_format="pyarrow",
        num_cpus=2,
        compute=ActorPoolStrategy(size=2),
    )

    def written() -> int:
        return len(list(target.glob("*.parquet")))

    run_and_kill(lambda: made.write_parquet(str(target)), lambda: written() >= 5, nodes.replace_worker)
    assert sorted(node["Alive"] for node in ray.nodes()) == [False, True, True, True]
    check_result(target, texts, vectors)
