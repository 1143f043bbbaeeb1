"""The paper's three strategies for knowledge transfer and distillation (Sun et al. 2020, section 3.4).

    auxiliary     one stage: transfer of all layers together with the last objective
    joint         transfer of all layers, then the last objective
    progressive   transfer layer by layer, bottom to top, with earlier layers frozen or at a lower learning rate; then
                  the last objective

A strategy is a list of stages; the losses are defined by the task. The optimiser starts every stage with fresh moments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from mbrt_train.errors import TrainingError


@dataclass(frozen=True)
class Schedule:
    """Learning rate over a stage, relative to its peak: a linear warm-up, then a decay to `end`.

    decay: "constant", "linear", "cosine", or "layerwise", which the published code uses for one layer's stage of n
    steps: min(0.9 + 0.1 sqrt(1 - t / n), 10 t / n).
    """

    warmup: int = 0
    decay: str = "constant"
    end: float = 0.0

    def __call__(self, step: int, steps: int) -> float:
        """Factor of step 0 .. steps - 1."""
        done = (step + 1) / steps
        if self.decay == "layerwise":
            return min(0.9 + 0.1 * math.sqrt(1 - done), 10 * done, 1.0)
        if step < self.warmup:
            return (step + 1) / self.warmup
        left = 1 - (step - self.warmup) / max(1, steps - self.warmup)
        shape = {"constant": 1.0, "linear": left, "cosine": 0.5 - 0.5 * math.cos(math.pi * left)}
        if self.decay not in shape:
            raise TrainingError(f"decay is {self.decay!r}; expected constant, linear, cosine or layerwise.")
        return self.end + (1 - self.end) * shape[self.decay]


@dataclass(frozen=True)
class Stage:
    """A number of steps with the same losses and the same trained parameters.

    gates [L + 1]: weight of the transfer losses of the embeddings and of each block. final: weight of the task's last
    objective. rates [L]: learning rate of each block, relative to the stage's; 0 is frozen. outside: that of
    all other parameters.
    """

    name: str
    steps: int
    gates: tuple[float, ...]
    final: float
    rates: tuple[float, ...]
    outside: float
    learning_rate: float
    schedule: Schedule

    @property
    def depth(self) -> int | None:
        """Number of blocks to run; None for the whole model with its heads."""
        if self.final:
            return None
        return max((i for i, gate in enumerate(self.gates) if gate), default=0)

    def rate(self, name: str) -> float:
        """Relative learning rate of a parameter by its name in the state dict."""
        parts = name.split(".")
        if "layer" not in parts:
            return self.outside
        return self.rates[int(parts[parts.index("layer") + 1])]


class Strategy(Protocol):
    """Interface of a strategy."""

    def stages(self, layers: int) -> list[Stage]:
        """The stages for a student with `layers` blocks."""


@dataclass(frozen=True)
class Budget:
    """Options of all strategies. The defaults are the paper's.

    transfer_rate: learning rate of transfer relative to distillation's. embeddings: whether transfer also trains and
    compares the embeddings (the paper copies and freezes them).
    """

    transfer_steps: int = 240_000
    distil_steps: int = 500_000
    learning_rate: float = 1.5e-3
    transfer_rate: float = 3.0
    transfer_schedule: Schedule = Schedule(decay="layerwise")
    distil_schedule: Schedule = Schedule(warmup=10_000, decay="linear", end=1e-4)
    embeddings: bool = False

    def gates(self, layers: int, only: int | None = None) -> tuple[float, ...]:
        """1 / L for every state, or only for that of block `only`."""
        first = 1.0 if self.embeddings and only is None else 0.0
        return tuple(g / layers for g in (first, *(float(only in (None, i)) for i in range(layers))))

    def transfer(
        self, name: str, steps: int, gates: tuple[float, ...], rates: tuple[float, ...], outside: float
    ) -> Stage:
        rate = self.learning_rate * self.transfer_rate
        return Stage(name, steps, gates, 0.0, rates, outside, rate, self.transfer_schedule)

    def distil(self, layers: int) -> list[Stage]:
        nothing = (0.0,) * (layers + 1)
        ones = (1.0,) * layers
        stage = Stage("distil", self.distil_steps, nothing, 1.0, ones, 1.0, self.learning_rate, self.distil_schedule)
        return [stage] if self.distil_steps else []


@dataclass(frozen=True)
class Auxiliary:
    """One stage with as many steps as the stages of the other strategies together."""

    budget: Budget

    def stages(self, layers: int) -> list[Stage]:
        b = self.budget
        steps = b.transfer_steps + b.distil_steps
        ones = (1.0,) * layers
        return [Stage("auxiliary", steps, b.gates(layers), 1.0, ones, 1.0, b.learning_rate, b.distil_schedule)]


@dataclass(frozen=True)
class Joint:
    """Transfer of all layers, then only the last objective."""

    budget: Budget

    def stages(self, layers: int) -> list[Stage]:
        b = self.budget
        rates, outside = (1.0,) * layers, float(b.embeddings)
        transfer = b.transfer("transfer", b.transfer_steps, b.gates(layers), rates, outside)
        return [transfer, *b.distil(layers)] if b.transfer_steps else b.distil(layers)


@dataclass(frozen=True)
class Progressive:
    """Layer by layer. earlier: relative rate of the layers below; 0 freezes them, the published code uses 0.1."""

    budget: Budget
    earlier: float = 0.1

    def stages(self, layers: int) -> list[Stage]:
        b = self.budget
        if b.transfer_steps and b.transfer_steps < layers:
            raise TrainingError(
                f"budget.transfer_steps is {b.transfer_steps}; expected at least one for each of {layers} layers."
            )
        found = []
        for i in range(layers if b.transfer_steps else 0):
            steps = b.transfer_steps * (i + 1) // layers - b.transfer_steps * i // layers
            rates = tuple(self.earlier if j < i else float(j == i) for j in range(layers))
            outside = float(b.embeddings) * (1.0 if i == 0 else self.earlier)
            found.append(b.transfer(f"layer {i}", steps, b.gates(layers, only=i), rates, outside))
        return found + b.distil(layers)


STRATEGIES = {"auxiliary": Auxiliary, "joint": Joint, "progressive": Progressive}
