"""Server processes: started, paused while another one is measured, and their use of the processor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common import REPOSITORY, ScriptError

SECONDS_TO_START = 120.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Variant:
    """How the FastAPI server is run: uvicorn's workers, ONNX Runtime's threads, threads that answer (0: event loop)."""

    workers: int
    threads: int
    pool: int

    def __str__(self) -> str:
        answers = f"{self.pool} threads answer" if self.pool else "answers in the event loop"
        return f"{self.workers} workers, {self.threads} threads of ONNX Runtime, {answers}"


VARIANTS = [Variant(workers, threads, pool) for workers in (1, 2) for threads in (1, 2) for pool in (0, 2, 8, 40)]


class Server:
    """A server in a session of its own, with all its processes. log: what it prints."""

    def __init__(self, command: Sequence[str], port: int, log: Path, environment: Mapping[str, str]) -> None:
        self.port = port
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                cwd=REPOSITORY,
                env=os.environ | environment,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while not _listens(port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ScriptError(f"{' '.join(command)}: does not listen; see {log}")
            time.sleep(0.05)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def pause(self) -> None:
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def cpu_seconds(self) -> float:
        """Processor time of all its processes that have not ended."""
        return sum(sum(map(int, fields[11:13])) for fields in self._stat()) / TICKS

    def resident_bytes(self) -> int:
        return sum(int(fields[21]) for fields in self._stat()) * os.sysconf("SC_PAGE_SIZE")

    def _stat(self) -> list[list[str]]:
        """The fields of /proc/PID/stat from the state on, of the processes in the session."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid:
                    found.append(fields)
        return found


def _listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def ours(model: Path, log: Path, *options: object) -> Server:
    """`mbrt serve` with its defaults, apart from the log."""
    port = free_port()
    words = ["serve", str(model), "--port", str(port), "--log-level", "warning", *map(str, options)]
    return Server([sys.executable, "-m", "mobilebert_rt", *words], port, log, {})


def plain(model: Path, tokenizer: Path, variant: Variant, log: Path) -> Server:
    """The FastAPI server, without the log of requests."""
    port = free_port()
    environment: dict[str, Any] = {
        "MODEL": model,
        "TOKENIZER": tokenizer,
        "THREADS": variant.threads,
        "POOL": variant.pool,
        "PYTHONPATH": REPOSITORY,
    }
    words = ["--port", port, "--workers", variant.workers, "--loop", "uvloop", "--http", "httptools"]
    command = ["-m", "uvicorn", "benchmarks.serving.plain:app", *words, "--no-access-log", "--log-level", "warning"]
    given = {name: str(value) for name, value in environment.items()}
    return Server([sys.executable, *map(str, command)], port, log, given)
