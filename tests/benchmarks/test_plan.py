"""What is measured: texts, groups, and the choice of model files."""

from __future__ import annotations

import statistics

import pytest

from benchmarks.peers import inputs, plan
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.plan import Entry


def test_texts_are_5_to_60_tokens_and_20_on_average() -> None:
    texts = inputs.mixed_texts()
    lengths = [len(text) for text in texts]
    assert (len(texts), statistics.mean(lengths)) == (64, 20)
    assert min(lengths) >= 5
    assert 40 < max(lengths) <= 60
    assert texts == inputs.mixed_texts()
    assert all(text[0] == inputs.CLS and text[-1] == inputs.SEP and 0 not in text for text in texts)


@pytest.mark.parametrize("length", [1, 2, 512])
def test_text_has_the_given_length(length: int) -> None:
    assert len(inputs.text(length, 0)) == length


def test_batches_have_every_text_once_sorted_by_length() -> None:
    texts = inputs.mixed_texts()
    for size in (1, 8, 48, 64):
        flat = [text for batch in inputs.batches(texts, size) for text in batch]
        assert flat == sorted(texts, key=len)


def test_latency_of_all_peers_and_thread_counts_is_one_group() -> None:
    (group,) = plan.groups(["latency"], list(PEERS), [128], [1, 2])
    run_mobilebert = {name for name, peer in PEERS.items() if not peer.bert_only}
    assert {entry.peer.name for entry in group.entries} == run_mobilebert
    assert len({entry.name for entry in group.entries}) == 2 * len(run_mobilebert)
    assert len(group.texts) == 1
    assert len(group.texts[0]) == 128


def test_engines_without_mobilebert_run_other_models_only() -> None:
    found = {(e.peer.name, e.model) for g in plan.groups(plan.CASES, list(PEERS), [8], [1]) for e in g.entries}
    wanted = {("ct2-int8", "minilm"), ("ct2-int8", "bert-base"), ("llama-q8_0", "minilm"), ("words", "minilm")}
    assert {(peer, model) for peer, model in found if PEERS[peer].bert_only} == wanted


def test_only_chosen_peers_are_planned() -> None:
    for group in plan.groups(plan.CASES, ["ours-int8", "ort-int8"], [8, 128], [1, 2]):
        assert {entry.peer.name for entry in group.entries} <= {"ours-int8", "ort-int8"}
        assert len({entry.name for entry in group.entries}) == len(group.entries)


def test_many_texts_run_in_batches_and_on_one_engine_per_thread() -> None:
    (group,) = plan.groups(["texts"], ["ort-int8"], [], [1, 2])
    configurations = {(entry.threads, entry.copies, entry.batch) for entry in group.entries}
    assert configurations >= {(2, 1, 1), (2, 1, 64), (2, 2, 1), (2, 2, 8)}


def files(case: str, peer: str, texts: list[list[int]], batch: int = 1) -> list[tuple[int | None, bool]]:
    """Length and mask of the model files that a peer needs."""
    entry = Entry(PEERS[peer], "mobilebert", 1, batch)
    group = plan.Group(case, case, tuple(tuple(text) for text in texts), (entry,))
    return [(file.length, file.masked) for file in plan.model_files(group)]


def test_one_text_needs_no_mask() -> None:
    assert files("latency", "litert-int8", [[1] * 8]) == [(8, False)]
    assert files("latency", "ort-int8", [[1] * 8]) == [(None, False)]


def test_mask_only_where_texts_are_padded() -> None:
    assert files("texts", "ort-int8", [[1, 2], [3, 4]], batch=2) == [(None, False)]
    assert files("texts", "ort-int8", [[1, 2], [3]], batch=2) == [(None, True)]
    assert files("texts", "ours-int8", [[1, 2], [3]], batch=2) == [(None, False)]


def test_shortest_length_that_fits_is_chosen() -> None:
    lengths = [length for length, _ in files("texts", "litert-int8", [[1] * n for n in (1, 8, 9, 33)])]
    assert lengths == [8, 8, 16, 48]
