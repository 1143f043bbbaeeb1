"""The comparison of sentence-vector models, with small ones and few texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.docs.workspace import QUESTIONS
from tests.small_models import save_folder

command = pytest.importorskip("benchmarks.embedders.__main__")


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("embedders")
    teacher = save_folder(folder / "teacher", family="bert", head="Model", pooling="mean", max_position_embeddings=512)
    (folder / "pairs.csv").write_text('"the cat sleeps","a cat sleeps",4.5\n"the cat sleeps","a night train",0.5\n' * 2)
    (folder / "questions.json").write_text(QUESTIONS)
    given = {"teacher": teacher, "similarity": folder / "pairs.csv", "questions": folder / "questions.json"}
    words = [word for name, path in given.items() for word in (f"--{name}", str(path))]
    return [*words, "--rounds", "2", "--turn-ms", "1", "--out", str(folder / "out")]


def test_every_model_has_all_figures(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "DIMENSIONS", (16, 8))  # the small teacher has vectors of 24 numbers
    assert command.main([*options[:-2], "--model", f"again={command.CANDIDATE}", *options[-2:]]) == 0
    models = json.loads((Path(options[-1]) / "results.json").read_text())["models"]
    assert len(models) == 6
    for entry in models.values():
        assert set(entry["times"]) == {"32", "128"}
        assert all(times["median"] > 0 for times in entry["times"].values())
        assert {"similarity", "retrieval", "similarity 16", "retrieval 8"} <= set(entry["quality"])
    assert models["again"]["quality"] == models["default model, int8"]["quality"]
    assert models["default model, int8"]["quality"]["similarity"] == 100.0
    printed = capsys.readouterr().out
    assert "mean of the teacher's word vectors" in printed
    assert "-m benchmarks.embedders --teacher" in printed


def test_a_model_without_a_name_is_refused(options: list[str]) -> None:
    with pytest.raises(command.ScriptError, match="expected NAME=FILE"):
        command.main([*options, "--model", "model.safetensors"])
