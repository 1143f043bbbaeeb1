"""Training runs: the same results with any split and interruption; errors before anything is written."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training import runs
from tests.training.runs import losses, recipe, train
from tests.training.small import configs, models, torch

checkpoints = pytest.importorskip("mbrt_train.checkpoints")
heads = pytest.importorskip("mbrt_train.heads")
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.make_corpus(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    return runs.make_teacher(tmp_path_factory.mktemp("model"), corpus)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, corpus: Path, teacher: Path) -> Path:
    """An uninterrupted run of 14 steps: two layers of three steps each, eight of distillation."""
    out = tmp_path_factory.mktemp("whole") / "run"
    train(corpus, teacher, out, recipe())
    return out


def test_run_writes_checkpoints_log_and_recipe(whole: Path) -> None:
    assert [step for step, _ in losses(whole)] == list(range(1, 15))
    names = [path.name for path in sorted((whole / "checkpoints").iterdir())]
    assert names == ["00000012", "00000014"]
    last = checkpoints.latest(whole)
    assert last.position == checkpoints.Position(14, 3 - 1, 8, last.position.epoch, last.position.batch)
    assert last.recipe == json.loads(json.dumps(recipe_of(whole)))
    assert any((whole / "tensorboard").iterdir())
    lines = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert {line["stage"] for line in lines} == {"layer 0", "layer 1", "distil"}
    assert any("heldout/words" in line for line in lines)


def recipe_of(out: Path) -> Any:
    return json.loads((out / "run.json").read_text())["recipe"]


@pytest.mark.parametrize("objective", ["distillation", "sentence"])
@pytest.mark.parametrize("strategy", ["auxiliary", "joint", "progressive"])
def test_every_strategy_lowers_the_loss(
    tmp_path: Path, corpus: Path, teacher: Path, strategy: str, objective: str
) -> None:
    plan = recipe(strategy=strategy, objective=objective)
    plan = replace(plan, budget=replace(plan.budget, transfer_steps=8, distil_steps=12))
    plan = replace(plan, optimiser=replace(plan.optimiser, name="adamw"), keeping=replace(plan.keeping, keep=1))
    train(corpus, teacher, tmp_path / "run", plan)
    stage = {line["stage"]: [] for line in map(json.loads, (tmp_path / "run/log.jsonl").read_text().splitlines())}
    for line in map(json.loads, (tmp_path / "run/log.jsonl").read_text().splitlines()):
        if "loss" in line:
            stage[line["stage"]].append(line["loss"])
    assert len(stage) == {"auxiliary": 1, "joint": 2, "progressive": 3}[strategy]
    name, values = max(stage.items(), key=lambda item: len(item[1]))
    half = len(values) // 2
    assert sum(values[half:]) / (len(values) - half) < sum(values[:half]) / half, (name, values)


def test_stopped_run_resumes_with_the_same_results(tmp_path: Path, corpus: Path, teacher: Path, whole: Path) -> None:
    out = tmp_path / "run"
    for _ in range(20):
        position = train(corpus, teacher, out, recipe(), stop_after=0.0)
        if position.step == 14:
            break
    assert losses(out) == losses(whole)
    ours, theirs = (checkpoints.latest(path).folder / "model.safetensors" for path in (out, whole))
    assert ours.read_bytes() == theirs.read_bytes()


def test_killed_run_resumes_with_the_same_results(tmp_path: Path, corpus: Path, teacher: Path, whole: Path) -> None:
    plan = recipe()
    file = runs.write_recipe(tmp_path / "plan.toml", plan)
    out = tmp_path / "run"
    arguments = ("train", str(file), "--corpus", str(corpus), "--teacher", str(teacher), "--out", str(out))
    process = runs.start(*arguments, "--quiet")
    deadline = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < deadline:
        if (out / "log.jsonl").exists() and len(losses_so_far(out)) >= 6:
            break
        time.sleep(0.005)
    process.kill()
    said, _ = process.communicate()
    reached = len(losses_so_far(out))
    assert reached >= 6, said
    found = checkpoints.latest(out)
    assert found is not None
    assert found.position.step >= reached - 4
    train(corpus, teacher, out, plan)
    assert losses(out) == losses(whole)


def losses_so_far(out: Path) -> list[str]:
    return [line for line in (out / "log.jsonl").read_text().splitlines() if '"loss"' in line]


@pytest.mark.parametrize("file", ["model.safetensors", "optimiser.safetensors", "state.json"])
def test_damaged_checkpoint_falls_back_to_the_previous_one(
    tmp_path: Path, corpus: Path, teacher: Path, whole: Path, file: str
) -> None:
    out = tmp_path / "run"
    copy(whole, out)
    bad = out / "checkpoints/00000014" / file
    bad.write_bytes(bad.read_bytes()[:-9] + b"not as it")
    with pytest.warns(UserWarning, match="Falling back"):
        train(corpus, teacher, out, recipe())
    assert losses(out) == losses(whole)
    assert checkpoints.latest(out).position.step == 14


def copy(source: Path, target: Path) -> None:
    for file in source.rglob("*"):
        if file.is_file():
            (target / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (target / file.relative_to(source)).write_bytes(file.read_bytes())


def test_micro_batches_give_the_same_results(tmp_path: Path, corpus: Path, teacher: Path, whole: Path) -> None:
    plan = recipe()
    train(corpus, teacher, tmp_path / "run", replace(plan, data=replace(plan.data, micro_tokens=96)))
    for (_, a), (_, b) in zip(losses(tmp_path / "run"), losses(whole), strict=True):
        assert a == pytest.approx(b, rel=1e-5)


def test_two_processes_give_the_same_results(tmp_path: Path, corpus: Path, teacher: Path, whole: Path) -> None:
    file = runs.write_recipe(tmp_path / "plan.toml", recipe())
    out = tmp_path / "run"
    arguments = ("train", str(file), "--corpus", str(corpus), "--teacher", str(teacher), "--out", str(out), "--quiet")
    process = runs.start(*arguments, processes=2)
    said, _ = process.communicate(timeout=150)
    assert process.returncode == 0, said
    assert len(losses(out)) == 14
    for (_, a), (_, b) in zip(losses(out), losses(whole), strict=True):
        assert a == pytest.approx(b, rel=1e-5)


def test_run_starts_from_the_weights_of_another(tmp_path: Path, corpus: Path, teacher: Path, whole: Path) -> None:
    plan = recipe(strategy="joint")
    plan = replace(plan, budget=replace(plan.budget, transfer_steps=0, learning_rate=1e-5))
    train(corpus, teacher, tmp_path / "run", plan, start=whole)
    train(corpus, teacher, tmp_path / "fresh", plan)
    assert losses(tmp_path / "run")[0][1] < 0.95 * losses(tmp_path / "fresh")[0][1]
    exported = heads.load_model(checkpoints.latest(whole).folder).body  # an encoder alone, as `export` may leave it
    models.save(exported, tmp_path / "encoder")
    sentences = replace(plan, objective="sentence")
    train(corpus, teacher, tmp_path / "from_run", sentences, start=whole)
    train(corpus, teacher, tmp_path / "from_encoder", sentences, start=tmp_path / "encoder")
    assert losses(tmp_path / "from_encoder") == losses(tmp_path / "from_run")
    wide = replace(plan, student=replace(plan.student, intermediate_size=56))
    with pytest.raises(TrainingError, match="its configuration differs"):
        train(corpus, teacher, tmp_path / "wide", wide, start=whole)
    assert nothing_written(tmp_path / "wide")


def test_quantised_distillation_resumes_with_the_same_results(tmp_path: Path, corpus: Path, teacher: Path) -> None:
    plan = recipe(objective="sentence", strategy="auxiliary", quantised=True)
    plan = replace(plan, budget=replace(plan.budget, transfer_steps=0, distil_steps=6, embeddings=True))
    train(corpus, teacher, tmp_path / "a", plan)
    while train(corpus, teacher, tmp_path / "b", plan, stop_after=0.0).step < 6:
        pass
    found = losses(tmp_path / "a")
    assert found == losses(tmp_path / "b")
    assert found[-1][1] < found[0][1]


def test_dropout_is_the_same_after_resuming(tmp_path: Path, corpus: Path) -> None:
    base = runs.recipes.load_recipe("test_teacher")
    plan = replace(
        base,
        data=replace(base.data, max_length=32),
        budget=replace(base.budget, distil_steps=5),
        keeping=replace(base.keeping, log_every=1),
    )
    train(corpus, None, tmp_path / "a", plan)
    while train(corpus, None, tmp_path / "b", plan, stop_after=0.0).step < 5:
        pass
    assert losses(tmp_path / "a") == losses(tmp_path / "b")


def test_bfloat16_is_close_to_float32(tmp_path: Path, corpus: Path, teacher: Path, whole: Path) -> None:
    train(corpus, teacher, tmp_path / "run", recipe(precision="bf16"))
    for (_, a), (_, b) in zip(losses(tmp_path / "run"), losses(whole), strict=True):
        assert a == pytest.approx(b, rel=0.1)


def test_diverging_run_stops_and_keeps_its_checkpoints(tmp_path: Path, corpus: Path, teacher: Path) -> None:
    plan = recipe(strategy="joint")
    plan = replace(plan, budget=replace(plan.budget, learning_rate=1e30), optimiser=replace(plan.optimiser, clip=0.0))
    with pytest.raises(TrainingError, match="not finite"):
        train(corpus, teacher, tmp_path / "run", plan)
    assert checkpoints.latest(tmp_path / "run") is None


def nothing_written(out: Path) -> bool:
    return not out.exists()


def test_teacher_of_other_sizes_is_refused(tmp_path: Path, corpus: Path, teacher: Path) -> None:
    plan = recipe()
    wide = replace(plan, student=replace(plan.student, hidden_size=64, num_attention_heads=8))
    with pytest.raises(TrainingError, match="hidden_size = 48, num_attention_heads = 4"):
        train(corpus, teacher, tmp_path / "run", wide)
    assert nothing_written(tmp_path / "run")


def test_tokenizer_of_another_checkpoint_is_refused(tmp_path: Path, corpus: Path, teacher: Path) -> None:
    copy(teacher, tmp_path / "teacher")
    (tmp_path / "teacher/tokenizer.json").unlink()
    pieces = (tmp_path / "teacher/vocab.txt").read_text().splitlines()
    (tmp_path / "teacher/vocab.txt").write_text("\n".join([*pieces[:5], *reversed(pieces[5:])]) + "\n")
    with pytest.raises(TrainingError, match="not that of the checkpoint"):
        train(corpus, tmp_path / "teacher", tmp_path / "run", recipe())
    assert nothing_written(tmp_path / "run")


def test_other_vocabulary_size_is_refused(tmp_path: Path, corpus: Path, teacher: Path) -> None:
    plan = recipe()
    with pytest.raises(TrainingError, match="vocab_size"):
        train(corpus, teacher, tmp_path / "run", replace(plan, student=replace(plan.student, vocab_size=99)))
    assert nothing_written(tmp_path / "run")


def test_run_of_another_recipe_is_not_resumed(corpus: Path, teacher: Path, whole: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*")}
    plan = recipe()
    with pytest.raises(TrainingError, match=r"budget\.learning_rate is 0\.003 in the run, 0\.5 here"):
        train(corpus, teacher, whole, replace(plan, budget=replace(plan.budget, learning_rate=0.5)))
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*")} == before


def test_folder_that_is_not_a_run_is_not_changed(tmp_path: Path, corpus: Path, teacher: Path) -> None:
    (tmp_path / "thesis.txt").write_text("my work")
    with pytest.raises(TrainingError, match="not a run"):
        train(corpus, teacher, tmp_path, recipe())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_only_distillation_requires_a_teacher(tmp_path: Path, corpus: Path, teacher: Path) -> None:
    with pytest.raises(TrainingError, match="--teacher"):
        train(corpus, None, tmp_path / "run", recipe())
    base = runs.recipes.load_recipe("test_teacher")
    with pytest.raises(TrainingError, match="without a teacher"):
        train(corpus, teacher, tmp_path / "run", replace(base, data=replace(base.data, max_length=32)))


def test_checkpoints_open_in_transformers(whole: Path) -> None:
    transformers = pytest.importorskip("transformers")
    folder = checkpoints.latest(whole).folder
    theirs = transformers.AutoModelForPreTraining.from_pretrained(folder)
    ours = models.PreTraining(configs.Config(**recipe_of(whole)["student"]))
    models.load(ours, folder)
    for name, value in theirs.state_dict().items():
        assert torch.equal(value, ours.state_dict()[name]), name


def test_run_is_a_teacher(tmp_path: Path, corpus: Path, teacher: Path, whole: Path) -> None:
    """A run's newest checkpoint, without an export."""
    plan = recipe(objective="sentence", strategy="auxiliary")
    train(corpus, whole, tmp_path / "run", plan)
    exported = checkpoints.latest(whole).folder
    train(corpus, exported, tmp_path / "same", plan)
    assert losses(tmp_path / "run") == losses(tmp_path / "same")


