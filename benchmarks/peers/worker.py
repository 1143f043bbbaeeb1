"""The engine's end: a process that loads models and times them, as the driver asks. Not run by hand.

python worker.py --cpus 1      requests and answers are JSON lines on standard input and output

Requests, by their "do":
  hello                    -> {"memory": bytes, the peak so far; only Python and numpy are there}
  prepare program runtime options threads copies files batches -> null
  run program calls        -> [seconds of each call]
  states program file      -> null; the outputs are in `file`, one array a text
  forget program           -> null
  first (as prepare)       -> {"imported", "load", "first", "steady": seconds; "memory": bytes, the peak}
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO
from weakref import WeakValueDictionary

# The tree comes first while this package is found, since others ship a `benchmarks` too; then behind everything else,
# since the tree's mobilebert_rt has no compiled engine and an installed one has.
sys.path[0] = str(Path(__file__).resolve().parents[2])

import numpy as np  # noqa: E402

from benchmarks.peers.engines.interface import Engine  # noqa: E402
from benchmarks.peers.program import Program, model_files  # noqa: E402

sys.path.append(sys.path.pop(0))

ENGINES = "benchmarks.peers.engines."
STEADY_CALLS = 20
KILL = 9
PR_SET_PDEATHSIG = 1


class Worker:
    """Answers requests; keeps prepared programs by name."""

    def __init__(self) -> None:
        self._programs: dict[str, Program] = {}
        self._engines: WeakValueDictionary[str, Engine] = WeakValueDictionary()

    def answer(self, request: dict[str, Any]) -> Any:
        do = getattr(self, "do_" + str(request.pop("do")))
        return do(**request)

    def do_hello(self) -> dict[str, Any]:
        return {"memory": peak_memory(), "python": sys.version.split()[0]}

    def do_prepare(self, program: str, **spec: Any) -> None:
        self._programs[program] = self._program(**spec)
        gc.collect()
        gc.freeze()  # a collection in the middle of a call would be timed

    def do_run(self, program: str, calls: int) -> list[float]:
        return [clock(self._programs[program]) for _ in range(calls)]

    def do_states(self, program: str, file: str) -> None:
        arrays: dict[str, Any] = {str(i): state for i, state in enumerate(self._programs[program].states())}
        np.savez(file, **arrays)

    def do_forget(self, program: str) -> None:
        self._programs.pop(program, None)
        gc.unfreeze()
        gc.collect()

    def do_first(self, **spec: Any) -> dict[str, Any]:
        """Of a fresh process: importing the runtime, loading, the first call, the median of later ones, peak memory."""
        imported = clock(lambda: importlib.import_module(ENGINES + spec["runtime"]))
        begin = time.perf_counter()
        program = self._program(**spec)
        load = time.perf_counter() - begin
        first = clock(program)
        steady = statistics.median(clock(program) for _ in range(STEADY_CALLS))
        return {"imported": imported, "load": load, "first": first, "steady": steady, "memory": peak_memory()}

    def _program(
        self,
        *,
        runtime: str,
        options: dict[str, Any],
        threads: int,
        copies: int,
        files: list[dict[str, Any]],
        batches: list[list[list[int]]],
    ) -> Program:
        """Threads are divided among the copies. Programs share an engine where one would be made like another."""
        engine = importlib.import_module(ENGINES + runtime).Engine
        each = max(1, threads // copies)

        def make(path: str, copy: int) -> Engine:
            key = json.dumps([runtime, path, each, options, copy])
            found: Engine = self._engines.get(key) or engine(path, each, dict(options))
            self._engines[key] = found
            return found

        return Program(model_files(files), batches, copies, make)


def clock(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def peak_memory() -> int | None:
    """Largest resident memory of this process in bytes; None where the system does not tell."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def die_with_the_driver() -> None:
    """A stopped process would outlive a driver that was killed; Linux can be told to end it."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, KILL)


def pin(cpus: str) -> None:
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})


def serve(requests: TextIO, answers: TextIO) -> None:
    worker = Worker()
    for line in requests:
        try:
            answer = {"ok": worker.answer(json.loads(line))}
        except Exception as error:  # whatever a library raises is the answer
            answer = {"error": f"{type(error).__name__}: {error}".strip().splitlines()[0][:500]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpus", default="", help="processors to run on, such as 0,1; empty: all that are allowed")
    pin(parser.parse_args().cpus)
    die_with_the_driver()
    # Libraries print what they like to standard output; answers go to a copy of it.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
