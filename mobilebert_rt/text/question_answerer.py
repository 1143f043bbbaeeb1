"""Answers from a context, as in SQuAD."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, overload

from mobilebert_rt import _core
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import Model
from mobilebert_rt.text.results import Answer
from mobilebert_rt.text.task import CommonOptions, Control, TextTask

if TYPE_CHECKING:
    from typing import Unpack


class AnswerOptions(Control, total=False):
    """Keywords of a call: see QuestionAnswerer.__call__."""

    n_best: int | None
    max_answer_length: int | None
    allow_no_answer: bool | None
    null_threshold: float | None


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
        doc_stride: int | None = None,
        whole_words: bool | None = None,
        **options: Unpack[CommonOptions],
    ) -> None:
        super().__init__(model, stride=doc_stride, whole_words=whole_words, **options)
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

        n_best: answers for each question, the best one by default. max_answer_length: in tokens. allow_no_answer: an
        Answer with an empty text stands for "not in the context" (SQuAD 2.0); its logit must exceed an answer's by
        null_threshold. progress, timeout, cancel: see TextTask. Raises InputError (also for a question that leaves no
        tokens for context), TimeoutError, CancelledError.
        """
        return self._call(self._task.answer, _pairs(question, context), options, Answer)

    def stream(self, pairs: Iterable[tuple[str, str]], **options: Unpack[AnswerOptions]) -> Iterator[list[Answer]]:
        """The same for (question, context) tuples, one list after another, for inputs too many to hold."""
        return self._stream(self._task.answer, pairs, options, Answer)


def _pairs(question: Any, context: Any) -> Any:
    if isinstance(question, str):
        if not isinstance(context, str):
            raise InputError(f"context: found {type(context).__name__}; expected a str, as the question is.")
        return question, context
    for name, given in (("question", question), ("context", context)):
        if not isinstance(given, Iterable):
            raise InputError(f"{name}: found {type(given).__name__}; expected a str or a list of them.")
    questions = list(question)
    contexts = [context] * len(questions) if isinstance(context, str) else list(context)
    if len(contexts) != len(questions):
        raise InputError(f"context: found {len(contexts)} contexts; expected {len(questions)}, one for each question.")
    return list(zip(questions, contexts, strict=True))
