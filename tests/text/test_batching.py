from __future__ import annotations

import numpy as np
import pytest

from mobilebert_rt.text.batching import plan_batches


@pytest.mark.parametrize("seed", range(20))
def test_every_sequence_runs_once_within_the_budget(seed: int) -> None:
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 60, int(random.integers(0, 50))).tolist()
    batches = plan_batches(lengths, 100)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(sum(lengths[i] for i in batch) <= 100 for batch in batches)


def test_batches_hold_sequences_of_like_length() -> None:
    assert plan_batches([1, 9, 2, 8, 1], 10) == [[1], [3, 2], [0, 4]]


def test_a_sequence_over_the_budget_runs_alone() -> None:
    assert plan_batches([3, 50, 4], 10) == [[1], [2, 0]]
