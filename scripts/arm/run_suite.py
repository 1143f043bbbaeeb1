"""Runs tests of the cross-built wheel as 64-bit ARM, once for each processor, two at a time.

The wheel is installed into build/aarch64/venv and the tests are copied to build/aarch64/suite, where they
run: the installed package is tested, never the source tree. The environment reaches the tests as it is
(MBRT_GOLDEN, MBRT_ISA, ...). Each processor's output goes to build/aarch64/log/PROCESSOR.txt; only its
closing line is printed, or, when something fails, the end of the log.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import environment
import sysroot
import wheel
from emulation import BUILD, CPUS, OTHER_CPUS, REPOSITORY, emulated_environment, exit_with, say

SUITE = BUILD / "suite"
KNOWN = {**CPUS, **OTHER_CPUS}
CLOSING_LINE = re.compile(r"\b(?:\d+ (?:passed|failed|skipped|error|deselected)|no tests ran)\b.* in [\d.]+s")
TAIL = 80  # lines of a failed run's log that are shown


@dataclass
class Run:
    """One pytest process on one emulated processor."""

    cpu: str
    process: subprocess.Popen[bytes]
    log: Path
    began: float = field(default_factory=time.monotonic)

    def seconds(self) -> float:
        return time.monotonic() - self.began

    def kill(self) -> None:
        """Ends the process and all that it started, if it has not ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def report(self, *, overdue: bool) -> bool:
        """Prints how it ended; whether every test passed."""
        lines = self.log.read_text(errors="replace").splitlines()
        closing = next((line.strip("= ") for line in reversed(lines) if CLOSING_LINE.search(line)), "no closing line")
        passed = not overdue and self.process.returncode == 0
        if not passed:
            say("\n".join(lines[-TAIL:]))
            reason = "stopped at its time limit" if overdue else f"pytest exit code {self.process.returncode}"
            say(f"{self.cpu}: FAILED ({reason}), whole log in {self.log}")
        say(f"{self.cpu}: {closing}")
        return passed


def copy_suite() -> None:
    """Copies what the tests read: themselves, their settings and documents. The package's sources stay behind."""
    shutil.rmtree(SUITE, ignore_errors=True)
    for folder in ("tests", "docs"):
        shutil.copytree(REPOSITORY / folder, SUITE / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", SUITE)


def start(python: Path, cpu: str, arguments: list[str]) -> Run:
    """Starts pytest on one processor."""
    log = BUILD / "log" / f"{cpu}.txt"
    log.parent.mkdir(exist_ok=True)
    # The profile is hypothesis' own: no deadlines, since emulation is slow, and the same examples every time.
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", "--hypothesis-profile=ci", *arguments]
    env = emulated_environment(cpu)
    env["PATH"] = f"{python.parent}{os.pathsep}{env['PATH']}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=env,
            cwd=SUITE,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    say(f"{cpu}: started ({KNOWN[cpu]})")
    return Run(cpu, process, log)


def run_all(python: Path, cpus: list[str], arguments: list[str], jobs: int, limit: float) -> bool:
    """Runs the tests on every processor, `jobs` at a time, each for `limit` seconds at most; did all pass?"""
    waiting, running, passed = list(cpus), list[Run](), True
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that `finally` ends the runs
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(start(python, waiting.pop(0), arguments))
            time.sleep(0.2)
            for run in list(running):
                overdue = run.seconds() > limit
                if run.process.poll() is not None or overdue:
                    run.kill()
                    running.remove(run)
                    passed &= run.report(overdue=overdue)
    finally:
        for run in running:
            run.kill()
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit codes: 0 all passed, 1 a test failed or none was run, 69 this machine lacks a tool.",
    )
    names, others = ", ".join(CPUS), ", ".join(OTHER_CPUS)
    parser.add_argument(
        "--cpu", action="append", choices=KNOWN, metavar="CPU", help=f"repeatable: {names} (all of these), {others}"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processors emulated at once (2)")
    parser.add_argument("--timeout", type=float, default=1500, help="seconds that one processor may take (1500)")
    parser.add_argument("--wheel", type=Path, help="the wheel to test (the newest aarch64 one in dist)")
    parser.add_argument("tests", nargs="+", help="test paths, such as tests/parity; after --, any pytest option")
    arguments = parser.parse_args()
    tested = arguments.wheel or wheel.newest()
    python = environment.create(environment.VENV, sysroot.ensure(), tested)
    say(f"testing {tested.name}")
    copy_suite()
    cpus = arguments.cpu or list(CPUS)
    return 0 if run_all(python, cpus, arguments.tests, arguments.jobs, arguments.timeout) else 1


if __name__ == "__main__":
    exit_with(main)
