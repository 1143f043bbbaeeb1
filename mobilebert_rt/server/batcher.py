"""Dynamic batching: a few threads for each model run the texts of many requests together.

Whenever a thread is idle it takes what is waiting, up to a budget of tokens: a request never waits for company, and
under load batches grow by themselves. A request with more tokens than the budget runs in parts, and others run between
them. Results do not depend on batches (docs/numerics.md), so each request gets the bits that the library gives.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mobilebert_rt.errors import CancelledError, InputError
from mobilebert_rt.model import CancelToken

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Operation:
    """Inputs of equal operations may run in one call.

    run: takes a list of inputs and the keyword cancel, and gives one result for each; options: its other keywords.
    """

    run: Callable[..., Sequence[Any]]
    options: tuple[tuple[str, Any], ...] = ()

    def __call__(self, inputs: list[Any], cancel: CancelToken) -> Sequence[Any]:
        return self.run(inputs, cancel=cancel, **dict(self.options))


@dataclass(frozen=True)
class BatchReport:
    """Of one call of the engine, for metrics: seconds that each request waited before its first part ran."""

    waits: list[float]
    texts: int
    tokens: int
    seconds: float


@dataclass(eq=False)
class Job:
    """One request. tokens: of each input; done: inputs that have run or are running; left: those without a result."""

    operation: Operation
    inputs: list[Any]
    tokens: list[int]
    future: asyncio.Future[list[Any]]
    arrival: float = field(default_factory=time.monotonic)
    results: list[Any] = field(init=False)
    left: int = field(init=False)
    done: int = 0
    abandoned: bool = False

    def __post_init__(self) -> None:
        self.left = len(self.inputs)
        self.results = [None] * self.left

    def take(self, budget: int, at_least: int) -> Part:
        """The next inputs within the budget of tokens, and never fewer than at_least."""
        begin, tokens = self.done, 0
        while self.done < len(self.inputs):
            if self.done - begin >= at_least and tokens + self.tokens[self.done] > budget:
                break
            tokens += self.tokens[self.done]
            self.done += 1
        return Part(self, begin, self.done, tokens)


@dataclass(frozen=True)
class Part:
    """The inputs [begin, end) of a job."""

    job: Job
    begin: int
    end: int
    tokens: int

    @property
    def inputs(self) -> list[Any]:
        return self.job.inputs[self.begin : self.end]

    @property
    def is_whole(self) -> bool:
        return self.end - self.begin == len(self.job.inputs)


@dataclass(eq=False)
class Call:
    """One call of the engine: what it runs, all of one operation."""

    parts: list[Part]
    cancel: CancelToken = field(default_factory=CancelToken)

    @property
    def inputs(self) -> list[Any]:
        return [text for part in self.parts for text in part.inputs]


class Batcher:
    """The workers of a model.

    max_batch_tokens: of one call of the engine; observe: called after each, in a worker; workers: calls at once.
    """

    def __init__(
        self, name: str, max_batch_tokens: int, observe: Callable[[BatchReport], None], workers: int = 1
    ) -> None:
        self._max_batch_tokens = max_batch_tokens
        self._observe = observe
        self._jobs: deque[Job] = deque()
        self._calls: set[Call] = set()  # those that are running
        self._changed = threading.Condition()
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, name=f"mbrt-{name}-{number}", daemon=True) for number in range(workers)
        ]

    @property
    def waiting(self) -> int:
        """Requests whose last part has not begun."""
        return len(self._jobs)

    @property
    def is_alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads after the calls that are running."""
        with self._changed:
            self._stopped = True
            self._cancel_calls()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def fail_all(self, error: Exception) -> None:
        """Ends every request with an error. Only in the event loop's thread."""
        with self._changed:
            jobs = [*self._jobs, *(part.job for call in self._calls for part in call.parts)]
            for job in jobs:
                job.abandoned = True
            self._cancel_calls()
        for job in jobs:
            if not job.future.done():
                job.future.set_exception(error)

    def _cancel_calls(self) -> None:
        for call in self._calls:
            call.cancel.cancel()

    async def submit(self, operation: Operation, inputs: list[Any], tokens: list[int]) -> list[Any]:
        """The results of the inputs, in order. tokens: of each input. To cancel the task drops the request."""
        if not inputs:
            return []
        job = Job(operation, inputs, tokens, asyncio.get_running_loop().create_future())
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()
        try:
            return await job.future
        finally:
            if job.left:
                self._abandon(job)

    def _abandon(self, job: Job) -> None:
        with self._changed:
            job.abandoned = True
            for call in self._calls:
                if all(part.job.abandoned for part in call.parts):
                    call.cancel.cancel()

    def _work(self) -> None:
        while call := self._next():
            begin = time.monotonic()
            outcomes = self._run(call)
            seconds = time.monotonic() - begin
            with self._changed:
                self._calls.remove(call)
            parts = call.parts
            _deliver(parts, outcomes)
            waits = [begin - part.job.arrival for part in parts if part.begin == 0]
            texts, tokens = sum(p.end - p.begin for p in parts), sum(p.tokens for p in parts)
            self._observe(BatchReport(waits, texts, tokens, seconds))

    def _next(self) -> Call | None:
        """What runs next, of the operation of the oldest request. None when the worker is to end."""
        with self._changed:
            while not self._stopped:
                if parts := self._take():
                    call = Call(parts)
                    self._calls.add(call)
                    if self._jobs:
                        self._changed.notify()  # another worker has the rest
                    return call
                self._changed.wait()
        return None

    def _take(self) -> list[Part]:
        parts: list[Part] = []
        left = self._max_batch_tokens
        passed: list[Job] = []
        unfinished: list[Job] = []
        while self._jobs and left > 0:
            job = self._jobs.popleft()
            if job.abandoned:
                continue
            if parts and job.operation != parts[0].job.operation:
                passed.append(job)
                continue
            part = job.take(left, at_least=0 if parts else 1)
            if part.end == part.begin:
                passed.append(job)
                break
            parts.append(part)
            left -= part.tokens
            if job.done < len(job.inputs):
                unfinished.append(job)
        self._jobs.extendleft(reversed(passed))
        self._jobs.extend(unfinished)
        return parts

    def _run(self, call: Call) -> list[Sequence[Any] | Exception]:
        """For each part its results or the error of its request."""
        parts = call.parts
        try:
            results = parts[0].job.operation(call.inputs, call.cancel)
        except InputError as error:
            # Whose text is wrong?
            if len(parts) == 1 and parts[0].is_whole:
                return [error]
            return [_run_alone(part, call.cancel) for part in parts]
        except Exception as error:
            return [_logged(error)] * len(parts)
        found: list[Sequence[Any] | Exception] = []
        begin = 0
        for part in parts:
            end = begin + part.end - part.begin
            found.append(results[begin:end])
            begin = end
        return found


