"""What the text tasks share: a model, a tokenizer, limits, and calls with one text or many."""

from __future__ import annotations

import inspect
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeAlias, TypedDict, TypeVar

from mobilebert_rt import _core
from mobilebert_rt.errors import InputError
from mobilebert_rt.keywords import checked, checks_keywords
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.inputs import as_texts, read_texts
from mobilebert_rt.text.progress import progress_bar
from mobilebert_rt.text.tokenizer import Text, TextInputs, TextTokenizer

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

OnOverflow: TypeAlias = Literal["error", "truncate", "stride"]
FunctionToApply: TypeAlias = Literal["softmax", "sigmoid", "none"]
Kind: TypeAlias = Callable[..., Any]
CoreTask = TypeVar("CoreTask", bound=_core.tasks.Task)
# What public methods take beside keywords, and the keywords that are no business of C++.
_NO_KEYWORDS = frozenset(
    {"self", "texts", "inputs", "pairs", "documents", "question", "context", "is_split_into_words", "progress"}
)


class CallOptions(TypedDict, total=False):
    """Keywords of every call, for type checkers: see TextTask. A task with more of them derives its own class."""

    max_length: int | None
    on_overflow: OnOverflow | None
    stride: int | None
    max_batch_tokens: int | None
    batch_size: int | None
    progress: bool | None
    timeout: float | None
    cancel: CancelToken | None


