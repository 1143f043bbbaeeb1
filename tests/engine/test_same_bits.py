"""The same bits on every instruction set, with any number of threads, alone and anywhere in any batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mobilebert_rt as mbrt
from tests.emulation import EMULATED
from tests.engine.support import LONG, SEED, Ids, digest, load, make_texts
from tests.model.make_model_file import SMALL, make_tensors, write_file

# The text that is watched is 37 tokens: two panels, three strips, the last of each not full.
WATCHED = 37
NEIGHBOURS = make_texts([1, 5, 16, 17, 31, 32, 33, 48, 64, 65, 90, 140, 8, 2, 77])
NAMES = ["mobilebert_int8", "bert", "mobilebert", "without_opt_int8", "bert_int8", "gpt", "gpt_int8"]
NAMES = NAMES[: 2 if EMULATED else None]


def batches(watched: Ids) -> list[list[Ids]]:
    """The text alone and in batches, whose sizes change the chunks and where the panels are cut."""
    few, many = NEIGHBOURS[:4], NEIGHBOURS
    found = [
        [watched],
        [watched, *few],
        [*few, watched],
        [*few[:2], watched, *few[2:]],
        [NEIGHBOURS[11], watched],
        [*many, watched, *many],  # more than one chunk for one thread
    ]
    return found if EMULATED else [*found, [watched] * 40, [*many * 4, watched], [[1]] * 70 + [watched]]


@pytest.mark.parametrize("name", NAMES)
def test_same_bits_on_every_isa_with_any_threads_in_any_batch(tmp_path: Path, name: str) -> None:
    (watched,) = make_texts([WATCHED])
    hashes = set()
    for isa in mbrt.available_isas():
        for threads in (1, 3) if EMULATED else (1, 2, 3):
            model = load(tmp_path, name, threads, isa, max_positions=LONG)
            # Scalar code is the slowest: one thread of it sees every batch, others the small ones.
            for batch in batches(watched)[: 5 if isa == "scalar" and (EMULATED or threads > 1) else None]:
                output = model(batch, output_hidden_states=True, output_attentions=True)
                hashes.add(digest(output, batch.index(watched)))
    print(name, hashes)
    assert len(hashes) == 1


@pytest.mark.parametrize("name", ["mobilebert_int8", "bert"])
def test_same_bits_alone_and_in_any_batch(tmp_path: Path, name: str) -> None:
    alone = load(tmp_path, name, 1, max_positions=LONG)
    together = load(tmp_path, name, 3, max_positions=LONG)
    output = together(NEIGHBOURS)
    for i, text in enumerate(NEIGHBOURS):
        assert digest(alone([text]), 0) == digest(output, i), len(text)


@pytest.mark.parametrize("name", ["mobilebert_int8", "bert", "gpt_int8"])
def test_same_bits_alone_and_in_any_batch_with_masks(tmp_path: Path, name: str) -> None:
    (watched,) = make_texts([WATCHED])
    mask = [1] + [int(i % 3 != 0) for i in range(1, WATCHED)]
    square = [[int((i * j) % 4 != 3) or int(i == j) for j in range(WATCHED)] for i in range(WATCHED)]
    for own in (mask, square):
        hashes = set()
        for threads in (1, 3):
            model = load(tmp_path, name, threads, max_positions=LONG)
            for batch in batches(watched)[:6]:
                masks = [own if text is watched else [1] * len(text) for text in batch]
                hashes.add(digest(model(batch, masks, output_attentions=True), batch.index(watched)))
        assert len(hashes) == 1


@pytest.mark.parametrize("name", ["gpt", "gpt_int8"])
def test_causal_model_has_the_bits_of_every_shorter_text(tmp_path: Path, name: str) -> None:
    (text,) = make_texts([LONG])
    for isa in mbrt.available_isas():
        model = load(tmp_path, name, 1, isa, max_positions=LONG)
        whole = model([text]).last_hidden_state[0]
        for length in (1, 2, 15, 16, 17, 31, 32, 33, 64, 65, LONG - 1):
            shorter = model([text[:length]]).last_hidden_state[0]
            assert shorter.tobytes() == whole[:length].tobytes(), (isa, length)


@pytest.mark.parametrize("name", ["gpt", "gpt_int8"])
def test_causal_model_has_the_bits_of_a_causal_mask(tmp_path: Path, name: str) -> None:
    config = SMALL[name] | {"max_positions": LONG}
    tensors = make_tensors(config, SEED)
    paths = {causal: tmp_path / f"{causal}.safetensors" for causal in (True, False)}
    for causal, path in paths.items():
        path.write_bytes(write_file(config | {"causal": causal}, tensors))
    texts = make_texts([1, 16, 17, 33, LONG])
    masks = [np.tri(len(text), dtype=int).tolist() for text in texts]
    for isa in mbrt.available_isas():
        model, masked = (mbrt.Model.from_pretrained(path, num_threads=2, isa=isa) for path in paths.values())
        output = model(texts, output_hidden_states=True, output_attentions=True)
        wanted = masked(texts, masks, output_hidden_states=True, output_attentions=True)
        assert [digest(output, i) for i in range(len(texts))] == [digest(wanted, i) for i in range(len(texts))], isa


def test_same_bits_for_any_set_of_outputs(tmp_path: Path) -> None:
    model = load(tmp_path, "mobilebert_int8", 2, max_positions=LONG)
    plain = model(NEIGHBOURS)
    full = model(NEIGHBOURS, output_hidden_states=True, output_attentions=True)
    positions = [[len(text) - 1] for text in NEIGHBOURS]
    some = model(NEIGHBOURS, logit_positions=positions)
    assert full.hidden_states is not None
    for i, text in enumerate(NEIGHBOURS):
        assert (plain.last_hidden_state[i] == full.last_hidden_state[i]).all()
        assert (full.hidden_states[-1][i] == full.last_hidden_state[i]).all()
        assert (some.logits[i][0] == plain.logits[i][len(text) - 1]).all()


def test_unwanted_logits_are_not_computed(tmp_path: Path) -> None:
    model = load(tmp_path, "mobilebert_int8", 1, max_positions=LONG)
    texts = make_texts([5])
    with_logits = model(texts)
    for options in ({"output_logits": False}, {"logit_positions": [[]]}):
        out = model(texts, **options)
        assert out.logits is None if "output_logits" in options else out.logits[0].shape == (0, model.config.vocab_size)
        assert (out.last_hidden_state[0] == with_logits.last_hidden_state[0]).all()
    operations = {part.operation for part in model.profile(texts, repeats=1, warmup=0, output_logits=False).parts}
    assert not any(operation.startswith("mlm") for operation in operations)
