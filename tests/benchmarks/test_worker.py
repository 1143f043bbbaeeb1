"""The worker process with this engine; converters; package sizes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from benchmarks.common import random_weights
from benchmarks.common.configs import mobilebert
from benchmarks.common.environment import Environment, existing
from benchmarks.peers import checks
from benchmarks.peers.artifacts import ModelFile, Store
from benchmarks.peers.catalogue import OURS, PEERS
from benchmarks.peers.session import SCRIPT, PeerError, Worker
from mobilebert_rt import Model

TEXTS = [[101, 7, 8, 102], [101, 102], [101, 9, 102], [101, 11, 12, 13, 102]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MBRT_CACHE", str(tmp_path / "cache"))
    return random_weights.write(tmp_path / "model", mobilebert(vocab_size=200, num_hidden_layers=2))


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    import mobilebert_rt  # noqa: PLC0415 - the one under test, which the worker must find too

    monkeypatch.setenv("PYTHONPATH", str(Path(mobilebert_rt.__file__).parents[1]))
    with Worker("ours-int8", [sys.executable, str(SCRIPT)], [], tmp_path / "worker.log") as made:
        yield made


def spec(path: Path, **changes: Any) -> dict[str, Any]:
    batches = [batch(path, [text]) for text in TEXTS]
    return {"runtime": OURS, "options": {}, "threads": 1, "copies": 1, "batches": batches} | changes


def batch(path: Path, texts: list[list[int]]) -> dict[str, Any]:
    return {"path": str(path), "length": None, "masked": False, "texts": texts}


def our_file(folder: Path) -> Path:
    """The model file, converted as the benchmark does."""
    store = Store({OURS: existing(OURS, sys.executable)}, {"small": folder}, print)
    wanted = ModelFile(PEERS["ours-int8"], "small")
    store.make([wanted])
    return store.ready(wanted)


@pytest.mark.parametrize(("batches", "copies"), [([[t] for t in TEXTS], 1), ([TEXTS[:2], TEXTS[2:]], 2)])
def test_worker_runs_the_given_batches(
    worker: Worker, folder: Path, tmp_path: Path, batches: list[list[list[int]]], copies: int
) -> None:
    path = our_file(folder)
    worker.ask("prepare", program="p", **spec(path, batches=[batch(path, texts) for texts in batches], copies=copies))
    times = worker.ask("run", program="p", calls=3)
    assert len(times) == 3
    assert min(times) > 0
    worker.ask("states", program="p", file=str(tmp_path / "states.npz"))
    found = checks.load(tmp_path / "states.npz")
    expected = Model.from_pretrained(path, num_threads=1)(TEXTS).last_hidden_state
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    worker.ask("forget", program="p")
    with pytest.raises(PeerError, match="run failed: KeyError"):
        worker.ask("run", program="p", calls=1)


def test_fresh_process_measures_load_first_call_and_memory(worker: Worker, folder: Path) -> None:
    before = worker.ask("hello")["memory"]
    found = worker.ask("first", **spec(our_file(folder)))
    assert min(found[name] for name in ("import_time", "load_time", "first_call", "steady")) > 0
    if sys.platform == "linux":
        assert found["memory"] > before > 1 << 20


def test_mean_of_word_vectors_is_one_vector_a_text(worker: Worker, folder: Path, tmp_path: Path) -> None:
    worker.ask("prepare", program="p", **spec(folder, runtime="words", batches=[batch(folder, TEXTS)]))
    worker.ask("states", program="p", file=str(tmp_path / "states.npz"))
    found = checks.load(tmp_path / "states.npz")
    table = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
    assert [vector.shape for vector in found] == [(1, table.shape[1])] * len(TEXTS)
    for vector, text in zip(found, TEXTS, strict=True):
        np.testing.assert_allclose(vector[0], table[text].astype(np.float64).mean(axis=0), rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="[cpu] only Linux pins processes")
def test_worker_is_pinned(tmp_path: Path) -> None:
    cpu = max(os.sched_getaffinity(0))
    with Worker("ours-int8", [sys.executable, str(SCRIPT)], [cpu], tmp_path / "worker.log") as worker:
        worker.ask("hello")
        assert os.sched_getaffinity(worker._process.pid) == {cpu}


def test_file_that_cannot_be_loaded_is_an_error_answer(worker: Worker, tmp_path: Path) -> None:
    with pytest.raises(PeerError, match=r"ours-int8: prepare failed: .*nothing"):
        worker.ask("prepare", program="p", **spec(tmp_path / "nothing.safetensors"))
    assert worker.alive


def test_int8_is_made_from_the_float_file_and_stale_files_are_not_used(folder: Path) -> None:
    environment = Environment("peers", sys.executable, {"onnxruntime": "1.32.0"})
    store = Store({"peers": environment}, {"small": folder}, print)
    wanted = ModelFile(PEERS["ort-int8"], "small", masked=True)
    first, second = store._jobs(wanted)
    assert (first["kind"], second["kind"]) == ("onnx", "onnx-int8")
    assert second["source"] == first["out"]
    plain, out = Path(first["out"]), Path(second["out"])
    assert (plain.name, out.name) == ("fp32-masked.onnx", "int8-masked.onnx")
    environment.versions["onnxruntime"] = "1.33.0"
    assert store.path(wanted).parent != out.parent
    (only,) = store._jobs(ModelFile(PEERS["ct2-int8"], "small"))
    assert (only["kind"], only["source"]) == ("ctranslate2-int8", str(folder))


def test_failed_conversion_is_reported_once_with_its_reason(folder: Path) -> None:
    messages: list[str] = []
    (folder / "config.json").write_text("{}")
    store = Store({"peers": existing("peers", sys.executable)}, {"small": folder}, messages.append)
    wanted = ModelFile(PEERS["litert-int8"], "small", length=8)
    store.make([wanted])
    with pytest.raises(PeerError, match=r"litert-int8: no int8-8\.tflite of small: litert-int8 failed: "):
        store.ready(wanted)
    assert any("litert failed: " in line for line in messages)
    messages.clear()
    store.make([wanted])  # not tried again
    assert messages == []


def test_package_size_includes_requirements_but_not_numpy(worker: Worker) -> None:
    found = worker.ask("sizes", names=["pytest"])
    assert found["all"] > found["own"] + 100_000 > 200_000
    with pytest.raises(PeerError, match="no-such-package"):
        worker.ask("sizes", names=["no-such-package"])