class TextTask(Generic[CoreTask]):
    """A model, its tokenizer and the limits of a sequence; the tasks derive from it. Safe to share between threads.

    Texts: a str, or for tasks that read pairs a tuple of two str or a mapping with `text` and `text_pair`; several as
    a list, a generator, or a column of numpy, pandas, polars or pyarrow. A tuple is always one pair.

    model: a loaded Model whose head suits the task. tokenizer: instead of the one in the model file (see
    TextTokenizer). max_length: tokens of a sequence with special tokens, by default all that the model takes.
    on_overflow: what happens to a longer text: "error" (the default unless a task names another) raises InputError,
    "truncate" keeps its beginning, "stride" reads it in windows of which neighbours share `stride` tokens, at most half
    a window (in question answering 15/16). A pair is truncated at its longer text; its windows move over the second
    text, each with the whole first.
    max_batch_tokens: how many tokens run at once; memory grows with it, results do not change. batch_size: instead,
    how many texts of max_length.

    A call takes the same keywords but tokenizer, for this call only, and: progress: True, False, or None for a bar on
    a terminal or in a notebook when it takes long; timeout: seconds for the whole call, then TimeoutError; cancel: a
    CancelToken, then CancelledError.

    Raises UnsupportedModelError for a model with another head, ModelFormatError for a missing or unsuitable tokenizer,
    InputError for limits that make no sense.
    """

    _core_type: type[CoreTask]
    _option_names: ClassVar[tuple[str, ...]]  # keywords of the constructor
    _not_in_core: ClassVar[frozenset[str]] = frozenset({"tokenizer"})  # those that the C++ task does not take
    _warns_of_cut_texts: ClassVar[bool] = False  # where cutting is the default
    # An option of a call replaces the other one of the constructor.
    _alternatives: ClassVar[dict[str, str]] = {
        "batch_size": "max_batch_tokens",
        "max_batch_tokens": "batch_size",
        "stride": "doc_stride",
    }

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        checks_keywords(cls)
        parameters = inspect.signature(cls.__init__).parameters.values()
        cls._option_names = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        if "from_pretrained" not in vars(cls):
            cls.from_pretrained = _with_options_of(cls)  # type: ignore[method-assign]

    def __init__(self, model: Model, given: Mapping[str, Any]) -> None:
        """given: locals() of the constructor of a task, which forwards its keywords so."""
        name = type(self).__name__
        if isinstance(model, str | os.PathLike):
            raise InputError(
                f"{name}: found a path; expected a loaded Model. Use {name}.from_pretrained({str(model)!r})."
            )
        if not isinstance(model, Model):
            raise InputError(f"{name}: found {type(model).__name__}; expected a loaded Model.")
        self.model = model
        self._options = {name: _listed(given[name]) for name in self._option_names if given[name] is not None}
        source = self._options.get("tokenizer")
        tokenizer = source._core if isinstance(source, TextTokenizer) else source
        self._text_model = _core.tasks.TextModel(model._core, os.fsencode(model.path), tokenizer)
        self._task = self._core_type(self._text_model, **self._of_core(self._options))

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path,
        *,
        precision: str | None = None,
        num_threads: int | None = None,
        isa: str | None = None,
        cache: bool = False,
        download: bool = False,
        revision: str | None = None,
        **options: Any,
    ) -> Self:
        """The task with the model at `path`: a Hugging Face folder, a model file, or "default".

        precision, num_threads, isa, cache, download, revision: as in `Model.from_pretrained`; nothing is downloaded
        without download=True. All keywords of the constructor are taken too.
        """
        model = Model.from_pretrained(
            path,
            precision=precision,
            num_threads=num_threads,
            isa=isa,
            cache=cache,
            download=download,
            revision=revision,
        )
        return cls(model, **options)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.model, self._options)

    def __repr__(self) -> str:
        limits = self.limits
        settings = {
            **self._options,
            "max_length": limits.max_length,
            "on_overflow": limits.on_overflow,
            "max_batch_tokens": self.max_batch_tokens,
        }
        hidden = ("tokenizer", "ranges")
        shown = ", ".join(f"{name}={value!r}" for name, value in settings.items() if name not in hidden)
        return f"<{type(self).__name__} {self.model.path.name!r}: {shown}>"

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

    def count_tokens(self, texts: TextInputs) -> int | list[int]:
        """Tokens of a text (or of each), special tokens included, before on_overflow applies."""
        inputs, single = as_texts(texts)
        counts = self._task.count_tokens(inputs)
        return counts[0] if single else counts

    def sequences(
        self,
        texts: Iterable[Text],
        *,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
    ) -> list[tuple[list[int], list[int]]]:
        """(token ids, token type ids) of each sequence that the model runs for the texts."""
        task = self._with(max_length=max_length, on_overflow=on_overflow, stride=stride)
        return task.sequences(tuple(read_texts(texts)), num_threads=self.model.num_threads)

    def _with(self, **options: Any) -> CoreTask:
        """The C++ task with the options of a call. None leaves an option as it is."""
        given = {name: value for name, value in self._of_core(options).items() if value is not None}
        if not given:
            return self._task
        left_out = set(map(self._alternatives.get, given))
        kept = {name: value for name, value in self._of_core(self._options).items() if name not in left_out}
        return self._core_type(self._text_model, **kept | given)

    def _of_core(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name not in self._not_in_core}

    def _split(self, given: Mapping[str, Any]) -> tuple[CoreTask, dict[str, Any]]:
        """The C++ task with the options among the keywords of a public method, and the keywords of the C++ call."""
        keywords = {name: _listed(value) for name, value in given.items() if name not in _NO_KEYWORDS}
        options = {name: keywords.pop(name) for name in self._option_names if name in keywords}
        return self._with(**options), keywords

    def _call(self, method: str, texts: object, kind: Kind | None, given: Mapping[str, Any]) -> Any:
        """One result for one text, all of them for several.

        method: of the C++ task; kind: of the results, if they are tuples; given: locals() of the public method.
        """
        task, keywords = self._split(given)
        inputs, single = as_texts(texts)
        with self._keywords(task, len(inputs), given) as common:
            results = _made(kind, getattr(task, method)(inputs, **common, **keywords))
        return results[0] if single else results

    def _stream(self, method: str, texts: object, kind: Kind | None, given: Mapping[str, Any]) -> Iterator[Any]:
        """Results in the texts' order, made group by group as they are asked for; arguments as those of _call.

        A wrong keyword or container is an error now, not when the first result is asked for.
        """
        task, keywords = self._split(given)
        run = getattr(task, method)
        run((), **keywords)
        inputs = read_texts(texts)
        total = len(texts) if isinstance(texts, list) else None
        timeout = keywords.pop("timeout")

        def results() -> Iterator[Any]:
            deadline = None if timeout is None else time.monotonic() + timeout
            done = 0
            with self._keywords(task, total, given) as common:
                for group in _groups(inputs, task.group_bytes):
                    left = None if deadline is None else max(0.0, deadline - time.monotonic())
                    yield from _made(kind, run(group, first_index=done, timeout=left, **common, **keywords))
                    done += len(group)

        return results()

    @contextmanager
    def _keywords(self, task: CoreTask, total: int | None, given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Keywords of every C++ call, while a progress bar is shown; given: those of the public method."""
        is_chosen = "on_overflow" in self._options or given.get("on_overflow") is not None
        cut = _CutTexts(task.limits.max_length, self._warns_of_cut_texts and not is_chosen)
        with progress_bar(total, given["progress"]) as bar:
            yield {
                "progress": None if bar is None else bar.update,
                "num_threads": self.model.num_threads,
                "truncated": cut,
            }
        cut.report()


def _with_options_of(cls: type[TextTask[Any]]) -> Any:
    """`from_pretrained` that checks and shows the keywords of the constructor."""
    function = TextTask.from_pretrained.__func__  # type: ignore[attr-defined]
    own = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    options = [inspect.signature(cls.__init__).parameters[name] for name in cls._option_names]
    known = [p.name for p in (*own, *options)][1:]
    loader = checked(function, known, f"{cls.__name__}.from_pretrained")
    loader.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    return classmethod(loader)


def _listed(value: Any) -> Any:
    """The value, for several calls, which an iterator would serve only once."""
    return list(value) if isinstance(value, Iterator) else value


def _made(kind: Kind | None, found: Any) -> Any:
    """Results of a C++ call, tuples in nested lists, as objects of a kind."""
    if kind is None:
        return found
    return [_made(kind, one) for one in found] if isinstance(found, list) else kind(*found)


def _restore(kind: type[TextTask[Any]], model: Model, options: dict[str, Any]) -> TextTask[Any]:
    return kind(model, **options)


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


class _CutTexts:
    """Counts the texts that a call cuts, and logs each of them where the program logs at that level."""

    def __init__(self, max_length: int, warns: bool) -> None:
        self._max_length, self._warns, self._count = max_length, warns, 0

    def __call__(self, index: int, tokens: int) -> None:
        self._count += 1
        if "logging" in sys.modules:
            _logger().info("input %d: %d tokens cut to %d", index, tokens, self._max_length)

    def report(self) -> None:
        """One warning for the whole call, when nobody asked for the texts to be cut."""
        if self._count > 0 and self._warns:
            text = "texts cut because they have more than %d tokens: %d; on_overflow= chooses otherwise"
            _logger().warning(text, self._max_length, self._count)


def _logger() -> Any:
    import logging  # noqa: PLC0415 - most programs never need it

    return logging.getLogger("mobilebert_rt")
