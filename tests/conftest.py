"""What holds for every test: which package is tested, what may be skipped, how long hypothesis looks."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

# pytest and `python -m` put the tree first, so that `tests` can be imported. An installed mobilebert_rt goes before
# the tree's own, which has a compiled engine in it only where someone built it there and says so by PYTHONPATH.
_ROOT = str(Path(__file__).resolve().parents[1])
if _ROOT not in os.environ.get("PYTHONPATH", "").split(os.pathsep):
    sys.path[:] = [*(path for path in sys.path if path not in ("", _ROOT)), _ROOT]

settings.register_profile(
    "ci",
    deadline=None,
    max_examples=25,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)

# What may stay untested where MBRT_REQUIRE_ALL=1: an instruction that this processor lacks, and what an emulator
# cannot do. Everything else is there to be installed.
EXCUSES = ("[cpu]", "[emulated]")


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _is_excused(report: pytest.TestReport | pytest.CollectReport) -> bool:
    if hasattr(report, "wasxfail"):
        return True
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ").startswith(EXCUSES)


def _forbid_skip(report: Report) -> Report:
    """The report, turned into a failure if it is a skip that MBRT_REQUIRE_ALL does not allow."""
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
