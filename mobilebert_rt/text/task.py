"""What the text tasks share: a model, a tokenizer, limits, and calls with one text or many."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypedDict

from mobilebert_rt import _core
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.progress import progress_bar
from mobilebert_rt.text.tokenizer import Text, TextTokenizer, TokenizerSource

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

OnOverflow: TypeAlias = Literal["error", "truncate", "stride"]
Run: TypeAlias = Callable[..., Any]
Kind: TypeAlias = Callable[..., Any]


class CommonOptions(TypedDict, total=False):
    """Keywords of every constructor: see TextTask."""

    tokenizer: TokenizerSource | None
    max_length: int | None
    on_overflow: OnOverflow | None
    max_batch_tokens: int | None


class Options(CommonOptions, total=False):
    """Keywords of the constructors of all tasks but QuestionAnswerer, whose stride is named doc_stride."""

    stride: int | None


class Control(TypedDict, total=False):
    """Keywords of every call: see TextTask. A task with more of them derives its own class."""

    progress: bool | None
    timeout: float | None
    cancel: CancelToken | None


class TextTask:
    """A model, its tokenizer and the limits of a sequence; the tasks derive from it. Safe to share between threads.

    model: a loaded Model whose head suits the task. tokenizer: instead of the one in the model file (see
    TextTokenizer). max_length: tokens of a sequence with special tokens, by default all that the model takes.
    on_overflow: what happens to a longer text: "error" (the default) raises InputError, "truncate" keeps its
    beginning, "stride" reads it in windows of which neighbours share `stride` tokens, at most half a window. A pair is
    truncated at its longer text; its windows move over the second text, each with the whole first.
    max_batch_tokens: how many tokens run at once; memory grows with it, results do not change.

    Keywords of every call: progress: True, False, or None for a bar on a terminal when it takes long; timeout: seconds
    for the whole call, then TimeoutError; cancel: a CancelToken, then CancelledError.

    Raises UnsupportedModelError for a model with another head, ModelFormatError for a missing or unsuitable tokenizer,
    InputError for limits that make no sense.
    """

    _core_type: ClassVar[type[_core.tasks.Task]]
    _task: _core.tasks.Task

    def __init__(self, model: Model, **options: Any) -> None:
        name = type(self).__name__
        if isinstance(model, str | os.PathLike):
            raise InputError(
                f"{name}: found a path; expected a loaded Model. Use {name}.from_pretrained({str(model)!r})."
            )
        self.model = model
        self._options = {key: value for key, value in options.items() if value is not None}
        source = options.pop("tokenizer", None)
        given = source._core if isinstance(source, TextTokenizer) else source
        self._text_model = _core.tasks.TextModel(model._core, str(model.path), given)
        self._task = self._core_type(self._text_model, **options)

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
        """The task with the model at `path` (a Hugging Face folder or a model file); never uses the network.

        precision, num_threads, isa: as in `Model.from_pretrained`. options: keywords of the constructor.
        """
        return cls(Model.from_pretrained(path, precision=precision, num_threads=num_threads, isa=isa), **options)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.model, self._options)

    @property
    def limits(self) -> _core.tasks.Limits:
        """max_length, on_overflow and stride of this task."""
        return self._task.limits

    @property
    def max_batch_tokens(self) -> int:
        """How many tokens run at once."""
        return self._task.max_batch_tokens

    @property
    def tokenizer(self) -> TextTokenizer:
        """The tokenizer of this task."""
        return TextTokenizer(self._text_model.tokenizer)

    def count_tokens(self, texts: str | tuple[str, str] | Iterable[Text]) -> int | list[int]:
        """Tokens of a text (or of each), special tokens included, before on_overflow applies."""
        inputs, single = _as_tuple(texts)
        counts = self._task.count_tokens(inputs)
        return counts[0] if single else counts

    def sequences(self, texts: Iterable[Text]) -> list[tuple[list[int], list[int]]]:
        """(token ids, token type ids) of each sequence that the model runs for the texts."""
        return self._task.sequences(tuple(texts), num_threads=self.model.num_threads)

    def _call(self, run: Run, texts: object, options: Mapping[str, Any], kind: Kind | None = None) -> Any:
        """One result for one text, all of them for several.

        run: a method of the C++ task; options: keywords of the call; kind: of the results, if they are tuples.
        """
        inputs, single = _as_tuple(texts)
        with self._keywords(options, len(inputs)) as keywords:
            results = _made(kind, run(inputs, **keywords))
        return results[0] if single else results

    def _stream(
        self, run: Run, texts: Iterable[Text], options: Mapping[str, Any], kind: Kind | None = None
    ) -> Iterator[Any]:
        """Results in the texts' order, made group by group as they are asked for; arguments as those of _call."""
        with self._keywords(options, len(texts) if isinstance(texts, list) else None) as keywords:
            timeout = keywords.pop("timeout", None)
            deadline = None if timeout is None else time.monotonic() + timeout
            done = 0
            for group in _groups(texts, self._task.group_bytes):
                left = None if deadline is None else deadline - time.monotonic()
                yield from _made(kind, run(group, first_index=done, timeout=left, **keywords))
                done += len(group)

    @contextmanager
    def _keywords(self, options: Mapping[str, Any], total: int | None) -> Iterator[dict[str, Any]]:
        """Keywords of a C++ call, while a progress bar is shown."""
        with progress_bar(total, options.get("progress")) as bar:
            yield {
                **options,
                "progress": None if bar is None else bar.update,
                "num_threads": self.model.num_threads,
                "truncated": _truncation_log(self.limits.max_length),
            }


def _made(kind: Kind | None, found: Any) -> Any:
    """Results of a C++ call, tuples in nested lists, as objects of a kind."""
    if kind is None:
        return found
    return [_made(kind, one) for one in found] if isinstance(found, list) else kind(*found)


def _restore(kind: type[TextTask], model: Model, options: dict[str, Any]) -> TextTask:
    return kind(model, **options)


def _as_tuple(texts: object) -> tuple[tuple[Any, ...], bool]:
    if isinstance(texts, str | tuple):
        return (texts,), True
    if not isinstance(texts, Iterable):
        raise InputError(f"texts: found {type(texts).__name__}; expected a str, a pair of them as a tuple, or a list.")
    return tuple(texts), False


def _groups(texts: Iterable[Text], characters: int) -> Iterator[tuple[Text, ...]]:
    group: list[Text] = []
    left = characters
    for text in texts:
        group.append(text)
        parts = text if isinstance(text, tuple) else (text,)
        left -= 1 + sum(len(part) for part in parts if isinstance(part, str))
        if left <= 0:
            yield tuple(group)
            group, left = [], characters
    if group:
        yield tuple(group)


def _truncation_log(max_length: int) -> Callable[[int, int], None] | None:
    """Logs each text that is truncated, when the program logs at all."""
    logging = sys.modules.get("logging")
    logger = None if logging is None else logging.getLogger("mobilebert_rt")
    if logger is None or not logger.isEnabledFor(20):  # logging.INFO
        return None
    return lambda index, tokens: logger.info("input %d: %d tokens cut to %d", index, tokens, max_length)
