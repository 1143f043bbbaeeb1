"""The table of the micro-benchmarks, instead of that of pytest-benchmark."""

from __future__ import annotations

import pytest

from benchmarks.micro.timing import Report

REPORT = Report()


@pytest.fixture(scope="session")
def report() -> Report:
    return REPORT


def pytest_configure(config: pytest.Config) -> None:
    # Its table lacks rates and shares; --benchmark-json has all values.
    config.option.benchmark_quiet = True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    REPORT.write(terminalreporter.write_line)
