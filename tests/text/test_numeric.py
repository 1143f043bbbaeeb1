from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from mobilebert_rt.text.numeric import exp_negative, fold_sum, sigmoid, softmax, unit_rows


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 385])
def test_fold_sum_is_the_sum(n: int) -> None:
    x = np.random.default_rng(n).standard_normal((n, 5)).astype(np.float32)
    expected = [math.fsum(x[:, i].tolist()) for i in range(5)]
    np.testing.assert_allclose(fold_sum(x), expected, rtol=1e-14, atol=1e-14)


def test_fold_sum_of_nothing_is_zero() -> None:
    np.testing.assert_array_equal(fold_sum(np.zeros((0, 3))), np.zeros(3))


def test_unit_rows_have_the_same_bits_alone_and_in_any_batch() -> None:
    x = np.random.default_rng(0).standard_normal((9, 384)).astype(np.float32)
    batch = unit_rows(x)
    for i in range(9):
        np.testing.assert_array_equal(unit_rows(x[i : i + 1])[0], batch[i])


def test_unit_rows_survive_sizes_whose_squares_do_not() -> None:
    rows = unit_rows([[3e200, 4e200], [0.0, 0.0], [3e-200, 4e-200]])
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, 0.0], [0.6, 0.8]])


def test_the_exponential_is_exact_but_for_the_last_bit() -> None:
    spread = np.random.default_rng(2).uniform(0, 40, 5_000)
    x = -np.concatenate([spread, np.linspace(0, 708, 5_001), np.geomspace(1e-300, 708, 5_001)])
    found = exp_negative(x)
    # Against decimals, the same reference on every machine: numpy's own exponential is off by an ulp on some.
    with localcontext() as context:
        context.prec = 30
        errors = [
            abs(Decimal(y) - Decimal(a).exp()) / Decimal(ulp)
            for a, y, ulp in zip(x.tolist(), found.tolist(), np.spacing(found).tolist(), strict=True)
        ]
    assert max(errors) < 1.2


def test_the_exponential_at_its_ends() -> None:
    np.testing.assert_array_equal(exp_negative([0.0, -0.0, -708.1, -1e300, -np.inf, np.nan]), [1, 1, 0, 0, 0, np.nan])
    assert math.isclose(exp_negative(-708.0), math.exp(-708), rel_tol=1e-15)


def test_softmax_of_a_row_does_not_depend_on_the_batch() -> None:
    x = np.random.default_rng(1).standard_normal((7, 613)).astype(np.float32) * 9
    for row, scores in zip(x, softmax(x), strict=True):
        np.testing.assert_array_equal(softmax(row), scores)
        np.testing.assert_array_equal(softmax(row[np.newaxis])[0], scores)
        assert abs(math.fsum(scores.tolist()) - 1) < 1e-6


def test_softmax_survives_huge_logits() -> None:
    scores = softmax([[3e6, 3e6 - 1, -3e6]])
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [[1 / (1 + math.exp(-1)), 1 / (1 + math.e), 0.0]], rtol=1e-6)


def test_sigmoid_survives_huge_logits() -> None:
    np.testing.assert_allclose(sigmoid([-1e9, 0.0, 1e9, 1.0]), [0, 0.5, 1, 1 / (1 + math.exp(-1))], rtol=1e-6)
