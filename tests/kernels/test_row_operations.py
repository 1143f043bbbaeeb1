"""Row operations: every instruction set equals the scalar code bit for bit; the scalar code equals docs/numerics.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mobilebert_rt._core import kernels
from tests.emulation import EMULATED
from tests.kernels.guarded import Arena
from tests.kernels.support import F32, PLACEMENTS, same_bits, vector_isas
from tests.numerics import operations as op

run = kernels.run
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


def quantise(isa: str, at: str, rows: int, width: int, kind: str, *, after_relu: bool = False) -> Results:
    """(q without the kernel's offset, scale, shift)."""
    x = rows_of(kind, rows, width)
    if after_relu:
        x = op.relu(x)
    arena = Arena(at)
    q = arena.place_output(np.zeros(x.shape, np.uint8), gap=5)
    scale = arena.place_output(np.full(rows, np.nan, np.float32))
    shift = arena.place_output(np.full(rows, np.nan, np.float32))
    run("quantize", isa, x=arena.place(x, gap=3), q=q, scale=scale, shift=shift, non_negative=after_relu)
    arena.check()
    offset = int(kernels.describe_set(isa)["gemm_s8_offset"])
    return (q - np.uint8(offset)).view(np.int8), scale.copy(), shift.copy()


HEADS = 3


def quantise_heads(isa: str, at: str, rows: int, width: int, kind: str) -> Results:
    """(q without the kernel's offset, scale, sum) of three heads of that width."""
    x = rows_of(kind, rows, HEADS * width)
    arena = Arena(at)
    q = arena.place_output(np.zeros((rows * HEADS, padded(width)), np.uint8))
    scale = arena.place_output(np.full((rows, HEADS), np.nan, np.float32))
    total = arena.place_output(np.zeros((rows, HEADS), np.int32))
    placed = arena.place(x, gap=3)
    run("quantize_heads", isa, heads=HEADS, width=width, x=placed, q=q, scale=scale, sum=total)
    arena.check()
    offset = int(kernels.describe_set(isa)["gemm_s8_offset"])
    return (q - np.uint8(offset)).view(np.int8).reshape(rows, HEADS, -1), scale.copy(), total.copy()


def layer_norm(isa: str, at: str, rows: int, width: int, kind: str) -> Results:
    random = np.random.default_rng(width)
    weight, bias = (random.standard_normal((2, padded(width)))).astype(np.float32)
    arena = Arena(at)
    x = arena.place_output(rows_of(kind, rows, width), gap=3)
    run("layer_norm", isa, x=x, n=width, weight=arena.place(weight), bias=arena.place(bias), eps=1e-5)
    arena.check()
    return (x.copy(),)


def masks(rows: int, keys: int) -> list[NDArray[np.uint8] | None]:
    """None, one for all rows, one for each; every row keeps a key."""
    random = np.random.default_rng(keys)
    mask = (random.integers(0, 2, (rows, keys)) * random.integers(1, 256, (rows, keys))).astype(np.uint8)
    mask[np.arange(rows), np.arange(rows) % keys] = 255
    return [None, mask[:1], mask]


def keys_before(rows: int, keys: int) -> NDArray[np.bool_]:
    """What a causal mask allows the last `rows` queries of a text."""
    return np.tri(rows, keys, keys - rows, dtype=bool)


def scores_of(kind: str, rows: int, width: int, causal: bool) -> tuple[F32, dict[str, int]]:
    """The scores and the keys of a causal row; the product may leave any number after a row's last key."""
    x = rows_of(kind, rows, width)
    x[:, width:] = np.nan
    if not causal:
        return x, {"keys": width}
    x[:, :width][~keys_before(rows, width)] = np.nan
    return x, {"keys": width, "first_keys": width - rows + 1}


def softmax(isa: str, at: str, rows: int, width: int, kind: str, *, masking: int, causal: bool = False) -> Results:
    arena = Arena(at)
    rows = min(rows, width) if causal else rows
    x, keys = scores_of(kind, rows, width, causal)
    s = arena.place_output(x, gap=3)
    inverse = arena.place_output(np.full(rows, np.nan, np.float32))
    mask = masks(rows, width)[masking]
    placed_mask = None if mask is None else arena.place(mask, gap=2)
    run("softmax", isa, s=s, mask=placed_mask, inverse=inverse, **keys)
    arena.check()
    return s.copy(), inverse.copy()


def scales_for(rows: int, keys: int) -> tuple[F32, F32]:
    """Of the scores of each row, and of the values of each key; both may be 0."""
    random = np.random.default_rng(rows + keys)
    scores = np.abs(random.standard_normal(rows)).astype(np.float32)
    values = (np.abs(random.standard_normal(keys)) * random.integers(0, 3, keys)).astype(np.float32)
    scores[0] = 0 if rows > 4 else scores[0]
    return scores, values if keys % 5 else values * np.float32(1e-38)


def softmax_s8(isa: str, at: str, rows: int, width: int, kind: str, *, masking: int, causal: bool = False) -> Results:
    """(e, 1 / sum, bytes, factor)."""
    arena = Arena(at)
    rows = min(rows, width) if causal else rows
    x, keys = scores_of(kind, rows, width, causal)
    s = arena.place_output(x, gap=3)
    inverse, factor = (arena.place_output(np.full(rows, np.nan, np.float32)) for _ in range(2))
    p = arena.place_output(np.full(x.shape, 99, np.uint8), gap=5)
    s_scale, value_scale = scales_for(rows, width)
    mask = masks(rows, width)[masking]
    run(
        "softmax_s8",
        isa,
        s=s,
        mask=None if mask is None else arena.place(mask, gap=2),
        s_scale=arena.place(s_scale),
        value_scale=arena.place(np.pad(value_scale, (0, padded(width) - width))),
        inverse=inverse,
        p=p,
        factor=factor,
        **keys,
    )
    arena.check()
    return s.copy(), inverse.copy(), p.view(np.int8).copy(), factor.copy()


def context(isa: str, at: str, rows: int, width: int, kind: str) -> Results:
    random = np.random.default_rng(width)
    arena = Arena(at)
    y = arena.place_output(np.full((rows, width), np.nan, np.float32), gap=5)
    factor = random.uniform(0.1, 1, rows).astype(np.float32)
    x = rows_of(kind, rows, width)[:, :width]
    run("context", isa, x=arena.place(x, gap=2), factor=arena.place(factor), y=y)
    arena.check()
    return (y.copy(),)


def activate(isa: str, at: str, rows: int, width: int, kind: str, *, operation: str, scaled: bool) -> Results:
    random = np.random.default_rng(width)
    scale = np.exp2(random.integers(-3, 4, padded(width))).astype(np.float32)
    arena = Arena(at)
    x = arena.place_output(rows_of(kind, rows, width), gap=3)
    run(operation, isa, x=x, scale=arena.place(scale) if scaled else None)
    arena.check()
    return (x.copy(),)


Operation = Callable[[str, str, int, int, str], Results]
OPERATIONS: dict[str, Operation] = {
    "quantize": quantise,
    "quantize, after relu": partial(quantise, after_relu=True),
    "quantize_heads": quantise_heads,
    "layer_norm": layer_norm,
    "softmax": partial(softmax, masking=0),
    "softmax, one mask": partial(softmax, masking=1),
    "softmax, a mask a row": partial(softmax, masking=2),
    "softmax, causal": partial(softmax, masking=0, causal=True),
    "softmax, causal, a mask a row": partial(softmax, masking=2, causal=True),
    "softmax_s8": partial(softmax_s8, masking=0),
    "softmax_s8, one mask": partial(softmax_s8, masking=1),
    "softmax_s8, a mask a row": partial(softmax_s8, masking=2),
    "softmax_s8, causal": partial(softmax_s8, masking=0, causal=True),
    "softmax_s8, causal, a mask a row": partial(softmax_s8, masking=2, causal=True),
    "context": context,
}
for _name in op.ACTIVATIONS:
    OPERATIONS[f"activate_{_name}"] = partial(activate, operation=f"activate_{_name}", scaled=False)
    OPERATIONS[f"activate_{_name}, scaled"] = partial(activate, operation=f"activate_{_name}", scaled=True)


def test_every_listed_row_operation_is_tested() -> None:
    assert {name.partition(", ")[0] for name in OPERATIONS} == set(kernels.list_row_operations())


KINDS = ("usual", "huge", "tiny", "denormal", "any bits")


def kinds_for(operation: str) -> tuple[str, ...]:
    """A row that is not finite has no scale: the result of the quantizer is then undefined."""
    return KINDS[:-1] if operation.startswith("quantize") else KINDS


def cases(operation: str) -> Iterator[tuple[int, int, str]]:
    """Every shape with every kind; under emulation the kinds take turns."""
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
        return (op.layer_norm(x, weight[:width], bias[:width], 1e-5),)
    if operation == "context":
        return (op.scaled_rows(x, random.uniform(0.1, 1, rows).astype(np.float32)),)
    if operation.startswith("softmax"):
        kernel, *options = operation.split(", ")
        causal = "causal" in options
        if causal:
            rows = min(rows, width)
            x = rows_of(kind, rows, width)[:, :width]
        mask = masks(rows, width)["one mask" in options or 2 * ("a mask a row" in options)]
        allowed = None if mask is None else mask != 0
        if causal:
            allowed = keys_before(rows, width) & (True if allowed is None else allowed)
        if kernel == "softmax":
            return op.softmax(x, allowed)
        s_scale, value_scale = scales_for(rows, width)
        e, inverse = op.softmax(x, allowed, s_scale)
        return e, inverse, *op.quantise_weights(e, inverse, value_scale)
    name, _, scaled = operation.partition(", ")
    scale = np.exp2(random.integers(-3, 4, padded(width))).astype(np.float32)[:width]
    return (op.activate(name.removeprefix("activate_"), x, scale if scaled else None),)


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if not name.startswith("quantize")])
def test_scalar_code_equals_the_formula(operation: str) -> None:
    for rows, width, kind in cases(operation):
        found = scalar_result(operation, rows, width, kind)
        for a, b in zip(found, formula(operation, rows, width, kind), strict=True):
            real = a[:, : b.shape[1]] if a.ndim == 2 else a
            assert same_bits(real, b), (rows, width, kind)
            assert a.size == b.size or (a[:, width:] == 0).all(), (rows, width, kind)


