"""Time every kernel that this CPU can run, at MobileBERT's shapes.

python -m pytest benchmarks/micro --benchmark-only                                    a table
python -m pytest benchmarks/micro --benchmark-only --benchmark-json=micro.json        all numbers as JSON
python -m pytest benchmarks/micro --benchmark-only -k "8x48 and 512-128"              selected kernels
"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.micro import calls
from mobilebert_rt import available_isas
from mobilebert_rt.profile import Peak

# A round is at least 0.5 ms, some hundred times the overhead of a call from Python.
TIMES = {"min_time": 0.0005, "max_time": 0.1, "min_rounds": 3}

PRODUCT_WORK, ROW_WORK = 1 << 26, 1 << 20  # of one call from Python: multiply-accumulates, elements
PRECISIONS = {"gemm_s8": "int8", "gemm_f32": "fp32"}
PEAK_ROUNDS = 5


def min_seconds(benchmark: BenchmarkFixture, call: calls.Call, work: int) -> float:
    """Min seconds per run of the kernel over the rounds; `work` in each call from Python."""
    count = max(1, work // call.work)
    benchmark(call.run, calls=count)
    return float(benchmark.stats.stats.min) / count


@pytest.mark.benchmark(group="products", **TIMES)
@pytest.mark.parametrize("m", calls.ROWS)
@pytest.mark.parametrize("shape", calls.SHAPES, ids=lambda shape: f"{shape[0]}-{shape[1]}")
@pytest.mark.parametrize("gemm", calls.runnable_gemms(), ids=lambda gemm: gemm[1])
def test_product(benchmark: BenchmarkFixture, gemm: tuple[str, str, str], shape: tuple[int, int, str], m: int) -> None:
    (operation, kernel, isa), (k, n, epilogue) = gemm, shape
    call = calls.GEMMS[operation](isa, m, k, n, calls.EPILOGUES[epilogue])
    peak = Peak(isa)
    peak.measure(PEAK_ROUNDS)  # and after: the clock frequency changes
    seconds = min_seconds(benchmark, call, PRODUCT_WORK)
    peak.measure(PEAK_ROUNDS)
    benchmark.extra_info |= {"kernel": kernel, "isa": isa, "K -> N": f"{k} -> {n}", "epilogue": epilogue, "rows": m}
    benchmark.extra_info |= {"us": 1e6 * seconds, "GMAC/s": call.work / seconds / 1e9}
    benchmark.extra_info |= {"peak": peak.best[PRECISIONS[operation]]}


@pytest.mark.benchmark(group="row operations", **TIMES)
@pytest.mark.parametrize("m", [1, 32])
@pytest.mark.parametrize(("name", "width"), calls.row_operations())
@pytest.mark.parametrize("isa", available_isas())
def test_row_operation(benchmark: BenchmarkFixture, isa: str, name: str, width: int, m: int) -> None:
    call = calls.row_operation(name, isa, m, width)
    seconds = min_seconds(benchmark, call, ROW_WORK)
    benchmark.extra_info |= {"operation": name, "isa": isa, "width": width, "rows": m, "us": 1e6 * seconds}
    benchmark.extra_info |= {"per ns": call.work / seconds / 1e9}
