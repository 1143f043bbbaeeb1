"""Answers from a context, as in SQuAD."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypedDict, overload

from mobilebert_rt import _core
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.results import Answer
from mobilebert_rt.text.task import OnOverflow, TextTask
from mobilebert_rt.text.tokenizer import TokenizerSource

if TYPE_CHECKING:
    from typing import Unpack


class AnswerOptions(TypedDict, total=False):
    """Keywords of a call: `n_best` answers for each question (default: the best one), of at most `max_answer_length`
    tokens. `allow_no_answer`: an Answer with an empty text stands for "not in the context" (SQuAD 2.0); its logit must
    exceed an answer's by `null_threshold`. The others are those of Control."""

    n_best: int | None
    max_answer_length: int | None
    allow_no_answer: bool | None
    null_threshold: float | None
    progress: bool | None
    timeout: float | None
    cancel: CancelToken | None


class QuestionAnswerer(TextTask):
    """Spans of a context that answer a question, with character offsets into the context.

    A context of any length is read in windows of max_length tokens, question included, of which neighbours share
    doc_stride tokens (as in Hugging Face). Their defaults are those of SQuAD, or the model's own limit when that is
    less. on_overflow: "stride" by default. whole_words: never answer with part of a word, the default. Other keywords:
    see TextTask.

    >>> answerer = QuestionAnswerer.from_pretrained("squad.safetensors")
    >>> best = answerer("Who wrote it?", "The notes were written by Ada Lovelace in 1843.")[0]
    >>> best.text in "The notes were written by Ada Lovelace in 1843."
    True
    """

    _core_type = _core.tasks.QuestionAnswerer
    _task: _core.tasks.QuestionAnswerer

    def __init__(
        self,
        model: Model,
        *,
        tokenizer: TokenizerSource | None = None,
        max_length: int | None = None,
        doc_stride: int | None = None,
        on_overflow: OnOverflow | None = None,
        max_batch_tokens: int | None = None,
        whole_words: bool | None = None,
    ) -> None:
        super().__init__(
            model,
            tokenizer=tokenizer,
            max_length=max_length,
            stride=doc_stride,
            on_overflow=on_overflow,
            max_batch_tokens=max_batch_tokens,
            whole_words=whole_words,
        )
        if "stride" in self._options:
            self._options["doc_stride"] = self._options.pop("stride")  # as the constructor names it

    @property
    def whole_words(self) -> bool:
        """Whether answers are whole words."""
        return self._task.whole_words

    @overload
    def __call__(self, question: str, context: str, **options: Unpack[AnswerOptions]) -> list[Answer]: ...
    @overload
    def __call__(
        self, question: list[str], context: str | list[str], **options: Unpack[AnswerOptions]
    ) -> list[list[Answer]]: ...
    def __call__(self, question: Any, context: Any, **options: Unpack[AnswerOptions]) -> Any:
        """The answers to a question, best first; a list of such lists for a list of questions (one context for all, or
        a list of as many). An empty context has no answers.

        options: see AnswerOptions. Raises InputError (also for a question that leaves no tokens for context),
        TimeoutError, CancelledError.
        """
        control: Any = options
        return self._call(self._answer, _pairs(question, context), control)

    def stream(self, pairs: Iterable[tuple[str, str]], **options: Unpack[AnswerOptions]) -> Iterator[list[Answer]]:
        """The same for (question, context) tuples, one list after another, for inputs too many to hold."""
        control: Any = options
        return self._stream(self._answer, pairs, control)

    def _answer(self, pairs: tuple[Any, ...], **keywords: Any) -> list[list[Answer]]:
        return [[Answer(*answer) for answer in found] for found in self._task.answer(pairs, **keywords)]


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