@pytest.mark.parametrize("operation", ["quantize", "quantize, after relu"])
def test_scalar_quantizer_equals_the_formula(operation: str) -> None:
    for case in cases(operation):
        x = rows_of(case[2], *case[:2])
        expected: Results = op.quantise(op.relu(x) if operation.endswith("relu") else x)
        for a, b in zip(scalar_result(operation, *case), expected, strict=True):
            assert same_bits(a, b), case


def test_scalar_quantizer_of_heads_equals_the_formula() -> None:
    for rows, width, kind in cases("quantize_heads"):
        x = rows_of(kind, rows, HEADS * width)
        q, scale, total = scalar_result("quantize_heads", rows, width, kind)
        for head in range(HEADS):
            expected = op.quantise_head(x[:, head * width : (head + 1) * width])
            assert same_bits(q[:, head, :width], expected.q), (rows, width, kind)
            assert (q[:, head, width:] == 0).all(), (rows, width, kind)
            assert same_bits(scale[:, head], expected.scale), (rows, width, kind)
            assert (total[:, head] == expected.q.sum(axis=1, dtype=np.int32)).all(), (rows, width, kind)


FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**120), max_value=2.0**120)


@given(st.lists(FINITE, min_size=1, max_size=16))
def test_quantizer_keeps_zero_and_every_value_within_one_step(values: list[float]) -> None:
    x = np.zeros((1, 16), np.float32)
    x[0, : len(values)] = values
    arena = Arena("end")
    q = arena.place_output(np.zeros((1, 16), np.uint8))
    scale, shift = (arena.place_output(np.zeros(1, np.float32)) for _ in range(2))
    run("quantize", "scalar", x=arena.place(x), q=q, scale=scale, shift=shift)
    arena.check()
    meant = q.view(np.int8).astype(np.float64) * float(scale[0]) + float(shift[0])
    step = max(float(scale[0]), 2.0**-95)
    # Half a step for the zero point, half for the value, and the roundings of the formula itself.
    assert (np.abs(meant - x) <= 1.001 * step).all()
    assert (np.abs(meant[x == 0]) <= 1e-4 * step).all()
