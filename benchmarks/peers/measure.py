"""Measuring groups: workers are started, outputs compared with a reference, runs interleaved, results kept."""

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

from benchmarks.common.environment import Environment, Say
from benchmarks.common.results import Result, Run
from benchmarks.peers.artifacts import Store
from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.peers.interleaved import Record, measure_interleaved, order, quartiles
from benchmarks.peers.plan import Entry, Group, wanted
from benchmarks.peers.session import SCRIPT, PeerError, Worker

REFERENCES = ("torch-fp32", "ours-fp32")
QUIET_SECONDS = 30.0


@dataclass(frozen=True)
class Settings:
    """cpus: to run on; rounds, turn_seconds: of measure_interleaved; logs: folder of the workers' stderr."""

    cpus: Sequence[int]
    rounds: int
    turn_seconds: float
    logs: Path


@dataclass(frozen=True)
class Prepared:
    """A program that is loaded in a worker: the Runner of measure_interleaved."""

    worker: Worker
    name: str

    def run(self, calls: int) -> Sequence[float]:
        times: list[float] = self.worker.ask("run", program=self.name, calls=calls)
        return times

    def pause(self) -> None:
        self.worker.pause()


class Measurer:
    """Measures groups. A failure of a peer becomes the error of its result and does not affect the others."""

    def __init__(self, environments: Mapping[str, Environment], store: Store, settings: Settings, say: Say) -> None:
        self._environments = environments
        self._store = store
        self._settings = settings
        self._say = say
        self._workers: dict[tuple[str, int], Worker] = {}
        self._reported = time.monotonic()

    def __enter__(self) -> Measurer:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def measure(self, group: Group, run: Run) -> None:
        """Measure a group and append its results to `run`."""
        self._store.make([file for entry in group.entries for file in wanted(group, entry)])
        if group.fresh:
            run.results += self._fresh(group)
            return
        with tempfile.TemporaryDirectory() as scratch:
            results, programs = self._prepare(group, run, Path(scratch))
        rounds = min(group.max_rounds, self._settings.rounds)
        records = measure_interleaved(programs, rounds, self._settings.turn_seconds, self._progress(group.name))
        for entry in group.entries:
            result = results[entry.name]
            run.results.append(_timed(result, records[entry.name]) if entry.name in records else result)
        for name, program in programs.items():
            with suppress(PeerError):
                program.worker.ask("forget", program=name)
                program.pause()

    def _prepare(self, group: Group, run: Run, scratch: Path) -> tuple[dict[str, Result], dict[str, Prepared]]:
        """Load every entry and compare it with the reference; those that fail get an error and are not timed."""
        references: dict[str, Any] = {}
        results: dict[str, Result] = {}
        programs: dict[str, Prepared] = {}
        for number, entry in enumerate(group.entries):
            self._report_progress(
                f"{group.name}: loading and checking {number + 1} of {len(group.entries)}, {entry.name}"
            )
            result = blank(group, entry)
            program = None
            try:
                if group.checked and entry.model not in references:
                    references[entry.model] = self._reference(group, entry.model, run, scratch)
                program = self._load(group, entry)
                if references.get(entry.model) is not None:
                    result = _checked(result, _states(program, scratch), references[entry.model])
            except PeerError as error:
                result = replace(result, error=str(error))
            results[entry.name] = result
            if program is not None and result.error is None:
                programs[entry.name] = program
                program.pause()
        return results, programs

    def _reference(self, group: Group, model: str, run: Run, scratch: Path) -> Any:
        """States of the group's texts, one by one in fp32, of PyTorch or else of this engine; None without both."""
        for name in REFERENCES:
            peer = PEERS[name]
            environment = self._environments.get(peer.environment)  # None if none of its peers was chosen
            if environment is None or environment.missing_reason(peer.distribution):
                continue
            entry = Entry(peer, model, 1)
            self._store.make(wanted(replace(group, case="reference"), entry))
            program = self._load(group, entry, name="reference")
            states = _states(program, scratch)
            program.worker.ask("forget", program="reference")
            program.pause()
            run.reference = run.reference or name
            return states
        return None

    def _load(self, group: Group, entry: Entry, name: str | None = None) -> Prepared:
        program = Prepared(self._worker(entry.peer, entry.threads), name or entry.name)
        program.worker.ask("prepare", program=program.name, **self._spec(group, entry))
        return program

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
        """The worker of a peer on `threads` threads; fresh: a new one, which the caller closes."""
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
        """Start each entry in several new processes: medians of load, first call, steady call and peak memory."""
        self._close()  # no other engine in memory
        found: dict[str, list[dict[str, Any]]] = {entry.name: [] for entry in group.entries}
        errors: dict[str, str] = {}
        entries = {entry.name: entry for entry in group.entries}
        rounds = min(group.max_rounds, self._settings.rounds)
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
        return lambda done, of: self._report_progress(f"{name}: round {done + 1} of {of}")

    def _report_progress(self, what: str) -> None:
        """Progress: in place on a terminal, at intervals elsewhere."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{what}")
            sys.stderr.flush()
        elif time.monotonic() - self._reported > QUIET_SECONDS:
            self._reported = time.monotonic()
            self._say("  " + what)


def blank(group: Group, entry: Entry) -> Result:
    """A result before anything is measured."""
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
    """The result with its difference from the reference, and with an error if that is too large."""
    from benchmarks.peers import checks  # noqa: PLC0415 - numpy

    agreement = checks.compare(states, reference)
    padded = result.case == "texts" and not result.peer.startswith("ours")
    return replace(
        result,
        cosine=agreement.cosine,
        min_cosine=agreement.min_cosine,
        relative_error=agreement.relative_error,
        error=agreement.mismatch(result.precision, padded),
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
        return replace(result, error=error or "no rounds were run")
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
        import_time=statistics.median(one["import_time"] for one in found),
        load_time=statistics.median(one["load_time"] for one in found),
        first_call=statistics.median(one["first_call"] for one in found),
        memory=int(statistics.median(memory)) if memory else None,
    )


def _states(program: Prepared, scratch: Path) -> Any:
    from benchmarks.peers import checks  # noqa: PLC0415 - numpy

    file = scratch / "states.npz"
    program.worker.ask("states", program=program.name, file=str(file))
    return checks.load(file)
