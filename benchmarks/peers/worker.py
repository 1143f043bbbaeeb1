"""The worker: a process that loads models and times them, as the driver requests. Not run by hand.

python worker.py --cpus 1      requests and answers are JSON lines on standard input and output

Requests, by their "do":
  hello                    -> {"memory": peak in bytes of Python with numpy alone}
  prepare program runtime options threads copies batches -> null
  run program calls        -> [seconds of each call]
  states program file      -> null; the outputs are in `file`, one array per text
  forget program           -> null
  first (as prepare)       -> {"import_time", "load_time", "first_call", "steady": seconds; "memory": peak in bytes}
  convert job              -> null; see convert.py
  sizes names              -> {"own": bytes, "all": bytes}; see package_size.py
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

# The tree comes first to find this package, since other projects install a `benchmarks` too; then last, since the
# tree's mobilebert_rt may have no compiled engine.
sys.path[0] = str(Path(__file__).resolve().parents[2])

import numpy as np  # noqa: E402

from benchmarks.peers.convert import convert  # noqa: E402
from benchmarks.peers.package_size import package_size  # noqa: E402
from benchmarks.peers.program import Program  # noqa: E402

sys.path.append(sys.path.pop(0))

ENGINES = "benchmarks.peers.engines."
STEADY_CALLS = 20
KILL = 9
PR_SET_PDEATHSIG = 1


class Worker:
    """Answers requests; keeps prepared programs by name."""

    def __init__(self) -> None:
        self._programs: dict[str, Program] = {}

    def answer(self, request: dict[str, Any]) -> Any:
        do = getattr(self, "do_" + str(request.pop("do")))
        return do(**request)

    def do_hello(self) -> dict[str, Any]:
        return {"memory": peak_memory(), "python": sys.version.split()[0]}

    def do_prepare(self, program: str, **spec: Any) -> None:
        self._programs[program] = self._program(**spec)
        gc.collect()
        gc.freeze()  # no collection during a timed call

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
        """Times in a new process: import of the runtime, load, first call, median of later calls; and peak memory."""
        import_time = clock(lambda: importlib.import_module(ENGINES + spec["runtime"]))
        begin = time.perf_counter()
        program = self._program(**spec)
        load_time = time.perf_counter() - begin
        first_call = clock(program)
        steady = statistics.median(clock(program) for _ in range(STEADY_CALLS))
        later = {"steady": steady, "memory": peak_memory()}
        return {"import_time": import_time, "load_time": load_time, "first_call": first_call, **later}

    do_convert = staticmethod(convert)
    do_sizes = staticmethod(package_size)

    def _program(
        self, *, runtime: str, options: dict[str, Any], threads: int, copies: int, batches: list[dict[str, Any]]
    ) -> Program:
        """Threads are divided among the copies."""
        engine = importlib.import_module(ENGINES + runtime).Engine
        return Program(batches, copies, lambda path: engine(path, max(1, threads // copies), dict(options)))


def clock(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def peak_memory() -> int | None:
    """Peak resident memory of this process in bytes; None if unknown."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def end_with_the_driver() -> None:
    """A paused process would outlive a driver that is killed; Linux can end it."""
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
        except Exception as error:  # any exception of a library is the answer
            answer = {"error": f"{type(error).__name__}: {error}".strip().splitlines()[0][:500]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpus", default="", help="CPUs to run on, such as 0,1 (all)")
    pin(parser.parse_args().cpus)
    end_with_the_driver()
    # Libraries print to standard output; answers go to a copy of it.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
