"""The table of the micro-benchmarks, instead of that of pytest-benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# As in tests/conftest.py: an installed mobilebert_rt comes before the tree's, which may have no compiled engine.
_ROOT = str(Path(__file__).resolve().parents[2])
sys.path[:] = [*(path for path in sys.path if path not in ("", _ROOT)), _ROOT]

from benchmarks.micro.timing import Report  # noqa: E402 - after the path is set

REPORT = Report()


@pytest.fixture(scope="session")
def report() -> Report:
    return REPORT


def pytest_configure(config: pytest.Config) -> None:
    # Its table lacks rates and shares; --benchmark-json has all values.
    config.option.benchmark_quiet = True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    REPORT.write(terminalreporter.write_line)
