"""What the tasks return: frozen records. Scores are float32 values; offsets count characters of the text."""

from __future__ import annotations

from dataclasses import dataclass


class _Record:
    """Short: scores have four digits, and of long texts the middle is left out."""

    __slots__ = ()

    def __repr__(self) -> str:
        names: dict[str, object] = self.__dataclass_fields__  # type: ignore[attr-defined]
        return f"{type(self).__name__}({', '.join(f'{name}={_shown(getattr(self, name))}' for name in names)})"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:48]} ... {text[-27:]}"


@dataclass(frozen=True, slots=True, repr=False)
class Classification(_Record):
    """One label of a text. score: a probability, or the raw output of a regression."""

    label: str
    score: float


@dataclass(frozen=True, slots=True, repr=False)
class ZeroShotClassification(_Record):
    """The caller's labels of a text, best first, with their scores."""

    sequence: str
    labels: list[str]
    scores: list[float]


@dataclass(frozen=True, slots=True, repr=False)
class RankedDocument(_Record):
    """A document and its relevance to the query. corpus_id: its index in the list that was given."""

    corpus_id: int
    score: float
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Entity(_Record):
    """A labelled span of a text: `text == source[start:end]`. score: mean over its tokens or words."""

    text: str
    label: str
    score: float
    start: int
    end: int


@dataclass(frozen=True, slots=True, repr=False)
class Answer(_Record):
    """A span of the context: `text == context[start:end]`. An empty text says that the context holds no
    answer.

    score: a sum of probabilities, which can exceed 1; see QuestionAnswerer.__call__.
    """

    text: str
    score: float
    start: int
    end: int


@dataclass(frozen=True, slots=True, repr=False)
class Fill(_Record):
    """One proposal for a mask. sequence: the text with this mask replaced, all else as it was given."""

    token: str
    token_id: int
    score: float
    sequence: str
