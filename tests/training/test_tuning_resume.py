"""Interrupted fine-tuning goes on from its last checkpoint, with the results of an uninterrupted run."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.text import sentence

pytest.importorskip("torch")
pytest.importorskip("mobilebert_rt")
cli = pytest.importorskip("mbrt_train.cli")
checkpoints = pytest.importorskip("mbrt_train.checkpoints")
tuning = pytest.importorskip("mbrt_train.tuning.finetune")
keeping = pytest.importorskip("mbrt_train.tuning.keeper")
names = pytest.importorskip("mbrt_train.tuning.names")
training = pytest.importorskip("mbrt_train.tuning.training")
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError

OPTIONS = training.Options(seeds=(0, 1), epochs=2, batch=8, learning_rate=5e-3, max_length=32, pooler=True)


@pytest.fixture
def job(model: Path, tmp_path: Path) -> Any:
    rng = random.Random(1)
    rows = [sentence(rng) for _ in range(40)]
    (tmp_path / "train.csv").write_text(
        "text,label\n" + "".join(f"{row},{'cat' if 'cat' in row else 'other'}\n" for row in rows)
    )
    task = names.task_by_name("classification")
    return tuning.Job(model, task, tmp_path / "train.csv", tmp_path / "whole", options=OPTIONS, quiet=True)


def interrupt(monkeypatch: pytest.MonkeyPatch, job: Any, steps: list[int]) -> None:
    """Runs the job, interrupted after each of these numbers of steps, with a checkpoint after every step."""
    step = training.Tuning._step
    left = 0

    def counted(self: Any, *arguments: Any) -> float:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        return float(step(self, *arguments))

    monkeypatch.setattr(training.Tuning, "_step", counted)
    monkeypatch.setattr(keeping, "SECONDS", 0.0)
    for count in steps:
        left = count
        with pytest.raises(KeyboardInterrupt):
            tuning.finetune(job)
        assert not job.out.exists()
    left = -1
    tuning.finetune(job)


@pytest.mark.parametrize("quantised", [False, True], ids=["float", "int8"])
def test_interrupted_run_has_the_same_results(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quantised: bool
) -> None:
    job = replace(job, options=replace(OPTIONS, quantised=quantised, seeds=(0,) if quantised else (0, 1)))
    tuning.finetune(job)
    broken = replace(job, out=tmp_path / "broken")
    interrupt(monkeypatch, broken, [3] if quantised else [3, 4, 5])
    for name in ("model.safetensors", "results.json", "log.jsonl", "config.json"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "train.csv", "whole"]


def test_checkpoint_of_another_job_is_refused(job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping.Keeper, "remove", lambda self: None)
    tuning.finetune(job)
    job.out.rename(job.out.with_name("done"))
    other = replace(job, options=replace(OPTIONS, learning_rate=0.5))
    with pytest.raises(TrainingError, match=r"options\.learning_rate is 0\.005 in the run, 0\.5 here"):
        tuning.finetune(other)


def test_interruption_says_what_the_same_command_does(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = lambda name: str(tmp_path / name)  # noqa: E731
    command = ["finetune", str(job.model), "--task", "classification", "--train", at("train.csv"), "--out", at("out")]
    command += ["--batch", "8", "--epochs", "2"]
    step = training.Tuning._step
    calls = 0

    def stopped(self: Any, *arguments: Any) -> float:
        nonlocal calls
        calls += 1
        if calls in (3, 9):
            raise KeyboardInterrupt
        return float(step(self, *arguments))

    monkeypatch.setattr(training.Tuning, "_step", stopped)
    assert cli.main(command) == cli.EXIT_INTERRUPTED
    assert "before the first checkpoint; the same command starts again" in capsys.readouterr().err
    assert cli.main(command) == cli.EXIT_INTERRUPTED
    assert "the same command goes on from step 5" in capsys.readouterr().err
    assert cli.main(command) == 0
    assert "out.unfinished: going on from step 5 of seed 0" in capsys.readouterr().err
