"""Batches of a corpus in an order that depends only on seed and epoch, so a position is two integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from mbrt_train.data.corpus import Corpus
from mbrt_train.data.masking import Example, Masking, make_example
from mbrt_train.data.tokenizer import Vocabulary
from mbrt_train.data.vectors import Vectors
from mbrt_train.errors import TrainingError
from mbrt_train.tasks import IGNORED, Batch

WINDOW = 64  # batches whose rows are sorted by length together
SPECIALS = 3  # [CLS], [SEP], [SEP]


@dataclass(frozen=True)
class Batching:
    """texts: rows per batch; or tokens: maximum of rows times the longest row. max_length: tokens per text.

    pairs: next-sentence pairs instead of single segments. micro_tokens: maximum tokens of one forward pass, including
    padding; larger batches are accumulated. balance: an epoch has n^balance times a constant rows of a source of n
    rows: 1 is every row once; below, small sources are repeated and large ones are sampled.
    """

    texts: int = 0
    tokens: int = 0
    max_length: int = 128
    pairs: bool = True
    micro_tokens: int = 16384
    balance: float = 1.0
    masking: Masking = field(default_factory=Masking)
    seed: int = 0


class Batches:
    """The batches of a corpus, with a teacher's vectors if they are given.

    Raises TrainingError for options that contradict each other or the corpus.
    """

    def __init__(
        self, corpus: Corpus, vocabulary: Vocabulary, options: Batching, vectors: Vectors | None = None
    ) -> None:
        if (options.texts > 0) == (options.tokens > 0):
            raise TrainingError("set either data.texts or data.tokens.")
        if options.max_length <= SPECIALS or 0 < options.tokens < options.max_length:
            raise TrainingError(f"data.tokens is {options.tokens}; expected at least max_length, {options.max_length}.")
        if options.texts > len(corpus):
            raise TrainingError(f"the corpus has {len(corpus)} segments; a batch needs {options.texts}.")
        if not 0 <= options.balance <= 1:
            raise TrainingError(
                f"data.balance is {options.balance:g}; expected 0 (equal sources) to 1 (all rows once)."
            )
        self.corpus, self.vocabulary, self.options, self.vectors = corpus, vocabulary, options, vectors
        self._plan: tuple[int, list[NDArray[np.int64]]] | None = None

    def plan(self, epoch: int) -> list[NDArray[np.int64]]:
        """The rows of each batch of an epoch. Batches of `texts` drop the remainder; those of `tokens` use all rows."""
        if self._plan is None or self._plan[0] != epoch:
            rng = np.random.default_rng([self.options.seed, epoch])
            self._plan = (epoch, self._sorted_batches(self._order(rng), rng))
        return self._plan[1]

    def _order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The rows of an epoch in random order, balanced between the sources."""
        if self.options.balance == 1:
            return rng.permutation(len(self.corpus))
        by_source = np.argsort(self.corpus.sources(), kind="stable")
        sizes = np.bincount(self.corpus.sources())
        wanted = np.where(sizes > 0, sizes**self.options.balance, 0.0)
        wanted = np.ceil(wanted / wanted.sum() * len(self.corpus)).astype(np.int64)
        parts = []
        for rows, count in zip(np.split(by_source, np.cumsum(sizes)[:-1]), wanted, strict=True):
            if len(rows):
                parts += [rows] * (count // len(rows)) + [rng.permutation(rows)[: count % len(rows)]]
        return rng.permutation(np.concatenate(parts))

    def _sorted_batches(self, order: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Windows of the order are sorted by length and split into batches, which are shuffled within a window."""
        o = self.options
        lengths = np.minimum(self.corpus.lengths + SPECIALS, o.max_length)
        a_batch = o.texts or max(1, o.tokens // int(lengths.mean()))
        window = a_batch * WINDOW
        found: list[NDArray[np.int64]] = []
        for start in range(0, len(order), window):
            rows = order[start : start + window]
            rows = rows[np.argsort(-lengths[rows], kind="stable")]
            batches, first = [], 0
            while first < len(rows):
                size = o.texts or max(1, o.tokens // int(lengths[rows[first]]))  # the longest first
                batches.append(rows[first : first + size])
                first += size
            if o.texts and len(batches[-1]) < o.texts:
                batches.pop()
            found += [batches[i] for i in rng.permutation(len(batches))]
        return found

    def follow(self, epoch: int, index: int) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
        """(epoch, index, rows) of this batch and all following ones, endlessly."""
        while True:
            plan = self.plan(epoch)
            for i in range(index, len(plan)):
                yield epoch, i, plan[i]
            epoch, index = epoch + 1, 0

    def micro_batches(self, rows: Sequence[int] | NDArray[np.int64], epoch: int) -> list[Batch]:
        """The examples of these rows, in one or more batches of up to micro_tokens."""
        examples = [self.example(int(row), epoch) for row in rows]
        groups: list[list[Example]] = [[]]
        longest = 0
        for example in examples:
            longest = max(longest, len(example.ids))
            if groups[-1] and longest * (len(groups[-1]) + 1) > self.options.micro_tokens:
                groups.append([])
                longest = len(example.ids)
            groups[-1].append(example)
        ends = np.cumsum([len(group) for group in groups])[:-1]
        parts = np.split(np.asarray(rows, np.int64), ends)
        return [self._collate(group, part) for group, part in zip(groups, parts, strict=True)]

    def _collate(self, examples: Sequence[Example], rows: NDArray[np.int64]) -> Batch:
        batch = collate(examples, self.vocabulary.pad)
        if self.vectors is None:
            return batch
        return replace(batch, vectors=torch.from_numpy(self.vectors.of(self.corpus.documents[rows])))

    def example(self, row: int, epoch: int) -> Example:
        rng = np.random.default_rng([self.options.seed, epoch, row])
        o = self.options
        room = o.max_length - (SPECIALS if o.pairs else SPECIALS - 1)
        return make_example(self.corpus, (row, room), self.vocabulary, o.masking, rng, pairs=o.pairs)


def collate(examples: Sequence[Example], pad: int) -> Batch:
    """Examples padded on the right to the longest."""
    shape = (len(examples), max(len(example.ids) for example in examples))
    ids, mask, types, labels = (np.full(shape, value, np.int64) for value in (pad, 0, 0, IGNORED))
    for i, example in enumerate(examples):
        n = len(example.ids)
        ids[i, :n], mask[i, :n], types[i, :n], labels[i, :n] = example.ids, 1, example.types, example.labels
    relation = np.array([example.relation for example in examples], np.int64)
    return Batch(*(torch.from_numpy(array) for array in (ids, mask, types, labels, relation)))


@dataclass(frozen=True)
class Share:
    """One process's share of a batch. idle: it has no row and computes one whose loss does not count."""

    epoch: int
    index: int
    batches: list[Batch]
    idle: bool


def shares(batches: Batches, epoch: int, index: int, rank: int, world: int) -> Iterator[Share]:
    """This process's share of every batch from a position on, prepared one step ahead in a thread."""

    def make(place: tuple[int, int, NDArray[np.int64]]) -> Share:
        at_epoch, at_index, rows = place
        own = rows[rank::world]
        idle = len(own) == 0
        return Share(at_epoch, at_index, batches.micro_batches(rows[:1] if idle else own, at_epoch), idle)

    places = batches.follow(epoch, index)
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        ahead = pool.submit(make, next(places))
        while True:
            ready = ahead.result()
            ahead = pool.submit(make, next(places))
            yield ready
