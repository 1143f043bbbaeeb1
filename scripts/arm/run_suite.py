"""Runs tests of the cross-built wheel as 64-bit ARM on emulated processors, two at a time.

Without arguments it runs SUITES. The wheel is installed into build/aarch64/venv. The tests are copied to
build/aarch64/suite and run there, so the installed package is tested. The environment (MBRT_GOLDEN, MBRT_ISA, ...) is
passed on. The output for each processor goes to build/aarch64/log/PROCESSOR.txt; printed is its last line or, after a
failure, the end of the log.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.arm import environment, sysroot
from scripts.arm.emulation import CPUS, FOLDER, OTHER_CPUS, emulated_environment, newest_wheel
from scripts.common import BUILD, REPOSITORY, exit_with, make_parser, say

SUITE = FOLDER / "suite"
# Tests that need PyTorch run on the host; their results are the golden files. One processor runs every test. The others
# run those whose result depends on the kernels they choose, or, where the kernels are the same, on the choice. What
# starts interpreters to look at their modules, or counts events, is the same on every processor.
CHOICE = ("tests/scripts/arm/test_emulated_processor.py", "tests/golden")
KERNELS = (*CHOICE, "tests/engine", "tests/kernels", "tests/numerics")
PORTABLE = ("--ignore=tests/conversion/test_imports.py", "--ignore=tests/engine/test_profile.py")
EVERYTHING = (*KERNELS, "tests/cli", "tests/conversion", "tests/model", "tests/tasks", "tests/text")
SUITES: Mapping[str, Sequence[str]] = {  # longest first
    "neoverse-n1": (*EVERYTHING, *PORTABLE),
    "cortex-a53": (*KERNELS, *PORTABLE),
    "max": (*KERNELS, *PORTABLE),
    "cortex-a72": CHOICE,
}
KNOWN = {**CPUS, **OTHER_CPUS}
Process = subprocess.Popen[bytes]
CLOSING_LINE = re.compile(r"\b(?:\d+ (?:passed|failed|skipped|error|deselected)|no tests ran)\b.* in [\d.]+s")
TAIL = 80  # lines of a failed run's log that are shown


def kill(process: Process) -> None:
    """Ends the process and its children."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def copy_suite() -> None:
    """Copies the tests and the files they read, without the package's sources."""
    shutil.rmtree(SUITE, ignore_errors=True)
    for folder in ("tests", "docs", "scripts"):
        shutil.copytree(REPOSITORY / folder, SUITE / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", SUITE)


def run_one(python: Path, cpu: str, arguments: Sequence[str], limit: float, running: list[Process]) -> bool:
    """Runs pytest on one processor and prints the result; returns whether every test passed."""
    log = FOLDER / "log" / f"{cpu}.txt"
    log.parent.mkdir(exist_ok=True)
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    env = emulated_environment(cpu)
    env.setdefault("MBRT_GOLDEN", str(BUILD / "golden"))
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
    running.append(process)
    say(f"{cpu}: started ({KNOWN[cpu]})")
    try:
        reason = f"pytest exit code {process.wait(limit)}"
    except subprocess.TimeoutExpired:
        kill(process)
        reason = "stopped at its time limit"
    lines = log.read_text(errors="replace").splitlines()
    closing = next((line.strip("= ") for line in reversed(lines) if CLOSING_LINE.search(line)), "no closing line")
    if process.returncode != 0:
        say("\n".join([*lines[-TAIL:], f"{cpu}: FAILED ({reason}), whole log in {log}"]))
    say(f"{cpu}: {closing}")
    return process.returncode == 0


def run_all(python: Path, suites: Mapping[str, Sequence[str]], jobs: int, limit: float) -> bool:
    """Runs each processor's tests, `jobs` at a time, at most `limit` seconds each; returns whether all passed."""
    running: list[Process] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that `finally` ends the runs
    pool = ThreadPoolExecutor(jobs)
    try:
        runs = [pool.submit(run_one, python, cpu, suites[cpu], limit, running) for cpu in suites]
        passed = [run.result() for run in runs]
        return all(passed)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in running:
            kill(process)


def main() -> int:
    parser = make_parser(
        __doc__,
        epilog="Exit codes: 0 all passed, 1 a test failed or none ran, 69 this machine lacks a tool.",
    )
    cpus = f"{', '.join(CPUS)} (all of these), {', '.join(OTHER_CPUS)}"
    parser.add_argument("--cpu", action="append", choices=KNOWN, metavar="CPU", help=f"repeatable: {cpus}")
    parser.add_argument("--jobs", type=int, default=2, help="processors emulated at once (default: 2)")
    parser.add_argument("--timeout", type=float, default=1500, help="limit per processor in seconds (default: 1500)")
    parser.add_argument("--wheel", type=Path, help="the wheel to test (default: the newest in dist)")
    parser.add_argument("tests", nargs="*", help="test paths (default: SUITES); after --, any pytest option")
    arguments = parser.parse_args()
    tested = arguments.wheel or newest_wheel()
    python = environment.create(environment.VENV, sysroot.ensure(), tested)
    say(f"testing {tested.name}")
    copy_suite()
    suites = SUITES
    if arguments.tests or arguments.cpu:
        suites = {cpu: arguments.tests or SUITES[cpu] for cpu in arguments.cpu or CPUS}
    return 0 if run_all(python, suites, arguments.jobs, arguments.timeout) else 1


if __name__ == "__main__":
    exit_with(main)
