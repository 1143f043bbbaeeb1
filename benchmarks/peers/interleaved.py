"""Interleaved measurement: in every round each engine runs once, so that changes of the machine's speed affect all."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.peers.session import PeerError

WARMUP_CALLS = 3
MAX_CALLS = 200


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

    @property
    def calls(self) -> int:
        return sum(len(turn) for turn in self.rounds)

    @property
    def median(self) -> float:
        """Of all calls, in seconds."""
        return statistics.median(seconds for turn in self.rounds for seconds in turn)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Of the rounds' medians."""
        return quartiles([statistics.median(turn) for turn in self.rounds])


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """First and third quartile; a single value is both."""
    if len(values) < 2:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


def measure_interleaved(
    runners: Mapping[str, Runner],
    rounds: int,
    turn_seconds: float,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Record]:
    """In every round give each runner one turn, in an order that changes from round to round.

    A turn is one warm-up call, because the caches hold the weights of another engine, then as many calls as fill
    `turn_seconds`, at least one. A runner that fails gets no more turns; its record has the error.
    """
    records = {name: Record() for name in runners}
    calls = {name: _warm_up(runner, turn_seconds, records[name]) for name, runner in runners.items()}
    for number in range(rounds):
        progress(number, rounds)
        for name in order(list(runners), number):
            if records[name].error is None:
                _turn(runners[name], calls[name], records[name])
    return records


def order(names: Sequence[str], round_number: int) -> list[str]:
    """The order of a round: random, but the same in every run."""
    return random.Random(round_number).sample(list(names), len(names))


def _warm_up(runner: Runner, turn_seconds: float, record: Record) -> int:
    """The number of calls that fill a turn. A first call that is longer than a turn is not repeated."""
    try:
        last = runner.run(1)[-1]
        if last < turn_seconds:
            last = runner.run(WARMUP_CALLS - 1)[-1]
    except PeerError as error:
        record.error = str(error)
        return 0
    finally:
        runner.pause()
    return max(1, min(MAX_CALLS, int(turn_seconds / max(last, 1e-9))))


def _turn(runner: Runner, calls: int, record: Record) -> None:
    try:
        record.rounds.append(list(runner.run(1 + calls))[1:])
    except PeerError as error:
        record.error = str(error)
    finally:
        runner.pause()
