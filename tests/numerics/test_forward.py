"""The forward pass of docs/numerics.md in numpy gives the same bits as the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mobilebert_rt import _core
from tests.model.make_model_file import SMALL, make_file, make_tensors
from tests.numerics.forward import Forward, Result

SEED = 11


def same_bits(found: Any, expected: Any) -> bool:
    found, expected = np.ascontiguousarray(found), np.ascontiguousarray(expected)
    return found.shape == expected.shape and bool((found.view(np.int32) == expected.view(np.int32)).all())


def engine_result(name: str, ids: NDArray[np.int32], **extra: Any) -> Result:
    """The engine's arrays for one sequence."""
    model = _core.Model(memoryview(make_file(SMALL[name], SEED)))
    lengths = np.array([ids.size], np.int64)
    raw = model.run(ids, lengths, padded_length=ids.size, hidden_states=True, attentions=True, **extra)
    if "start_logits" in raw:
        raw["logits"] = np.stack([raw.pop("start_logits"), raw.pop("end_logits")], axis=-1)
    layers = {key: [layer[0] for layer in raw.pop(key)] for key in ("hidden_states", "attentions")}
    return Result(**layers, **{key: array[0] for key, array in raw.items()})


def text_for(name: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    config = SMALL[name]
    random = np.random.default_rng(SEED)
    length = min(18, config["max_positions"])
    types = random.integers(0, max(config["type_vocab_size"], 1), length)
    return random.integers(0, config["vocab_size"], length).astype(np.int32), types.astype(np.int32)


def assert_equal(found: Result, expected: Result) -> None:
    """Compares in the order of computation, so that a failure names the first difference."""
    for i, (a, b) in enumerate(zip(found.hidden_states, expected.hidden_states, strict=True)):
        if i > 0:
            assert same_bits(found.attentions[i - 1], expected.attentions[i - 1]), f"attentions of layer {i - 1}"
        assert same_bits(a, b), f"hidden state {i}"
    for name in ("last_hidden_state", "pooler_output", "logits", "seq_relationship_logits"):
        a, b = getattr(found, name), getattr(expected, name)
        assert (a is None) == (b is None), name
        assert a is None or same_bits(a, b), name


@pytest.mark.parametrize("name", SMALL)
def test_engine_has_the_bits_of_the_document(name: str) -> None:
    ids, types = text_for(name)
    expected = Forward(SMALL[name], make_tensors(SMALL[name], SEED))(ids, types)
    assert np.isfinite(expected.last_hidden_state).all()
    assert_equal(engine_result(name, ids, types=types), expected)


@pytest.mark.parametrize("name", ["mobilebert_int8", "bert", "gpt", "gpt_int8"])
def test_masked_sequences_have_the_bits_of_the_document(name: str) -> None:
    ids, _ = text_for(name)
    forward = Forward(SMALL[name], make_tensors(SMALL[name], SEED))
    random = np.random.default_rng(SEED)
    keys = random.integers(0, 2, ids.size).astype(np.uint8)
    keys[[0, -1]] = 1
    assert_equal(engine_result(name, ids, key_mask=keys), forward(ids, allowed=keys[None] != 0))
    pairs = random.integers(0, 2, (ids.size, ids.size)).astype(np.uint8)
    np.fill_diagonal(pairs, 1)
    assert_equal(engine_result(name, ids, pair_mask=pairs.reshape(-1)), forward(ids, allowed=pairs != 0))
