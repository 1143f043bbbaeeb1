"""Teachers, initialisation of students from them, terms of tasks, stages of strategies."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.small import (
    BERT,
    IB_BERT,
    STUDENT,
    batch,
    configs,
    models,
    spread,
    tasks,
    teacher_of,
    teachers,
    torch,
)

strategies = pytest.importorskip("mbrt_train.strategies")
errors = pytest.importorskip("mbrt_train.errors")
BUDGET = strategies.Budget(transfer_steps=10, distil_steps=7, learning_rate=1.0)


@pytest.mark.parametrize("config", [BERT, IB_BERT, STUDENT], ids=["bert", "ib_bert", "mobilebert"])
def test_saved_teachers_are_restored(tmp_path: Path, config: Any) -> None:
    model = spread(models.PreTraining(config))
    models.save(model, tmp_path)
    teacher = teachers.load_teacher(tmp_path)
    ids = torch.randint(5, 120, (2, 9))
    with torch.no_grad():
        words, _, out = model.eval()(ids)
        found = teacher.body(ids)
        assert torch.equal(found.last_hidden_state, out.last_hidden_state)
        assert torch.equal(teacher.predictions(found.last_hidden_state), words)
    assert not any(p.requires_grad for p in teacher.body.parameters())


def test_distilbert_teacher_matches_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    sizes = {"vocab_size": 120, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "max_position_embeddings": 32}
    theirs = spread(transformers.DistilBertForMaskedLM(transformers.DistilBertConfig(**sizes))).eval()
    theirs.save_pretrained(tmp_path)
    teacher = teachers.load_teacher(tmp_path)
    ids = torch.randint(5, 120, (2, 9))
    with torch.no_grad():
        wanted = theirs(ids, output_hidden_states=True)
        found = teacher.body(ids)
        assert (teacher.predictions(found.last_hidden_state) - wanted.logits).abs().max() < 1e-4
    for ours, state in zip(found.hidden_states, wanted.hidden_states, strict=True):
        assert (ours - state).abs().max() < 1e-5
    teachers.check_fit(teacher, STUDENT)


def test_teacher_without_heads_or_pooler_is_read(tmp_path: Path) -> None:
    model = models.Encoder(BERT, pooling=False)
    models.save(model, tmp_path)
    teacher = teachers.load_teacher(tmp_path)
    assert teacher.predictions is None
    assert not teacher.body.pooling


def test_pickled_weights_cannot_run_code(tmp_path: Path) -> None:
    model = spread(models.PreTraining(BERT))
    models.save(model, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    assert torch.equal(
        teachers.load_teacher(tmp_path).body.state_dict()["embeddings.word_embeddings.weight"],
        model.body.embeddings.word_embeddings.weight,
    )


def test_missing_tensors_are_refused(tmp_path: Path) -> None:
    models.save(models.PreTraining(BERT), tmp_path)
    raw = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(raw | {"num_hidden_layers": 5}))
    with pytest.raises(errors.TrainingError, match=r"layer\.4"):
        teachers.load_teacher(tmp_path)


def test_student_of_the_same_sizes_inherits_embeddings_and_heads() -> None:
    teacher, student = teacher_of(IB_BERT), models.PreTraining(STUDENT)
    before = {name: value.clone() for name, value in student.state_dict().items()}
    teachers.inherit(teacher, student)
    theirs = teacher.body.state_dict()
    for name, value in student.state_dict().items():
        key = name.removeprefix("mobilebert.")
        if ".encoder." in name:
            assert torch.equal(value, before[name]), name
        elif key in theirs and "LayerNorm" not in key and "word" not in key:
            assert torch.equal(value, theirs[key]), name
    words = student.body.embeddings.word_embeddings.weight
    assert torch.equal(words[1:], theirs["embeddings.word_embeddings.weight"][1:])
    assert not words[0].any()
    assert torch.equal(student.cls.predictions.transform.dense.weight, teacher.predictions.transform.dense.weight)


def test_wider_word_table_is_factorised_with_least_error() -> None:
    teacher = teacher_of(BERT)
    student = models.PreTraining(STUDENT)
    teachers.inherit(teacher, student)
    words = teacher.body.embeddings.word_embeddings.weight
    own = student.body.embeddings
    centre = own.embedding_transformation.weight[:, 16:32]
    u, s, v = torch.linalg.svd(words.double(), full_matrices=False)
    best = (u[:, :16] * s[:16]) @ v[:16]
    made = own.word_embeddings.weight.double() @ centre.double().T
    assert (made[1:] - best[1:]).abs().max() < 1e-5
    assert not own.embedding_transformation.weight[:, :16].any()
    assert torch.equal(own.position_embeddings.weight, teacher.body.embeddings.position_embeddings.weight)


def test_no_norm_is_initialised_close_to_layer_norm() -> None:
    config = replace(BERT, embedding_size=32)
    teacher = teacher_of(config)
    student = models.PreTraining(replace(STUDENT, embedding_size=32))
    teachers.inherit(teacher, student)
    ids = torch.randint(5, 120, (4, 10))
    with torch.no_grad():
        wanted, made = teacher.body(ids).hidden_states[0], student.eval().body(ids).hidden_states[0]
    assert torch.nn.functional.cosine_similarity(wanted, made, dim=-1).mean() > 0.97
    assert 0.5 < made.std() / wanted.std() < 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 48}, "hidden_size = 32"),
        ({"num_attention_heads": 8}, "num_attention_heads = 4"),
        ({"num_hidden_layers": 3}, "one of 1, 2, 4"),
        ({"vocab_size": 121}, "vocab_size = 120"),
    ],
)
def test_teacher_of_other_sizes_is_refused_with_matching_sizes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.TrainingError, match=message):
        teachers.check_fit(teacher_of(BERT), replace(STUDENT, **changes))


def test_teacher_of_twice_the_layers_uses_every_second() -> None:
    assert teachers.layer_map(BERT, STUDENT) == [1, 3]


def test_teacher_states_of_the_engine_match_torch(tmp_path: Path) -> None:
    """The same states at fp32's accuracy, except on padding, and the same losses; int8 is close."""
    config = configs.bert(64, 2, 4, vocab_size=120, max_position_embeddings=64)
    models.save(spread(models.PreTraining(config)), tmp_path)
    teacher = teachers.load_teacher(tmp_path)
    whole = batch()
    wanted = teacher.states(whole.ids, whole.mask, whole.types).hidden_states
    for precision, bound in (("fp32", 1e-5), ("int8", 0.1)):
        engine = teacher.by_engine(precision)
        found = engine.states(whole.ids, whole.mask, whole.types).hidden_states
        assert len(found) == len(wanted) == 3
        for theirs, ours in zip(wanted, found, strict=True):
            real = whole.mask[..., None]
            assert ((theirs - ours) * real).norm() <= bound * (theirs * real).norm()
        assert len(engine.states(whole.ids, whole.mask, whole.types, depth=1).hidden_states) == 2


