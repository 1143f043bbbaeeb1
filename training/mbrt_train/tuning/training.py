"""Training of one seed's model: epochs, early stopping, and the progress that its checkpoints hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mbrt_train import checkpoints
from mbrt_train.checkpoints import Checkpoint
from mbrt_train.errors import TrainingError
from mbrt_train.heads import AnyModel
from mbrt_train.models import Encoder, PreTraining
from mbrt_train.optimisers import make_optimiser, set_rate
from mbrt_train.progress import Progress
from mbrt_train.quantised.model import Quantised
from mbrt_train.seeds import hash_seed
from mbrt_train.strategies import Schedule
from mbrt_train.tuning.predict import AsAlone, check_head, with_torch
from mbrt_train.tuning.task import Example, TuningTask, pad

BEST = "best"  # the file of a checkpoint with the best epoch's weights
Save = Callable[["Tuning", bool], None]


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


DEFAULTS = Options()


def new_model(base: AnyModel, task: TuningTask, options: Options) -> AnyModel:
    """The task's model with the encoder of `base`, and its head if it has the same one."""
    config = base.config
    if options.pooler:
        config = replace(config, classifier_activation=True)
    model = task.make_model(config)
    source = base if check_head(task, base) and not isinstance(base, PreTraining) else None
    theirs = (base if source is not None else encoder_of(base)).state_dict()
    target = model if source is not None else encoder_of(model)
    own = target.state_dict()
    for name, value in own.items():
        if name in theirs:
            value.copy_(theirs[name])
        elif "pooler" not in name:
            raise TrainingError(f"the model has no tensor {name}.")
    return model


def encoder_of(model: AnyModel) -> Encoder:
    return model if isinstance(model, Encoder) else model.body


@dataclass
class State:
    """Progress of one seed: steps, epoch, batches done in it and their losses, epochs without improvement, the best
    epoch's metrics, and a log line for each epoch."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    losses: list[float] = field(default_factory=list)
    waited: int = 0
    best: dict[str, float] | None = None
    log: list[dict[str, Any]] = field(default_factory=list)


class Tuning:
    """One seed's model and its training. Random numbers depend on seed and step, so that it can be interrupted."""

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
        self.task, self.teacher, self.options, self.seed, self.quiet = task, teacher, options, seed, quiet
        self.optimiser = make_optimiser("adamw", self.model.named_parameters(), lambda _: 1.0, options.weight_decay)
        self.state = State()
        self.weights = _copied(self.model)  # of the best epoch

    def restore(self, checkpoint: Checkpoint, state: State) -> None:
        """Continue from a checkpoint of the same seed."""
        checkpoints.restore(checkpoint, self.model, self.optimiser)
        self.weights, self.state = checkpoint.tensors(BEST), state

    def train(self, examples: list[Example], held: list[Example], save: Save | None = None) -> dict[str, float]:
        """Train until the epochs or the patience are exhausted. Keeps the best epoch's weights; returns its metrics.

        save: called after steps, and after an epoch with `True`, whenever a checkpoint gives the same results.
        """
        o, s = self.options, self.state
        runner = Quantised(self.model) if o.quantised else AsAlone(self.model)
        if isinstance(runner, Quantised):
            runner.calls = s.step
        per_epoch = math.ceil(len(examples) / o.batch)
        steps = min(per_epoch * o.epochs, o.steps or per_epoch * o.epochs)
        progress = Progress(steps, "step", self.quiet, done=s.step, name=f"seed {self.seed}")
        while s.step < steps and s.waited < o.patience:
            self._epoch(runner, examples, steps, progress, save)
            metrics = self._evaluate(runner, held)
            progress.show({name: f"{value:.2f}" for name, value in metrics.items()})
            s.log.append(
                {"seed": self.seed, "epoch": s.epoch, "step": s.step, "loss": float(np.mean(s.losses)), **metrics}
            )
            s.epoch, s.batch, s.losses, s.waited = s.epoch + 1, 0, [], s.waited + 1
            if s.best is None or metrics[self.task.main_metric] > s.best[self.task.main_metric]:
                s.best, s.waited, self.weights = metrics, 0, _copied(self.model)
            if save is not None:
                save(self, True)
        progress.close()
        assert s.best is not None
        self.model.load_state_dict(self.weights, strict=False)
        self.model.eval()
        return s.best

    def _epoch(
        self, runner: nn.Module, examples: list[Example], steps: int, progress: Progress, save: Save | None
    ) -> None:
        """The remaining steps of an epoch."""
        o, s = self.options, self.state
        schedule = Schedule(warmup=round(o.warmup * steps), decay="linear")
        runner.train()
        batches = _batches(examples, o.batch, self.seed, s.epoch)
        for part in islice(batches, s.batch, s.batch + steps - s.step):
            set_rate(self.optimiser, o.learning_rate * schedule(s.step, steps))
            torch.manual_seed(hash_seed(self.seed, s.step))
            s.losses.append(self._step(runner, part))
            s.step, s.batch = s.step + 1, s.batch + 1
            progress.advance()
            # Scales of quantised training are those of earlier weights, unless the next step computes them anew.
            repeatable = not isinstance(runner, Quantised) or (s.step + 1) % runner.every == 0
            if save is not None and repeatable and s.batch * o.batch < len(examples) and s.step < steps:
                save(self, False)

    def _evaluate(self, runner: nn.Module, held: list[Example]) -> dict[str, float]:
        runner.eval()
        return self.task.evaluate(with_torch(self.task, runner), held)

    def _step(self, runner: nn.Module, part: list[Example]) -> float:
        batch = pad([sequence for example in part for sequence in example.sequences])
        guided: Tensor | None = None
        if self.teacher is not None:
            with torch.no_grad():
                guided = self.task.result(self.teacher, batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.task.loss(self.task.result(runner, batch), part, guided, self.options.alpha)
        if not torch.isfinite(loss):
            raise TrainingError("the loss is not finite. Lower the learning rate or add a pooler (--pooler).")
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip)
        self.optimiser.step()
        return loss.item()


def _copied(model: AnyModel) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _batches(examples: Sequence[Example], size: int, seed: int, epoch: int) -> Iterator[list[Example]]:
    order = np.random.default_rng([seed, epoch]).permutation(len(examples))
    for start in range(0, len(order), size):
        yield [examples[i] for i in order[start : start + size]]
