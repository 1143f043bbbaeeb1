"""From text files to a corpus: sentences, ids, segments, shards. A failure leaves no partial corpus."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

from mbrt_train.data import texts
from mbrt_train.data.corpus import FORMAT, MANIFEST, SCHEMA, VERSION
from mbrt_train.data.tokenizer import (
    FILES,
    copy_tokenizer,
    encode,
    fingerprint,
    learn_tokenizer,
    load_tokenizer,
    save_tokenizer,
    vocabulary,
)
from mbrt_train.errors import TrainingError, TrainingWarning
from mbrt_train.progress import Progress

DOCUMENTS_A_BATCH = 64  # tokenised together, on all cores


@dataclass(frozen=True)
class Preparation:
    """Options of `mbrt-train prepare`.

    tokenizer: a folder; or new_vocabulary: number of pieces to learn from the text. max_tokens: maximum of a segment
    with its three special tokens. short: share of segments with a random smaller size, to train on all lengths.
    whole: each document is one segment, cut to max_tokens with its two special tokens, as `Vectors` expects. heldout:
    share of documents held out for evaluation and export.
    """

    tokenizer: Path | None = None
    new_vocabulary: int | None = None
    lower_case: bool = True
    max_tokens: int = 128
    short: float = 0.1
    whole: bool = False
    heldout: float = 0.01
    reading: texts.Reading = texts.PLAIN
    seed: int = 0
    shard_segments: int = 1 << 18


def prepare(sources: Iterable[str | Path], target: str | Path, options: Preparation, quiet: bool = False) -> None:
    """Write a corpus folder. Raises TrainingError if it exists, without text, or for an unsupported tokenizer."""
    out = Path(target)
    if out.exists():
        raise TrainingError(f"{out} exists. Remove it or choose another folder.")
    files = texts.find_sources(sources)
    if options.max_tokens < 8:
        raise TrainingError(f"max_tokens is {options.max_tokens}; expected at least 8.")
    tokenizer = _tokenizer(files, options)
    vocabulary(tokenizer)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    try:
        _write(files, partial, tokenizer, options, quiet)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _tokenizer(files: list[Path], options: Preparation) -> Tokenizer:
    if (options.tokenizer is None) == (options.new_vocabulary is None):
        raise TrainingError("give either a tokenizer or the size of a new vocabulary.")
    if options.tokenizer is not None:
        return load_tokenizer(options.tokenizer)
    assert options.new_vocabulary is not None
    return learn_tokenizer(texts.Documents(files, options.reading), options.new_vocabulary, options.lower_case)


def _write(files: list[Path], folder: Path, tokenizer: Tokenizer, options: Preparation, quiet: bool) -> None:
    save_tokenizer(tokenizer, folder / "tokenizer")
    if options.tokenizer is not None and any((options.tokenizer / name).is_file() for name in FILES):
        copy_tokenizer(options.tokenizer, folder / "tokenizer")
    writers = {split: Shards(folder, split, options.shard_segments) for split in ("train", "heldout")}
    rng = np.random.default_rng(options.seed)
    number = 0
    starts: list[int] = []  # the first document of each file
    single: list[Path] = []  # files that are one document
    progress = Progress(sum(file.stat().st_size for file in files), "byte", quiet, name="prepare", scale=True)
    try:
        for file in files:
            starts.append(number)
            for documents in texts.groups(texts.read_documents(file, options.reading), DOCUMENTS_A_BATCH):
                for sentences in _encoded(tokenizer, documents):
                    split = "heldout" if rng.random() < options.heldout else "train"
                    for ids, cuts in _segments(sentences, options, rng):
                        writers[split].add(ids, cuts, number)
                    number += 1
                progress.advance(sum(len(document) for document in documents))
            if file.suffix == ".txt" and number == starts[-1] + 1 and not options.reading.lines:
                single.append(file)
    finally:
        progress.close()
    for writer in writers.values():
        writer.close()
    if not writers["train"].segments:
        raise TrainingError(f"{len(files)} files ({number} documents) have no text to train on.")
    if options.heldout > 0 and not writers["heldout"].segments:
        _nothing_held_out(files, number, single, options)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "tokenizer": fingerprint(tokenizer),
        "vocab_size": tokenizer.get_vocab_size(),
        "max_tokens": options.max_tokens,
        "seed": options.seed,
        "whole": options.whole,
        "documents": number,
        "sources": [{"name": file.name, "first": first} for file, first in zip(files, starts, strict=True)],
        **{key: {split: getattr(w, key) for split, w in writers.items()} for key in ("shards", "segments", "tokens")},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")


def _nothing_held_out(files: list[Path], number: int, single: list[Path], options: Preparation) -> None:
    """Raises TrainingError for a single document, which is usually a mistake; warns of few ones."""
    if number == 1:
        raise TrainingError(
            f"{files[0]}: one document, so nothing can be held out; expected several, in .txt with blank lines between "
            "them. Add blank lines, use --lines if each line is a document, or --heldout 0 to hold out nothing."
        )
    if single:
        hint = f"{single[0]} has no blank line and is one document; if each of its lines is one, use --lines."
    else:
        hint = f"Use a larger share, such as --heldout {min(0.5, 5 / number):.2g}."
    warnings.warn(
        f"{files[0].parent}: none of {number:,} documents is held out at --heldout {options.heldout:g}; evaluation and "
        f"export need some. {hint}",
        TrainingWarning,
        stacklevel=2,
    )


def _encoded(tokenizer: Tokenizer, documents: list[str]) -> Iterator[list[list[int]]]:
    """Ids of the sentences of each document, all tokenised in one call."""
    split = [texts.split_sentences(document) for document in documents]
    ids = encode(tokenizer, [sentence for sentences in split for sentence in sentences])
    for sentences in split:
        yield [piece for _ in sentences if (piece := next(ids))]


def _segments(
    sentences: list[list[int]], options: Preparation, rng: np.random.Generator
) -> Iterator[tuple[list[int], list[int]]]:
    if not options.whole:
        yield from segments(sentences, options.max_tokens - 3, options.short, rng)
    elif ids := [piece for sentence in sentences for piece in sentence][: options.max_tokens - 2]:
        yield ids, [len(ids)]


def segments(
    sentences: list[list[int]], room: int, short: float, rng: np.random.Generator
) -> Iterator[tuple[list[int], list[int]]]:
    """Ids and cuts of consecutive whole sentences, up to `room` tokens; a longer sentence is split."""
    ids: list[int] = []
    cuts: list[int] = []
    limit = room
    for sentence in sentences:
        for start in range(0, len(sentence), room):
            piece = sentence[start : start + room]
            if ids and len(ids) + len(piece) > limit:
                yield ids, cuts
                ids, cuts = [], []
            if not ids:
                limit = int(rng.integers(2, room + 1)) if rng.random() < short else room
            ids = ids + piece
            cuts = [*cuts, len(ids)]
    if ids:
        yield ids, cuts


class Shards:
    """Writes the Arrow files of one split, up to `size` rows each."""

    def __init__(self, folder: Path, split: str, size: int, batch: int = 4096) -> None:
        self._folder, self._split, self._size, self._batch = folder, split, size, batch
        self._rows: dict[str, list[object]] = {name: [] for name in SCHEMA.names}
        self._writer: pa.RecordBatchFileWriter | None = None
        self._in_shard = 0
        self.shards: list[str] = []
        self.segments = 0
        self.tokens = 0

    def add(self, ids: list[int], cuts: list[int], document: int) -> None:
        for name, value in zip(SCHEMA.names, (ids, cuts, document), strict=True):
            self._rows[name].append(value)
        self.segments += 1
        self.tokens += len(ids)
        if len(self._rows["ids"]) == self._batch:
            self._flush()

    def close(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        if not self._rows["ids"]:
            return
        if self._writer is not None and self._in_shard >= self._size:
            self._writer.close()
            self._writer = None
        if self._writer is None:
            self.shards.append(f"{self._split}-{len(self.shards):05d}.arrow")
            self._writer = pa.ipc.new_file(str(self._folder / self.shards[-1]), SCHEMA)
            self._in_shard = 0
        self._writer.write_batch(pa.RecordBatch.from_pydict(self._rows, schema=SCHEMA))
        self._in_shard += len(self._rows["ids"])
        self._rows = {name: [] for name in SCHEMA.names}