def test_distilling_words_requires_a_masked_lm_head() -> None:
    teacher = teacher_of(IB_BERT)
    teacher.predictions = None
    with pytest.raises(errors.TrainingError, match="no masked LM head"):
        tasks.PretrainingDistillation(teacher, models.PreTraining(STUDENT), tasks.Weights())


def gradients(task: Any, student: Any, stage: Any) -> set[str]:
    student.zero_grad(set_to_none=True)
    whole = batch()
    sum((t.weight * t.total for t in task.terms(tasks.Student(student), whole, stage)), torch.zeros(())).backward()
    return {name for name, p in student.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("strategy", ["auxiliary", "joint", "progressive"])
@pytest.mark.parametrize("objective", ["pretraining", "sentence"])
def test_only_trained_parameters_get_gradients(strategy: str, objective: str) -> None:
    student = spread(models.PreTraining(STUDENT))
    make = {"pretraining": tasks.PretrainingDistillation, "sentence": tasks.SentenceDistillation}[objective]
    task = make(teacher_of(IB_BERT), student, tasks.Weights())
    for stage in strategies.STRATEGIES[strategy](BUDGET).stages(2):
        for name, p in student.named_parameters():
            p.requires_grad_(tasks.trainable(name, task, stage))
        wanted = {name for name, p in student.named_parameters() if p.requires_grad}
        assert wanted
        assert gradients(task, student, stage) == wanted, stage.name


def test_terms_of_parts_add_up_to_the_whole_batch() -> None:
    student, whole = spread(models.PreTraining(STUDENT)), batch()
    task = tasks.PretrainingDistillation(teacher_of(IB_BERT), student, tasks.Weights())
    (stage,) = strategies.Auxiliary(BUDGET).stages(2)
    parts = [
        tasks.Batch(*(v[rows] for v in vars(whole).values() if v is not None)) for rows in (slice(0, 2), slice(2, 6))
    ]
    with torch.no_grad():
        run = tasks.Student(student)
        all_at_once = {t.name: t.total.item() for t in task.terms(run, whole, stage)}
        apart = [{t.name: t.total.item() for t in task.terms(run, part, stage)} for part in parts]
    assert all_at_once.keys() == {"feature", "mean", "variance", "attention", "words", "next_sentence"}
    for name, value in all_at_once.items():
        assert value == pytest.approx(sum(part[name] for part in apart), rel=1e-5), name


def test_progressive_trains_layer_by_layer() -> None:
    stages = strategies.Progressive(BUDGET, earlier=0.1).stages(3)
    assert [s.name for s in stages] == ["layer 0", "layer 1", "layer 2", "distil"]
    assert [s.steps for s in stages] == [3, 3, 4, 7]
    assert [s.depth for s in stages] == [1, 2, 3, None]
    assert stages[1].rates == (0.1, 1.0, 0.0)
    assert stages[1].gates == (0, 0, 1 / 3, 0)
    assert stages[2].rate("mobilebert.encoder.layer.1.output.dense.weight") == 0.1
    assert stages[2].rate("mobilebert.embeddings.word_embeddings.weight") == 0
    assert stages[3].rate("mobilebert.embeddings.word_embeddings.weight") == 1
    assert strategies.Progressive(BUDGET, earlier=0.0).stages(3)[1].rates == (0, 1.0, 0)


def test_all_strategies_have_the_same_number_of_steps() -> None:
    for make in strategies.STRATEGIES.values():
        assert sum(stage.steps for stage in make(BUDGET).stages(3)) == 17


@pytest.mark.parametrize(
    ("schedule", "steps", "factors"),
    [
        (strategies.Schedule(warmup=2, decay="linear", end=0.5), 4, [0.5, 1, 1, 0.75]),
        (strategies.Schedule(decay="cosine"), 2, [1, 0.5]),
        (strategies.Schedule(decay="layerwise"), 20, [0.5, 0.9 + 0.1 * 0.9**0.5]),
    ],
)
def test_schedules(schedule: Any, steps: int, factors: list[float]) -> None:
    assert [schedule(i, steps) for i in range(len(factors))] == pytest.approx(factors)


def test_published_teacher_and_student_match() -> None:
    with torch.device("meta"):
        body = models.Encoder(configs.IB_BERT_LARGE)
    teachers.check_fit(teachers.Teacher("IB-BERT", body, None), configs.MOBILEBERT)
