"""Interleaved measurement: in every round each engine runs once, so that changes of the machine's speed affect all."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.peers.session import PeerError

WARMUP_CALLS = 3
MAX_CALLS = 200

Progress = Callable[[int, int], None]


class Runner(Protocol):
    """Something that is timed."""

    def run(self, calls: int) -> Sequence[float]:
        """Seconds of each of so many calls. Raises PeerError."""
        ...

    def pause(self) -> None:
        """Leave the CPUs to the others until the next run."""
        ...


@dataclass
class Record:
    """Times of one runner: seconds of each call, by round; or why there are none."""

    rounds: list[list[float]] = field(default_factory=list)
    error: str | None = None

    def summary(self) -> dict[str, Any]:
        """The fields of a Result: the median of all calls, the rounds' medians with their quartiles; or the error."""
        if self.error is not None:
            return {"error": self.error}
        rounds = [statistics.median(turn) for turn in self.rounds]
        calls = [seconds for turn in self.rounds for seconds in turn]
        first, third = quartiles(rounds)
        times = {"median": statistics.median(calls), "first_quartile": first, "third_quartile": third}
        return {**times, "rounds": rounds, "calls": len(calls)}


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """First and third quartile; a single value is both."""
    if len(values) < 2:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


def take_turns(
    records: Mapping[str, Record],
    rounds: int,
    turn: Callable[[str], None],
    progress: Progress = lambda done, of: None,
) -> None:
    """In every round call turn(name) for each record, in an order that changes from round to round.

    A PeerError becomes the error of the record, which gets no more turns.
    """
    for number in range(rounds):
        progress(number, rounds)
        for name in order(list(records), number):
            if records[name].error is None:
                try:
                    turn(name)
                except PeerError as error:
                    records[name].error = str(error)


def measure_interleaved(
    runners: Mapping[str, Runner], rounds: int, turn_seconds: float, progress: Progress = lambda done, of: None
) -> dict[str, Record]:
    """Time each runner, one turn per round.

    A turn is one warm-up call, because the caches hold the weights of another engine, then as many calls as fill
    `turn_seconds`, at least one.
    """
    records = {name: Record() for name in runners}
    calls: dict[str, int] = {}

    def run(name: str, count: int) -> list[float]:
        try:
            return list(runners[name].run(count))
        finally:
            runners[name].pause()

    def warm_up(name: str) -> None:
        last = run(name, 1)[-1]
        if last < turn_seconds:  # otherwise one call is enough
            last = run(name, WARMUP_CALLS - 1)[-1]
        calls[name] = max(1, min(MAX_CALLS, int(turn_seconds / max(last, 1e-9))))

    take_turns(records, 1, warm_up)
    take_turns(records, rounds, lambda name: records[name].rounds.append(run(name, 1 + calls[name])[1:]), progress)
    return records


def order(names: Sequence[str], round_number: int) -> list[str]:
    """The order of a round: random, but the same in every run."""
    return random.Random(round_number).sample(list(names), len(names))
