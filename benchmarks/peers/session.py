"""The driver's end of a worker process: requests and answers are JSON lines.

Idle workers are paused (SIGSTOP): several runtimes let their threads spin for a while after a call, which would slow
down the next engine.
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
    """A request failed in one engine; the message says which and why. Other engines are not affected."""


class WorkerDiedError(PeerError):
    """The process has ended, or was ended because it did not answer."""


class Worker:
    """A running worker process, pinned to `cpus`."""

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
        self._buffer = b""
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
                    cwd=log.parent,  # not the source tree: its mobilebert_rt may have no compiled engine
                )
            except OSError as error:
                raise WorkerDiedError(f"{name}: cannot start: {error}") from error

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, do: str, timeout: float = ANSWER_SECONDS, **request: Any) -> Any:
        """Send a request and return the answer. Raises PeerError."""
        assert self._process.stdin is not None
        self.resume()
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._line(time.monotonic() + timeout, do, timeout))
        except (BrokenPipeError, EOFError) as error:
            raise WorkerDiedError(self._exit_message(do)) from error
        except json.JSONDecodeError as error:
            raise self._ended(f"{self.name}: the answer to {do!r} is not JSON") from error
        if "error" in answer:
            raise PeerError(f"{self.name}: {do} failed: {answer['error']}")
        return answer["ok"]

    def pause(self) -> None:
        """Stop the process with all its threads until the next request."""
        if hasattr(signal, "SIGSTOP") and self._process.poll() is None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
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
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise self._ended(f"{self.name}: no answer to {do!r} within {timeout:g} s")
                read = os.read(self._process.stdout.fileno(), 1 << 20)
                if not read:
                    raise EOFError
                self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _ended(self, why: str) -> WorkerDiedError:
        self.close()
        return WorkerDiedError(f"{why}; the process was ended")

    def _exit_message(self, do: str) -> str:
        code = self._process.wait()
        if code < 0:
            with suppress(ValueError):
                return self._with_log(f"{self.name}: ended by {signal.Signals(-code).name} during {do!r}")
        return self._with_log(f"{self.name}: ended with exit code {code} during {do!r}")

    def _with_log(self, what: str) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LOG_LINES:]
        except OSError:
            lines = []
        return f"{what}; last output: {' | '.join(lines)}" if lines else what
