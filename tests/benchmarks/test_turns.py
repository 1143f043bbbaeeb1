"""Rounds of turns: everybody the same number of times, in changing order, medians of what they say."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from benchmarks.peers.session import PeerError
from benchmarks.peers.turns import MOST_CALLS, WARMUP_CALLS, Record, order, quartiles, take_turns


class Scripted:
    """Takes as long as it is told, call after call; notes whose turn it was."""

    def __init__(self, name: str, seconds: Sequence[float], turns: list[str], dies_at: int | None = None) -> None:
        self.name, self.seconds, self.turns, self.dies_at = name, list(seconds), turns, dies_at
        self.made = 0
        self.rests = 0

    def run(self, calls: int) -> Sequence[float]:
        self.turns.append(self.name)
        if self.dies_at is not None and len([turn for turn in self.turns if turn == self.name]) > self.dies_at:
            raise PeerError(f"{self.name} is gone")
        times = [self.seconds[(self.made + i) % len(self.seconds)] for i in range(calls)]
        self.made += calls
        return times

    def rest(self) -> None:
        self.rests += 1


def test_everybody_has_one_turn_a_round() -> None:
    turns: list[str] = []
    players = {name: Scripted(name, [0.1], turns) for name in "abc"}
    take_turns(players, rounds=4, turn_seconds=0.05)
    warm_up, rounds = turns[:3], turns[3:]
    assert warm_up == ["a", "b", "c"]  # once: a call takes longer than a turn
    assert [sorted(rounds[i : i + 3]) for i in range(0, 12, 3)] == [["a", "b", "c"]] * 4


def test_who_begins_and_who_follows_whom_changes_but_not_from_run_to_run() -> None:
    seen = [order("abcd", number) for number in range(24)]
    assert seen == [order("abcd", number) for number in range(24)]
    assert {names[0] for names in seen} == set("abcd")
    followers = {(a, b) for names in seen for a, b in itertools.pairwise(names)}
    assert len(followers) == 12


def test_order_of_nobody() -> None:
    assert order([], 3) == []


def test_a_turn_is_one_call_that_does_not_count_and_as_many_as_fill_it() -> None:
    turns: list[str] = []
    # The first call of a turn is slow: another's weights are in the caches.
    quick = Scripted("quick", [9.0] + [0.01] * 10, turns)
    quick.made = 11 - WARMUP_CALLS
    record = take_turns({"quick": quick}, rounds=3, turn_seconds=0.1)["quick"]
    assert [len(turn) for turn in record.rounds] == [10, 10, 10]
    assert record.median == 0.01


def test_a_slow_call_is_made_at_least_once_and_a_quick_one_not_for_ever() -> None:
    turns: list[str] = []
    players = {"slow": Scripted("slow", [5.0], turns), "instant": Scripted("instant", [1e-9], turns)}
    records = take_turns(players, rounds=2, turn_seconds=0.1)
    assert records["slow"].calls == 2
    assert records["instant"].calls == 2 * MOST_CALLS


def test_medians_are_of_all_calls_and_quartiles_of_rounds() -> None:
    record = Record([[1.0, 1.0, 7.0], [2.0, 2.0, 2.0], [3.0, 3.0, 3.0]])
    assert record.median == 2.0
    assert record.quartiles == (1.5, 2.5)
    assert quartiles([4.0]) == (4.0, 4.0)


@pytest.mark.parametrize("dies_at", [0, 1, 2])  # when warming up, in the first round, in the second
def test_who_fails_is_out_and_named_and_the_others_go_on(dies_at: int) -> None:
    turns: list[str] = []
    players = {"good": Scripted("good", [0.1], turns), "bad": Scripted("bad", [0.1], turns, dies_at)}
    records = take_turns(players, rounds=5, turn_seconds=0.1)
    assert records["bad"].error == "bad is gone"
    assert turns.count("bad") == dies_at + 1
    assert records["good"].error is None
    assert len(records["good"].rounds) == 5


def test_everybody_rests_after_every_turn() -> None:
    turns: list[str] = []
    player = Scripted("a", [0.1], turns)
    take_turns({"a": player}, rounds=4, turn_seconds=0.1)
    assert player.rests == 5
