"""The driver's end of a worker: a process of its own, asked and answered in JSON lines.

A worker that has not the turn is stopped by the system (SIGSTOP), not only idle: several runtimes keep their threads
spinning for a while after a call, which would be charged to whoever comes next.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("worker.py")
ANSWER_SECONDS = 900.0
LOG_LINES = 3


class PeerError(Exception):
    """An engine could not do what it was asked; the message says what and why. The others go on."""


class WorkerDiedError(PeerError):
    """The process is gone, or does not answer and was ended."""


class Worker:
    """A running worker, pinned to `cpus`. Raises PeerError where it cannot do what it is asked."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        cpus: Sequence[int],
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._rest = b""
        log.parent.mkdir(parents=True, exist_ok=True)
        arguments = [*command, "--cpus", ",".join(map(str, cpus))]
        with log.open("ab") as errors:
            try:
                self._process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env={**os.environ, **(environment or {})},
                    cwd=log.parent,  # anywhere but the source tree, whose mobilebert_rt has no engine
                )
            except OSError as error:
                raise WorkerDiedError(f"{name} cannot be started: {error}") from error

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, do: str, timeout: float = ANSWER_SECONDS, **request: Any) -> Any:
        """Send one request, return its answer."""
        assert self._process.stdin is not None
        self.wake()
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._line(time.monotonic() + timeout, do, timeout))
        except (BrokenPipeError, EOFError) as error:
            raise WorkerDiedError(self._obituary(do)) from error
        except json.JSONDecodeError as error:
            raise self._ended(f"{self.name} answered {do!r} with something that is not JSON") from error
        if "error" in answer:
            raise PeerError(f"{self.name}: {do} failed: {answer['error']}")
        return answer["ok"]

    def rest(self) -> None:
        """Stop the process, threads that spin included."""
        if hasattr(signal, "SIGSTOP") and self._process.poll() is None:
            self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        if hasattr(signal, "SIGCONT") and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End the process; never raises."""
        with suppress(OSError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _line(self, deadline: float, do: str, timeout: float) -> bytes:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise self._ended(f"{self.name} gave no answer to {do!r} within {timeout:g} s")
                read = os.read(self._process.stdout.fileno(), 1 << 20)
                if not read:
                    raise EOFError
                self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _ended(self, why: str) -> WorkerDiedError:
        self.close()
        return WorkerDiedError(f"{why}; it was ended")

    def _obituary(self, do: str) -> str:
        code = self._process.wait()
        if code < 0:
            with suppress(ValueError):
                return self._with_log(f"{self.name} died of {signal.Signals(-code).name} when asked to {do!r}")
        return self._with_log(f"{self.name} ended with code {code} when asked to {do!r}")

    def _with_log(self, what: str) -> str:
        try:
            said = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LOG_LINES:]
        except OSError:
            said = []
        return f"{what}; it said last: {' | '.join(said)}" if said else what
