"""The tables of the micro-benchmarks, in place of pytest-benchmark's, which lacks rates and shares of the peak."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.common.markdown import table

PRODUCTS = "products: GMAC/s, and share of the max measured peak of the ISA's multiply instruction"
ROW_OPERATIONS = "row operations: elements per nanosecond"

Row = dict[str, Any]


def pytest_configure(config: pytest.Config) -> None:
    config.option.benchmark_quiet = True  # --benchmark-json has all values


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config._benchmarksession.benchmarks  # type: ignore[attr-defined]
    products, others = (
        [dict(one.extra_info) for one in found if one.group == group and one.extra_info]
        for group in ("products", "row operations")
    )
    for row in products:
        peak = max(other["peak"] for other in products if kind(other) == kind(row))
        row |= {"peak": peak, "of peak": row["GMAC/s"] / peak}
    for title, rows in ((PRODUCTS, products), (ROW_OPERATIONS, others)):
        if rows:
            cells = [[f"{x:.2f}" if isinstance(x, float) else str(x) for x in row.values()] for row in rows]
            terminalreporter.write_line(f"\n{title}\n\n{table(list(rows[0]), cells)}")


def kind(row: Row) -> tuple[str, str]:
    """What has one peak: the ISA, and gemm_s8 or gemm_f32."""
    return row["isa"], row["kernel"].rpartition("_")[0].rpartition("_")[0]