def _run_alone(part: Part, cancel: CancelToken) -> Sequence[Any] | Exception:
    operation, job = part.job.operation, part.job
    try:
        try:
            return operation(part.inputs, cancel)
        except InputError:
            # The whole request again, so that the message numbers its own texts.
            return operation(job.inputs, cancel)[part.begin : part.end]
    except InputError as error:
        return error
    except Exception as error:
        return _logged(error)


def _logged(error: Exception) -> Exception:
    if not isinstance(error, CancelledError):
        logger.error("inference failed", exc_info=error)
    return error


def _deliver(parts: list[Part], outcomes: list[Sequence[Any] | Exception]) -> None:
    """Hands the results of a batch to the event loop, in one call."""
    loop = parts[0].job.future.get_loop()
    with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
        loop.call_soon_threadsafe(_settle, parts, outcomes)


def _settle(parts: list[Part], outcomes: list[Sequence[Any] | Exception]) -> None:
    for part, outcome in zip(parts, outcomes, strict=True):
        job = part.job
        if isinstance(outcome, Exception):
            job.abandoned = True
            if not job.future.done():
                job.future.set_exception(outcome)
            continue
        job.results[part.begin : part.end] = outcome
        job.left -= part.end - part.begin
        if not job.left and not job.future.done():
            job.future.set_result(job.results)
