"""GLUE's sentence tasks, from GLUE's files or common variants of them without a header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from mbrt_train.data.files import UTF8
from mbrt_train.errors import TrainingError
from mbrt_train.tuning.classification import REGRESSION, SINGLE, Classification, encode
from mbrt_train.tuning.tables import Line, read_columns
from mbrt_train.tuning.task import Example

HIGHEST = 5.0  # score of STS-B


@dataclass(frozen=True)
class Glue(Classification):
    """A classification task, or regression if it has no labels.

    texts: column names of the one or two texts; label: names of the label's column; places: their column numbers
    without a header. metrics: the first determines the best epoch.
    """

    name: str
    texts: tuple[tuple[str, ...], ...]
    label: tuple[str, ...]
    places: tuple[int, ...]
    labels: tuple[str, ...]
    metrics: tuple[str, ...]

    encoding: str = UTF8

    @property
    def problem(self) -> str:  # type: ignore[override]
        return SINGLE if self.labels else REGRESSION

    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        lines = read_columns(file, (*self.texts, self.label), self.places, self.encoding)
        texts = [line.fields[0] if len(self.texts) == 1 else (line.fields[0], line.fields[1]) for line in lines]
        encoded = encode(tokenizer, texts, max_length)
        return [Example((e,), self.target(line)) for e, line in zip(encoded, lines, strict=True)]

    def target(self, line: Line) -> int | float:
        """The label's index, or the score. Raises TrainingError for an unknown label."""
        text = line.fields[-1].strip()
        if not self.labels:
            return score_of(line)
        if text in self.labels:
            return self.labels.index(text)
        if text.isdecimal() and int(text) < len(self.labels) == 2:  # only files with numbers as labels have two
            return int(text)
        allowed = ", ".join(self.labels) + (" (or 0, 1)" if len(self.labels) == 2 else "")
        raise TrainingError(f"{line.where}: the label is {text!r}; expected one of {allowed}.")


def score_of(line: Line) -> float:
    """A score of STS-B. Raises TrainingError for another number."""
    try:
        value = float(line.fields[-1])
    except ValueError:
        value = float("nan")
    if not 0 <= value <= HIGHEST:
        raise TrainingError(f"{line.where}: the score is {line.fields[-1]!r}; expected a number from 0 to 5.")
    return value


_PAIR = (("sentence1", "#1 String"), ("sentence2", "#2 String"))
STS_B = Glue("STS-B", _PAIR, ("score",), (0, 1, 2), (), ("pearson", "spearman"))
_ENTAILMENT = ("entailment", "not_entailment")
TASKS = {
    task.name: task
    for task in (
        Glue("CoLA", (("sentence",),), ("label",), (3, 1), ("unacceptable", "acceptable"), ("matthews",)),
        Glue("SST-2", (("sentence",),), ("label",), (0, 1), ("negative", "positive"), ("accuracy",)),
        Glue("MRPC", _PAIR, ("Quality", "label"), (3, 4, 0), ("different", "equivalent"), ("f1", "accuracy")),
        STS_B,
        Glue(
            "QQP",
            (("question1",), ("question2",)),
            ("is_duplicate",),
            (3, 4, 5),
            ("different", "duplicate"),
            ("f1", "accuracy"),
        ),
        Glue(
            "MNLI",
            _PAIR,
            ("gold_label", "label"),
            (8, 9, 11),
            ("entailment", "neutral", "contradiction"),
            ("accuracy",),
        ),
        Glue("QNLI", (("question",), ("sentence",)), ("label",), (1, 2, 3), _ENTAILMENT, ("accuracy",)),
        Glue("RTE", _PAIR, ("label",), (1, 2, 3), _ENTAILMENT, ("accuracy",)),
    )
}
