"""SQuAD v1.1 and v2.0: overlapping windows of the context, answers as spans, EM and F1 as in the official script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from mbrt_train.config import Config
from mbrt_train.data.files import UTF8, read_text
from mbrt_train.errors import TrainingError
from mbrt_train.heads import AnyModel, QuestionAnswering
from mbrt_train.tuning.metrics import exact_match, token_f1
from mbrt_train.tuning.task import Encoded, Example, Predict, mixed

STRIDE = 128  # tokens that two windows of a context share
MAX_QUESTION = 64
MAX_ANSWER = 30
BEST = 20


@dataclass(frozen=True)
class Question:
    """A question, its context and its accepted answers; none if it cannot be answered."""

    text: str
    context: str
    answers: tuple[str, ...]
    start: int | None  # of the first answer, in characters of the context


@dataclass(frozen=True)
class Window:
    """One window: its question and its index, and the characters of each context token (-1, -1 elsewhere)."""

    question: Question
    number: int
    spans: list[tuple[int, int]]


@dataclass(frozen=True)
class Squad:
    """Both versions; with unanswerable questions in the file, "" is a possible answer."""

    name: str = "SQuAD"
    main_metric: str = "f1"
    encoding: str = UTF8

    def read(self, file: Path, tokenizer: Tokenizer, max_length: int, *, training: bool) -> list[Example]:
        questions = read_questions(file, self.encoding)
        examples: list[Example] = []
        for number, question in enumerate(questions):
            for encoding in _windows(tokenizer, question, max_length):
                spans = [
                    span if sequence == 1 else (-1, -1)
                    for span, sequence in zip(encoding.offsets, encoding.sequence_ids, strict=True)
                ]
                sequence = Encoded(encoding.ids, encoding.type_ids)
                examples.append(Example((sequence,), _target(question, spans), Window(question, number, spans)))
        return examples

    def make_model(self, config: Config) -> AnyModel:
        return QuestionAnswering(config)

    def extra(self) -> dict[str, Any]:
        return {}

    def result(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """[B, S, 2], padding at the lowest float."""
        logits: Tensor = model(**batch)[0]
        return logits.masked_fill(batch["mask"][..., None] == 0, torch.finfo(logits.dtype).min)

    def loss(self, made: Tensor, examples: Sequence[Example], teacher: Tensor | None, alpha: float) -> Tensor:
        targets = torch.tensor([example.target for example in examples], device=made.device)  # [B, 2]
        ours = made.transpose(1, 2)  # [B, 2, S]
        truth = F.cross_entropy(ours.flatten(0, 1), targets.flatten())
        return mixed(truth, ours, None if teacher is None else teacher.transpose(1, 2), alpha)

    def evaluate(self, predict: Predict, examples: Sequence[Example]) -> dict[str, float]:
        logits = predict([example.sequences[0] for example in examples])
        pairs = best_answers([example.origin for example in examples], logits)
        return {
            "f1": 100 * float(np.mean([token_f1(text, answers) for text, answers in pairs])),
            "exact_match": 100 * float(np.mean([exact_match(text, answers) for text, answers in pairs])),
        }


def read_questions(file: Path, encoding: str = UTF8) -> list[Question]:
    """Questions of a SQuAD JSON file. Raises TrainingError for another format and for answers not in the context."""
    try:
        articles = json.loads(read_text(file, encoding))["data"]
        found = [
            _question(file, paragraph["context"], entry)
            for article in articles
            for paragraph in article["paragraphs"]
            for entry in paragraph["qas"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, TrainingError):
            raise
        raise TrainingError(f"{file}: not SQuAD's JSON format ({error!r}).") from None
    if not found:
        raise TrainingError(f"{file}: no questions.")
    return found


def _question(file: Path, context: str, entry: dict[str, Any]) -> Question:
    answers = [] if entry.get("is_impossible") else entry["answers"]
    for answer in answers:
        start = answer["answer_start"]
        if context[start : start + len(answer["text"])] != answer["text"]:
            raise TrainingError(
                f"{file}: question {entry.get('id')!r}: the answer {answer['text']!r} is not at {start} in the context."
            )
    start = answers[0]["answer_start"] if answers else None
    return Question(entry["question"], context, tuple(answer["text"] for answer in answers), start)


def _windows(tokenizer: Tokenizer, question: Question, max_length: int) -> list[Encoding]:
    asked = tokenizer.encode(question.text.strip(), add_special_tokens=False)
    text = question.text.strip()
    if len(asked.ids) > MAX_QUESTION:
        text = text[: asked.offsets[MAX_QUESTION - 1][1]]
    room = max_length - min(len(asked.ids), MAX_QUESTION) - 3
    if room < 2:
        raise TrainingError(f"max_length is {max_length}, which leaves no tokens for the context. Use a larger one.")
    tokenizer.enable_truncation(max_length, stride=min(STRIDE, room // 2), strategy="only_second")
    encoding = tokenizer.encode(text, question.context)
    tokenizer.no_truncation()
    return [encoding, *encoding.overflowing]


def _target(question: Question, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """First and last token of the answer; [CLS] twice if the window does not contain it."""
    if question.start is None:
        return 0, 0
    first, end = question.start, question.start + len(question.answers[0])
    starts = [i for i, (a, b) in enumerate(spans) if a <= first < b]
    ends = [i for i, (a, b) in enumerate(spans) if a < end <= b]
    return (starts[0], ends[0]) if starts and ends else (0, 0)


def best_answers(windows: list[Window], logits: list[NDArray[Any]]) -> list[tuple[str, tuple[str, ...]]]:
    """The most likely span of each question over all its windows, and the accepted answers.

    If the file has questions without an answer, the answer is "" when no span is more likely.
    """
    may_be_empty = any(not window.question.answers for window in windows)
    questions = {window.number: window.question for window in windows}
    best = dict.fromkeys(questions, (-np.inf, ""))
    nothing = dict.fromkeys(questions, np.inf)
    for window, scores in zip(windows, logits, strict=True):
        n = window.number
        nothing[n] = min(nothing[n], float(scores[0].sum()))
        score, first, last = _best_span(scores, window.spans)
        if score > best[n][0]:
            best[n] = (score, window.question.context[window.spans[first][0] : window.spans[last][1]])
    return [
        ("" if may_be_empty and nothing[n] > best[n][0] else best[n][1], question.answers)
        for n, question in questions.items()
    ]


def _best_span(scores: NDArray[Any], spans: list[tuple[int, int]]) -> tuple[float, int, int]:
    inside = np.array([a >= 0 for a, _ in spans])
    start, end = (np.where(inside, scores[: len(spans), side].astype(np.float64), -np.inf) for side in (0, 1))
    best = (-np.inf, 0, 0)
    for first in np.argsort(-start)[:BEST]:
        stretch = end[first : first + MAX_ANSWER]
        last = int(first) + int(stretch.argmax())
        if start[first] + end[last] > best[0]:
            best = (float(start[first] + end[last]), int(first), last)
    return best
