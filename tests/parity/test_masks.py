"""Masks with holes, masks of pairs, right padding, and transformers' own padding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity.comparison import assert_parity, assert_same_bits, assert_text, collect, engine
from tests.parity.transformers_models import (
    ODD,
    ODD_BERT,
    TINY,
    WITHOUT_OPT,
    Array,
    additive,
    make,
    named,
    run,
    segments,
    texts,
    torch,
)

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "mobilebert": ("MobileBert", ODD),
    "tiny_without_opt": ("MobileBert", ODD | TINY | WITHOUT_OPT),
    "bert": ("Bert", ODD_BERT),
}
LENGTHS = (19, 33, 1, 7)


@pytest.fixture(scope="module", params=KINDS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A transformers model and the engine's."""
    family, config = KINDS[request.param]
    model = make(family, "Model", config)
    return model, engine(model, tmp_path_factory.mktemp(request.param))


def padded(rows: list[Array], fill: int = 0) -> Array:
    """Rows [S_b] as [B, longest], `fill` on the right."""
    out = np.full((len(rows), max(map(len, rows))), fill, dtype=np.int64)
    for b, row in enumerate(rows):
        out[b, : row.size] = row
    return out


def everything(rt: Any, *args: Any, **options: Any) -> Any:
    return rt(*args, output_hidden_states=True, output_attentions=True, **options)


def cut(found: dict[str, Array], length: int) -> dict[str, Array]:
    """Without the rows and attention columns of padding."""

    def one(name: str, value: Array) -> Array:
        if name.startswith("attention."):
            return value[:, :length, :length]
        return value[:length] if value.ndim == 2 else value

    return {name: one(name, value) for name, value in found.items()}


def random_mask(*shape: int, seed: int = 3) -> Array:
    """About two thirds ones; the first key is always allowed, so that every query has one."""
    mask = (np.random.default_rng(seed).random(shape) < 0.66).astype(np.int64)
    mask[..., 0] = 1
    return mask


def test_ragged_batch_has_the_bits_of_each_text_alone(pair: Any) -> None:
    _, rt = pair
    ids = texts(*LENGTHS)
    types = [segments(row) for row in ids]
    together = everything(rt, ids, None, types)
    for b, row in enumerate(ids):
        assert_same_bits(collect(together, b), collect(everything(rt, [row], None, [types[b]])))


def test_right_padding_changes_nothing(pair: Any) -> None:
    # [PAD]'s embedding is as large as any word's here, and transformers' own batch would show it.
    model, rt = pair
    ids = texts(*LENGTHS)
    out = everything(rt, padded(ids), padded([np.ones_like(row) for row in ids]))
    for b, row in enumerate(ids):
        ours = collect(out, b)
        assert_parity(cut(ours, row.size), run(model, row))
        assert not ours["last_hidden_state"][row.size :].any()


def test_padded_array_has_the_bits_of_the_list(pair: Any) -> None:
    _, rt = pair
    ids = texts(*LENGTHS)
    types = [segments(row) for row in ids]
    array = everything(rt, padded(ids), padded([np.ones_like(row) for row in ids]), padded(types))
    lists = everything(rt, ids, None, types)
    for b, row in enumerate(ids):
        assert_same_bits(cut(collect(array, b), row.size), collect(lists, b))


def test_masks_with_holes(pair: Any) -> None:
    model, rt = pair
    for ids in texts(7, 33):
        mask = random_mask(ids.size)
        mask[-1] = 1
        assert 0 < mask.sum() < ids.size
        assert_text(rt, model, ids, mask=mask)


def test_hole_at_the_start(pair: Any) -> None:
    model, rt = pair
    (ids,) = texts(12)
    mask = np.ones(12, dtype=np.int64)
    mask[:5] = 0
    assert_text(rt, model, ids, mask=mask)


def test_masks_of_pairs(pair: Any) -> None:
    model, rt = pair
    for ids in texts(7, 33):
        assert_text(rt, model, ids, mask=random_mask(ids.size, ids.size))


def test_masks_of_pairs_in_an_array(pair: Any) -> None:
    model, rt = pair
    ids = np.stack(texts(17, 17, 17))
    mask = random_mask(3, 17, 17)
    out = everything(rt, ids, mask)
    for b in range(3):
        assert_parity(collect(out, b), run(model, ids[b], mask=mask[b]))


def test_causal_mask_hides_later_tokens(pair: Any) -> None:
    model, rt = pair
    (ids,) = texts(21)
    assert_text(rt, model, ids, mask=np.tril(np.ones((21, 21), dtype=np.int64)))


def test_padding_hf_matches_the_padded_batch_of_transformers(pair: Any) -> None:
    model, rt = pair
    ids = texts(*LENGTHS)
    array, mask = padded(ids), padded([np.ones_like(row) for row in ids])
    out = everything(rt, array, mask, padding="hf")
    with torch.no_grad():
        theirs = model(
            torch.tensor(array),
            attention_mask=torch.tensor(mask),
            output_hidden_states=True,
            output_attentions=True,
        )
    for b in range(len(ids)):
        assert_parity(collect(out, b), named(theirs, b))


def test_padding_hf_with_masks_of_pairs(pair: Any) -> None:
    model, rt = pair
    ids = padded(texts(11, 17))
    mask = random_mask(2, 17, 17)
    mask[0, :, 11:] = 0
    out = everything(rt, ids, mask, padding="hf")
    for b in range(2):
        assert_parity(collect(out, b), run(model, ids[b], mask=mask[b]))


def test_transformers_reads_pad_through_the_trigram_and_the_engine_does_not(tmp_path: Path) -> None:
    # What docs/differences.md says: the last token's "next" is [PAD] in a padded batch, nothing in the text alone.
    model = make("MobileBert", "Model", ODD)
    rt = engine(model, tmp_path)
    (ids,) = texts(9)
    array, mask = padded([ids, np.ones(14, dtype=np.int64)]), np.ones((2, 14), dtype=np.int64)
    mask[0, 9:] = 0
    alone = collect(rt([ids]))["last_hidden_state"]
    packed = collect(rt(array, mask))["last_hidden_state"][:9]
    leaking = collect(rt(array, mask, padding="hf"))["last_hidden_state"][:9]
    assert packed.tobytes() == alone.tobytes()
    assert np.abs(leaking - alone).max() > 1e-2
    model.embeddings.word_embeddings.weight.data[0] = 0
    silent = engine(model, tmp_path / "silent")(array, mask, padding="hf")
    np.testing.assert_allclose(silent.last_hidden_state[0, :9], alone, atol=1e-5)


def test_additive_mask_equals_that_of_transformers() -> None:
    # The oracle's own square masks, beside transformers' treatment of the same mask as [B, S].
    model = make("MobileBert", "Model", ODD)
    (ids,) = texts(9)
    mask = random_mask(9)
    rows = np.broadcast_to(mask, (9, 9))
    assert additive(rows, model.dtype).shape == (1, 1, 9, 9)
    assert_same_bits(run(model, ids, mask=mask), run(model, ids, mask=rows))
