"""Settings of every test: which skips are allowed, the profile of hypothesis."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from tests.emulation import EMULATED

# The same examples each time, and no deadlines: machines that run the tests are emulated, or busy with other tests.
settings.register_profile(
    "repeatable",
    deadline=None,
    max_examples=10 if EMULATED else 100,  # derandomised: an emulated processor runs the first of the host's examples
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")

# Skip reasons that MBRT_REQUIRE_ALL=1 allows: the processor lacks an instruction, or an emulator cannot do it.
EXCUSES = ("[cpu]", "[emulated]")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--unit", action="store_true", help="skip tests that need torch or transformers")


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the workers of pytest-xdist start with it ignored
    if config.getoption("unit"):
        for name in ("torch", "transformers"):
            sys.modules[name] = None  # type: ignore[assignment]  # importing it fails, so importorskip skips


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _is_excused(report: pytest.TestReport | pytest.CollectReport) -> bool:
    if hasattr(report, "wasxfail"):
        return True
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ").startswith(EXCUSES)


def _forbid_skip(report: Report) -> Report:
    """The report; a skip that MBRT_REQUIRE_ALL does not allow becomes a failure."""
    if os.environ.get("MBRT_REQUIRE_ALL") == "1" and report.skipped and not _is_excused(report):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nMBRT_REQUIRE_ALL=1 allows only skips that begin with {' or '.join(EXCUSES)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _forbid_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _forbid_skip((yield))
