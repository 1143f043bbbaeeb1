"""What `mbrt-train` says while it runs, and when it is interrupted."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.training.text import write_text

pytest.importorskip("torch")
pytest.importorskip("mobilebert_rt")
cli = pytest.importorskip("mbrt_train.cli")
progress = pytest.importorskip("mbrt_train.progress")
running = pytest.importorskip("mbrt_train.run")
prepared = pytest.importorskip("mbrt_train.data.prepare")


def test_progress_without_a_terminal_is_a_line_every_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    bar = progress.Progress(100, "step", False, done=10, name="distil")
    for i in range(30):
        now += 10.0
        bar.advance()
        bar.show({"loss": f"{i}"})
    bar.close()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert lines[0] == "distil: 16 of 100 steps, 14 minutes left, loss 4"
    assert lines[-1] == "distil: 40 of 100 steps, 10 minutes left, loss 28"


def test_quiet_progress_says_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "MINUTE", 0.0)
    bar = progress.Progress(2, "step", True)
    bar.advance()
    bar.close()
    assert not capsys.readouterr().err


def test_warnings_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_text(tmp_path / "a.txt", 5)
    command = ["prepare", str(tmp_path / "a.txt"), "--new-vocabulary", "120", "--out", str(tmp_path / "out"), "--quiet"]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert cli.main([*command, "--heldout", "1e-9"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mbrt-train: warning: ")


def test_interrupted_command_without_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(prepared, "prepare", stopped)
    source = str(write_text(tmp_path / "a.txt", 5))
    assert cli.main(["prepare", source, "--new-vocabulary", "120", "--out", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "mbrt-train: interrupted; nothing was written\n"
    train = ["train", "test_teacher", "--corpus", str(tmp_path), "--out", str(tmp_path / "run")]
    monkeypatch.setattr(running, "train", stopped)
    assert cli.main(train) == 130
    assert "before the first checkpoint" in capsys.readouterr().err
    (tmp_path / "run/checkpoints/00000120").mkdir(parents=True)
    assert cli.main(train) == 130
    assert "the same command goes on from step 120" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["SST-2:dev.tsv", "dev.csv"])
def test_evaluation_in_training_needs_sentence_vectors(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "test_student", "--corpus", "c", "--out", "o", "--evaluate", wrong]) == 2
    assert "expected STS-B:FILE" in capsys.readouterr().err
