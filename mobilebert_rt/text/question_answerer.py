"""Answers from a text, as in SQuAD."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from mobilebert_rt.errors import InputError
from mobilebert_rt.text.batching import Job, run_windows
from mobilebert_rt.text.results import Answer
from mobilebert_rt.text.spans import Scored, rank_spans
from mobilebert_rt.text.task import Control, TextTask, refuse_path
from mobilebert_rt.text.tokenizer import Text
from mobilebert_rt.text.windows import OnOverflow, Window, encode_windows

if TYPE_CHECKING:
    from typing import Unpack

    from mobilebert_rt.model import Model, ModelOutput


@dataclass(frozen=True, slots=True)
class _Wanted:
    n_best: int
    max_answer_length: int
    allow_no_answer: bool
    null_threshold: float

    def __post_init__(self) -> None:
        for name in ("n_best", "max_answer_length"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it should be at least 1.")


class QuestionAnswerer(TextTask):
    """Stretches of a context that answer a question, with character offsets into the context.

    A context of any length is read in windows of max_length tokens (question included; default 384, or the
    model's own limit when that is less) of which neighbours share doc_stride tokens (Hugging Face's meaning
    of the word). on_overflow: "stride" by default; "error" and "truncate" as in TextTask. whole_words: never
    answer with part of a word. Other keywords: see TextTask.

        answerer = QuestionAnswerer.from_pretrained("squad.safetensors")
        answerer("Who wrote it?", "The notes were written by Ada Lovelace in 1843.")[0].text
    """

    heads = ("question_answering",)

    def __init__(
        self,
        model: Model,
        *,
        max_length: int | None = None,
        doc_stride: int = 128,
        on_overflow: OnOverflow = "stride",
        whole_words: bool = True,
        **options: Any,
    ) -> None:
        refuse_path(model, type(self))
        length = min(384, model.config.max_positions) if max_length is None else max_length
        super().__init__(model, max_length=length, on_overflow=on_overflow, stride=doc_stride, **options)
        self.whole_words = whole_words

    @overload
    def __call__(
        self,
        question: str,
        context: str,
        *,
        n_best: int = 1,
        max_answer_length: int = 30,
        allow_no_answer: bool = False,
        null_threshold: float = 0.0,
        **control: Unpack[Control],
    ) -> list[Answer]: ...
    @overload
    def __call__(
        self,
        question: list[str],
        context: str | list[str],
        *,
        n_best: int = 1,
        max_answer_length: int = 30,
        allow_no_answer: bool = False,
        null_threshold: float = 0.0,
        **control: Unpack[Control],
    ) -> list[list[Answer]]: ...
    def __call__(
        self,
        question: Any,
        context: Any,
        *,
        n_best: int = 1,
        max_answer_length: int = 30,
        allow_no_answer: bool = False,
        null_threshold: float = 0.0,
        **control: Unpack[Control],
    ) -> Any:
        """The n_best answers, best first; a list of such lists for a list of questions (one context for all,
        or a list of as many).

        max_answer_length: tokens. allow_no_answer: an Answer with an empty text stands for "not in the
        context" (SQuAD 2.0); it must beat an answer's logit by null_threshold. An empty context has no
        answers. Raises InputError (also for a question that leaves no room for context), TimeoutError,
        CancelledError.
        """
        wanted = _Wanted(n_best, max_answer_length, allow_no_answer, null_threshold)
        return self._call(_pairs(question, context), lambda *group: self._answer(wanted, *group), control)

    def stream(
        self,
        pairs: Iterable[tuple[str, str]],
        *,
        n_best: int = 1,
        max_answer_length: int = 30,
        allow_no_answer: bool = False,
        null_threshold: float = 0.0,
        **control: Unpack[Control],
    ) -> Iterator[list[Answer]]:
        """The same for (question, context) tuples, one list after another, for inputs too many to hold."""
        wanted = _Wanted(n_best, max_answer_length, allow_no_answer, null_threshold)
        return self._stream(pairs, lambda *group: self._answer(wanted, *group), control)

    def _answer(self, wanted: _Wanted, pairs: list[Text], first_index: int, job: Job) -> list[list[Answer]]:
        contexts = [_context(pair, first_index + i) for i, pair in enumerate(pairs)]
        windows = encode_windows(self.tokenizer, pairs, self.limits, first_index=first_index, with_offsets=True)
        scored = run_windows(self.model, windows, _score, max_tokens=self.max_batch_tokens, job=job)
        answers = []
        for index, group in groupby(scored, key=lambda part: part.window.index):
            spans = rank_spans(
                list(group),
                longest=wanted.max_answer_length,
                null_bias=-wanted.null_threshold if wanted.allow_no_answer else None,
                whole_words=self.whole_words,
            )
            best = islice(spans, wanted.n_best)
            answers.append([_as_answer(contexts[index], span.characters, span.score) for span in best])
        return answers


def _pairs(question: object, context: object) -> Any:
    if isinstance(question, str):
        if not isinstance(context, str):
            raise InputError(f"One question needs one context, a str; it is {type(context).__name__}.")
        return question, context
    if not isinstance(question, Iterable) or not isinstance(context, Iterable):
        raise InputError("question and context should each be a str, or lists of them.")
    questions = list(question)
    contexts = [context] * len(questions) if isinstance(context, str) else list(context)
    if len(contexts) != len(questions):
        raise InputError(f"{len(questions)} questions and {len(contexts)} contexts do not pair up.")
    return list(zip(questions, contexts, strict=True))


def _context(pair: Text, index: int) -> str:
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise InputError(f"input {index} should be a tuple (question, context).")
    return pair[1]


def _score(output: ModelOutput, row: int, window: Window) -> Scored:
    start = np.asarray(output.start_logits[row], dtype=np.float64)
    end = np.asarray(output.end_logits[row], dtype=np.float64)
    part = window.part(1)
    context = slice(part.start, part.stop)
    return Scored(window, start[context], end[context], float(start[0] + end[0]))


def _as_answer(context: str, characters: tuple[int, int] | None, score: float) -> Answer:
    start, end = characters or (0, 0)
    return Answer(context[start:end], score, start, end)
