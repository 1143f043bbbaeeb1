"""int8 does not depend on the scales of a checkpoint's channels; values of the scales; quantisation and packing."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt.conversion import build
from mobilebert_rt.conversion.channels import (
    channel_scale,
    linear_magnitude,
    position_magnitude,
    table_magnitude,
)
from mobilebert_rt.conversion.fold import Linear, Norm
from mobilebert_rt.conversion.layout import n16k1, n16k4
from mobilebert_rt.conversion.quantise import quantise_rows
from tests.conversion.reader import File, Reference
from tests.conversion.rescaling import powers_of_two, rescaled
from tests.small_models.folders import BOTTLENECKS, Array, odd, random_tensors, write_folder

IDS = np.array([3, 36, 5, 5, 0, 17, 1])


@pytest.mark.parametrize("norm", ["no_norm", "layer_norm"])
@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
def test_rescaled_channels_give_the_same_integers_and_results(tmp_path: Path, bottleneck: str, norm: str) -> None:
    config = odd(bottleneck, norm)
    tensors = random_tensors(config, seed=1)
    plain = write_folder(tmp_path / "plain", config, tensors)
    other = write_folder(tmp_path / "rescaled", config, rescaled(config, tensors, powers_of_two(seed=2)))

    a, b = File(bytes(build(plain))), File(bytes(build(other)))
    for name, stored in a.tensors.items():
        if stored.dtype == np.int8:
            assert np.array_equal(stored, b.tensors[name]), name
        else:  # only by one power of two each
            assert np.array_equal(np.frexp(stored)[0], np.frexp(b.tensors[name])[0]), name
    assert np.array_equal(Reference(a).run(IDS).hidden_states[-1], Reference(b).run(IDS).hidden_states[-1])

    # The rescaled checkpoint really is another one, of the same function.
    exact = Reference(File(bytes(build(plain, "fp32")))).run(IDS).hidden_states
    moved = Reference(File(bytes(build(other, "fp32")))).run(IDS).hidden_states
    assert np.allclose(exact[-1], moved[-1], rtol=1e-5, atol=1e-5)
    assert norm == "layer_norm" or not np.allclose(exact[0], moved[0])


def linear(weight: Any, bias: Any = None, **more: Any) -> Linear:
    weight = np.array(weight, np.float32)
    return Linear(weight, np.zeros(len(weight), np.float32) if bias is None else bias, **more)


def random_vector(seed: int, channels: int, readers: int) -> tuple[list[Array], Array]:
    """Matrices that read a vector, and its magnitudes, spread over many powers of two."""
    random = np.random.default_rng(seed)
    spread = 2.0 ** random.integers(-12, 12, channels)
    matrices = [
        (random.normal(0, 1, (5, channels)) * spread * 2.0 ** random.integers(-9, 9, (5, 1))).astype(np.float32)
        for _ in range(readers)
    ]
    return matrices, np.float64(random.uniform(0.1, 3, channels)) / spread


def nearest_exponent(value: Fraction) -> int:
    """e with 2^e nearest to value in log2: 2^(2e - 1) < value^2 < 2^(2e + 1)."""
    square = value * value
    return next(e for e in range(-64, 64) if Fraction(2) ** (2 * e - 1) < square < Fraction(2) ** (2 * e + 1))


def test_channel_scale_is_the_nearest_power_of_two_of_the_largest_share() -> None:
    matrices, x = random_vector(3, channels=33, readers=2)
    rows = [[abs(Fraction(float(w))) for w in row] for matrix in matrices for row in matrix]
    magnitudes = [Fraction(float(value)) for value in x]
    reaches = [max(w * size for w, size in zip(row, magnitudes, strict=True)) for row in rows]
    wanted = [nearest_exponent(max(row[k] / r for row, r in zip(rows, reaches, strict=True))) for k in range(33)]
    assert np.log2(channel_scale([linear(matrix) for matrix in matrices], x)).tolist() == wanted


def test_channel_scale_follows_channels_and_ignores_rows() -> None:
    matrices, x = random_vector(4, channels=33, readers=3)
    x[5] = 0.0
    for matrix in matrices:
        matrix[:, 7] = 0.0
    random = np.random.default_rng(5)
    by = np.float32(2.0) ** random.integers(-9, 10, 33).astype(np.float32)
    moved = [
        linear(matrix * np.float32(2.0) ** random.integers(-9, 10, (5, 1)).astype(np.float32) / by)
        for matrix in matrices
    ]
    assert np.array_equal(channel_scale([linear(m) for m in matrices], x), channel_scale(moved, x * by) * by)


def test_channel_scale_at_the_boundary_between_two_powers() -> None:
    above = math.sqrt(0.5)
    below = math.nextafter(above, 0.0)
    assert Fraction(below) ** 2 < Fraction(1, 2) < Fraction(above) ** 2
    # A single reader with one channel has the share 1 / x; 1 / (1 / x) is x again for these two.
    for share, power in ((below, 0.5), (above, 1.0)):
        assert channel_scale([linear([[1.0]])], np.array([1 / share])).tolist() == [power], share


def test_unread_channels_take_no_int8_range() -> None:
    x = np.array([4.0, 1.0, 2.0**20, 0.0])
    scale = channel_scale([linear([[2.0, 8.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])], x)
    assert scale.tolist() == [0.25, 1.0, 2.0**-60, 2.0**-40]
    assert channel_scale([linear(np.zeros((2, 2)))], x[:2]).tolist() == [2.0**-42, 2.0**-40]


def test_channel_scale_of_extreme_values_is_finite() -> None:
    weights = [[1e-45, 1e-38, 1.0, 1e38, 3e38], [3e38, 0.0, 0.0, 0.0, 1e-45]]
    for x in ([1e-300, 1e240, 1.0, 0.0, 1e-300], [0.0] * 5, [2.0**800] * 5):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scale = channel_scale([linear(weights)], np.array(x))
        assert ((scale >= 2.0**-60) & (scale <= 2.0**60)).all()


def test_magnitude_of_a_layer_is_the_largest_of_its_terms() -> None:
    layer = linear(
        [[1.0, -8.0], [0.5, 0.25], [0.0, 0.0]],
        np.array([-2.0, 3.0, 0.0], np.float32),
        residual_scale=np.array([1.0, 1.0, -0.5], np.float32),
    )
    x, residual = np.array([3.0, 0.5]), np.array([2.0, 1.0, 10.0])
    assert linear_magnitude(layer, x).tolist() == [4.0, 3.0, 0.0]
    assert linear_magnitude(layer, x, residual).tolist() == [4.0, 3.0, 5.0]
    normed = replace(layer, norm=Norm(np.float32([1, -2, 0]), np.float32([-4, 0, 0.5])))
    assert linear_magnitude(normed, x, residual).tolist() == [5.0, 2.0, 0.5]


def test_magnitude_of_a_table_is_the_max_of_each_column() -> None:
    assert table_magnitude(np.array([[1.0, -4.0], [0.5, 0.0]], np.float32)).tolist() == [1.0, 4.0]


def test_magnitude_of_positions_is_the_lower_median_of_each_column() -> None:
    positions = np.array([[1e6, 0.0], [-7.0, 1.0], [6.0, -9.0], [5.0, 2.0]], np.float32)
    assert position_magnitude(positions).tolist() == [6.0, 1.0]


def test_quantised_rows_are_within_half_a_step_and_never_minus_128() -> None:
    rows = np.random.default_rng(4).normal(0, 1, (40, 97)).astype(np.float32)
    rows[0], rows[1, 0], rows[2] = 0.0, -1e30, 1e-40
    q, scale = quantise_rows(rows)
    assert q.dtype == np.int8
    assert scale.dtype == np.float32
    assert q.min() == -127
    assert q.max() == 127
    assert (np.isfinite(scale) & (scale > 0)).all()
    assert not q[0].any()
    assert not q[2].any()
    live = [i for i in range(40) if i not in (0, 2)]
    assert (np.abs(q[live] * scale[live, None].astype(np.float64) - rows[live]) <= 0.500001 * scale[live, None]).all()
    assert (np.abs(q[live]).max(axis=1) == 127).all()


def test_quantised_rows_ignore_powers_of_two() -> None:
    rows = np.random.default_rng(5).normal(0, 1, (9, 31)).astype(np.float32)
    powers = np.float32(2.0) ** np.arange(-40, 41, 10, dtype=np.float32)
    q, scale = quantise_rows(rows)
    q2, scale2 = quantise_rows(rows * powers[:, None])
    assert np.array_equal(q, q2)
    assert np.array_equal(scale * powers, scale2)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (16, 16), (17, 33), (48, 20)])
def test_packed_weights_have_the_documented_order(n: int, k: int) -> None:
    weight = np.random.default_rng(6).integers(-127, 128, (n, k)).astype(np.int8)
    packed8, packed32 = n16k4(weight), n16k1(weight.astype(np.float32))
    for i in range(n):
        for j in range(k):
            assert packed8[i // 16, j // 4, i % 16, j % 4] == weight[i, j]
            assert packed32[i // 16, j, i % 16] == weight[i, j]
    assert np.abs(packed8.astype(int)).sum() == np.abs(weight.astype(int)).sum() == np.abs(packed32).sum()
