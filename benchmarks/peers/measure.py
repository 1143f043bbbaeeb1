"""Measuring groups: workers are started, outputs compared with a reference, runs interleaved, results kept."""

from __future__ import annotations

import argparse
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
from benchmarks.peers import checks
from benchmarks.peers.artifacts import Store
from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.peers.interleaved import Progress, Record, measure_interleaved, take_turns
from benchmarks.peers.plan import Entry, Group, model_file, model_files
from benchmarks.peers.session import SCRIPT, PeerError, Worker

REFERENCES = ("torch-fp32", "ours-fp32")
QUIET_SECONDS = 30.0


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

    def states(self, scratch: Path) -> checks.States:
        file = scratch / "states.npz"
        self.worker.ask("states", program=self.name, file=str(file))
        return checks.load(file)

    def forget(self) -> None:
        with suppress(PeerError):
            self.worker.ask("forget", program=self.name)
            self.pause()


class Measurer:
    """Measures groups. A failure of a peer becomes the error of its result and does not affect the others.

    options: those of benchmarks.common.options.
    """

    def __init__(
        self, environments: Mapping[str, Environment], store: Store, options: argparse.Namespace, say: Say
    ) -> None:
        self._environments = environments
        self._store = store
        self._options = options
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
        self._store.make(model_files(group))
        if group.fresh:
            run.results += self._fresh(group)
            return
        with tempfile.TemporaryDirectory() as scratch:
            results, programs = self._prepare(group, run, Path(scratch))
        seconds = self._options.turn_ms / 1e3
        records = measure_interleaved(programs, self._rounds(group), seconds, self._progress(group))
        for name, record in records.items():
            results[name] = replace(results[name], **record.summary())
            programs[name].forget()
        run.results += results.values()

    def package_sizes(self, peers: Sequence[Peer]) -> dict[str, dict[str, int]]:
        """Sizes of what the peers import, by names of distributions."""
        found: dict[str, dict[str, int]] = {}
        for peer in peers:
            imported = (peer.distribution, *peer.also)
            if (name := "+".join(imported)) not in found:
                try:
                    found[name] = self._worker(peer, 1).ask("sizes", names=imported)
                except PeerError as error:
                    self._say(f"no package sizes: {error}")
        return found

    def _rounds(self, group: Group) -> int:
        return min(group.max_rounds, int(self._options.rounds))

    def _prepare(self, group: Group, run: Run, scratch: Path) -> tuple[dict[str, Result], dict[str, Prepared]]:
        """Load every entry and compare it with the reference; those that fail get an error and are not timed."""
        references: dict[str, checks.States | None] = {}
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
                program = self._load(group, entry, entry.name)
                if (reference := references.get(entry.model)) is not None:
                    result = _checked(entry.peer, result, program.states(scratch), reference)
            except PeerError as error:
                result = replace(result, error=str(error))
            results[entry.name] = result
            if program is not None and result.error is None:
                programs[entry.name] = program
                program.pause()
        return results, programs

    def _reference(self, group: Group, model: str, run: Run, scratch: Path) -> checks.States | None:
        """States of the group's texts, one by one in fp32, of PyTorch or else of this engine; None without both."""
        for name in REFERENCES:
            peer = PEERS[name]
            environment = self._environments.get(peer.environment)  # None if none of its peers was chosen
            if environment is None or environment.missing_reason(peer.distribution):
                continue
            alone = replace(group, entries=(Entry(peer, model, 1),))
            self._store.make(model_files(alone))
            program = self._load(alone, alone.entries[0], "reference")
            states = program.states(scratch)
            program.forget()
            run.reference = run.reference or name
            return states
        return None

    def _load(self, group: Group, entry: Entry, name: str) -> Prepared:
        program = Prepared(self._worker(entry.peer, entry.threads), name)
        program.worker.ask("prepare", program=name, **self._spec(group, entry))
        return program

    def _spec(self, group: Group, entry: Entry) -> dict[str, Any]:
        batches = []
        for texts in group.batches(entry):
            file = model_file(group, entry, texts)
            path = str(self._store.ready(file))
            batches.append({"path": path, "length": file.length, "masked": file.masked, "texts": texts})
        options = dict(entry.peer.options)
        if len(group.texts) == 1 and entry.peer.dynamic:
            options["shape"] = [1, group.length]
        common = {"runtime": entry.peer.runtime, "threads": entry.threads, "copies": entry.copies}
        return {**common, "options": options, "batches": batches}

    def _worker(self, peer: Peer, threads: int) -> Worker:
        """The worker of a peer on `threads` threads."""
        key = (peer.name, threads)
        if key not in self._workers or not self._workers[key].alive:
            self._workers[key] = self._new_worker(peer, threads)
        return self._workers[key]

    def _new_worker(self, peer: Peer, threads: int) -> Worker:
        command = [self._environments[peer.environment].python, str(SCRIPT)]
        log = self._options.out / "logs" / f"{peer.name}-{threads}.log"
        worker = Worker(peer.name, command, self._options.cpus[-threads:], log)
        worker.ask("hello")
        return worker

    def _fresh(self, group: Group) -> list[Result]:
        """Start each entry in several new processes: medians of load, first call, steady call and peak memory."""
        self._close()  # no other engine in memory
        entries = {entry.name: entry for entry in group.entries}
        records = {name: Record() for name in entries}
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in entries}

        def turn(name: str) -> None:
            answer = self._first(group, entries[name])
            records[name].rounds.append([answer.pop("steady")])
            found[name].append(answer)

        take_turns(records, self._rounds(group), turn, self._progress(group))
        results = []
        for name, entry in entries.items():
            result = replace(blank(group, entry), **records[name].summary())
            if result.error is None:
                once = {key: statistics.median(one[key] for one in found[name]) for key in found[name][0]}
                result = replace(result, **once)
            results.append(result)
        return results

    def _first(self, group: Group, entry: Entry) -> dict[str, Any]:
        spec = self._spec(group, entry)
        with self._new_worker(entry.peer, entry.threads) as worker:
            before = worker.ask("hello")["memory"]
            answer: dict[str, Any] = worker.ask("first", **spec)
        if answer["memory"] is None:  # unknown
            del answer["memory"]
        else:
            answer["memory"] -= before
        return answer

    def _progress(self, group: Group) -> Progress:
        return lambda done, of: self._report_progress(f"{group.name}: round {done + 1} of {of}")

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


def _checked(peer: Peer, result: Result, states: checks.States, reference: checks.States) -> Result:
    """The result with its difference from the reference, and with an error if that is too large."""
    if peer.vectors:
        means = [state.mean(axis=0, keepdims=True) for state in reference]
        return replace(result, **checks.compare(states, means))
    found = checks.compare(states, reference)
    padded = result.case == "texts" and not result.peer.startswith("ours")
    return replace(result, **found, error=checks.mismatch(found, result.precision, padded))
