"""Fine-tuning: several seeds, early stopping on the development set, distillation from a fine-tuned teacher."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sized
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mbrt_train.checkpoints import Checkpoint, digest
from mbrt_train.data.tokenizer import copy_tokenizer, load_tokenizer, pieces
from mbrt_train.errors import TrainingError
from mbrt_train.heads import AnyModel, load_model, save_model, write_pooling
from mbrt_train.models import Encoder
from mbrt_train.sources import read_labels, tokenizer_source, weights_folder
from mbrt_train.tuning.keeper import Keeper, unfinished
from mbrt_train.tuning.own import OwnTask
from mbrt_train.tuning.predict import AsAlone, check_head
from mbrt_train.tuning.task import Example, TuningTask
from mbrt_train.tuning.training import DEFAULTS, Options, Tuning, encoder_of, new_model


@dataclass(frozen=True)
class Result:
    """Metrics of each seed's best epoch, and the seed whose model was kept."""

    seeds: dict[int, dict[str, float]]
    kept: int

    def mean_and_deviation(self) -> dict[str, tuple[float, float]]:
        names = next(iter(self.seeds.values()))
        table = {name: np.array([metrics[name] for metrics in self.seeds.values()]) for name in names}
        deviation = {name: float(v.std(ddof=1)) if len(v) > 1 else 0.0 for name, v in table.items()}
        return {name: (float(values.mean()), deviation[name]) for name, values in table.items()}


@dataclass(frozen=True)
class Job:
    """Folder of the initial model, a task, its files, and the folder of the result.

    dev: None holds out a share of train. teacher: folder of a model fine-tuned for the same task, to distil from.
    """

    model: Path
    task: TuningTask
    train: Path
    out: Path
    dev: Path | None = None
    teacher: Path | None = None
    options: Options = DEFAULTS
    quiet: bool = False


def finetune(job: Job) -> Result:
    """Train one model per seed and write the best one and results.json; or resume an interrupted run of the same job.

    Raises TrainingError before the first step, with nothing written, for wrong files, labels and models.
    """
    if job.out.exists():
        raise TrainingError(f"{job.out} exists. Remove it or choose another folder.")
    source = weights_folder(job.model)
    base, task, options = load_model(source), labelled(job), job.options
    tokenizer = load_tokenizer(tokenizer_source(job.model))
    size = len(pieces(tokenizer))
    if size != base.config.vocab_size:
        raise TrainingError(
            f"{job.model}: the tokenizer has {size:,} pieces; the model has {base.config.vocab_size:,} words."
        )
    longest = min(options.max_length, base.config.max_position_embeddings)
    examples = task.read(job.train, tokenizer, longest, training=True)
    if job.dev is None:
        examples, held = _split(examples, options.dev_share)
    else:
        held = task.read(job.dev, tokenizer, longest, training=False)
    teacher = None if job.teacher is None else _teacher(job.teacher, task, base)
    keeper = Keeper(unfinished(job.out), _identity(job, task, base))
    found = keeper.resume()
    if not job.quiet:
        _say(job, task, examples, held, found)
    if isinstance(task, OwnTask) and check_head(task, base) and not same_labels(task, source):
        base = encoder_of(base)  # a head for other labels
    for seed in options.seeds:
        if seed in keeper.finished.seeds:
            continue
        one = Tuning(base, task, teacher, options, seed=seed, quiet=job.quiet)
        if found is not None:
            keeper.restore(one, found)
            found = None
        keeper.finish(one, one.train(examples, held, keeper.save))
    finished = keeper.finished
    model = new_model(base, task, options)
    model.load_state_dict(finished.weights, strict=False)
    result = Result(finished.seeds, finished.kept)
    _write(job, task, model.eval(), result, finished.log)
    keeper.remove()
    return result


def labelled(job: Job) -> TuningTask:
    """The job's task; on one's own data with the labels of the training file."""
    if isinstance(job.task, OwnTask):
        return job.task.labelled(job.task.labels_in(job.train), job.train)
    return job.task


def same_labels(task: OwnTask, source: Path) -> bool:
    """Whether a model's head is for the labels of a task; a regression has none."""
    return not task.labels or read_labels(source) == task.labels


def _identity(job: Job, task: TuningTask, base: AnyModel) -> dict[str, Any]:
    """What must be equal for a run to be resumed."""
    weights = hashlib.sha256()
    for value in base.state_dict().values():
        weights.update(value.contiguous().numpy())
    return {
        "task": task.name,
        "labels": list(task.labels) if isinstance(task, OwnTask) else [],
        "options": asdict(job.options),
        "model": weights.hexdigest(),
        "train": digest(job.train),
        "dev": None if job.dev is None else digest(job.dev),
        "teacher": None if job.teacher is None else job.teacher.name,
    }


def _say(job: Job, task: TuningTask, examples: Sized, held: Sized, found: Checkpoint | None) -> None:
    if isinstance(task, OwnTask) and task.labels:
        print(f"{len(task.labels)} labels: {', '.join(task.labels)}", file=sys.stderr)
    print(f"{job.train}: {len(examples):,} examples to train on, {len(held):,} to evaluate", file=sys.stderr)
    if found is not None:
        p = found.position
        print(
            f"{unfinished(job.out)}: going on from step {p.step_in_stage:,} of seed {job.options.seeds[p.stage]}",
            file=sys.stderr,
        )


def _split(examples: list[Example], share: float) -> tuple[list[Example], list[Example]]:
    order = np.random.default_rng(0).permutation(len(examples))
    held = max(1, round(share * len(examples)))
    if held >= len(examples):
        raise TrainingError(f"{len(examples)} examples are too few to hold some out. Give a development file.")
    return [examples[i] for i in order[held:]], [examples[i] for i in order[:held]]


def _teacher(folder: Path, task: TuningTask, student: AnyModel) -> AsAlone:
    found = load_model(weights_folder(folder))
    if not check_head(task, found):
        raise TrainingError(
            f"the teacher {folder} does not have the head of {task.name}. Fine-tune it for the same task."
        )
    if isinstance(task, OwnTask) and not same_labels(task, folder):
        raise TrainingError(
            f"the teacher {folder} has the labels {', '.join(read_labels(folder))}; expected {', '.join(task.labels)}. "
            "Fine-tune it on the same labels, or name them in its order with --labels."
        )
    if found.config.vocab_size != student.config.vocab_size:
        raise TrainingError(
            f"the teacher has {found.config.vocab_size:,} words, the student {student.config.vocab_size:,}; expected "
            "the same tokenizer."
        )
    return AsAlone(found).eval().requires_grad_(False)


def _write(job: Job, task: TuningTask, model: AnyModel, result: Result, lines: list[dict[str, Any]]) -> None:
    partial = job.out.with_name(f".{job.out.name}.{os.getpid()}.partial")
    try:
        save_model(model, partial, task.extra())
        copy_tokenizer(tokenizer_source(job.model), partial)
        if isinstance(model, Encoder):
            longest = min(job.options.max_length, model.config.max_position_embeddings)
            write_pooling(partial, model.config.hidden_size, longest)
        summary = {name: {"mean": m, "deviation": d} for name, (m, d) in result.mean_and_deviation().items()}
        about = {"task": task.name, "options": asdict(job.options), "seeds": result.seeds, "kept": result.kept}
        (partial / "results.json").write_text(json.dumps(about | {"summary": summary}, indent=2) + "\n")
        (partial / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        partial.rename(job.out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
