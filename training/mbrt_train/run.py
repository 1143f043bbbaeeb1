"""A run: recipe, corpus and teacher checked against each other before the first step, then trained or resumed."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from mbrt_train import checkpoints
from mbrt_train.checkpoints import Checkpoint, Position, differences
from mbrt_train.data.batches import Batches
from mbrt_train.data.corpus import Corpus
from mbrt_train.data.tokenizer import check_checkpoint, copy_tokenizer, vocabulary
from mbrt_train.data.vectors import Vectors
from mbrt_train.errors import TrainingError, TrainingWarning
from mbrt_train.heads import load_model
from mbrt_train.loop import Trainer, make_accelerator
from mbrt_train.models import Encoder, PreTraining
from mbrt_train.recipes import Recipe
from mbrt_train.seeds import hash_seed
from mbrt_train.sources import RUN, tokenizer_source, weights_folder
from mbrt_train.tasks import (
    KnowledgeTransfer,
    Pretraining,
    PretrainingDistillation,
    SentenceDistillation,
    Student,
    Task,
    VectorDistillation,
    Weights,
)
from mbrt_train.teachers import Teacher, inherit, load_teacher, read_config
from mbrt_train.tuning.evaluate import Exam
from mbrt_train.tuning.predict import AsAlone, with_torch


@dataclass(frozen=True)
class Request:
    """Options of `mbrt-train train`.

    start: a run or a checkpoint's folder, whose weights initialise the student. stop_after: seconds, after which the
    run writes a checkpoint and stops. vectors: the teacher's, of objective "vectors". exam: a task of sentence vectors,
    whose metrics are logged with each checkpoint.
    """

    recipe: Recipe
    corpus: Path
    out: Path
    teacher: Path | None = None
    start: Path | None = None
    stop_after: float | None = None
    quiet: bool = False
    exam: Exam | None = None
    vectors: Path | None = None


def train(request: Request) -> Position:
    """Start a run, or resume the one in `out` if it has the same recipe, corpus and teacher.

    Raises TrainingError before the first step, with nothing written, for inputs that do not match.
    """
    corpus = Corpus(request.corpus)
    recipe = fitted(request.recipe, corpus)
    recipe.stages()  # raises for a wrong one
    teacher = _teacher(request, recipe, corpus)
    resume = _resumable(request, recipe, corpus)
    accelerator = make_accelerator()
    student, task = _student(recipe, teacher)
    if request.start is not None and resume is None:
        _start_from(student, request.start)
    words = vocabulary(corpus.tokenizer())
    vectors = _vectors(request, recipe, corpus)
    batches = Batches(corpus, words, recipe.data, vectors)
    heldout = _heldout(request, recipe)
    exam = None if request.exam is None else _exam(request.exam, corpus, accelerator.device)
    if teacher is not None:
        teacher.to(accelerator.device)
    if accelerator.is_main_process:
        _announce(request, recipe, resume)
    accelerator.wait_for_everyone()  # all processes have read `out` before one writes there
    if accelerator.is_main_process:
        _begin(request, recipe, corpus)
    accelerator.wait_for_everyone()
    trainer = Trainer(
        recipe,
        student,
        task,
        batches,
        request.out,
        heldout=heldout,
        exam=exam,
        accelerator=accelerator,
        quiet=request.quiet,
    )
    try:
        return trainer.train(resume, request.stop_after)
    finally:
        _leave(accelerator)


def _announce(request: Request, recipe: Recipe, resume: Checkpoint | None) -> None:
    """Warn of warm-ups without an end; say where a run is resumed."""
    for stage in recipe.stages():
        schedule = "distil_schedule" if stage.final else "transfer_schedule"
        if stage.schedule.decay != "layerwise" and stage.schedule.warmup >= stage.steps:
            warnings.warn(
                f"stage {stage.name!r}: budget.{schedule}.warmup is {stage.schedule.warmup:,} steps, and the stage has "
                f"{stage.steps:,}; the learning rate does not reach its peak. Lower the warm-up or add steps.",
                TrainingWarning,
                stacklevel=2,
            )
    if resume is not None and not request.quiet:
        total = sum(stage.steps for stage in recipe.stages())
        print(f"{request.out}: going on from step {resume.position.step:,} of {total:,}", file=sys.stderr)


def _exam(exam: Exam, corpus: Corpus, device: torch.device) -> Callable[[Student], dict[str, float]]:
    """From a student to its metrics."""
    task = exam.task
    examples = task.read(exam.data, corpus.tokenizer(), exam.max_length, training=False)

    def metrics(student: Student) -> dict[str, float]:
        model = AsAlone(student.model) if student.quantised is None else student.quantised
        found = task.evaluate(with_torch(task, model.eval(), device), examples)
        return {f"{task.name} {name}": value for name, value in found.items()}

    return metrics


def fitted(recipe: Recipe, corpus: Corpus) -> Recipe:
    """The recipe with the corpus's vocabulary size if its own is 0. Raises TrainingError if they differ."""
    size = corpus.manifest["vocab_size"]
    student = recipe.student
    if student.vocab_size == 0:
        student = replace(student, vocab_size=size)
    if student.vocab_size != size:
        raise TrainingError(
            f"{corpus.folder} was prepared with a tokenizer of {size:,} pieces; the recipe's student.vocab_size is "
            f"{student.vocab_size:,}. Change one of them (0 in the recipe means the corpus's)."
        )
    if recipe.data.max_length > student.max_position_embeddings:
        raise TrainingError(
            f"data.max_length is {recipe.data.max_length}; the student has "
            f"{student.max_position_embeddings} positions (student.max_position_embeddings)."
        )
    return replace(recipe, student=student)


