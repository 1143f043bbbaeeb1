from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt import FillMask, InputError, Model, ModelFormatError
from tests.small_models import save_model
from tests.small_models.text import VOCABULARY, random_words, word_id
from tests.tasks.conftest import Make


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return powers / powers.sum()


def oracle(model: Model, text: str) -> list[np.ndarray]:
    """The probabilities of each mask, from the model's logits of all tokens."""
    ((ids, types),) = FillMask(model).sequences([text])
    logits = model([ids], token_type_ids=[types]).logits[0]
    return [softmax(logits[i]) for i, token in enumerate(ids) if token == word_id("[MASK]")]


def test_proposals_are_the_models_best_first(random_model: Make) -> None:
    model = random_model("ForMaskedLM")
    texts = ["the [MASK] was [MASK] in london", "[MASK]", random_words(20) + " [MASK]"]
    for text, masks in zip(texts, FillMask(model, max_batch_tokens=8)(texts, top_k=3), strict=True):
        for mask, expected in zip(masks, oracle(model, text), strict=True):
            assert [fill.token_id for fill in mask] == np.argsort(-expected, kind="stable")[:3].tolist()
            assert [fill.score for fill in mask] == pytest.approx(np.sort(expected)[::-1][:3], rel=1e-5)
            assert [fill.token for fill in mask] == [VOCABULARY.split("\n")[fill.token_id] for fill in mask]


def test_sequence_replaces_one_mask_and_keeps_the_rest(random_model: Make) -> None:
    text = "THE  [MASK] \u4eac\U0001f600 was [MASK] Good"
    first, second = FillMask(random_model("ForMaskedLM"))(text, top_k=70)
    whole = [fill for fill in first if not fill.token.startswith("##")]
    assert all(fill.sequence == f"THE  {fill.token} \u4eac\U0001f600 was [MASK] Good" for fill in whole)
    assert second[0].sequence.startswith("THE  [MASK] \u4eac\U0001f600 was")


def test_continuation_joins_the_word_before_it(random_model: Make) -> None:
    (mask,) = FillMask(random_model("ForMaskedLM"))("the dog \u3000 [MASK] .", top_k=70)
    joined = {fill.token: fill.sequence for fill in mask if fill.token.startswith("##")}
    assert joined["##s"] == "the dogs ."
    assert len(joined) == 3


@pytest.mark.parametrize("stride", [0, 4, 7])
def test_long_text_has_each_mask_once(random_model: Make, stride: int) -> None:
    task = FillMask(random_model("ForMaskedLM"), max_length=12, on_overflow="stride", stride=stride)
    assert len(task("the [MASK] of a dog [MASK] and " * 8, top_k=2)) == 16


def test_text_without_a_mask_is_named(random_model: Make) -> None:
    with pytest.raises(InputError, match=r"input 1 has no \[MASK\]"):
        FillMask(random_model("ForMaskedLM"))(["a [MASK]", "the cat"])


def test_pair_and_top_k_are_checked(random_model: Make) -> None:
    fill = FillMask(random_model("ForMaskedLM"))
    with pytest.raises(InputError, match="input 0 is a pair"):
        fill([("a [MASK]", "b")])
    with pytest.raises(InputError, match="top_k: found 0"):
        fill("[MASK]", top_k=0)
    assert len(fill("[MASK]")[0]) == 5


def test_tokenizer_without_a_mask_is_refused(tmp_path: Path) -> None:
    vocabulary = VOCABULARY.replace("[MASK]", "spare")
    path = save_model(tmp_path / "m.safetensors", head="ForMaskedLM", vocabulary=vocabulary)
    with pytest.raises(ModelFormatError, match="no mask token"):
        FillMask.from_pretrained(path)