def test_log_has_the_recipes_learning_rate(tmp_path: Path, corpus: Path, teacher: Path) -> None:
    plan = recipe(objective="sentence", strategy="auxiliary")
    plan = replace(plan, optimiser=replace(plan.optimiser, name="muon"))
    train(corpus, teacher, tmp_path / "run", plan)
    (stage,) = plan.stages()
    lines = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    found = [line["learning_rate"] for line in lines if "learning_rate" in line]
    wanted = [stage.learning_rate * stage.schedule(i, stage.steps) for i in range(stage.steps)]
    assert found == pytest.approx(wanted)


def test_metrics_are_logged_with_every_checkpoint(tmp_path: Path, corpus: Path, teacher: Path) -> None:
    (tmp_path / "dev.csv").write_text("".join(f"the cat reads,a {word} sea,{i}\n" for i, word in enumerate("abcd")))
    evaluating = pytest.importorskip("mbrt_train.tuning.evaluate")
    names = pytest.importorskip("mbrt_train.tuning.names")
    plan = recipe(objective="sentence", strategy="auxiliary")
    exam = evaluating.Exam(names.task_by_name("similarity"), tmp_path / "dev.csv", 32)
    train(corpus, teacher, tmp_path / "run", plan, exam=exam)
    train(corpus, teacher, tmp_path / "plain", plan)
    assert losses(tmp_path / "run") == losses(tmp_path / "plain")
    lines = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    found = {
        line["step"]: line["evaluate/similarity spearman"] for line in lines if "evaluate/similarity spearman" in line
    }
    assert list(found) == [4, 8, 12, 14]
    last = evaluating.evaluate(tmp_path / "run", exam)
    assert found[14] == pytest.approx(last["spearman"])


def test_warm_up_longer_than_the_run_is_a_warning(tmp_path: Path, corpus: Path, teacher: Path) -> None:
    plan = recipe(strategy="joint")
    schedule = replace(plan.budget.distil_schedule, warmup=9)
    plan = replace(plan, budget=replace(plan.budget, distil_schedule=schedule))
    message = r"stage 'distil': budget\.distil_schedule\.warmup is 9 steps, and the stage has 8"
    with pytest.warns(UserWarning, match=message):
        train(corpus, teacher, tmp_path / "run", plan)


def test_resumed_run_says_where_it_goes_on(
    tmp_path: Path, corpus: Path, teacher: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = recipe(objective="sentence", strategy="auxiliary")
    request = runs.running.Request(plan, corpus, tmp_path / "run", teacher, stop_after=0.0)
    runs.running.train(request)
    assert "going on" not in capsys.readouterr().err
    runs.running.train(request)
    assert f"{tmp_path / 'run'}: going on from step 1 of 14" in capsys.readouterr().err
