"""Answers from a context, as in SQuAD."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypedDict, overload

from mobilebert_rt import _core
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.inputs import read_texts
from mobilebert_rt.text.results import Answer
from mobilebert_rt.text.task import OnOverflow, TextTask
from mobilebert_rt.text.tokenizer import TokenizerSource

if TYPE_CHECKING:
    from typing import Unpack


class AnswerOptions(TypedDict, total=False):
    """Keywords of a call, for type checkers: see QuestionAnswerer.__call__."""

    n_best: int | None
    top_k: int | None
    max_answer_length: int | None
    allow_no_answer: bool | None
    null_threshold: float | None
    whole_words: bool | None
    max_length: int | None
    on_overflow: OnOverflow | None
    doc_stride: int | None
    max_batch_tokens: int | None
    batch_size: int | None
    progress: bool | None
    timeout: float | None
    cancel: CancelToken | None


class QuestionAnswerer(TextTask[_core.tasks.QuestionAnswerer]):
    """Spans of a context that answer a question, with character offsets into the context.

    Answers and scores are those of the question answering pipeline of transformers 4.57. A context of any length is
    read in windows of max_length tokens, question included, of which neighbours share doc_stride tokens. max_length:
    384 by default, or the model's own limit when that is less; doc_stride: 128 by default, or half of max_length when
    that is less, and at most 15/16 of a window. on_overflow: "stride" by default. whole_words: never answer with part
    of a word, the default. Other keywords: see TextTask.

    >>> answerer = QuestionAnswerer.from_pretrained("squad.safetensors")
    >>> best = answerer("Who wrote it?", "The notes were written by Ada Lovelace in 1843.")[0]
    >>> best.text in "The notes were written by Ada Lovelace in 1843."
    True
    """

    _core_type = _core.tasks.QuestionAnswerer

    def __init__(
        self,
        model: Model,
        *,
        whole_words: bool | None = None,
        tokenizer: TokenizerSource | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        doc_stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(model, locals())

    @property
    def whole_words(self) -> bool:
        """Whether answers are whole words."""
        return self._task.whole_words

    @overload
    def __call__(self, question: str, context: str, **options: Unpack[AnswerOptions]) -> list[Answer]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(
        self, question: Iterable[str], context: str | Iterable[str], **options: Unpack[AnswerOptions]
    ) -> list[list[Answer]]: ...
    def __call__(
        self,
        question: str | Iterable[str],
        context: str | Iterable[str],
        *,
        n_best: int | None = None,
        top_k: int | None = None,
        max_answer_length: int | None = None,
        allow_no_answer: bool | None = None,
        null_threshold: float | None = None,
        whole_words: bool | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        doc_stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Any:
        """The answers to a question, best first; a list of such lists for several questions (one context for all, or
        as many). An empty context has no answers.

        A score is the probability of the answer's first token as a start times that of its last token as an end, in one
        window. Answers with the same text, in any case and window, are one: their scores are added up, which can exceed
        1, and the place is that of the best one in the first window that has the text. Each window contributes its
        2 * n_best + 10 best spans, or n_best without whole_words.

        n_best: answers for each question, the best one by default; top_k is the same. max_answer_length: in tokens, 15
        by default. allow_no_answer: an Answer with an empty text stands for "not in the context" (SQuAD 2.0); its score
        is the minimum of the windows' probabilities that [CLS] is start and end. It comes before an answer when
        log(its score / the answer's score) > null_threshold, 0 by default. whole_words, max_length, on_overflow,
        doc_stride, max_batch_tokens, batch_size: as those of the constructor, for this call only. progress, timeout,
        cancel: see TextTask.

        Raises InputError (also for a question that leaves no tokens for context), TimeoutError, CancelledError.
        """
        return self._call("answer", _pairs(question, context), Answer, locals())

    def stream(
        self,
        pairs: Iterable[tuple[str, str]],
        *,
        n_best: int | None = None,
        top_k: int | None = None,
        max_answer_length: int | None = None,
        allow_no_answer: bool | None = None,
        null_threshold: float | None = None,
        whole_words: bool | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        doc_stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[list[Answer]]:
        """The same for (question, context) tuples, one list after another, for inputs too many to hold; keywords as
        those of a call."""
        return self._stream("answer", pairs, Answer, locals())


def _pairs(question: Any, context: Any) -> Any:
    if isinstance(question, str):
        if not isinstance(context, str):
            raise InputError(f"context: found {type(context).__name__}; expected a str, as the question is.")
        return question, context
    questions = list(read_texts(question, "question"))
    contexts = [context] * len(questions) if isinstance(context, str) else list(read_texts(context, "context"))
    if len(contexts) != len(questions):
        raise InputError(f"context: found {len(contexts)} contexts; expected {len(questions)}, one for each question.")
    return list(zip(questions, contexts, strict=True))
