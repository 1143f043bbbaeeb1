"""Interleaved rounds: every runner the same number of times, in changing order; medians and quartiles."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from benchmarks.peers.interleaved import MAX_CALLS, WARMUP_CALLS, Record, measure_interleaved, order, quartiles
from benchmarks.peers.session import PeerError


class Scripted:
    """A runner with given times, which records the order of the turns."""

    def __init__(self, name: str, seconds: Sequence[float], turns: list[str], fails_at: int | None = None) -> None:
        self.name, self.seconds, self.turns, self.fails_at = name, list(seconds), turns, fails_at
        self.made = 0
        self.pauses = 0

    def run(self, calls: int) -> Sequence[float]:
        self.turns.append(self.name)
        if self.fails_at is not None and len([turn for turn in self.turns if turn == self.name]) > self.fails_at:
            raise PeerError(f"{self.name} failed")
        times = [self.seconds[(self.made + i) % len(self.seconds)] for i in range(calls)]
        self.made += calls
        return times

    def pause(self) -> None:
        self.pauses += 1


def test_every_runner_has_one_turn_per_round() -> None:
    turns: list[str] = []
    runners = {name: Scripted(name, [0.1], turns) for name in "abc"}
    measure_interleaved(runners, rounds=4, turn_seconds=0.05)
    warm_up, rounds = turns[:3], turns[3:]
    assert sorted(warm_up) == ["a", "b", "c"]  # once: a call takes longer than a turn
    assert [sorted(rounds[i : i + 3]) for i in range(0, 12, 3)] == [["a", "b", "c"]] * 4


def test_order_changes_between_rounds_but_not_between_runs() -> None:
    seen = [order("abcd", number) for number in range(24)]
    assert seen == [order("abcd", number) for number in range(24)]
    assert {names[0] for names in seen} == set("abcd")
    followers = {(a, b) for names in seen for a, b in itertools.pairwise(names)}
    assert len(followers) == 12


def test_order_of_no_names() -> None:
    assert order([], 3) == []


def test_turn_runs_one_warmup_then_fills_the_time_budget() -> None:
    turns: list[str] = []
    # The first call of a turn is slow: the caches hold the weights of another engine.
    quick = Scripted("quick", [9.0] + [0.01] * 10, turns)
    quick.made = 11 - WARMUP_CALLS
    record = measure_interleaved({"quick": quick}, rounds=3, turn_seconds=0.1)["quick"]
    assert [len(turn) for turn in record.rounds] == [10, 10, 10]
    assert record.summary()["median"] == 0.01


def test_turn_has_at_least_one_and_at_most_max_calls() -> None:
    turns: list[str] = []
    runners = {"slow": Scripted("slow", [5.0], turns), "instant": Scripted("instant", [1e-9], turns)}
    records = measure_interleaved(runners, rounds=2, turn_seconds=0.1)
    assert records["slow"].summary()["calls"] == 2
    assert records["instant"].summary()["calls"] == 2 * MAX_CALLS


def test_medians_are_of_all_calls_and_quartiles_of_rounds() -> None:
    summary = Record([[1.0, 1.0, 7.0], [2.0, 2.0, 2.0], [3.0, 3.0, 3.0]]).summary()
    assert summary["median"] == 2.0
    assert (summary["first_quartile"], summary["third_quartile"]) == (1.5, 2.5)
    assert (summary["rounds"], summary["calls"]) == ([1.0, 2.0, 3.0], 9)
    assert quartiles([4.0]) == (4.0, 4.0)


@pytest.mark.parametrize("fails_at", [0, 1, 2])  # in the warm-up, in the first round, in the second
def test_failed_runner_gets_no_more_turns_and_the_others_continue(fails_at: int) -> None:
    turns: list[str] = []
    runners = {"good": Scripted("good", [0.1], turns), "bad": Scripted("bad", [0.1], turns, fails_at)}
    records = measure_interleaved(runners, rounds=5, turn_seconds=0.1)
    assert records["bad"].error == "bad failed"
    assert turns.count("bad") == fails_at + 1
    assert records["good"].error is None
    assert len(records["good"].rounds) == 5


def test_runner_is_paused_after_every_turn() -> None:
    turns: list[str] = []
    runner = Scripted("a", [0.1], turns)
    measure_interleaved({"a": runner}, rounds=4, turn_seconds=0.1)
    assert runner.pauses == 5
