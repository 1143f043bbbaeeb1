"""Data: sources, preparation of a corpus, pairs, masking, order of batches."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.text import documents, write_text

pytest.importorskip("torch")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
texts = pytest.importorskip("mbrt_train.data.texts")
prepared = pytest.importorskip("mbrt_train.data.prepare")
tokenizers = pytest.importorskip("mbrt_train.data.tokenizer")
masking = pytest.importorskip("mbrt_train.data.masking")
batching = pytest.importorskip("mbrt_train.data.batches")
Corpus = pytest.importorskip("mbrt_train.data.corpus").Corpus
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError

OPTIONS = prepared.Preparation(new_vocabulary=150, max_tokens=40, heldout=0.2)
BATCHING = batching.Batching(texts=8, max_length=40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("corpus")
    prepared.prepare([write_text(base / "text.txt", 120)], base / "corpus", OPTIONS, quiet=True)
    return base / "corpus"


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Any:
    return Corpus(folder)


@pytest.fixture(scope="module")
def vocabulary(corpus: Any) -> Any:
    return tokenizers.vocabulary(corpus.tokenizer())


def test_all_file_formats_give_the_same_documents(tmp_path: Path) -> None:
    wanted = documents(9)
    write_text(tmp_path / "a.txt", 9)
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in wanted))
    pq.write_table(pa.table({"text": wanted}), tmp_path / "a.parquet")
    for name in ("a.txt", "a.jsonl", "a.parquet"):
        assert [text.strip() for text in texts.read_documents(tmp_path / name)] == wanted
    assert texts.find_sources([tmp_path]) == [tmp_path / name for name in ("a.jsonl", "a.parquet", "a.txt")]


def test_split_of_sentences() -> None:
    text = 'He said "Stop." Then it cost 3.5 dollars, e.g. five. What?\nA heading\nNext.'
    assert texts.split_sentences(text) == [
        'He said "Stop.',
        "Then it cost 3.5 dollars, e.g. five.",
        "What?",
        "A heading",
        "Next.",
    ]


def test_corpus_contains_each_document_once(folder: Path, corpus: Any) -> None:
    heldout, tokenizer = Corpus(folder, "heldout"), corpus.tokenizer()
    found = {
        split: {segment.document for segment in map(part.__getitem__, range(len(part)))}
        for split, part in (("train", corpus), ("heldout", heldout))
    }
    assert not found["train"] & found["heldout"]
    assert found["train"] | found["heldout"] == set(range(120))
    whole = [i for part in (corpus, heldout) for row in range(len(part)) for i in part[row].ids.tolist()]
    plain = [i for text in documents(120) for i in tokenizer.encode(text, add_special_tokens=False).ids]
    assert Counter(whole) == Counter(plain)
    assert max(corpus.lengths) <= 37


def test_cuts_are_the_ends_of_sentences(corpus: Any) -> None:
    ends = set(corpus.tokenizer().encode(".?!", add_special_tokens=False).ids)
    for row in range(len(corpus)):
        segment = corpus[row]
        assert segment.cuts[-1] == len(segment.ids) == corpus.lengths[row]
        assert all(int(segment.ids[cut - 1]) in ends for cut in segment.cuts)


def test_long_sentences_are_split_not_dropped() -> None:
    rng = np.random.default_rng(0)
    found = list(prepared.segments([list(range(25)), [7, 8]], 10, 0.0, rng))
    assert [len(ids) for ids, _ in found] == [10, 10, 7]
    assert found[2] == ([20, 21, 22, 23, 24, 7, 8], [5, 7])


def test_shards_have_the_requested_size(tmp_path: Path) -> None:
    shards = prepared.Shards(tmp_path, "train", size=4, batch=2)
    for i in range(9):
        shards.add([i], [1], i)
    shards.close()
    assert shards.shards == ["train-00000.arrow", "train-00001.arrow", "train-00002.arrow"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "no text to train on"), ("\n \n\n", "no text to train on")],
)
def test_empty_corpus_is_refused_and_leaves_no_files(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "text.txt").write_text(content)
    save = tmp_path / "tokenizer"
    tokenizers.save_tokenizer(tokenizers.learn_tokenizer(documents(5), 100), save)
    with pytest.raises(TrainingError, match=message):
        prepared.prepare([tmp_path / "text.txt"], tmp_path / "out", prepared.Preparation(tokenizer=save), quiet=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.txt", "tokenizer"]


def test_existing_folder_is_not_overwritten(folder: Path, tmp_path: Path) -> None:
    before = (folder / "corpus.json").read_bytes()
    with pytest.raises(TrainingError, match=r"exists\. Remove it"):
        prepared.prepare([write_text(tmp_path / "t.txt")], folder, OPTIONS, quiet=True)
    assert (folder / "corpus.json").read_bytes() == before


def test_lines_without_blank_lines_are_refused_or_read_as_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(documents(60)) + "\n")
    with pytest.raises(TrainingError, match=r"a\.txt: one document, so nothing can be held out.*--lines"):
        prepared.prepare([tmp_path / "a.txt"], tmp_path / "out", OPTIONS, quiet=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    lines = replace(OPTIONS, reading=texts.Reading(lines=True))
    prepared.prepare([tmp_path / "a.txt"], tmp_path / "out", lines, quiet=True)
    assert json.loads((tmp_path / "out/corpus.json").read_text())["documents"] == 60
    prepared.prepare([tmp_path / "a.txt"], tmp_path / "one", replace(OPTIONS, heldout=0.0), quiet=True)
    assert json.loads((tmp_path / "one/corpus.json").read_text())["documents"] == 1


def test_warns_if_no_document_is_held_out(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"none of 5 documents is held out at --heldout 1e-09.*--heldout 0\.5"):
        prepared.prepare(
            [write_text(tmp_path / "a.txt", 5)], tmp_path / "a", replace(OPTIONS, heldout=1e-9), quiet=True
        )
    (tmp_path / "b.txt").write_text("One.\nTwo.\n")
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    with pytest.warns(UserWarning, match=r"b\.txt has no blank line and is one document.*--lines"):
        prepared.prepare(files, tmp_path / "b", replace(OPTIONS, heldout=1e-9), quiet=True)


def test_encoding_of_sources(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Un.\n\ncafé\n\nDeux.\n".encode("latin-1"))
    with pytest.raises(TrainingError, match=r"a\.txt:3: byte 0xe9 is not utf-8.*--encoding latin-1"):
        list(texts.read_documents(tmp_path / "a.txt"))
    found = list(texts.read_documents(tmp_path / "a.txt", texts.Reading(encoding="latin-1")))
    assert [text.strip() for text in found] == ["Un.", "café", "Deux."]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"text": "ok"}\n{"body": 1}\n', "a.jsonl:2"),
        ("a.jsonl", '{"text": 3}\n', "not a string"),
        ("a.csv", "x", "unknown suffix"),
    ],
)
def test_invalid_sources_are_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(TrainingError, match=message):
        prepared.prepare([tmp_path / name], tmp_path / "out", OPTIONS, quiet=True)


def test_damaged_corpus_is_refused(folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "corpus"
    bad.mkdir()
    (bad / "corpus.json").write_bytes((folder / "corpus.json").read_bytes())
    (bad / "train-00000.arrow").write_bytes((folder / "train-00000.arrow").read_bytes()[:200])
    with pytest.raises(TrainingError, match=r"train-00000\.arrow"):
        Corpus(bad)


def test_tokenizer_of_another_checkpoint_is_refused(corpus: Any, tmp_path: Path) -> None:
    other = tokenizers.learn_tokenizer(["completely different words stand here"] * 3, 60)
    tokenizers.save_tokenizer(other, tmp_path)
    ours = corpus.tokenizer()
    with pytest.raises(TrainingError, match="word vectors"):
        tokenizers.check_checkpoint(ours, tmp_path, 60)
    with pytest.raises(TrainingError, match="pieces differ"):
        tokenizers.check_checkpoint(ours, tmp_path, ours.get_vocab_size())


def test_learned_vocabulary_is_deterministic() -> None:
    made = {tokenizers.fingerprint(tokenizers.learn_tokenizer(documents(60), 120)) for _ in range(5)}
    assert len(made) == 1


def test_pairs_are_next_or_from_another_document(corpus: Any) -> None:
    relations = Counter()
    for row in range(len(corpus)):
        first, second, relation = masking.pair(corpus, row, 37, np.random.default_rng(row))
        relations[relation] += 1
        segment = corpus[row]
        assert first.tolist() == segment.ids[: len(first)].tolist()
        if relation == 0:
            assert second is not None
            assert np.concatenate([first, second]).tolist() == segment.ids.tolist()
            assert len(first) in segment.cuts
        assert (second is None) == (relation == masking.IGNORED) == (len(segment.cuts) < 2)
    assert 0.3 < relations[0] / (relations[0] + relations[1]) < 0.7


def test_pairs_fit_into_the_maximum_length(corpus: Any) -> None:
    for row in range(len(corpus)):
        first, second, _ = masking.pair(corpus, row, 12, np.random.default_rng(row))
        assert 0 < len(first) + (0 if second is None else len(second)) <= 12


def test_masking_has_berts_proportions(vocabulary: Any) -> None:
    rng = np.random.default_rng(3)
    ids = np.concatenate([[vocabulary.cls], np.arange(5, 105), [vocabulary.sep]])
    seen: Counter[str] = Counter()
    for _ in range(300):
        hidden, labels = masking.mask_tokens(ids, vocabulary, masking.Masking(), rng)
        chosen = labels != masking.IGNORED
        assert chosen.sum() == 15
        assert (labels[chosen] == ids[chosen]).all()
        assert (hidden[~chosen] == ids[~chosen]).all()
        assert not chosen[[0, -1]].any()
        seen["mask"] += int((hidden[chosen] == vocabulary.mask).sum())
        seen["same"] += int((hidden[chosen] == ids[chosen]).sum())
    assert 0.77 < seen["mask"] / 4500 < 0.83
    assert 0.08 < seen["same"] / 4500 < 0.13


def test_number_of_masked_words_is_limited(vocabulary: Any) -> None:
    ids = np.arange(5, 105)
    _, labels = masking.mask_tokens(ids, vocabulary, masking.Masking(0.5, most=20), np.random.default_rng(0))
    assert (labels != masking.IGNORED).sum() == 20
    same, labels = masking.mask_tokens(ids, vocabulary, masking.Masking(0.0), np.random.default_rng(0))
    assert (labels == masking.IGNORED).all()
    assert (same == ids).all()


def test_whole_word_masking_masks_all_pieces(vocabulary: Any) -> None:
    continues = np.flatnonzero(vocabulary.continues)
    starts = np.setdiff1d(np.flatnonzero(~vocabulary.continues), vocabulary.specials)
    ids = np.array([starts[0], continues[0], continues[1], starts[1], starts[2], continues[2]] * 5)
    word = np.cumsum(~vocabulary.continues[ids]) - 1
    option = masking.Masking(0.3, whole_words=True)
    for seed in range(50):
        _, labels = masking.mask_tokens(ids, vocabulary, option, np.random.default_rng(seed))
        chosen = labels != masking.IGNORED
        assert 0 < chosen.sum() <= 9
        for w in range(word[-1] + 1):
            assert len(set(chosen[word == w])) == 1


def test_masks_depend_on_epoch_and_seed_only(corpus: Any, vocabulary: Any) -> None:
    make = batching.Batches(corpus, vocabulary, BATCHING)
    again = batching.Batches(corpus, vocabulary, BATCHING)
    a, b, c = make.example(3, 0), again.example(3, 0), make.example(3, 1)
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert not np.array_equal(a.labels, c.labels)


@pytest.mark.parametrize("options", [BATCHING, replace(BATCHING, texts=0, tokens=200)], ids=["texts", "tokens"])
def test_epoch_contains_every_row_once(corpus: Any, vocabulary: Any, options: Any) -> None:
    batches = batching.Batches(corpus, vocabulary, options)
    plan = batches.plan(0)
    rows = np.concatenate(plan)
    assert len(set(rows.tolist())) == len(rows)
    dropped = len(corpus) - len(rows)
    assert dropped == (len(corpus) % 8 if options.texts else 0)
    if options.tokens:
        for part in plan:
            (batch,) = batches.micro_batches(part, 0)
            assert batch.ids.numel() <= 200
    assert any(not np.array_equal(x, y) for x, y in zip(plan, batches.plan(1), strict=False))


def test_batches_resume_from_epoch_and_index(corpus: Any, vocabulary: Any) -> None:
    batches = batching.Batches(corpus, vocabulary, BATCHING)
    whole = list(islice(batches.follow(0, 0), 80))
    epoch, index, _ = whole[17]
    rest = list(islice(batching.Batches(corpus, vocabulary, BATCHING).follow(epoch, index), 63))
    assert all(np.array_equal(a[2], b[2]) for a, b in zip(whole[17:], rest, strict=True))
    assert whole[-1][0] > 0


def test_shares_of_processes_make_up_the_batch(corpus: Any, vocabulary: Any) -> None:
    batches = batching.Batches(corpus, vocabulary, BATCHING)
    whole = next(batching.shares(batches, 0, 2, 0, 1))
    parts = [next(batching.shares(batches, 0, 2, rank, 3)) for rank in range(3)]
    assert sum(len(b) for part in parts for b in part.batches) == 8
    counts = [Counter(b.counts()) for part in parts for b in part.batches]
    assert sum(counts, Counter()) == Counter(whole.batches[0].counts())
    assert next(batching.shares(batches, 0, 2, 9, 10)).idle


def test_large_batch_is_split_into_micro_batches(corpus: Any, vocabulary: Any) -> None:
    batches = batching.Batches(corpus, vocabulary, replace(BATCHING, micro_tokens=100))
    parts = batches.micro_batches(batches.plan(0)[0], 0)
    assert len(parts) > 1
    assert all(part.ids.numel() <= 100 for part in parts)
    assert sum(map(len, parts)) == 8


@pytest.mark.parametrize(
    "options", [{"texts": 8, "tokens": 9}, {"texts": 0}, {"texts": 0, "tokens": 20}, {"texts": 100_000}]
)
def test_impossible_batches_are_refused(corpus: Any, vocabulary: Any, options: dict[str, int]) -> None:
    with pytest.raises(TrainingError):
        batching.Batches(corpus, vocabulary, replace(BATCHING, **options))
