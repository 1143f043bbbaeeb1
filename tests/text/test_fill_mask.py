from __future__ import annotations

import numpy as np
import pytest

from mobilebert_rt.errors import InputError, ModelFormatError
from mobilebert_rt.text import FillMask
from tests.text.fake_model import VOCABULARY, FakeModel, word_id

V = VOCABULARY.count("\n")


def after(ids: list[int]) -> np.ndarray:
    """Each position expects "cat" best after "the", "##s" after "dog", then "good"."""
    logits = np.zeros((len(ids), V))
    logits[:, word_id("good")] = 3
    for place in range(1, len(ids)):
        if ids[place - 1] == word_id("the"):
            logits[place, word_id("cat")] = 5
        if ids[place - 1] == word_id("dog"):
            logits[place, word_id("##s")] = 5
    return logits


def fill(**options: object) -> FillMask:
    return FillMask(
        FakeModel(after, head="masked_lm", **{"max_positions": options.pop("max_positions", 32)}), **options
    )


def test_proposals_come_best_first_and_keep_the_text_as_it_was() -> None:
    ((first, second),) = fill()("THE  [MASK] was Good", top_k=2)
    assert (first.token, first.token_id, first.sequence) == ("cat", word_id("cat"), "THE  cat was Good")
    assert second.sequence == "THE  good was Good"
    logits = np.zeros(V)
    logits[[word_id("cat"), word_id("good")]] = [5, 3]
    assert first.score == pytest.approx(np.exp(5) / np.exp(logits).sum())


def test_a_continuation_joins_the_word_before_it() -> None:
    assert fill()("the dog [MASK] .", top_k=1)[0][0].sequence == "the dogs ."


def test_masks_are_filled_one_by_one() -> None:
    masks = fill()("the [MASK] and the [MASK]", top_k=1)
    assert [mask[0].sequence for mask in masks] == ["the cat and the [MASK]", "the [MASK] and the cat"]


def test_only_the_masks_logits_are_computed() -> None:
    asked = []

    class Spy(FakeModel):
        def __call__(self, *args: object, **options: object) -> object:
            asked.append(options["logit_positions"])
            return super().__call__(*args, **options)

    FillMask(Spy(after, head="masked_lm"))(["a [MASK] b [MASK]", "[MASK]"])
    assert asked == [[[2, 4], [1]]]


def test_lists_keep_their_order() -> None:
    found = fill(max_batch_tokens=8)(["[MASK]", "in london the [MASK] was good", "dog [MASK]"], top_k=1)
    assert [masks[0][0].token for masks in found] == ["good", "cat", "##s"]


@pytest.mark.parametrize("stride", [0, 4, 7])
def test_long_text_has_each_mask_once(stride: int) -> None:
    text = "the [MASK] of a dog [MASK] and " * 8
    whole = fill(max_positions=512)(text, top_k=2)
    assert len(whole) == 16
    found = fill(max_length=12, on_overflow="stride", stride=stride)(text, top_k=2)
    assert [mask[0].sequence for mask in found if stride] == [mask[0].sequence for mask in whole if stride]
    assert len(found) == 16


def test_text_without_a_mask_is_named() -> None:
    with pytest.raises(InputError, match=r"input 1 has no \[MASK\]"):
        fill()(["a [MASK]", "the cat"])


def test_pair_and_top_k_are_checked() -> None:
    with pytest.raises(InputError, match="input 0 is a pair"):
        fill()([("a [MASK]", "b")])
    with pytest.raises(InputError, match="top_k is 0"):
        fill()("[MASK]", top_k=0)


def test_tokenizer_without_a_mask_is_refused() -> None:
    vocabulary = VOCABULARY.replace("[MASK]", "spare")
    with pytest.raises(ModelFormatError, match="no mask token"):
        FillMask(FakeModel(after, {"vocab.txt": vocabulary}, head="masked_lm"))
