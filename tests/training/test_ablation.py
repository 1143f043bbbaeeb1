"""Ablations: variants of the same cost, resuming, the table of results."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.training import runs
from tests.training.text import documents

ablation = pytest.importorskip("mbrt_train.ablation")
cli = pytest.importorskip("mbrt_train.cli")


def test_variants_have_the_same_steps_and_differ_in_their_losses() -> None:
    base = runs.recipe(objective="sentence")
    base = replace(base, budget=replace(base.budget, transfer_steps=0, distil_steps=30))
    made = {name: change(base) for name, change in ablation.VARIANTS.items()}
    assert {sum(stage.steps for stage in recipe.stages()) for recipe in made.values()} == {30}
    for name in ("auxiliary", "joint", "progressive"):
        assert made[name].strategy == name
    weights = {name: (recipe.weights.feature, recipe.weights.attention) for name, recipe in made.items()}
    assert weights["auxiliary"] == weights["without the last objective"] == (1.0, 1.0)
    assert weights["without attention"] == (1.0, 0.0)
    assert weights["without feature maps"] == (0.0, 1.0)
    assert weights["the last objective alone"] == (0.0, 0.0)
    assert all(stage.final == 0 for stage in made["without the last objective"].stages())
    assert any(stage.final > 0 for stage in made["auxiliary"].stages())


def test_ablation_resumes_and_writes_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = runs.make_corpus(tmp_path)
    teacher = runs.make_teacher(tmp_path, corpus)
    texts = documents(12)
    with (tmp_path / "dev.csv").open("w", newline="") as file:
        csv.writer(file).writerows([text, texts[i - 1], i % 6] for i, text in enumerate(texts))
    plan = runs.write_recipe(tmp_path / "recipe.toml", runs.recipe(objective="sentence"))
    monkeypatch.setattr(
        ablation, "VARIANTS", {name: ablation.VARIANTS[name] for name in ("progressive", "the last objective alone")}
    )
    out = tmp_path / "out"
    command = ["ablation", plan, "--corpus", corpus, "--teacher", teacher, "--data", tmp_path / "dev.csv"]
    command += ["--steps", "6", "--seeds", "0,1", "--out", out]
    assert cli.main(list(map(str, command))) == 0
    grades = json.loads((out / "grades.json").read_text())
    assert list(grades) == ["progressive", "the last objective alone"]
    assert all(len(values) == 2 for values in grades.values())
    assert runs.losses(out / "progressive-0") != runs.losses(out / "progressive-1")
    rows = (out / "table.md").read_text().splitlines()
    assert len(rows) == 4
    means = [float(row.split("|")[2]) for row in rows[2:]]
    assert means == sorted(means, reverse=True)
    assert (out / "table.md").read_text() in capsys.readouterr().out

    monkeypatch.setattr(ablation, "train", lambda request: pytest.fail("a finished run was trained again"))
    assert cli.main(list(map(str, command))) == 0
    assert json.loads((out / "grades.json").read_text()) == grades


def test_other_objectives_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["ablation", "paper_student", "--corpus", "c", "--teacher", "t", "--data", "d", "--steps", "1", "--out"]
    assert cli.main([*command, str(tmp_path / "out")]) == cli.EXIT_ERROR
    assert "sentence vectors" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
