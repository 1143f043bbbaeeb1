"""Tasks on one's own data: labels, several labels or a number for each text or pair, from files with named columns."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from tokenizers import Tokenizer

from mbrt_train.data.files import UTF8
from mbrt_train.errors import TrainingError
from mbrt_train.tuning.classification import MULTI, REGRESSION, SINGLE, Classification, encode
from mbrt_train.tuning.tables import Row, read_rows
from mbrt_train.tuning.task import Example

# Names of columns that need not be given, in order of preference.
TEXTS = ("text", "sentence", "sentence1", "premise", "question1", "content", "review", "body", "comment")
PAIRS = ("text_pair", "sentence2", "hypothesis", "question2")
LABELS = ("label", "labels", "class", "category", "topic", "intent", "sentiment", "target", "score")
SEPARATOR = "|"  # between the labels of a text in CSV and TSV
METRICS = {
    SINGLE: ("accuracy", "f1_macro"),
    MULTI: ("f1_micro", "f1_macro", "exact_match"),
    REGRESSION: ("pearson", "spearman"),
}
SHOWN = 10
Task = TypeVar("Task", bound="OwnTask")


@dataclass(frozen=True)
class Data:
    """How files are read: names of columns (None: the usual names are tried), labels (None: those of the training
    file), and the encoding."""

    text: str | None = None
    pair: str | None = None
    label: str | None = None
    labels: tuple[str, ...] | None = None
    encoding: str = UTF8


NO_DATA = Data()


class OwnTask(ABC):
    """A task whose labels are not known before its data: `labelled` gives them."""

    data: Data
    labels: tuple[str, ...]
    source: str  # what the labels come from

    @abstractmethod
    def labels_in(self, file: Path) -> tuple[str, ...]:
        """The labels of a training file, sorted. Raises TrainingError for wrong content."""

    @abstractmethod
    def labelled(self: Task, labels: tuple[str, ...], source: Path) -> Task:
        """The same task with these labels, which come from `source`; with those in `data`, if any were given."""

    def index(self, where: str, label: Any) -> int:
        """The label's index; with `data.labels`, a number may be the index itself. Raises TrainingError."""
        text = as_label(where, label)
        if text in self.labels:
            return self.labels.index(text)
        if self.data.labels is not None and text.isdecimal() and int(text) < len(self.labels):
            return int(text)
        shown = ", ".join(self.labels[:SHOWN]) + (", ..." if len(self.labels) > SHOWN else "")
        raise TrainingError(
            f"{where}: the label is {text!r}; expected one of {shown} (from {self.source}). Correct it, or name all "
            "labels with --labels."
        )


@dataclass(frozen=True)
class OwnTexts(OwnTask, Classification):
    """Classification of texts or pairs. Files: CSV or TSV with a header, JSON lines, Parquet."""

    name: str
    problem: str
    data: Data = NO_DATA
    labels: tuple[str, ...] = ()
    source: str = ""

    @property
    def metrics(self) -> tuple[str, ...]:  # type: ignore[override]
        return METRICS[self.problem]

    def labels_in(self, file: Path) -> tuple[str, ...]:
        if self.problem == REGRESSION:
            return ()
        rows = read_rows(file, self.data.encoding)
        columns = self._label_columns(file, rows[0])
        if len(columns) > 1:
            return columns
        values = [(row.where, value) for row in rows for value in self._values(row, columns[0])]
        return distinct(file, [as_label(where, value) for where, value in values], f"column {columns[0]!r}", len(rows))

    def labelled(self, labels: tuple[str, ...], source: Path) -> OwnTexts:
        if self.problem == REGRESSION:
            return self
        return replace(self, labels=self.data.labels or labels, source="--labels" if self.data.labels else str(source))

    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        rows = read_rows(file, self.data.encoding)
        text = column(file, rows[0], self.data.text, TEXTS, "--text-column")
        pair = self._pair_column(file, rows[0])
        labels = self._label_columns(file, rows[0])
        texts = [as_text(row, text) if pair is None else (as_text(row, text), as_text(row, pair)) for row in rows]
        encoded = encode(tokenizer, texts, max_length)
        return [Example((e,), self._target(row, labels)) for e, row in zip(encoded, rows, strict=True)]

    def _pair_column(self, file: Path, row: Row) -> str | None:
        if self.data.pair is not None:
            return column(file, row, self.data.pair, PAIRS, "--pair-column")
        return _any_of(row, PAIRS)

    def _label_columns(self, file: Path, row: Row) -> tuple[str, ...]:
        """One column; for several labels also one column of 0 and 1 for each label."""
        names = (self.data.label or "").split(",")
        if len(names) == 1 or self.problem != MULTI:
            return (column(file, row, self.data.label, LABELS, "--label-column"),)
        return tuple(column(file, row, name, LABELS, "--label-column") for name in names)

    def _values(self, row: Row, name: str) -> list[Any]:
        value = row.values.get(name)
        if self.problem == SINGLE:
            return [value]
        if isinstance(value, str):
            return [part.strip() for part in value.split(SEPARATOR) if part.strip()]
        if isinstance(value, list):
            return value
        raise TrainingError(
            f"{row.where}: {name!r} is {value!r}; expected a list of labels, or a string with {SEPARATOR!r} "
            "between them."
        )

    def _target(self, row: Row, columns: tuple[str, ...]) -> Any:
        if self.problem == REGRESSION:
            return as_number(row.where, row.values.get(columns[0]))
        if self.problem == SINGLE:
            return self.index(row.where, row.values.get(columns[0]))
        if len(columns) > 1:
            if sorted(columns) != sorted(self.labels):
                raise TrainingError(
                    f"{row.where}: the label columns are {', '.join(columns)}; expected {', '.join(self.labels)} (from "
                    f"{self.source}). Name one column for each label."
                )
            return [_flag(row, name) for name in self.labels]
        chosen = {self.index(row.where, value) for value in self._values(row, columns[0])}
        return [int(i in chosen) for i in range(len(self.labels))]


