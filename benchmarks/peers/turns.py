"""Turn by turn: rounds in which everybody runs once, so that whatever the machine does is done to all of them."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.peers.session import PeerError

WARMUP_CALLS = 3
MOST_CALLS = 200


class Player(Protocol):
    """Whoever takes turns."""

    def run(self, calls: int) -> Sequence[float]:
        """Seconds of each of so many calls. Raises PeerError."""
        ...

    def rest(self) -> None:
        """Let the processor go until the next turn."""
        ...


@dataclass
class Record:
    """One player's turns: seconds of each call, round by round; or why there are none."""

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
        """Of the rounds' medians: between them lies half of what the machine did."""
        return quartiles([statistics.median(turn) for turn in self.rounds])


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """First and third; of one value, twice that."""
    if len(values) < 2:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


def take_turns(
    players: Mapping[str, Player],
    rounds: int,
    turn_seconds: float,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Record]:
    """Let everybody run in every round, each time in another order.

    A turn is one call that does not count, because the caches hold another's weights, then as many as fill
    `turn_seconds`, at least one. Who fails is out, and its record says why.
    """
    records = {name: Record() for name in players}
    calls = {name: _warm_up(player, turn_seconds, records[name]) for name, player in players.items()}
    for number in range(rounds):
        progress(number, rounds)
        for name in order(list(players), number):
            if records[name].error is None:
                _turn(players[name], calls[name], records[name])
    return records


def order(names: Sequence[str], number: int) -> list[str]:
    """Who comes when in a round: drawn by lot, the same in every run, so that nobody always follows the same."""
    return random.Random(number).sample(list(names), len(names))


def _warm_up(player: Player, turn_seconds: float, record: Record) -> int:
    """How many calls fill a turn. A call that fills one alone is not repeated only to be warm."""
    try:
        last = player.run(1)[-1]
        if last < turn_seconds:
            last = player.run(WARMUP_CALLS - 1)[-1]
    except PeerError as error:
        record.error = str(error)
        return 0
    finally:
        player.rest()
    return max(1, min(MOST_CALLS, int(turn_seconds / max(last, 1e-9))))


def _turn(player: Player, calls: int, record: Record) -> None:
    try:
        record.rounds.append(list(player.run(1 + calls))[1:])
    except PeerError as error:
        record.error = str(error)
    finally:
        player.rest()
