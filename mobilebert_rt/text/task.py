"""What the text tasks share: model, tokenizer, limits, and a call that takes one text or many."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, TypeVar

from mobilebert_rt.errors import InputError, UnsupportedModelError
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.batching import Job
from mobilebert_rt.text.progress import progress_bar
from mobilebert_rt.text.tokenizer import Text, TokenizerSource, tokenizer_of
from mobilebert_rt.text.windows import Limits, OnOverflow

if TYPE_CHECKING:
    from typing import Self

R = TypeVar("R")

# Texts are tokenised and run in groups, so that a stream of millions needs the memory of a few batches.
# Characters stand in for tokens, which are not known yet.
GROUP_BATCHES = 8
CHARACTERS_A_TOKEN = 4


class Control(TypedDict, total=False):
    """Keywords of every call: `progress` (True, False, None: a bar on a terminal when it takes long),
    `timeout` (seconds for the whole call, then TimeoutError), `cancel` (a CancelToken, then
    CancelledError)."""

    progress: bool | None
    timeout: float | None
    cancel: CancelToken | None


def refuse_path(model: object, task: type) -> None:
    """Raises InputError when the model that a task is given is a path."""
    if isinstance(model, str | os.PathLike):
        name = task.__name__
        raise InputError(f"{name} takes a loaded Model; from a path, it is {name}.from_pretrained({str(model)!r}).")


class TextTask:
    """A model, its tokenizer and the limits of a sequence; the tasks derive from it. Safe to share between
    threads.

    model: a loaded Model whose head suits the task. tokenizer: needed only when the model file has none.
    max_length: tokens of a sequence with special tokens; default and at most the model's max_positions.
    on_overflow: "error", "truncate" or "stride" (see Limits); stride: tokens that neighbouring windows share.
    max_batch_tokens: how many tokens run at once; memory grows with it, results do not change.

    Raises UnsupportedModelError for a model with another head, ModelFormatError for a missing or unsuitable
    vocabulary, InputError for limits that make no sense.
    """

    heads: ClassVar[tuple[str, ...]] = ()
    """The heads that the task can use; empty: any."""

    def __init__(
        self,
        model: Model,
        *,
        tokenizer: TokenizerSource | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow = "error",
        stride: int = 64,
        max_batch_tokens: int = 4096,
    ) -> None:
        refuse_path(model, type(self))
        if self.heads and model.config.head not in self.heads:
            has = "has no head, and gives vectors alone"
            if model.config.head != "none":
                has = f"is one for {model.config.head}"
            raise UnsupportedModelError(
                f"{type(self).__name__} needs a model for {' or '.join(self.heads)}; {model.path} {has}."
            )
        longest = model.config.max_positions
        if max_length is not None and max_length > longest:
            raise InputError(f"max_length is {max_length:,}; {model.path} takes at most {longest:,} tokens.")
        if max_batch_tokens < 1:
            raise InputError(f"max_batch_tokens is {max_batch_tokens}; it should be at least 1.")
        self.limits = Limits(longest if max_length is None else max_length, on_overflow, stride)
        self.model = model
        self.tokenizer = tokenizer_of(model, tokenizer)
        self.max_batch_tokens = max_batch_tokens

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path,
        *,
        precision: str | None = None,
        num_threads: int | None = None,
        isa: str | None = None,
        **options: Any,
    ) -> Self:
        """The task on the model at `path` (a Hugging Face folder or a single file); never touches the
        network.

        precision, num_threads, isa: as in `Model.from_pretrained`. options: keywords of the constructor.
        """
        return cls(Model.from_pretrained(path, precision=precision, num_threads=num_threads, isa=isa), **options)

    def count_tokens(self, texts: str | tuple[str, str] | Iterable[Text]) -> int | list[int]:
        """Tokens of a text (or of each), special tokens included, before any overflow policy."""
        inputs, single = _as_list(texts)
        counts = [len(encoding) for encoding in self.tokenizer.encode_batch(inputs, 0, False)]
        return counts[0] if single else counts

    def _call(
        self,
        texts: str | tuple[str, str] | Iterable[Text],
        process: Callable[[list[Text], int, Job], list[R]],
        control: Control,
    ) -> Any:
        """One result for one text, a list for several; process makes them: (texts, first index, job)."""
        inputs, single = _as_list(texts)
        results = list(self._stream(inputs, process, control))
        return results[0] if single else results

    def _stream(
        self, texts: Iterable[Text], process: Callable[[list[Text], int, Job], list[R]], control: Control
    ) -> Iterator[R]:
        """Results in the texts' order, made group by group as they are asked for."""
        timeout = control.get("timeout")
        deadline = None if timeout is None else time.monotonic() + timeout
        total = len(texts) if isinstance(texts, list) else None
        job = Job(progress_bar(total, control.get("progress")), deadline, control.get("cancel"))
        try:
            done = 0
            for group in _groups(texts, self.max_batch_tokens * CHARACTERS_A_TOKEN * GROUP_BATCHES):
                yield from process(group, done, job)
                done += len(group)
        finally:
            job.bar.close()


def single_texts(texts: list[Text], first_index: int) -> list[str]:
    """The same texts. Raises InputError for a pair, in tasks that read single texts only."""
    for index, text in enumerate(texts):
        if isinstance(text, tuple):
            raise InputError(f"input {first_index + index} is a pair of texts; this task reads single texts.")
    return [text for text in texts if not isinstance(text, tuple)]


def _as_list(texts: str | tuple[str, str] | Iterable[Text]) -> tuple[list[Text], bool]:
    if isinstance(texts, str):
        return [texts], True
    if isinstance(texts, tuple):
        return [texts], True
    if not isinstance(texts, Iterable):
        raise InputError(f"The input is {type(texts).__name__}; give a str, a pair of them as a tuple, or a list.")
    return list(texts), False


def _groups(texts: Iterable[Text], characters: int) -> Iterator[list[Text]]:
    group: list[Text] = []
    room = characters
    for text in texts:
        group.append(text)
        parts = text if isinstance(text, tuple) else (text,)
        room -= 1 + sum(len(part) for part in parts if isinstance(part, str))
        if room <= 0:
            yield group
            group, room = [], characters
    if group:
        yield group
