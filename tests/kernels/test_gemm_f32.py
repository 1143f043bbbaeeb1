"""gemm_f32: every kernel equals the scalar kernel bit for bit; the scalar kernel equals the formula in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from mobilebert_rt import _core
from tests.emulation import EMULATED
from tests.kernels.guarded import Arena
from tests.kernels.support import F32, PLACEMENTS, same_bits, vector_isas
from tests.numerics.float32 import fma
from tests.numerics.operations import product_f32, relu

LINEAR, RELU, RESIDUAL, PRODUCT = range(4)
EPILOGUES = (LINEAR, RELU, RESIDUAL, PRODUCT)

# Any K is legal: in attention K is the number of keys.
KS = (1, 2, 3, 7, 16, 17, 33, 64)
SHAPES = [(m, n, KS[(m + n // 16) % 8]) for m in range(1, 20) for n in range(16, 161, 16)]
SHAPES = [*SHAPES[:: 17 if EMULATED else 1], (33, 48, 130)]

VALUES = ("usual", "huge", "tiny", "any bits")


@dataclass(frozen=True)
class Case:
    """One product: a [m, k] times w [n, k]."""

    a: F32
    w: F32
    bias: F32
    residual: F32
    residual_scale: F32
    panel_gap: int


@cache
def make_case(m: int, n: int, k: int) -> Case:
    seed = m * 1_000_003 + n * 1009 + k
    random = np.random.default_rng(seed)
    kind = VALUES[seed % 4]

    def floats(*shape: int) -> F32:
        if kind == "any bits":  # infinities, NaN and denormals among them
            return random.integers(0, 1 << 32, shape, dtype=np.uint32).view(np.float32)
        factor = {"usual": 1.0, "huge": 1e30, "tiny": 1e-30}[kind]
        return (random.standard_normal(shape) * factor).astype(np.float32)

    return Case(floats(m, k), floats(n, k), floats(n), floats(m, n), floats(n), int(seed % 3) * 16)


def packed(w: F32, gap: int) -> F32:
    """n16k1: w[n / 16][k][n % 16], the blocks of 16 columns `gap` floats apart, with NaN between them."""
    n, k = w.shape
    blocks = np.full((n // 16, k * 16 + gap), np.nan, np.float32)
    blocks[:, : k * 16] = w.reshape(n // 16, 16, k).transpose(0, 2, 1).reshape(n // 16, -1)
    flat = blocks.reshape(-1)
    return flat[: flat.size - gap]


def run(isa: str, case: Case, epilogue: int, at: str = "end", in_place: bool = False) -> F32:
    """The kernel's result, from guarded arrays; with in_place, out is the residual itself."""
    (m, k), n = case.a.shape, case.bias.size
    arena = Arena(at)
    out = arena.place_output(case.residual if in_place else np.full((m, n), np.nan, np.float32), gap=3)
    residual = out if in_place else arena.place(case.residual, gap=5)
    adds = epilogue == RESIDUAL
    _core.kernels.run(
        "gemm_f32",
        isa,
        epilogue=epilogue,
        a=arena.place(case.a, gap=7),
        w=arena.place(packed(case.w, case.panel_gap)),
        n=n,
        panel_stride=k * 16 + case.panel_gap,
        bias=None if epilogue == PRODUCT else arena.place(case.bias),
        residual=residual if adds else None,
        residual_scale=arena.place(case.residual_scale) if adds else None,
        out=out,
    )
    arena.check()
    return out.copy()


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


def test_scalar_kernel_equals_the_formula() -> None:
    for shape in SHAPES[:: 1 if EMULATED else 3]:
        case = make_case(*shape)
        product = product_f32(case.a, case.w)
        with np.errstate(all="ignore"):
            linear = product + case.bias
        expected = {
            PRODUCT: product,
            LINEAR: linear,
            RELU: relu(linear),
            RESIDUAL: fma(case.residual, case.residual_scale, linear),
        }
        for epilogue, y in expected.items():
            assert same_bits(scalar_result(shape, epilogue), y), (shape, epilogue)
