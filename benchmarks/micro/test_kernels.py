"""Time every kernel that this CPU can run, at MobileBERT's shapes.

python -m pytest benchmarks/micro --benchmark-only                                    a table
python -m pytest benchmarks/micro --benchmark-only --benchmark-json=micro.json        all numbers as JSON
python -m pytest benchmarks/micro --benchmark-only -k "8x48 and 512-128"              selected kernels
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.micro import calls
from benchmarks.micro.timing import Report, Row, calls_and_rounds
from mobilebert_rt import available_isas


class Product(NamedTuple):
    """A GEMM kernel, an ISA that uses it, and one of the model's layers."""

    operation: str
    kernel: str
    isa: str
    k: int
    n: int
    epilogue: str
    epilogue_number: int

    def __str__(self) -> str:
        return f"{self.kernel}-{self.k}-{self.n}"


class RowOperation(NamedTuple):
    """An operation on rows of a given width, on one ISA."""

    name: str
    width: int
    isa: str

    def __str__(self) -> str:
        return f"{self.name}-{self.isa}-{self.width}"


PRODUCTS = [Product(*gemm, *shape) for gemm in calls.runnable_gemms() for shape in calls.SHAPES]
ROW_OPERATIONS = [RowOperation(*operation, isa) for isa in available_isas() for operation in calls.row_operations()]


def min_seconds(benchmark: BenchmarkFixture, call: calls.Call) -> float:
    """Min seconds per run of the kernel over the rounds."""
    count, rounds = calls_and_rounds(call)
    benchmark.pedantic(partial(call.run, calls=count), rounds=rounds, warmup_rounds=2)
    benchmark.extra_info["kernel_runs_in_a_round"] = count
    return float(benchmark.stats.stats.min) / count


@pytest.mark.parametrize("m", calls.ROWS)
@pytest.mark.parametrize("product", PRODUCTS, ids=str)
def test_product(benchmark: BenchmarkFixture, report: Report, product: Product, m: int) -> None:
    operation, kernel, isa, k, n, epilogue, number = product
    call = calls.GEMMS[operation](isa, m, k, n, number)
    report.measure_peak(operation, isa)
    seconds = min_seconds(benchmark, call)
    rate, peak = call.work / seconds / 1e9, report.measure_peak(operation, isa)
    benchmark.extra_info.update(isa=isa, gmacs_per_second=rate, peak_gmacs_per_second=peak, share=rate / peak)
    report.rows.append(Row(kernel, operation, isa, f"{k} -> {n}", epilogue, m, 1e6 * seconds, rate))


@pytest.mark.parametrize("m", [1, 32])
@pytest.mark.parametrize("operation", ROW_OPERATIONS, ids=str)
def test_row_operation(benchmark: BenchmarkFixture, report: Report, operation: RowOperation, m: int) -> None:
    name, width, isa = operation
    call = calls.row_operation(name, isa, m, width)
    seconds = min_seconds(benchmark, call)
    rate = call.work / seconds / 1e9
    benchmark.extra_info.update(isa=isa, elements_per_nanosecond=rate)
    report.rows.append(Row(name, name, isa, str(width), "", m, 1e6 * seconds, rate))
