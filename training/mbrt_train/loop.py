"""The training loop: stages of steps, on one or more processes.

Interruptions and the number of micro-batches do not change the results.

The loss of a step is the sum over terms of weight * total / count, with the counts of the whole batch over all
processes and micro-batches. Random numbers have no state: examples depend on seed, epoch and row, dropout on seed and
step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from mbrt_train import checkpoints
from mbrt_train.checkpoints import Checkpoint, Position
from mbrt_train.data.batches import Batches, Share, shares
from mbrt_train.errors import TrainingError
from mbrt_train.logs import Log
from mbrt_train.models import PreTraining
from mbrt_train.optimisers import make_optimiser, set_rate
from mbrt_train.precision import Working
from mbrt_train.recipes import Recipe
from mbrt_train.seeds import hash_seed
from mbrt_train.strategies import Stage
from mbrt_train.tasks import Student, Task, Term, trainable

COUNTS = ("texts", "tokens", "words", "pairs")


class Trainer:
    """Trains `student` in place; writes to the folder `run`."""

    def __init__(
        self,
        recipe: Recipe,
        student: PreTraining,
        task: Task,
        batches: Batches,
        run: Path,
        *,
        heldout: Batches | None = None,
        exam: Callable[[Student], dict[str, float]] | None = None,
        accelerator: Accelerator | None = None,
        quiet: bool = False,
    ) -> None:
        self.recipe, self.task, self.batches, self.run = recipe, task, batches, run
        self.heldout, self.exam = heldout, exam
        self.accelerator = accelerator or make_accelerator()
        self.student = student.to(self.accelerator.device)
        self.stages = recipe.stages()
        self.working: Working | None = None
        self.quiet = quiet or not self.accelerator.is_main_process
        self.log: Log | None = None

    def train(self, resume: Checkpoint | None = None, stop_after: float | None = None) -> Position:
        """Run all stages, or the remaining ones. stop_after: seconds until a checkpoint and an early stop.

        Raises TrainingError when the loss is not finite; no checkpoint is written then.
        """
        position = Position() if resume is None else resume.position
        if self.accelerator.is_main_process:
            self.log = Log(self.run, position.step, sum(stage.steps for stage in self.stages), self.quiet)
        deadline = None if stop_after is None else time.monotonic() + stop_after
        try:
            while position.stage < len(self.stages):
                stage = self.stages[position.stage]
                if position.step_in_stage >= stage.steps:
                    position = replace(position, stage=position.stage + 1, step_in_stage=0)
                    continue
                # Every stage starts with fresh moments.
                position, stopped = self._stage(stage, position, resume, deadline)
                resume = None
                if stopped:
                    break
        finally:
            if self.log is not None:
                self.log.close()
        return position

    def _stage(
        self, stage: Stage, position: Position, resume: Checkpoint | None, deadline: float | None
    ) -> tuple[Position, bool]:
        for name, parameter in self.student.named_parameters():
            parameter.requires_grad_(trainable(name, self.task, stage))
        self.student.train(self.task.dropout)
        o = self.recipe.optimiser
        bf16 = self.recipe.precision == "bf16_weights"
        dtype = torch.bfloat16 if bf16 else torch.float32
        optimiser = make_optimiser(o.name, self.student.named_parameters(), stage.rate, o.weight_decay, dtype)
        if resume is not None:
            same_stage = position.step_in_stage > 0
            checkpoints.restore(resume, self.student, optimiser if same_stage else None)
        self.working = Working(self.student) if bf16 else None
        runs = self.student if self.working is None else self.working.model
        wrapped = self.accelerator.prepare_model(Student(runs, self.recipe.quantised))
        a = self.accelerator
        feed = shares(self.batches, position.epoch, position.batch, a.process_index, a.num_processes)
        keeping = self.recipe.keeping
        sums: dict[str, float] = {}
        tokens, since, stopped = 0, 0, False
        for share in islice(feed, stage.steps - position.step_in_stage):
            rate = stage.learning_rate * stage.schedule(position.step_in_stage, stage.steps)
            set_rate(optimiser, rate)
            if self.task.dropout:
                torch.manual_seed(hash_seed(self.recipe.seed, position.step, a.process_index))
            counts, late = self._counts(share, deadline)
            terms = self._step(wrapped, optimiser, stage, share, counts)
            position = Position(
                position.step + 1, position.stage, position.step_in_stage + 1, share.epoch, share.index + 1
            )
            last = position.step_in_stage == stage.steps
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value
            tokens, since, stopped = tokens + counts["tokens"], since + 1, late and not last
            if self.log is not None:
                self.log.advance(stage.name)
            if position.step % keeping.log_every == 0 or last or stopped:
                means = {name: value / since for name, value in sums.items()}
                if self.log is not None:
                    self.log.write(position.step, stage.name, means | {"learning_rate": rate}, tokens)
                sums, tokens, since = {}, 0, 0
            if position.step % keeping.checkpoint_every == 0 or last or stopped:
                self._checkpoint(wrapped, stage, position, optimiser)
            if stopped:
                break
        feed.close()  # type: ignore[attr-defined]
        return position, stopped

    def _step(
        self, student: nn.Module, optimiser: torch.optim.Optimizer, stage: Stage, share: Share, counts: dict[str, int]
    ) -> dict[str, float]:
        """One step. Returns the mean of each term over the whole batch, their weighted sum, and the gradient norm."""
        a = self.accelerator
        means: dict[str, Tensor] = {}
        optimiser.zero_grad(set_to_none=True)
        for i, batch in enumerate(share.batches):
            last = i == len(share.batches) - 1
            context: AbstractContextManager[Any] = nullcontext() if last else a.no_sync(student)
            with context:
                with self._autocast():
                    terms = self.task.terms(student, batch.to(a.device), stage)
                loss = self._loss(terms, share.idle, counts, means)
                (loss * a.num_processes).backward()  # DDP averages
        found = self._sum_over_processes(means)
        if not all(map(math.isfinite, found.values())):
            raise TrainingError(
                f"stage {stage.name!r}: the loss is not finite ({found}). Lower budget.learning_rate or lengthen the "
                "warm-up, and resume from the last checkpoint."
            )
        self._update(optimiser, found)
        return found

    def _loss(self, terms: list[Term], idle: bool, counts: dict[str, int], means: dict[str, Tensor]) -> Tensor:
        """This micro-batch's share of the whole batch's loss; adds its terms to `means`."""
        loss = torch.zeros((), device=self.accelerator.device)
        for term in terms:
            mean = (0.0 if idle else 1.0) * term.total.float() / max(1, counts[term.per])
            means[term.name] = means.get(term.name, torch.zeros_like(loss)) + mean.detach()
            loss = loss + term.weight * mean
        means["loss"] = means.get("loss", torch.zeros_like(loss)) + loss.detach()
        return loss

    def _update(self, optimiser: torch.optim.Optimizer, found: dict[str, float]) -> None:
        if self.working is not None:
            self.working.move_gradients()
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        clip = self.recipe.optimiser.clip
        norm = nn.utils.clip_grad_norm_(parameters, clip if clip > 0 else float("inf"))
        found["gradient_norm"] = float(norm)
        optimiser.step()
        if self.working is not None:
            self.working.refresh()

    def _counts(self, share: Share, deadline: float | None) -> tuple[dict[str, int], bool]:
        """Counts of the whole batch, and whether any process has reached the deadline."""
        own = [sum(batch.counts()[name] for batch in share.batches) * (not share.idle) for name in COUNTS]
        late = deadline is not None and time.monotonic() >= deadline
        numbers = torch.tensor([*own, int(late)], device=self.accelerator.device)
        total = self.accelerator.reduce(numbers, "sum").tolist()
        return dict(zip(COUNTS, total, strict=False)), total[-1] > 0

    def _autocast(self) -> torch.autocast:
        enabled = self.recipe.precision == "bf16"
        return torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=enabled)

    def _sum_over_processes(self, means: dict[str, Tensor]) -> dict[str, float]:
        names = sorted(means)
        total = self.accelerator.reduce(torch.stack([means[name] for name in names]), "sum")
        return dict(zip(names, total.tolist(), strict=True))

    def _checkpoint(
        self, wrapped: nn.Module, stage: Stage, position: Position, optimiser: torch.optim.Optimizer
    ) -> None:
        self._evaluate(wrapped, stage, position)
        if self.accelerator.is_main_process:
            keep, recipe = self.recipe.keeping.keep, self.recipe.resolved()
            checkpoints.save_checkpoint(self.run, position, self.student, optimiser, recipe=recipe, keep=keep)
        self.accelerator.wait_for_everyone()

    @torch.no_grad()
    def _evaluate(self, wrapped: nn.Module, stage: Stage, position: Position) -> None:
        """Log the same terms over the first held-out batches, and the exam's metrics, on the main process."""
        if self.log is None or (self.heldout is None and self.exam is None):
            return
        self.student.eval()
        plain = Student(self.student, self.recipe.quantised)
        values = {} if self.heldout is None else self._heldout_terms(plain, stage, self.heldout)
        if self.exam is not None:
            values |= {f"evaluate/{name}": value for name, value in self.exam(plain).items()}
        self.student.train(self.task.dropout)
        self.log.write(position.step, stage.name, values)

    def _heldout_terms(self, plain: Student, stage: Stage, heldout: Batches) -> dict[str, float]:
        totals: dict[str, list[float]] = {}
        for rows in heldout.plan(0)[: self.recipe.keeping.heldout_batches]:
            for batch in heldout.micro_batches(rows, 0):
                counts = batch.counts()
                with self._autocast():
                    terms = self.task.terms(plain, batch.to(self.accelerator.device), stage)
                for term in terms:
                    entry = totals.setdefault(term.name, [0.0, 0.0])
                    entry[0] += term.total.item()
                    entry[1] += counts[term.per]
        return {f"heldout/{name}": total / max(1.0, count) for name, (total, count) in totals.items()}


def make_accelerator() -> Accelerator:
    """An accelerator for one process, or for those of torchrun or accelerate launch.

    accelerate's mixed precision is off: the recipe decides on bf16.
    """
    return Accelerator(mixed_precision="no", cpu=not torch.accelerator.is_available())