def _teacher(request: Request, recipe: Recipe, corpus: Corpus) -> Teacher | None:
    if recipe.objective == "pretraining":
        if request.teacher is not None:
            raise TrainingError("this recipe pre-trains without a teacher. Omit --teacher.")
        return None
    if request.teacher is None:
        if recipe.objective == "vectors":
            return None
        raise TrainingError("this recipe distils from a teacher. Give its folder with --teacher.")
    teacher = load_teacher(weights_folder(request.teacher))
    check_checkpoint(corpus.tokenizer(), tokenizer_source(request.teacher), teacher.config.vocab_size)
    if recipe.data.max_length > teacher.config.max_position_embeddings:
        raise TrainingError(
            f"data.max_length is {recipe.data.max_length}; the teacher has "
            f"{teacher.config.max_position_embeddings} positions."
        )
    return teacher if recipe.teacher_states == "torch" else teacher.by_engine(recipe.teacher_states)


def _student(recipe: Recipe, teacher: Teacher | None) -> tuple[PreTraining, Task]:
    torch.manual_seed(hash_seed(recipe.seed, 1))
    student = PreTraining(recipe.student)
    if recipe.objective == "vectors":
        if teacher is not None:
            inherit(teacher, student)
        return student, VectorDistillation(recipe.weights)
    if teacher is None:
        return student, Pretraining()
    tasks: dict[str, Callable[[Teacher, PreTraining, Weights], KnowledgeTransfer]] = {
        "distillation": PretrainingDistillation,
        "sentence": SentenceDistillation,
    }
    task = tasks[recipe.objective](teacher, student, recipe.weights)
    inherit(teacher, student)
    return student, task


def _start_from(student: PreTraining, source: Path) -> None:
    """Load the weights of a run's newest checkpoint, or of a model's folder. Raises TrainingError."""
    folder = weights_folder(source)
    if read_config(folder) != student.config:
        raise TrainingError(f"{folder}: its configuration differs from the recipe's student.")
    given = load_model(folder)
    if isinstance(given, PreTraining):
        student.load_state_dict(given.state_dict())
    elif isinstance(given, Encoder):  # an exported folder: the heads keep their initial weights
        student.body.load_state_dict(given.state_dict(), strict=False)
    else:
        raise TrainingError(f"{folder}: a model with a task head; start from a run or an encoder without a head.")


def _heldout(request: Request, recipe: Recipe) -> Batches | None:
    """Held-out text in batches of the same kind; None without held-out text."""
    manifest = Corpus(request.corpus).manifest
    rows = manifest["segments"]["heldout"]
    if not rows or not recipe.keeping.heldout_batches:
        return None
    part = Corpus(request.corpus, "heldout")
    options = replace(recipe.data, texts=min(recipe.data.texts, rows))
    return Batches(part, vocabulary(part.tokenizer()), options, _vectors(request, recipe, part))


def _vectors(request: Request, recipe: Recipe, corpus: Corpus) -> Vectors | None:
    if (recipe.objective == "vectors") != (request.vectors is not None):
        raise TrainingError(
            f'objective is "{recipe.objective}" and --teacher-vectors is {request.vectors}; expected the option with '
            'objective "vectors" and only there.'
        )
    return None if request.vectors is None else Vectors(request.vectors, corpus, recipe.student.hidden_size)


def _identity(request: Request, recipe: Recipe, corpus: Corpus) -> dict[str, Any]:
    """What must be equal for a run to be resumed."""
    m = corpus.manifest
    return {
        "recipe": recipe.resolved(),
        "corpus": {key: m[key] for key in ("tokenizer", "vocab_size", "max_tokens", "seed", "segments", "tokens")},
        "teacher": None if request.teacher is None else request.teacher.name,
        "vectors": None if request.vectors is None else request.vectors.name,
        "start": None if request.start is None else request.start.name,
    }


def _resumable(request: Request, recipe: Recipe, corpus: Corpus) -> Checkpoint | None:
    """The checkpoint to resume from; None for a new run. Raises TrainingError if `out` contains something else."""
    out = request.out
    if not out.exists() or not any(out.iterdir()):
        return None
    if not (out / RUN).is_file():
        raise TrainingError(f"{out} exists and is not a run of mbrt-train. Choose another folder.")
    theirs = json.loads((out / RUN).read_text())
    ours = json.loads(json.dumps(_identity(request, recipe, corpus)))
    found = differences(ours["recipe"], theirs["recipe"])
    found += differences(ours["corpus"], theirs["corpus"], "corpus.")
    for key in ("teacher", "vectors", "start"):
        if ours[key] != theirs[key]:
            found.append(f"{key} is {theirs[key]!r} in the run, {ours[key]!r} here")
    if found:
        raise TrainingError(
            f"{out}: a run with another configuration: {'; '.join(found[:4])}. Choose another folder or use the "
            "run's recipe."
        )
    checkpoint = checkpoints.latest(out)
    if checkpoint is not None and differences(ours["recipe"], checkpoint.recipe):
        raise TrainingError(f"checkpoint {checkpoint.folder}: its configuration differs from {out / RUN}.")
    return checkpoint


def _begin(request: Request, recipe: Recipe, corpus: Corpus) -> None:
    request.out.mkdir(parents=True, exist_ok=True)
    copy_tokenizer(corpus.folder / "tokenizer", request.out / "tokenizer")
    partial = request.out / f".{RUN}"
    text = json.dumps(_identity(request, recipe, corpus) | {"corpus_folder": str(request.corpus)}, indent=2)
    partial.write_text(text + "\n")
    partial.replace(request.out / RUN)


def _leave(accelerator: Accelerator) -> None:
    if accelerator.num_processes > 1:
        accelerator.end_training()
