"""The best answer spans of one question, over all windows of its context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mobilebert_rt.text.numeric import Doubles, exp_negative, fold_sum
from mobilebert_rt.text.windows import Window, own_tokens


@dataclass(frozen=True, slots=True)
class Scored:
    """A window and the logits [T] of its context tokens; null: start + end logit of [CLS]."""

    window: Window
    start: Doubles
    end: Doubles
    null: float


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of the context and their probability; None stands for "no answer"."""

    characters: tuple[int, int] | None
    score: float


def rank_spans(parts: Sequence[Scored], *, longest: int, null_bias: float | None, whole_words: bool) -> Iterator[Span]:
    """Spans of at most `longest` tokens, best first, no two with the same characters.

    A span's logit is that of its start plus that of its end. Each start counts only in the window that shows
    most of its surroundings, so no span is counted twice, and the scores (softmax over every allowed span)
    add up to 1. null_bias: None forbids "no answer"; else its logit is the least of the windows' [CLS] logits
    plus the bias.
    """
    owned = own_tokens([part.window for part in parts], [len(part.start) for part in parts])
    tables = [_table(part, own, longest) for part, own in zip(parts, owned, strict=True)]
    logits = np.concatenate([table.ravel() for table in tables])
    null = None if null_bias is None else min(part.null for part in parts) + null_bias
    if null is not None:
        logits = np.append(logits, null)
    finite = logits[np.isfinite(logits)]
    if not len(finite):
        return
    largest = np.max(finite)
    total = fold_sum(exp_negative(finite - largest))

    bounds = np.cumsum([0, *(table.size for table in tables)])
    seen: set[tuple[int, int] | None] = set()
    for flat in _descending(logits):
        if not np.isfinite(logits[flat]):
            return
        characters = None
        if flat < bounds[-1]:
            number = int(np.searchsorted(bounds, flat, side="right")) - 1
            row, extra = divmod(int(flat - bounds[number]), longest)
            begin = owned[number].start - parts[number].window.first + row
            characters = _characters(parts[number].window, begin, begin + extra, whole_words)
        if characters in seen:
            continue
        seen.add(characters)
        yield Span(characters, float(np.float32(exp_negative(logits[flat] - largest) / total)))


def _table(part: Scored, own: range, longest: int) -> Doubles:
    """[starts, longest] logits: entry (i, k) is the span from the i-th owned token to k tokens after it; -inf
    past the window's end."""
    begin, end = own.start - part.window.first, own.stop - part.window.first
    ends = np.concatenate([part.end, np.full(longest, -np.inf)])
    following = np.lib.stride_tricks.sliding_window_view(ends, longest)[begin:end]
    return np.asarray(part.start[begin:end, np.newaxis] + following)


def _descending(logits: Doubles) -> Iterator[int]:
    """Indices from the largest logit down (ties: first one first), sorting only as much as is asked for."""
    count = 64
    done = 0
    while done < len(logits):
        count = min(count, len(logits))
        threshold = np.partition(logits, len(logits) - count)[len(logits) - count]
        candidates = np.flatnonzero(logits >= threshold)
        order = candidates[np.argsort(-logits[candidates], kind="stable")]
        yield from order[done:].tolist()
        done = len(order)
        count = done * 8


def _characters(window: Window, first: int, last: int, whole_words: bool) -> tuple[int, int]:
    """Characters of the context from token `first` to token `last` of the window's context tokens."""
    assert window.encoding is not None
    part = window.part(1)
    begin, end = part.start + first, part.start + last
    if whole_words:
        words = window.encoding.word_ids
        while begin > part.start and words[begin] is not None and words[begin - 1] == words[begin]:
            begin -= 1
        while end < part.stop - 1 and words[end] is not None and words[end + 1] == words[end]:
            end += 1
    offsets = window.encoding.offsets
    return offsets[begin][0], offsets[end][1]
