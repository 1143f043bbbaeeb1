"""gemm_s8: every kernel equals the scalar kernel bit for bit; the scalar kernel equals the formula in numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from mobilebert_rt import InputError, _core
from tests.emulation import EMULATED
from tests.kernels.guarded import Arena
from tests.kernels.support import F32, PLACEMENTS, same_bits, vector_isas
from tests.numerics.float32 import fma
from tests.numerics.operations import Quantised, exact_product, product_s8, relu

LINEAR, RELU, RESIDUAL, PRODUCT = range(4)
EPILOGUES = (LINEAR, RELU, RESIDUAL, PRODUCT)

# Every number of rows in a tile and of remaining rows, with 1 to 10 blocks of 16 columns; the values of K take turns.
KS = (16, 48, 32, 112, 64)
SHAPES = [(m, n, KS[(m + n // 16) % 5]) for m in range(1, 20) for n in range(16, 161, 16)]
# Whole tiles only, with K below and above the limit of the shorter path of some kernels; and K so large that a kernel
# copies the rows in several steps, of several rows and of one.
WHOLE_TILES = [(8, 48, 128), (24, 32, 256), (16, 16, 272), (32, 48, 512)]
SHAPES = [*SHAPES[:: 17 if EMULATED else 1], *WHOLE_TILES, (33, 48, 512), (33, 16, 4096), (5, 16, 32768)]

BYTES = ("random", "lowest", "highest", "mixed extremes", "zeros")
SCALES = ("usual", "huge", "tiny", "zero")


@dataclass(frozen=True)
class Case:
    """One product. q int8 [m, k]; w int8 [n, k], never -128."""

    q: NDArray[np.int8]
    w: NDArray[np.int8]
    scale: F32
    shift: F32
    w_scale: F32
    bias: F32
    residual: F32
    residual_scale: F32


@cache
def make_case(m: int, n: int, k: int) -> Case:
    seed = m * 1_000_003 + n * 1009 + k
    random = np.random.default_rng(seed)
    kind = BYTES[seed % 5] if k < 32768 else "highest"
    q = random.integers(-128, 128, (m, k))
    w = random.integers(-127, 128, (n, k))
    if kind == "mixed extremes":
        q, w = np.where(q < 0, -128, 127), np.where(w < 0, -127, 127)
    elif kind != "random":
        q[:] = {"lowest": -128, "highest": 127, "zeros": 0}[kind]
        w[:] = np.where(np.arange(n) % 2 == 0, 127, -127)[:, None]
    factor = {"usual": 0.01, "huge": 1e36, "tiny": 1e-44, "zero": 0.0}[SCALES[seed // 5 % 4]]

    def normal(*shape: int) -> F32:
        return random.standard_normal(shape).astype(np.float32)

    return Case(
        q.astype(np.int8),
        w.astype(np.int8),
        (np.abs(normal(m)) * factor).astype(np.float32),
        normal(m),
        np.abs(normal(n)),
        normal(n),
        normal(m, n),
        normal(n),
    )


def packed(w: NDArray[np.int8]) -> NDArray[np.int8]:
    """n16k4: w[n / 16][k / 4][n % 16][k % 4]."""
    n, k = w.shape
    return np.ascontiguousarray(w.reshape(n // 16, 16, k // 4, 4).transpose(0, 2, 1, 3)).reshape(-1)


def run(
    isa: str, case: Case, epilogue: int, at: str = "end", in_place: bool = False, *, non_negative: bool = False
) -> F32:
    """The kernel's result, from guarded arrays; with in_place, out is the residual itself."""
    offset = int(_core.kernels.describe_set(isa)["gemm_s8_offset"])
    sums = case.w.astype(np.int32).sum(axis=1, dtype=np.int32)
    arena = Arena(at)
    starts = case.residual if in_place else np.full_like(case.residual, np.nan)
    out = arena.place_output(starts, gap=3)
    residual = out if in_place else arena.place(case.residual, gap=5)
    adds = epilogue == RESIDUAL
    only_scaled = epilogue == PRODUCT
    _core.kernels.run(
        "gemm_s8",
        isa,
        epilogue=epilogue,
        n=case.bias.size,
        a=arena.place((case.q.astype(np.int16) + offset).astype(np.uint8), gap=13),
        a_scale=None if only_scaled else arena.place(case.scale),
        a_shift=None if only_scaled else arena.place(case.shift),
        w=arena.place(packed(case.w)),
        compensation=arena.place(-128 * sums) if offset else None,
        w_scale=arena.place(case.w_scale),
        w_sum=None if only_scaled else arena.place(case.w_scale * sums.astype(np.float32)),
        bias=None if only_scaled else arena.place(case.bias),
        residual=residual if adds else None,
        residual_scale=arena.place(case.residual_scale) if adds else None,
        out=out,
        non_negative=non_negative,
    )
    arena.check()
    result: F32 = out.copy()
    return result


@cache
def scalar_result(shape: tuple[int, int, int], epilogue: int) -> F32:
    return run("scalar", make_case(*shape), epilogue)


@pytest.mark.parametrize("at", PLACEMENTS)
@pytest.mark.parametrize("epilogue", EPILOGUES)
@pytest.mark.parametrize("isa", vector_isas())
def test_every_kernel_equals_the_scalar_kernel(isa: str, epilogue: int, at: str) -> None:
    for shape in SHAPES:
        in_place = epilogue == RESIDUAL and shape[0] % 2 == 0
        found = run(isa, make_case(*shape), epilogue, at, in_place)
        assert same_bits(found, scalar_result(shape, epilogue)), shape


@pytest.mark.parametrize("isa", vector_isas())
def test_non_negative_flag_keeps_the_result(isa: str) -> None:
    for shape in SHAPES:
        case = make_case(*shape)
        case = replace(case, q=np.maximum(case.q, 0))
        assert same_bits(run(isa, case, PRODUCT, non_negative=True), run("scalar", case, PRODUCT)), shape


@pytest.mark.parametrize("epilogue", EPILOGUES)
def test_scalar_kernel_equals_the_formula(epilogue: int) -> None:
    for shape in SHAPES:
        case = make_case(*shape)
        if epilogue == PRODUCT:
            y = exact_product(case.q, case.w) * case.w_scale
        else:
            y = product_s8(Quantised(case.q, case.scale, case.shift), case.w, case.w_scale, case.bias)
        if epilogue == RELU:
            y = relu(y)
        elif epilogue == RESIDUAL:
            y = fma(case.residual, case.residual_scale, y)
        assert same_bits(scalar_result(shape, epilogue), y), shape


def test_too_large_k_is_refused() -> None:
    with pytest.raises(InputError, match="k: the kernel's contract needs at most 32768"):
        run("scalar", make_case(1, 16, 32768 + 16), LINEAR)


@pytest.mark.parametrize("operation", ["gemm_s8", "gemm_f32"])
def test_every_listed_kernel_belongs_to_a_set(operation: str) -> None:
    """A kernel's target has the name of a set; if that set can run here, some set uses the kernel."""
    available = _core.available_isas()
    listed = [kernel for kernel in _core.kernels.list_gemms() if kernel["operation"] == operation]
    runnable = {kernel["name"] for kernel in listed if kernel["target"] in available}
    assert {_core.kernels.describe_set(isa)[operation] for isa in available} == runnable
    assert {kernel["target"] for kernel in listed} <= set(_core.compiled_isas())
