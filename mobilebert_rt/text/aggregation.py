"""From a label for each token to entities: the BIO scheme, and how a word of several tokens is settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from mobilebert_rt.text.numeric import Floats, fold_sum
from mobilebert_rt.text.results import Entity

Aggregation: TypeAlias = Literal["none", "simple", "first", "max"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one text. scores: probabilities [T, labels]; offsets: characters [start, end) of each;
    words: the number of each token's word (None where the tokenizer knows none)."""

    scores: Floats
    offsets: list[tuple[int, int]]
    words: list[int | None]


@dataclass(frozen=True, slots=True)
class _Unit:
    """A token or a word with its one label."""

    label: int
    score: float
    start: int
    end: int


def entities_of(
    text: str, tokens: Tokens, labels: Sequence[str], ignored: frozenset[str], how: Aggregation
) -> list[Entity]:
    """The entities of a text in order, without those whose label is in `ignored`.

    "none": each token alone, its label as the model names it (B-PER). "simple": neighbouring tokens of one
    type become one entity, named without its prefix (PER); B- begins a new one. "first" and "max" settle
    words first, so that no word is split: a word has the label of its first token, or of its surest one; then
    words join as in "simple".
    """
    units = _token_units(tokens) if how in ("none", "simple") else _word_units(tokens, how)
    groups = [[unit] for unit in units] if how == "none" else _joined(units, labels)
    found = []
    for group in groups:
        name = labels[group[0].label]
        kind = name if how == "none" else split_label(name)[1]
        if name in ignored or kind in ignored:
            continue
        start, end = group[0].start, group[-1].end
        score = fold_sum([unit.score for unit in group]) / len(group)
        found.append(Entity(text[start:end], kind, float(np.float32(score)), start, end))
    return found


def split_label(name: str) -> tuple[str, str]:
    """("B" or "I", type): B-PER -> B, PER; a name without a prefix continues its like: PER -> I, PER."""
    return (name[0], name[2:]) if name[:2] in ("B-", "I-") and len(name) > 2 else ("I", name)


def _token_units(tokens: Tokens) -> list[_Unit]:
    best = np.argmax(tokens.scores, axis=1)
    return [
        _Unit(int(label), float(tokens.scores[i, label]), *tokens.offsets[i]) for i, label in enumerate(best.tolist())
    ]


def _word_units(tokens: Tokens, how: Aggregation) -> list[_Unit]:
    pieces = _token_units(tokens)
    units = []
    begin = 0
    for i in range(1, len(pieces) + 1):
        if i < len(pieces) and tokens.words[i] is not None and tokens.words[i] == tokens.words[i - 1]:
            continue
        word = pieces[begin:i]
        chosen = word[0] if how == "first" else max(word, key=lambda unit: unit.score)
        units.append(_Unit(chosen.label, chosen.score, word[0].start, word[-1].end))
        begin = i
    return units


def _joined(units: Sequence[_Unit], labels: Sequence[str]) -> list[list[_Unit]]:
    groups: list[list[_Unit]] = []
    previous = None
    for unit in units:
        prefix, kind = split_label(labels[unit.label])
        if groups and kind == previous and prefix == "I":
            groups[-1].append(unit)
        else:
            groups.append([unit])
        previous = kind
    return groups
