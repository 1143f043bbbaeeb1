"""Quantiser, layer norm, softmax, context, activations: every instruction set equals the scalar code bit for bit, and
that the formulas of docs/numerics.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mobilebert_rt import _core
from tests.emulation import EMULATED
from tests.kernels.guarded import Arena
from tests.kernels.support import (
    F32,
    PLACEMENTS,
    random_ranges,
    same_bits,
    vector_isas,
    widened,
)
from tests.numerics import operations as op

Results = tuple[NDArray[Any], ...]
WIDTHS = (1, 2, 15, 16, 17, 31, 33, 48, 64, 100, 127, 129)
ROWS = (1, 4, 7)
SHAPES = [(rows, width) for rows in ROWS for width in WIDTHS][:: 4 if EMULATED else 1]


def padded(width: int) -> int:
    return -(-width // 16) * 16


def rows_of(kind: str, rows: int, width: int) -> F32:
    """[rows, padded width] with zeros in the padding."""
    random = np.random.default_rng(rows * 1000 + width)
    x = np.zeros((rows, padded(width)), np.float32)
    if kind == "any bits":
        x[:, :width] = random.integers(0, 1 << 32, (rows, width), dtype=np.uint32).view(np.float32)
    else:
        factor = {"usual": 3.0, "huge": 1e37, "tiny": 1e-30, "denormal": 1e-42}[kind]
        with np.errstate(all="ignore"):
            x[:, :width] = (random.standard_normal((rows, width)) * factor).astype(np.float32)
    if kind == "usual":
        x[0, :width] = np.abs(x[0, :width])  # a row of one sign
        x[-1, :width] = x[-1, 0]  # and a constant one
    return x


def own_ranges(x: F32) -> F32:
    return widened(np.zeros((x.shape[0], 32), np.float32), x)


def quantise(isa: str, at: str, rows: int, width: int, kind: str) -> Results:
    """(q without the kernel's offset, scale, shift)."""
    x = rows_of(kind, rows, width)
    arena = Arena(at)
    q = arena.place_output(np.zeros(x.shape, np.uint8), gap=5)
    scale = arena.place_output(np.full(rows, np.nan, np.float32))
    shift = arena.place_output(np.full(rows, np.nan, np.float32))
    _core.kernels.quantize(isa, arena.place(x, gap=3), arena.place(own_ranges(x)), q, scale, shift)
    arena.check()
    offset = int(_core.kernels.describe_set(isa)["gemm_s8_offset"])
    return (q - np.uint8(offset)).view(np.int8), scale.copy(), shift.copy()


def layer_norm(isa: str, at: str, rows: int, width: int, kind: str) -> Results:
    random = np.random.default_rng(width)
    weight, bias = (random.standard_normal((2, padded(width)))).astype(np.float32)
    arena = Arena(at)
    x = arena.place_output(rows_of(kind, rows, width), gap=3)
    ranges = arena.place_output(np.full((rows, 32), np.nan, np.float32))
    _core.kernels.layer_norm(isa, x, width, arena.place(weight), arena.place(bias), 1e-5, ranges)
    arena.check()
    return x.copy(), ranges.copy()


def masks(rows: int, keys: int) -> list[NDArray[np.uint8] | None]:
    """None, one for all rows, one for each; every row keeps a key."""
    random = np.random.default_rng(keys)
    mask = (random.integers(0, 2, (rows, keys)) * random.integers(1, 256, (rows, keys))).astype(np.uint8)
    mask[np.arange(rows), np.arange(rows) % keys] = 255
    return [None, mask[:1], mask]


def softmax(isa: str, at: str, rows: int, width: int, kind: str, *, masking: int) -> Results:
    arena = Arena(at)
    x = rows_of(kind, rows, width)
    x[:, width:] = np.nan  # the product leaves any number past the last key
    s = arena.place_output(x, gap=3)
    total = arena.place_output(np.full(rows, np.nan, np.float32))
    mask = masks(rows, width)[masking]
    _core.kernels.softmax(isa, s, width, None if mask is None else arena.place(mask, gap=2), total)
    arena.check()
    return s.copy(), total.copy()


def context(isa: str, at: str, rows: int, width: int, kind: str) -> Results:
    random = np.random.default_rng(width)
    arena = Arena(at)
    y = arena.place_output(np.full((rows, width), np.nan, np.float32), gap=5)
    ranges = arena.place_output(random_ranges(random, rows))
    total = random.uniform(1, 9, rows).astype(np.float32)
    x = rows_of(kind, rows, width)[:, :width]
    _core.kernels.context(isa, arena.place(x, gap=2), arena.place(total), y, ranges)
    arena.check()
    return y.copy(), ranges.copy()


def activate(isa: str, at: str, rows: int, width: int, kind: str, *, index: int, scaled: bool) -> Results:
    random = np.random.default_rng(width)
    scale = np.exp2(random.integers(-3, 4, padded(width))).astype(np.float32)
    arena = Arena(at)
    x = arena.place_output(rows_of(kind, rows, width), gap=3)
    ranges = arena.place_output(np.full((rows, 32), np.nan, np.float32))
    _core.kernels.activate(isa, index, x, arena.place(scale) if scaled else None, ranges)
    arena.check()
    return x.copy(), ranges.copy()


Operation = Callable[[str, str, int, int, str], Results]
OPERATIONS: dict[str, Operation] = {
    "quantise": quantise,
    "layer_norm": layer_norm,
    "softmax": partial(softmax, masking=0),
    "softmax, one mask": partial(softmax, masking=1),
    "softmax, a mask a row": partial(softmax, masking=2),
    "context": context,
}
for _index, _name in enumerate(op.ACTIVATIONS):
    OPERATIONS[_name] = partial(activate, index=_index, scaled=False)
    OPERATIONS[_name + ", scaled"] = partial(activate, index=_index, scaled=True)
KINDS = ("usual", "huge", "tiny", "denormal", "any bits")


def kinds_for(operation: str) -> tuple[str, ...]:
    """Without finite values a row has no scale, and the quantiser promises nothing."""
    return KINDS[:-1] if operation == "quantise" else KINDS


def cases(operation: str) -> Iterator[tuple[int, int, str]]:
    """Every shape with every kind; while emulated, the kinds take turns."""
    kinds = kinds_for(operation)
    for i, (rows, width) in enumerate(SHAPES):
        for kind in [kinds[i % len(kinds)]] if EMULATED else kinds:
            yield rows, width, kind


@cache
def scalar_result(operation: str, rows: int, width: int, kind: str) -> Results:
    return OPERATIONS[operation]("scalar", "end", rows, width, kind)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("isa", vector_isas())
def test_every_instruction_set_equals_the_scalar_code(isa: str, operation: str) -> None:
    for i, case in enumerate(cases(operation)):
        found = OPERATIONS[operation](isa, PLACEMENTS[i % 2], *case)
        for a, b in zip(found, scalar_result(operation, *case), strict=True):
            assert same_bits(a, b), case


def formula(operation: str, rows: int, width: int, kind: str) -> Results:
    """What docs/numerics.md says the kernel leaves."""
    x = rows_of(kind, rows, width)[:, :width]
    random = np.random.default_rng(width)
    if operation == "layer_norm":
        weight, bias = (random.standard_normal((2, padded(width)))).astype(np.float32)
        y = op.layer_norm(x, weight[:width], bias[:width], 1e-5)
        return y, own_ranges(y)
    if operation == "context":
        ranges = random_ranges(random, rows)
        y = op.divided(x, random.uniform(1, 9, rows).astype(np.float32))
        return y, widened(ranges, y)
    if operation.startswith("softmax"):
        mask = masks(rows, width)[["softmax", "softmax, one mask", "softmax, a mask a row"].index(operation)]
        return op.softmax(x, None if mask is None else mask != 0)
    name, _, scaled = operation.partition(", ")
    scale = np.exp2(random.integers(-3, 4, padded(width))).astype(np.float32)[:width]
    y = op.activate(name, x, scale if scaled else None)
    return y, own_ranges(y)


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "quantise"])
def test_the_scalar_code_equals_the_formula(operation: str) -> None:
    for rows, width, kind in cases(operation):
        found, beside = scalar_result(operation, rows, width, kind)
        y, expected_beside = formula(operation, rows, width, kind)
        assert same_bits(found[:, :width], y), (rows, width, kind)
        assert same_bits(beside, expected_beside), (rows, width, kind)
        assert (found[:, width:] == 0).all(), (rows, width, kind)


