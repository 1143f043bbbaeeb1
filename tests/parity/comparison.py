"""Comparison of the engine with PyTorch by row: a token's state, a text's logits, a query's attention.

Bar: max |a - b| / max |b| <= 1e-5 in every row. With these weights PyTorch's float32 is up to about 5e-6 from the same
model in float64.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import mobilebert_rt
from tests.golden.files import BAR, OUTPUTS
from tests.parity.transformers_models import Array, Outputs, run


def engine(model: Any, folder: Path, precision: str = "fp32", **options: Any) -> mobilebert_rt.Model:
    """A transformers model, loaded by the engine."""
    model.save_pretrained(folder)
    return mobilebert_rt.Model.from_pretrained(folder, precision=precision, num_threads=1, **options)


def collect(out: mobilebert_rt.ModelOutput, text: int = 0) -> Outputs:
    """One text's results, under the names of `transformers_models.run`."""
    found = {name: getattr(out, name)[text] for name in OUTPUTS if getattr(out, name) is not None}
    found |= {f"hidden_state.{i}": state[text] for i, state in enumerate(out.hidden_states or ())}
    found |= {f"attention.{i}": weights[text] for i, weights in enumerate(out.attentions or ())}
    return found


def row_errors(actual: Array, wanted: Array) -> Array:
    """max |a - b| / max |b| over the last axis."""
    assert actual.shape == wanted.shape
    size = np.abs(wanted).max(axis=-1)
    errors: Array = np.abs(actual - wanted).max(axis=-1) / np.where(size == 0, 1, size)
    return errors


def worst(actual: Array, wanted: Array) -> float:
    """The largest error of a row; NaN if any number is NaN, which fails every bar."""
    return float(row_errors(actual, wanted).max())


def assert_parity(ours: Outputs, theirs: Outputs) -> None:
    """`ours` has every output of `theirs`, within the bar."""
    assert ours.keys() >= theirs.keys()
    errors = {name: worst(ours[name], value) for name, value in theirs.items()}
    far = {name: error for name, error in errors.items() if not error <= BAR}
    assert not far, far


def assert_text(
    rt: mobilebert_rt.Model, model: Any, ids: Array, types: Array | None = None, mask: Array | None = None
) -> None:
    """Every output of the engine for one text follows transformers."""
    out = rt(
        [ids],
        None if mask is None else [mask],
        None if types is None else [types],
        output_hidden_states=True,
        output_attentions=True,
    )
    assert_parity(collect(out), run(model, ids, types, mask))


def assert_same_bits(actual: Outputs, wanted: Outputs) -> None:
    """Two results are equal bit by bit."""
    assert actual.keys() == wanted.keys()
    for name, value in wanted.items():
        assert actual[name].dtype == value.dtype == np.float32
        assert actual[name].shape == value.shape, name
        assert actual[name].tobytes() == value.tobytes(), name
