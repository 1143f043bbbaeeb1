"""Fine-tuning: several seeds, early stopping on the development set, distillation from a fine-tuned teacher."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from mbrt_train.data.tokenizer import copy_tokenizer, load_tokenizer, pieces
from mbrt_train.errors import TrainingError
from mbrt_train.heads import AnyModel, load_model, save_model, write_pooling
from mbrt_train.models import Encoder, PreTraining
from mbrt_train.optimisers import make_optimiser, set_rate
from mbrt_train.quantised.model import Quantised
from mbrt_train.strategies import Schedule
from mbrt_train.tuning.glue import TASKS, Similarity
from mbrt_train.tuning.predict import AsAlone, check_head, with_torch
from mbrt_train.tuning.squad import Squad
from mbrt_train.tuning.task import Example, TuningTask, pad

NAMES = (*TASKS, "SQuAD", "similarity")


@dataclass(frozen=True)
class Options:
    """Options of fine-tuning. The paper searched batches of 16 to 48, rates of 1e-5 to 1e-4 and 2 to 10 epochs.

    patience: epochs without a better development score before it stops. dev_share: share of the training file to hold
    out without a development file. alpha: weight of the true labels with a teacher. pooler: add a tanh pooler before
    the head of a model without one. steps: maximum, 0 for no limit.
    """

    seeds: tuple[int, ...] = (0,)
    epochs: int = 5
    batch: int = 32
    learning_rate: float = 4e-5
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    patience: int = 2
    max_length: int = 128
    dev_share: float = 0.1
    alpha: float = 0.5
    pooler: bool = False
    quantised: bool = False
    steps: int = 0


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


def task_by_name(name: str) -> TuningTask:
    """A GLUE task, SQuAD, or sentence similarity. Raises TrainingError."""
    for known in NAMES:
        if known.lower() == name.lower():
            others: dict[str, TuningTask] = {"SQuAD": Squad(), "similarity": Similarity()}
            return TASKS[known] if known in TASKS else others[known]
    raise TrainingError(f"unknown task {name!r}; expected one of {', '.join(NAMES)}.")


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
    options: Options = Options()
    quiet: bool = False


def finetune(job: Job) -> Result:
    """Train one model per seed and write the best one and results.json.

    Raises TrainingError before the first step, with nothing written, for wrong files, labels and models.
    """
    if job.out.exists():
        raise TrainingError(f"{job.out} exists. Remove it or choose another folder.")
    base, task, options = load_model(job.model), job.task, job.options
    tokenizer = load_tokenizer(job.model)
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
    runs, lines = {}, []
    best: tuple[float, int, AnyModel] | None = None
    for seed in options.seeds:
        one = Tuning(base, task, teacher, options, seed=seed, quiet=job.quiet)
        runs[seed] = one.train(examples, held)
        lines += one.log
        if best is None or runs[seed][task.main_metric] > best[0]:
            best = (runs[seed][task.main_metric], seed, one.model)
    assert best is not None
    result = Result(runs, best[1])
    _write(job, best[2], result, lines)
    return result


def _split(examples: list[Example], share: float) -> tuple[list[Example], list[Example]]:
    order = np.random.default_rng(0).permutation(len(examples))
    held = max(1, round(share * len(examples)))
    if held >= len(examples):
        raise TrainingError(f"{len(examples)} examples are too few to hold some out. Give a development file.")
    return [examples[i] for i in order[held:]], [examples[i] for i in order[:held]]


def _teacher(folder: Path, task: TuningTask, student: AnyModel) -> AsAlone:
    found = load_model(folder)
    if not check_head(task, found):
        raise TrainingError(
            f"the teacher {folder} does not have the head of {task.name}. Fine-tune it for the same task."
        )
    if found.config.vocab_size != student.config.vocab_size:
        raise TrainingError(
            f"the teacher has {found.config.vocab_size:,} words, the student {student.config.vocab_size:,}; expected "
            "the same tokenizer."
        )
    return AsAlone(found).eval().requires_grad_(False)


def new_model(base: AnyModel, task: TuningTask, options: Options) -> AnyModel:
    """The task's model with the encoder of `base`, and its head if it has the same one."""
    config = base.config
    if options.pooler:
        config = replace(config, classifier_activation=True)
    model = task.make_model(config)
    source = base if check_head(task, base) and not isinstance(base, PreTraining) else None
    theirs = (base if source is not None else _encoder(base)).state_dict()
    target = model if source is not None else _encoder(model)
    own = target.state_dict()
    for name, value in own.items():
        if name in theirs:
            value.copy_(theirs[name])
        elif "pooler" not in name:
            raise TrainingError(f"the model has no tensor {name}.")
    return model


