"""What the tasks return: frozen records. Scores are float32 values; offsets count characters of the text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Classification:
    """One label of a text. score: a probability, or the raw output of a regression."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Entity:
    """A labelled span of a text: `text == source[start:end]`. score: mean over its tokens or words."""

    text: str
    label: str
    score: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A span of the context: `text == context[start:end]`. An empty text says that the context holds no
    answer.

    score: probability among all spans that were allowed, over all windows of the context.
    """

    text: str
    score: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fill:
    """One proposal for a mask. sequence: the text with this mask replaced, all else as it was given."""

    token: str
    token_id: int
    score: float
    sequence: str
