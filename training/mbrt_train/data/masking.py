"""Dynamic masking and next-sentence pairs: a function of only the segment and the seed of epoch and row.

So examples do not depend on the number of processes or on interruptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mbrt_train.data.corpus import Corpus, Segment
from mbrt_train.data.tokenizer import Vocabulary
from mbrt_train.tasks import IGNORED

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Masking:
    """probability: share of tokens to predict (0: none); most: their maximum per text. As in BERT, 80 % become [MASK],
    10 % a random word, and 10 % stay."""

    probability: float = 0.15
    most: int = 20
    whole_words: bool = False


class Example(NamedTuple):
    """ids, types, labels [n]; relation 0 (next), 1 (not next), or IGNORED."""

    ids: Ints
    types: Ints
    labels: Ints
    relation: int


def pair(corpus: Corpus, row: int, room: int, rng: np.random.Generator) -> tuple[Ints, Ints | None, int]:
    """Two parts of a segment or, in half of the cases, of two documents; a single sentence stays alone.

    `room`: maximum tokens of both. The longer part is truncated.
    """
    segment = corpus[row]
    first = segment.ids.astype(np.int64)
    if len(segment.cuts) < 2:
        return first[:room], None, IGNORED
    cut = int(rng.choice(segment.cuts[:-1]))
    first, second, relation = first[:cut], first[cut:], 0
    if rng.random() < 0.5:
        other = _other_document(corpus, segment, rng)
        if other is not None:
            start = int(rng.choice(np.concatenate([[0], other.cuts[:-1]])))
            second, relation = other.ids[start:].astype(np.int64)[: max(len(second), 8)], 1
    over = len(first) + len(second) - room
    if over > 0:
        keep_second = max(room // 2, room - len(first))
        second = second[:keep_second]
        first = first[: room - len(second)]
    return first, second, relation


def _other_document(corpus: Corpus, segment: Segment, rng: np.random.Generator) -> Segment | None:
    for _ in range(10):
        other = corpus[int(rng.integers(len(corpus)))]
        if other.document != segment.document:
            return other
    return None


def mask_tokens(ids: Ints, vocabulary: Vocabulary, masking: Masking, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Ids with some masked, and labels: the word where one was chosen, IGNORED elsewhere."""
    labels = np.full_like(ids, IGNORED)
    open_to_choice = np.flatnonzero(~np.isin(ids, vocabulary.specials))
    wanted = min(masking.most, max(1, round(masking.probability * len(open_to_choice))))
    if masking.probability == 0 or not len(open_to_choice):
        return ids, labels
    if masking.whole_words:
        begins = ~vocabulary.continues[ids[open_to_choice]]
        chosen = _whole_words(open_to_choice, begins, wanted, rng)
    else:
        chosen = rng.permutation(open_to_choice)[:wanted]
    labels[chosen] = ids[chosen]
    lot = rng.random(len(chosen))
    hidden = ids.copy()
    hidden[chosen[lot < 0.8]] = vocabulary.mask
    swapped = chosen[lot >= 0.9]
    hidden[swapped] = rng.integers(0, vocabulary.size, len(swapped))
    return hidden, labels


def _whole_words(places: Ints, begins: NDArray[np.bool_], wanted: int, rng: np.random.Generator) -> Ints:
    """Positions of random whole words, as many as fit into `wanted`; begins: whether a position begins a word."""
    begins[0] = True
    begins[1:] |= np.diff(places) > 1  # [SEP] lies between
    word = np.cumsum(begins) - 1
    sizes = np.bincount(word)
    order = rng.permutation(len(sizes))
    taken = np.zeros(len(sizes), dtype=bool)
    left = wanted
    for candidate in order:
        if sizes[candidate] <= left:
            taken[candidate] = True
            left -= int(sizes[candidate])
    if not taken.any():  # every word is longer than the number to mask
        taken[order[0]] = True
    found: Ints = places[taken[word]]
    return found


def make_example(
    corpus: Corpus,
    place: tuple[int, int],
    vocabulary: Vocabulary,
    masking: Masking,
    rng: np.random.Generator,
    *,
    pairs: bool,
) -> Example:
    """[CLS] first [SEP], or [CLS] first [SEP] second [SEP], with some words masked.

    place: the row, and the maximum number of tokens besides the special ones.
    """
    row, room = place
    if pairs:
        first, second, relation = pair(corpus, row, room, rng)
    else:
        first, second, relation = corpus[row].ids[:room].astype(np.int64), None, IGNORED
    parts = [np.array([vocabulary.cls]), first, np.array([vocabulary.sep])]
    types = [np.zeros(len(first) + 2, np.int64)]
    if second is not None:
        parts += [second, np.array([vocabulary.sep])]
        types.append(np.ones(len(second) + 1, np.int64))
    ids, labels = mask_tokens(np.concatenate(parts), vocabulary, masking, rng)
    return Example(ids, np.concatenate(types), labels, relation)
