"""Batches by token budget: sorted by length, run, and put back in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mobilebert_rt.errors import TimeoutError as EngineTimeout
from mobilebert_rt.text.progress import Bar
from mobilebert_rt.text.windows import Window

if TYPE_CHECKING:
    from mobilebert_rt.model import CancelToken, Model, ModelOutput

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Job:
    """What accompanies one call: its progress bar, its deadline (time.monotonic) and its cancel token."""

    bar: Bar
    deadline: float | None
    cancel: CancelToken | None

    def remaining(self) -> float | None:
        """Seconds left, None for no limit. Raises TimeoutError when there are none."""
        if self.deadline is None:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise EngineTimeout("The time allowed for this call has passed.")
        return left


def plan_batches(lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Groups of indices, longest first, each of at most `max_tokens` tokens (a longer sequence is alone in
    its group).

    Longest first: what needs the most memory is seen at once, and the bar's guess errs on the safe side.
    """
    batches: list[list[int]] = []
    room = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not batches or lengths[index] > room:
            batches.append([])
            room = max_tokens
        batches[-1].append(index)
        room -= lengths[index]
    return batches


def run_windows(
    model: Model,
    windows: Sequence[Window],
    collect: Callable[[ModelOutput, int, Window], T],
    *,
    max_tokens: int,
    job: Job,
    positions: Sequence[list[int]] | None = None,
) -> list[T]:
    """What `collect(output, row, window)` makes of each window's row of its batch's output, in the windows'
    order.

    positions: for masked LM, the token positions of each window whose logits are wanted. The output of a
    batch is dropped as soon as its rows are collected. Raises whatever the model raises, and TimeoutError
    between batches.
    """
    results: dict[int, T] = {}
    for batch in plan_batches([len(window.ids) for window in windows], max_tokens):
        output = model(
            [windows[i].ids for i in batch],
            token_type_ids=[windows[i].type_ids for i in batch] if model.config.type_vocab_size > 0 else None,
            timeout=job.remaining(),
            cancel=job.cancel,
            logit_positions=None if positions is None else [positions[i] for i in batch],
        )
        for row, i in enumerate(batch):
            results[i] = collect(output, row, windows[i])
        job.bar.update(len({windows[i].index for i in batch if windows[i].first == 0}))
    return [results[i] for i in range(len(windows))]
