"""Recipes: the shipped ones, and errors of invalid ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
recipes = pytest.importorskip("mbrt_train.recipes")
configs = pytest.importorskip("mbrt_train.config")
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError


def test_paper_recipes_have_the_published_values() -> None:
    teacher, student = (recipes.load_recipe(name) for name in ("paper_teacher", "paper_student"))
    assert teacher.student == configs.IB_BERT_LARGE
    assert student.student == configs.MOBILEBERT
    assert [sum(stage.steps for stage in recipe.stages()) for recipe in (teacher, student)] == [500_000, 740_000]
    stages = student.stages()
    assert len(stages) == 25
    assert {stage.steps for stage in stages[:24]} == {10_000}
    assert (teacher.data.texts, student.data.texts) == (4096, 2048)
    assert stages[0].learning_rate == pytest.approx(4.5e-3)
    assert stages[0].schedule(500, 10_000) == pytest.approx(0.501)
    assert vars(student.weights) == {
        "feature": 100,
        "mean": 5000,
        "variance": 5,
        "attention": 1,
        "alpha": 0.5,
        "similarity": 0,
        "prefixes": 0,
    }


@pytest.mark.parametrize("name", sorted(recipes.shipped()))
def test_shipped_recipes_name_title_and_hardware(name: str) -> None:
    recipe = recipes.load_recipe(name)
    assert recipe.hardware
    assert recipe.title
    assert recipe.stages()


def test_default_models_student_matches_its_teacher() -> None:
    recipe = recipes.load_recipe("minilm")
    c = recipe.student
    assert (c.hidden_size, c.num_attention_heads, c.num_hidden_layers, c.body_size) == (384, 12, 6, 96)
    assert c.key_query_shared_bottleneck
    assert c.trigram_input
    assert c.normalization_type == "no_norm"
    (stage,) = recipe.stages()
    assert all(gate > 0 for gate in stage.gates)
    assert len(stage.gates) == 7


def test_recipe_changes_its_base(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(
        'base = "minilm"\ntitle = "mine"\ndata.seed = 7\n[student]\nnum_hidden_layers = 3\n'
    )
    ours, base = recipes.load_recipe(tmp_path / "r.toml"), recipes.load_recipe("minilm")
    student = replace(base.student, num_hidden_layers=3)
    assert ours == replace(base, title="mine", data=replace(base.data, seed=7), student=student)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('titel = "x"', "did you mean title"),
        ('title = "x"\nprecision = "fp16"', r"the maximum of fp16 is 65,504"),
        ('title = "x"\n[student]\nhidden_size = "wide"', "expected int"),
        ('title = "x"\n[student]\nnum_attention_heads = 7', "must divide the body width"),
        ('title = "x"\n[student]\nbase = "gpt"', "expected one of mobilebert"),
        ('title = "x"\nobjective = "pretraining"', "no teacher"),
        ('title = "x"\nquantised = true', "objective = .sentence."),
        ('title = "x"\nstrategy = "random"', "auxiliary, joint, progressive"),
        ("title = ", "not valid TOML"),
        ('base = "gpt"', "expected one of minilm, minilm_cooldown"),
        ("seed = 1", "title is missing"),
    ],
)
def test_invalid_recipes_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(TrainingError, match=message):
        recipes.load_recipe(tmp_path / "r.toml")


def test_unknown_name_lists_the_shipped_recipes() -> None:
    with pytest.raises(TrainingError, match="minilm, minilm_cooldown, minilm_vectors, paper_student"):
        recipes.load_recipe("paper")
