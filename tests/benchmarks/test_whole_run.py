"""A whole run of this engine with a small model: every case, real worker processes."""

from __future__ import annotations

from pathlib import Path

import pytest

import mobilebert_rt
from benchmarks.common import random_weights
from benchmarks.common.configs import mobilebert
from benchmarks.common.results import Result, Run, read
from benchmarks.paper import driver as paper
from benchmarks.paper.systems import OPTIMISATIONS
from benchmarks.peers import driver


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_weights.write(tmp_path_factory.mktemp("models") / "small", mobilebert(num_hidden_layers=2))


@pytest.fixture(scope="module")
def out(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results folder of one run of all cases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MBRT_CACHE", str(tmp_path_factory.mktemp("cache")))
        # Workers must find the package under test wherever it is installed.
        patch.setenv("PYTHONPATH", str(Path(mobilebert_rt.__file__).parents[1]))
        patch.setattr(driver, "model_folder", lambda model, say: (folder, "random weights"))
        target = tmp_path_factory.mktemp("out")
        arguments = ["--peers", "ours-int8,ours-fp32", "--lengths", "8,128", "--threads", "1", "--rounds", "2"]
        assert driver.main([*arguments, "--turn-ms", "1", "--no-install", "--out", str(target)]) == 0
    return target


@pytest.fixture(scope="module")
def run(out: Path) -> Run:
    return read(out / "results.json")


def test_every_case_has_results_and_none_failed(run: Run) -> None:
    assert [result.error for result in run.failed()] == []
    assert {result.case for result in run.results} == {"latency", "texts", "family", "load", "memory"}
    assert all(result.median for result in run.results)
    assert run.missing == {}


def test_every_batch_size_is_run(run: Run) -> None:
    assert {r.batch for r in run.find("texts", peer="ours-int8")} == {1, 4, 8, 16, 32, 64}


def test_every_result_was_compared_with_the_reference(run: Run) -> None:
    assert run.reference == "ours-fp32"

    def compared(result: Result) -> bool:
        return result.cosine is not None and result.cosine > 0.99

    assert all(compared(result) for result in run.results if result.case in ("latency", "texts", "family"))


def test_fresh_processes_measure_load_and_memory(run: Run) -> None:
    (load,) = run.find("load", peer="ours-int8")
    assert load.load_time is not None
    assert load.first_call is not None
    assert set(run.sizes) >= {"mobilebert-rt", "mobilebert_rt int8"}


def test_report_has_a_table_for_each_case(out: Path) -> None:
    text = (out / "report.md").read_text(encoding="utf-8")
    for title in ("MobileBERT, one text, 1 thread", "64 texts", "Other models", "fresh process", "Installed size"):
        assert title in text


def test_paper_tables_are_measured(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MBRT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(Path(mobilebert_rt.__file__).parents[1]))
    monkeypatch.setattr(paper, "model_folder", lambda model, say: (folder, "random weights"))
    arguments = ["--systems", "tinybert,mobilebert", "--rounds", "1", "--turn-ms", "1"]
    assert paper.main([*arguments, "--out", str(tmp_path / "out")]) == 0
    found = read(tmp_path / "out" / "results.json")
    assert {result.model for result in found.find("table4")} == {"tinybert", "mobilebert"}
    assert {result.model for result in found.find("table7")} == {system.key for system in OPTIMISATIONS}
    assert {result.precision for result in found.results} == {"fp32", "int8"}
    assert [result.error for result in found.failed()] == []
