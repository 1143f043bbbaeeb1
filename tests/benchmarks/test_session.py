"""The driver's end of a worker process: answers, crashes and time-outs, each reported with name and reason."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from benchmarks.peers.interleaved import measure_interleaved
from benchmarks.peers.measure import Prepared
from benchmarks.peers.session import PeerError, Worker

FAKE = Path(__file__).with_name("fake_peer.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="[cpu] signals of POSIX")


class Start(Protocol):
    def __call__(self, name: str, mode: str = "steady", seconds: float = 0.01) -> Worker: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts fake peers; ends them after the test."""
    with ExitStack() as stack:

        def made(name: str, mode: str = "steady", seconds: float = 0.01) -> Worker:
            command = [sys.executable, str(FAKE), mode, str(seconds), str(tmp_path / "turns.txt")]
            return stack.enter_context(Worker(name, command, [], tmp_path / f"{name}.log"))

        yield made


def test_answer_is_returned(start: Start) -> None:
    assert start("a", seconds=0.25).ask("run", program="p", calls=3) == [0.25, 0.25, 0.25]


def test_runs_of_processes_are_interleaved(start: Start, tmp_path: Path) -> None:
    programs = {name: Prepared(start(name, seconds=seconds), name) for name, seconds in (("a", 0.02), ("b", 0.04))}
    records = measure_interleaved(programs, rounds=2, turn_seconds=0.1)
    turns = (tmp_path / "turns.txt").read_text().split("\n")
    assert sorted(turns[4:6]) == sorted(turns[6:8]) == ["a 6", "b 3"]  # after two warm-up runs of each
    assert records["b"].summary()["median"] / records["a"].summary()["median"] == pytest.approx(2)


def test_crash_names_the_peer_the_signal_and_its_last_output(start: Start) -> None:
    worker = start("litert-int8", "crash")
    with pytest.raises(PeerError, match=r"litert-int8: ended by SIGSEGV during 'run'.*fake peer is up"):
        worker.ask("run", program="p", calls=1)
    assert not worker.alive


def test_crash_does_not_affect_other_peers(start: Start) -> None:
    programs = {"good": Prepared(start("good"), "p"), "bad": Prepared(start("bad", "crash"), "p")}
    records = measure_interleaved(programs, rounds=2, turn_seconds=0.02)
    assert "bad: ended by SIGSEGV" in str(records["bad"].error)
    assert records["good"].summary()["median"] == 0.01


def test_worker_that_does_not_answer_is_ended(start: Start) -> None:
    worker = start("slow", "hang")
    with pytest.raises(PeerError, match=r"slow: run: no answer within 0\.3 s; the process was ended"):
        worker.ask("run", timeout=0.3, program="p", calls=1)
    assert not worker.alive


def test_error_is_quoted_and_the_worker_continues(start: Start) -> None:
    worker = start("ort-int8", "error")
    with pytest.raises(PeerError, match="ort-int8: run failed: ValueError: no such operator"):
        worker.ask("run", program="p", calls=1)
    assert worker.alive


def test_missing_python_is_named(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="ghost: cannot start"):
        Worker("ghost", [str(tmp_path / "no-python")], [], tmp_path / "ghost.log")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="[cpu] needs /proc of Linux")
def test_idle_worker_is_paused(start: Start) -> None:
    worker = start("a")
    worker.ask("hello")
    worker.pause()
    pid = worker._process.pid
    deadline = time.monotonic() + 10
    while (state := Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]) != "T":
        assert time.monotonic() < deadline, f"the worker is in state {state}"
    assert worker.ask("run", program="p", calls=1) == [0.01]
