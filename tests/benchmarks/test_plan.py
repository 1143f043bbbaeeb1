"""What is measured: texts, groups, and the choice of model files."""

from __future__ import annotations

import statistics

import pytest

from benchmarks.peers import inputs, plan
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.plan import Entry
from benchmarks.peers.program import ModelFile, NoFileError, choose


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
    assert len({entry.name for entry in group.entries}) == 2 * len(PEERS)
    assert len(group.texts) == 1
    assert len(group.texts[0]) == 128


def test_only_chosen_peers_are_planned() -> None:
    for group in plan.groups(plan.CASES, ["ours-int8", "ort-int8"], [8, 128], [1, 2]):
        assert {entry.peer.name for entry in group.entries} <= {"ours-int8", "ort-int8"}
        assert len({entry.name for entry in group.entries}) == len(group.entries)


def test_many_texts_run_in_batches_and_on_one_engine_per_thread() -> None:
    (group,) = plan.groups(["texts"], ["ort-int8"], [], [1, 2])
    configurations = {(entry.threads, entry.copies, entry.batch) for entry in group.entries}
    assert configurations >= {(2, 1, 1), (2, 1, 64), (2, 2, 1), (2, 2, 8)}


def test_fixed_length_peers_get_one_file_per_length_or_bucket() -> None:
    litert, ort = PEERS["litert-int8"], PEERS["ort-int8"]
    (one,) = plan.groups(["latency"], ["litert-int8"], [8], [1])
    (many,) = plan.groups(["texts"], ["litert-int8"], [8], [1])
    assert [(f.length, f.masked) for f in plan.wanted(one, one.entries[0])] == [(8, False)]
    assert [f.length for f in plan.wanted(many, Entry(litert, "mobilebert", 1))] == list(plan.BUCKETS)
    assert [f.masked for f in plan.wanted(many, Entry(ort, "mobilebert", 1))] == [False]
    assert [f.masked for f in plan.wanted(many, Entry(ort, "mobilebert", 1, batch=64))] == [True]


def test_mask_only_where_texts_are_padded() -> None:
    files = [ModelFile("plain"), ModelFile("masked", masked=True)]
    assert choose(files, [[1, 2, 3]]).path == "plain"
    assert choose(files, [[1, 2], [3, 4]]).path == "plain"
    assert choose(files, [[1, 2], [3]]).path == "masked"


def test_shortest_bucket_that_fits_is_chosen() -> None:
    files = [ModelFile(str(n), n, True) for n in (64, 8, 32)]
    assert [choose(files, [[1] * n]).length for n in (1, 8, 9, 33)] == [8, 8, 32, 64]
    with pytest.raises(NoFileError, match="1 texts of up to 65 tokens"):
        choose(files, [[1] * 65])


def test_file_of_the_exact_length_needs_no_mask() -> None:
    files = [ModelFile("plain", 8), ModelFile("masked", 16, True)]
    assert choose(files, [[1] * 8]).path == "plain"
    assert choose(files, [[1] * 7]).path == "masked"
