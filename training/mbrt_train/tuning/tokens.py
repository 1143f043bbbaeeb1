"""Labels of words (named entities, parts of speech) from CoNLL files, JSON lines and Parquet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from mbrt_train.config import Config
from mbrt_train.data.files import read_text
from mbrt_train.errors import TrainingError
from mbrt_train.heads import AnyModel, TokenClassifier
from mbrt_train.tasks import IGNORED
from mbrt_train.tuning.metrics import entity_f1
from mbrt_train.tuning.own import NO_DATA, Data, OwnTask, as_label, as_text, column, distinct
from mbrt_train.tuning.tables import Row, read_rows
from mbrt_train.tuning.task import Encoded, Example, Predict, mixed

OUTSIDE = "O"
TEXTS = ("tokens", "words", "text", "sentence", "content")
LABELS = ("ner_tags", "tags", "labels", "label", "entities", "spans", "ner", "pos_tags")


@dataclass(frozen=True)
class Sentence:
    """words with a label each; or a text with entities (start, end, type), whose words the tokenizer finds."""

    where: str
    words: list[str] | str
    labels: list[Any]


@dataclass(frozen=True)
class OwnTokens(OwnTask):
    """A label for each word, at the word's first token; longer texts are split into windows without overlap."""

    name: str
    data: Data = NO_DATA
    labels: tuple[str, ...] = ()
    source: str = ""

    @property
    def main_metric(self) -> str:
        return "f1" if OUTSIDE in self.labels else "accuracy"

    def labels_in(self, file: Path) -> tuple[str, ...]:
        sentences = self._sentences(file)
        found: list[str] = []
        for sentence in sentences:
            if isinstance(sentence.words, str):
                found += [OUTSIDE, *(f"{side}-{kind}" for _, _, kind in sentence.labels for side in "BI")]
            else:
                found += [as_label(sentence.where, label) for label in sentence.labels]
        return distinct(file, found, "the file", -1)

    def labelled(self, labels: tuple[str, ...], source: Path) -> OwnTokens:
        return replace(self, labels=self.data.labels or labels, source="--labels" if self.data.labels else str(source))

    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        examples = []
        for number, sentence in enumerate(self._sentences(file)):
            tokenizer.enable_truncation(max_length)
            encoding = tokenizer.encode(sentence.words, is_pretokenized=not isinstance(sentence.words, str))
            tokenizer.no_truncation()
            parts = [encoding, *encoding.overflowing]
            labels = word_labels(sentence, parts)
            seen: set[int] = set()
            for part in parts:
                target = [IGNORED] * len(part.ids)
                for i, word in enumerate(part.word_ids):
                    if word is not None and word not in seen:
                        seen.add(word)
                        target[i] = self.index(sentence.where, labels[word])
                examples.append(Example((Encoded(part.ids, part.type_ids),), target, number))
        return examples

    def _sentences(self, file: Path) -> list[Sentence]:
        if file.suffix.lower() in (".jsonl", ".parquet"):
            rows = read_rows(file, self.data.encoding)
            words = column(file, rows[0], self.data.text, TEXTS, "--text-column")
            labels = column(file, rows[0], self.data.label, LABELS, "--label-column")
            return [_from_row(row, words, labels) for row in rows]
        found = list(read_conll(file, self.data.encoding))
        if not found:
            raise TrainingError(f"{file}: no sentences; expected a word and its label on each line.")
        return found

    def make_model(self, config: Config) -> AnyModel:
        return TokenClassifier(config, len(self.labels))

    def extra(self) -> dict[str, Any]:
        return {
            "id2label": {str(i): label for i, label in enumerate(self.labels)},
            "label2id": {label: i for i, label in enumerate(self.labels)},
        }

    def result(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """[B, S, n]"""
        logits: Tensor = model(**batch)[0]
        return logits

    def loss(self, made: Tensor, examples: Sequence[Example], teacher: Tensor | None, alpha: float) -> Tensor:
        padded = [example.target + [IGNORED] * (made.shape[1] - len(example.target)) for example in examples]
        targets = torch.tensor(padded, device=made.device)  # [B, S]
        kept = targets != IGNORED
        ours = made[kept]  # [M, n]
        truth = F.cross_entropy(ours, targets[kept], reduction="sum") / max(1, len(ours))
        return mixed(truth, ours, None if teacher is None or not len(ours) else teacher[kept], alpha)

    def evaluate(self, predict: Predict, examples: Sequence[Example]) -> dict[str, float]:
        logits = predict([example.sequences[0] for example in examples])
        truth: dict[int, list[str]] = {}
        found: dict[int, list[str]] = {}
        for example, rows in zip(examples, logits, strict=True):
            for target, row in zip(example.target, rows, strict=True):
                if target != IGNORED:
                    truth.setdefault(example.origin, []).append(self.labels[target])
                    found.setdefault(example.origin, []).append(self.labels[int(row.argmax())])
        same = [a == b for number in truth for a, b in zip(truth[number], found[number], strict=True)]
        metrics = {"accuracy": 100 * float(np.mean(same))}
        if OUTSIDE in self.labels:
            metrics = {"f1": entity_f1(list(truth.values()), list(found.values()))} | metrics
        return metrics


def word_labels(sentence: Sentence, parts: Sequence[Encoding]) -> dict[int, Any]:
    """The label of each word by its number in the encoding."""
    if not isinstance(sentence.words, str):
        return dict(enumerate(sentence.labels))
    extents: dict[int, tuple[int, int]] = {}
    for part in parts:
        for word, (start, end) in zip(part.word_ids, part.offsets, strict=True):
            if word is not None:
                extents[word] = (extents.get(word, (start, end))[0], end)
    found: dict[int, Any] = dict.fromkeys(extents, OUTSIDE)
    for start, end, kind in sentence.labels:
        inside = [word for word, (a, b) in sorted(extents.items()) if a < end and b > start]
        for i, word in enumerate(inside):
            found[word] = f"{'I' if i else 'B'}-{kind}"
    return found


def read_conll(file: Path, encoding: str) -> Iterator[Sentence]:
    """Sentences between blank lines; each line has columns between tabs or spaces, the word first, its label last.

    -DOCSTART- and comments are skipped. Raises TrainingError for lines with another number of columns.
    """
    words: list[str] = []
    labels: list[str] = []
    columns = 0
    begin = 1
    for number, raw in enumerate([*read_text(file, encoding).split("\n"), ""], 1):
        line = raw.strip(" \r")
        fields = line.split("\t") if "\t" in line else re.split(" +", line)
        if not line.strip() or fields[0] == "-DOCSTART-":
            if words:
                yield Sentence(f"{file}:{begin}", words, labels)
            words, labels = [], []
            continue
        if line.startswith("#") and len(fields) != (columns or 2):
            continue  # a comment
        columns = columns or len(fields)
        if len(fields) != columns or columns < 2:
            raise TrainingError(
                f"{file}:{number}: {len(fields)} columns in {line[:40]!r}; expected {max(2, columns)}: the word first, "
                "its label last. Put a tab or spaces between them, and a blank line between sentences."
            )
        begin = begin if words else number
        words.append(fields[0])
        labels.append(fields[-1])


def _from_row(row: Row, words: str, labels: str) -> Sentence:
    given, listed = row.values.get(words), row.values.get(labels)
    if not isinstance(listed, list):
        raise TrainingError(
            f"{row.where}: {labels!r} is {listed!r}; expected a list. Name the column with --label-column."
        )
    if isinstance(given, str):
        return Sentence(row.where, as_text(row, words), _spans(row, given, listed))
    if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
        raise TrainingError(f"{row.where}: {words!r} is {given!r}; expected a list of words or a text.")
    if len(given) != len(listed):
        raise TrainingError(
            f"{row.where}: {len(given)} words and {len(listed)} labels; expected one label for each word."
        )
    return Sentence(row.where, given, listed)


def _spans(row: Row, text: str, listed: list[Any]) -> list[tuple[int, int, str]]:
    found = []
    for entry in listed:
        try:
            start, end, kind = (entry[key] for key in ("start", "end", "label")) if isinstance(entry, dict) else entry
        except (TypeError, ValueError, KeyError):
            start, end, kind = None, None, ""
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text) or not kind:
            raise TrainingError(
                f"{row.where}: the entity is {entry!r}; expected start, end (in a text of {len(text)} characters) and "
                'label, as an object {"start": 0, "end": 3, "label": "PER"} or a list [0, 3, "PER"].'
            )
        found.append((start, end, str(kind)))
    found.sort()
    for (_, end, _), (start, *_) in pairwise(found):
        if start < end:
            raise TrainingError(f"{row.where}: two entities overlap at {start}; expected separate ones. Remove one.")
    return found