def test_the_scalar_quantiser_equals_the_formula() -> None:
    for case in cases("quantise"):
        x = rows_of(case[2], *case[:2])
        expected: Results = op.quantise(x)
        for a, b in zip(scalar_result("quantise", *case), expected, strict=True):
            assert same_bits(a, b), case


FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**120), max_value=2.0**120)


@given(st.lists(FINITE, min_size=1, max_size=16))
def test_the_quantiser_keeps_zero_and_every_value_within_a_step(values: list[float]) -> None:
    x = np.zeros((1, 16), np.float32)
    x[0, : len(values)] = values
    arena = Arena("end")
    q = arena.place_output(np.zeros((1, 16), np.uint8))
    scale, shift = (arena.place_output(np.zeros(1, np.float32)) for _ in range(2))
    _core.kernels.quantize("scalar", arena.place(x), arena.place(own_ranges(x)), q, scale, shift)
    arena.check()
    meant = q.view(np.int8).astype(np.float64) * float(scale[0]) + float(shift[0])
    step = max(float(scale[0]), 2.0**-95)
    # Half a step for the zero point, half for the value, and the roundings of the formula itself.
    assert (np.abs(meant - x) <= 1.001 * step).all()
    assert (np.abs(meant[x == 0]) <= 1e-4 * step).all()
