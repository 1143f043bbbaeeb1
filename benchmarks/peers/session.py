"""The driver's end of a worker process: requests and answers are JSON lines.

Idle workers are paused (SIGSTOP): several runtimes let their threads spin for a while after a call, which would slow
down the next engine.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("worker.py")
ANSWER_SECONDS = 900.0
LOG_LINES = 3


class PeerError(Exception):
    """A request failed in one engine; the message says which and why. Other engines are not affected."""


class Worker:
    """A running worker process, pinned to `cpus`."""

    def __init__(self, name: str, command: Sequence[str], cpus: Sequence[int], log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            try:
                self._process = subprocess.Popen(
                    [*command, "--cpus", ",".join(map(str, cpus))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    encoding="utf-8",
                    cwd=log.parent,  # not the source tree: its mobilebert_rt may have no compiled engine
                )
            except OSError as error:
                raise PeerError(f"{name}: cannot start: {error}") from error

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, do: str, timeout: float = ANSWER_SECONDS, **request: Any) -> Any:
        """Send a request and return the answer. Raises PeerError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._signal("SIGCONT")
        began, line = time.monotonic(), ""
        limit = threading.Timer(timeout, self._process.kill)
        limit.start()
        try:
            with suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
                self._process.stdin.flush()
                line = self._process.stdout.readline()
        finally:
            limit.cancel()
        try:
            answer = json.loads(line)
        except json.JSONDecodeError as error:
            self.close()
            late = time.monotonic() - began >= timeout
            why = f"no answer within {timeout:g} s" if late else f"found {line!r}; expected JSON" if line else ""
            ended = f"{self.name}: {do}: {why}; the process was ended" if why else self._end_message(do)
            raise PeerError(ended) from error
        if "error" in answer:
            raise PeerError(f"{self.name}: {do} failed: {answer['error']}")
        return answer["ok"]

    def pause(self) -> None:
        """Stop the process with all its threads until the next request."""
        self._signal("SIGSTOP")

    def close(self) -> None:
        """End the process; never raises."""
        self._process.kill()
        with suppress(OSError), self._process:
            pass  # closes the pipes and waits

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _signal(self, name: str) -> None:
        """Send a signal, where the system has it, to a process that has not ended."""
        if hasattr(signal, name):
            self._process.send_signal(getattr(signal, name))

    def _end_message(self, do: str) -> str:
        code = self._process.returncode
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LOG_LINES:]
        return f"{self.name}: ended {how} during {do!r}; last output: {' | '.join(lines)}"
