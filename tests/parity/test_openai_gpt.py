"""OpenAI GPT: hidden states and attentions of transformers, alone, with masks and in batches; int8 stays close."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity.comparison import assert_parity, assert_same_bits, assert_text, collect, engine
from tests.parity.transformers_models import VOCABULARY, Array, make, run, texts

# The published sizes, with a smaller vocabulary; and sizes that are no multiples of 16.
PUBLISHED: dict[str, Any] = {"vocab_size": VOCABULARY}
ODD: dict[str, Any] = {"vocab_size": VOCABULARY, "n_embd": 95, "n_layer": 24, "n_head": 5}
LENGTHS = (19, 33, 1, 7)


@pytest.mark.parametrize(("config", "lengths"), [(PUBLISHED, (1, 7, 128)), (ODD, (1, 15, 16, 17, 128, 511, 512))])
def test_every_layer_matches_transformers(tmp_path: Path, config: dict[str, Any], lengths: tuple[int, ...]) -> None:
    model = make("OpenAIGPT", "Model", config)
    rt = engine(model, tmp_path)
    assert rt.config.causal
    for ids in texts(*lengths):
        assert_text(rt, model, ids)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Any:
    model = make("OpenAIGPT", "Model", ODD | {"n_layer": 6})
    return model, engine(model, tmp_path_factory.mktemp("gpt"))


def padded(rows: list[Array]) -> tuple[Array, Array]:
    """Ids [B, longest] with 0 on the right, and their mask."""
    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    mask = np.zeros_like(ids)
    for b, row in enumerate(rows):
        ids[b, : row.size], mask[b, : row.size] = row, 1
    return ids, mask


def test_ragged_batch_has_the_bits_of_each_text_alone(pair: Any) -> None:
    _, rt = pair
    ids = texts(*LENGTHS)
    together = rt(ids, output_hidden_states=True, output_attentions=True)
    for b, row in enumerate(ids):
        alone = rt([row], output_hidden_states=True, output_attentions=True)
        assert_same_bits(collect(together, b), collect(alone))


def test_padding_on_the_right_changes_nothing(pair: Any) -> None:
    model, rt = pair
    rows = texts(*LENGTHS)
    for padding in ("packed", "hf"):
        out = rt(*padded(rows), padding=padding)
        for b, row in enumerate(rows):
            ours = {"last_hidden_state": out.last_hidden_state[b, : row.size]}
            assert_parity(ours, {"last_hidden_state": run(model, row)["last_hidden_state"]})


def test_masks_with_holes(pair: Any) -> None:
    model, rt = pair
    for ids in texts(7, 33):
        mask = (np.random.default_rng(3).random(ids.size) < 0.66).astype(np.int64)
        mask[[0, -1]] = 1
        assert 0 < mask.sum() < ids.size
        assert_text(rt, model, ids, mask=mask)


def test_later_tokens_change_nothing(pair: Any) -> None:
    _, rt = pair
    (ids,) = texts(40)
    changed = np.where(np.arange(40) < 23, ids, (ids + 1) % VOCABULARY)
    first, second = (rt([row]).last_hidden_state[0] for row in (ids, changed))
    assert first[:23].tobytes() == second[:23].tobytes()
    assert not np.array_equal(first[23:], second[23:])


def test_int8_is_close(tmp_path: Path) -> None:
    model = make("OpenAIGPT", "Model", PUBLISHED | {"n_layer": 6})
    rt = engine(model, tmp_path, "int8")
    for ids in texts(7, 128):
        ours, theirs = rt([ids]).last_hidden_state[0], run(model, ids)["last_hidden_state"]
        cosines = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
        assert cosines.min() > 0.99
