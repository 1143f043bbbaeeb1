"""Runs groups: starts workers, checks that everybody computes the same, lets them take turns, keeps what is found."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.peers.artifacts import Store
from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.peers.environment import Environment, Say
from benchmarks.peers.plan import Entry, Group, wanted
from benchmarks.peers.results import Result, Run
from benchmarks.peers.session import SCRIPT, PeerError, Worker
from benchmarks.peers.turns import Record, order, quartiles, take_turns

REFERENCES = ("torch-fp32", "ours-fp32")
QUIET_SECONDS = 30.0


@dataclass(frozen=True)
class Settings:
    """cpus: those to run on; rounds and turn_seconds: see turns.take_turns; logs: where workers' stderr goes."""

    cpus: Sequence[int]
    rounds: int
    turn_seconds: float
    logs: Path


@dataclass(frozen=True)
class Seat:
    """A prepared program in a worker: what takes turns."""

    worker: Worker
    program: str

    def run(self, calls: int) -> Sequence[float]:
        times: list[float] = self.worker.ask("run", program=self.program, calls=calls)
        return times

    def rest(self) -> None:
        self.worker.rest()


class Measurer:
    """Measures groups. Whatever a peer fails at becomes the error of its result; the others go on."""

    def __init__(self, environments: Mapping[str, Environment], store: Store, settings: Settings, say: Say) -> None:
        self._environments = environments
        self._store = store
        self._settings = settings
        self._say = say
        self._workers: dict[tuple[str, int], Worker] = {}
        self._said = time.monotonic()

    def __enter__(self) -> Measurer:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def measure(self, group: Group, run: Run) -> None:
        """Append the results of a group to `run`."""
        self._store.make([file for entry in group.entries for file in wanted(group, entry)])
        if group.fresh:
            run.results += self._fresh(group)
            return
        with tempfile.TemporaryDirectory() as scratch:
            results, seats = self._prepare(group, run, Path(scratch))
        rounds = min(group.most_rounds, self._settings.rounds)
        records = take_turns(seats, rounds, self._settings.turn_seconds, self._progress(group.name))
        for entry in group.entries:
            result = results[entry.name]
            run.results.append(_timed(result, records[entry.name]) if entry.name in records else result)
        for name, seat in seats.items():
            with suppress(PeerError):
                seat.worker.ask("forget", program=name)
                seat.rest()

    def _prepare(self, group: Group, run: Run, scratch: Path) -> tuple[dict[str, Result], dict[str, Seat]]:
        """Every entry loaded and compared with the reference; those that failed have an error and no seat."""
        references: dict[str, Any] = {}
        results: dict[str, Result] = {}
        seats: dict[str, Seat] = {}
        for number, entry in enumerate(group.entries):
            self._say_again(f"{group.name}: loading and checking {number + 1} of {len(group.entries)}, {entry.name}")
            result = blank(group, entry)
            seat = None
            try:
                if entry.model not in references:
                    references[entry.model] = self._reference(group, entry.model, run, scratch)
                seat = self._seat(group, entry)
                result = _checked(result, _states(seat, scratch), references[entry.model])
            except PeerError as error:
                result = replace(result, error=str(error))
            results[entry.name] = result
            if seat is not None and result.error is None:
                seats[entry.name] = seat
                seat.rest()
        return results, seats

    def _reference(self, group: Group, model: str, run: Run, scratch: Path) -> Any:
        """States of the group's texts one by one in fp32: PyTorch's if it is there, else ours; None without both."""
        for name in REFERENCES:
            peer = PEERS[name]
            environment = self._environments.get(peer.environment)  # None where none of its peers was chosen
            if environment is None or environment.why_missing(peer.distribution):
                continue
            entry = Entry(peer, model, 1)
            self._store.make(wanted(replace(group, case="reference"), entry))
            seat = self._seat(group, entry, program="reference")
            states = _states(seat, scratch)
            seat.worker.ask("forget", program="reference")
            seat.rest()
            run.reference = run.reference or name
            return states
        return None

    def _seat(self, group: Group, entry: Entry, program: str | None = None) -> Seat:
        seat = Seat(self._worker(entry.peer, entry.threads), program or entry.name)
        seat.worker.ask("prepare", program=seat.program, **self._spec(group, entry))
        return seat

    def _spec(self, group: Group, entry: Entry) -> dict[str, Any]:
        files = [
            {"path": str(self._store.ready(file)), "length": file.length, "masked": file.masked}
            for file in wanted(group, entry)
        ]
        if entry.peer.one_file:
            files = [{**files[0], "masked": masked} for masked in (False, True)]
        options = dict(entry.peer.options)
        if len(group.texts) == 1 and entry.peer.dynamic:
            options["shape"] = [1, group.length]
        return {
            "runtime": entry.peer.runtime,
            "options": options,
            "threads": entry.threads,
            "copies": entry.copies,
            "files": files,
            "batches": group.batches(entry),
        }

    def _worker(self, peer: Peer, threads: int, fresh: bool = False) -> Worker:
        """The worker of a peer on so many threads; `fresh`: a new one, which the caller closes."""
        key = (peer.name, threads)
        if not fresh and key in self._workers and self._workers[key].alive:
            return self._workers[key]
        environment = self._environments[peer.environment]
        worker = Worker(
            peer.name,
            [environment.python, str(SCRIPT)],
            self._settings.cpus[-threads:],
            self._settings.logs / f"{peer.name}-{threads}.log",
        )
        worker.ask("hello")
        if not fresh:
            self._workers[key] = worker
        return worker

    def _fresh(self, group: Group) -> list[Result]:
        """Each entry several times in a new process: medians of load, first call, steady call, and peak memory."""
        self._close()  # nobody else is in memory
        found: dict[str, list[dict[str, Any]]] = {entry.name: [] for entry in group.entries}
        errors: dict[str, str] = {}
        entries = {entry.name: entry for entry in group.entries}
        rounds = min(group.most_rounds, self._settings.rounds)
        for number in range(rounds):
            self._progress(group.name)(number, rounds)
            for name in order(list(entries), number):
                if name not in errors:
                    try:
                        found[name].append(self._first(group, entries[name]))
                    except PeerError as error:
                        errors[name] = str(error)
        return [
            _fresh_result(blank(group, entry), found[entry.name], errors.get(entry.name)) for entry in group.entries
        ]

    def _first(self, group: Group, entry: Entry) -> dict[str, Any]:
        spec = self._spec(group, entry)
        with self._worker(entry.peer, entry.threads, fresh=True) as worker:
            before = worker.ask("hello")["memory"]
            answer: dict[str, Any] = worker.ask("first", **spec)
        if answer["memory"] is not None:
            answer["memory"] -= before
        return answer

    def _progress(self, name: str) -> Any:
        return lambda done, of: self._say_again(f"{name}: round {done + 1} of {of}")

    def _say_again(self, what: str) -> None:
        """In place on a terminal; now and then elsewhere, where it would fill a log."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{what}")
            sys.stderr.flush()
        elif time.monotonic() - self._said > QUIET_SECONDS:
            self._said = time.monotonic()
            self._say("  " + what)


def blank(group: Group, entry: Entry) -> Result:
    """What is known of a result before anything is measured."""
    return Result(
        case=group.case,
        group=group.name,
        peer=entry.peer.name,
        model=entry.model,
        precision=entry.peer.precision,
        threads=entry.threads,
        batch=entry.batch,
        copies=entry.copies,
        length=group.length,
        texts=len(group.texts),
    )


def _checked(result: Result, states: Any, reference: Any) -> Result:
    """With how close it computes, and an error if that is too far; as it is without a reference."""
    from benchmarks.peers import checks  # noqa: PLC0415 - numpy

    if reference is None:
        return result
    agreement = checks.compare(states, reference)
    padded = result.case == "texts" and not result.peer.startswith("ours")
    return replace(
        result,
        cosine=agreement.cosine,
        least_cosine=agreement.least_cosine,
        error_of_rows=agreement.error_of_rows,
        error=agreement.why_not(result.precision, padded),
    )


def _timed(result: Result, record: Record) -> Result:
    if record.error is not None:
        return replace(result, error=record.error)
    first, third = record.quartiles
    return replace(
        result,
        median=record.median,
        first_quartile=first,
        third_quartile=third,
        rounds=[statistics.median(turn) for turn in record.rounds],
        calls=record.calls,
    )


def _fresh_result(result: Result, found: Sequence[Mapping[str, Any]], error: str | None) -> Result:
    if error is not None or not found:
        return replace(result, error=error or "no round was run")
    steady = [one["steady"] for one in found]
    first, third = quartiles(steady)
    memory = [one["memory"] for one in found if one["memory"] is not None]
    return replace(
        result,
        median=statistics.median(steady),
        first_quartile=first,
        third_quartile=third,
        rounds=steady,
        calls=len(found),
        imported=statistics.median(one["imported"] for one in found),
        load=statistics.median(one["load"] for one in found),
        first=statistics.median(one["first"] for one in found),
        memory=int(statistics.median(memory)) if memory else None,
    )


def _states(seat: Seat, scratch: Path) -> Any:
    from benchmarks.peers import checks  # noqa: PLC0415 - numpy

    file = scratch / "states.npz"
    seat.worker.ask("states", program=seat.program, file=str(file))
    return checks.load(file)