def column(file: Path, row: Row, given: str | None, usual: Sequence[str], option: str) -> str:
    """The name of a column: the given one, or the first of the usual names. Raises TrainingError."""
    if given is not None and given in row.values:
        return given
    found = None if given is not None else _any_of(row, usual)
    if found is None:
        wanted = repr(given) if given is not None else f"one of {', '.join(usual)}"
        raise TrainingError(
            f"{file}: the columns are {', '.join(row.values)}; expected {wanted}. Name the column with {option}."
        )
    return found


def _any_of(row: Row, usual: Sequence[str]) -> str | None:
    by_name = {name.strip().lower(): name for name in reversed(list(row.values))}
    return next((by_name[name] for name in usual if name in by_name), None)


def as_text(row: Row, name: str) -> str:
    value = row.values.get(name)
    if not isinstance(value, str):
        raise TrainingError(f"{row.where}: {name!r} is {value!r}; expected a text. Remove the row or fill it in.")
    return value


def as_label(where: str, value: Any) -> str:
    """A label as text; whole numbers without their decimals. Raises TrainingError for an empty one and for a list."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (list, dict)):
        raise TrainingError(
            f"{where}: the label is {value!r}; expected one label. For several, use --task multi-label."
        )
    text = "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value).strip()
    if not text:
        raise TrainingError(f"{where}: the label is empty; expected a label. Remove the row or fill it in.")
    return text


def as_number(where: str, value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise TrainingError(f"{where}: the score is {value!r}; expected a number. Remove the row or fill it in.")
    return found


def _flag(row: Row, name: str) -> int:
    value = row.values.get(name)
    if str(value).strip().lower() not in ("0", "1", "true", "false", "0.0", "1.0"):
        raise TrainingError(f"{row.where}: {name!r} is {value!r}; expected 0 or 1 in each of several label columns.")
    return int(str(value).strip().lower() in ("1", "true", "1.0"))


def distinct(file: Path, labels: Sequence[str], place: str, rows: int) -> tuple[str, ...]:
    """The different labels, sorted, numbers by their value. Raises TrainingError for a single one or one per row."""
    found = set(labels)
    if len(found) < 2:
        only = f"only the label {labels[0]!r}" if found else "no label"
        raise TrainingError(f"{file}: {place} has {only}; expected at least two different ones.")
    if len(found) == rows > SHOWN:
        raise TrainingError(
            f"{file}: {place} has a label of its own in each of the {rows:,} rows; expected classes. Name another "
            "column, or use --task regression for numbers."
        )
    return tuple(sorted(found, key=lambda text: (not text.isdecimal(), int(text) if text.isdecimal() else 0, text)))