def _encoder(model: AnyModel) -> nn.Module:
    return model if isinstance(model, Encoder) else model.body


def runner(model: AnyModel, options: Options) -> nn.Module:
    """The module for training and evaluation: the model, or its quantised form."""
    return Quantised(model) if options.quantised else AsAlone(model)


class Tuning:
    """One seed's model and its training."""

    def __init__(
        self,
        base: AnyModel,
        task: TuningTask,
        teacher: AsAlone | None,
        options: Options,
        *,
        seed: int,
        quiet: bool,
    ) -> None:
        torch.manual_seed(seed)
        with torch.no_grad():
            self.model = new_model(base, task, options)
        self.run = runner(self.model, options)
        self.task, self.teacher, self.options, self.seed, self.quiet = task, teacher, options, seed, quiet
        self.log: list[dict[str, Any]] = []

    def train(self, examples: list[Example], held: list[Example]) -> dict[str, float]:
        """Train until the epochs or the patience are exhausted. Keeps the best epoch's weights; returns its metrics."""
        o, main = self.options, self.task.main_metric
        optimiser = make_optimiser("adamw", self.model.named_parameters(), lambda _: 1.0, o.weight_decay)
        per_epoch = math.ceil(len(examples) / o.batch)
        steps = min(per_epoch * o.epochs, o.steps or per_epoch * o.epochs)
        schedule = Schedule(warmup=round(o.warmup * steps), decay="linear")
        best, weights, waited, step = {main: -math.inf}, self.model.state_dict(), 0, 0
        bar = tqdm(total=steps, unit="step", disable=self.quiet or None, desc=f"seed {self.seed}")
        for epoch in range(o.epochs):
            self.run.train()
            losses = []
            for part in islice(_batches(examples, o.batch, self.seed, epoch), steps - step):
                set_rate(optimiser, o.learning_rate * schedule(step, steps))
                losses.append(self._step(part, optimiser))
                step += 1
                bar.update(1)
            metrics = self.evaluate(held)
            self.log.append(
                {"seed": self.seed, "epoch": epoch, "step": step, "loss": float(np.mean(losses)), **metrics}
            )
            bar.set_postfix({name: f"{value:.2f}" for name, value in metrics.items()})
            waited += 1
            if metrics[main] > best[main]:
                best, waited = metrics, 0
                weights = {name: value.clone() for name, value in self.model.state_dict().items()}
            if waited >= o.patience or step == steps:
                break
        bar.close()
        self.model.load_state_dict(weights)
        self.model.eval()
        return best

    def evaluate(self, held: list[Example]) -> dict[str, float]:
        self.run.eval()
        return self.task.evaluate(with_torch(self.task, self.run), held)

    def _step(self, part: list[Example], optimiser: torch.optim.Optimizer) -> float:
        batch = pad([sequence for example in part for sequence in example.sequences])
        guided: Tensor | None = None
        if self.teacher is not None:
            with torch.no_grad():
                guided = self.task.result(self.teacher, batch)
        optimiser.zero_grad(set_to_none=True)
        loss = self.task.loss(self.task.result(self.run, batch), part, guided, self.options.alpha)
        if not torch.isfinite(loss):
            raise TrainingError("the loss is not finite. Lower the learning rate or add a pooler (--pooler).")
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip)
        optimiser.step()
        return loss.item()


def _batches(examples: Sequence[Example], size: int, seed: int, epoch: int) -> Iterator[list[Example]]:
    order = np.random.default_rng([seed, epoch]).permutation(len(examples))
    for start in range(0, len(order), size):
        yield [examples[i] for i in order[start : start + size]]


def _write(job: Job, model: AnyModel, result: Result, lines: list[dict[str, Any]]) -> None:
    partial = job.out.with_name(f".{job.out.name}.{os.getpid()}.partial")
    try:
        save_model(model, partial, job.task.extra())
        copy_tokenizer(job.model, partial)
        if isinstance(model, Encoder):
            longest = min(job.options.max_length, model.config.max_position_embeddings)
            write_pooling(partial, model.config.hidden_size, longest)
        summary = {name: {"mean": m, "deviation": d} for name, (m, d) in result.mean_and_deviation().items()}
        about = {"task": job.task.name, "options": asdict(job.options), "seeds": result.seeds, "kept": result.kept}
        (partial / "results.json").write_text(json.dumps(about | {"summary": summary}, indent=2) + "\n")
        (partial / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        partial.rename(job.out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
