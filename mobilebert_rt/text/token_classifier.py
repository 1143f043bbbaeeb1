"""Texts to named entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, overload

from mobilebert_rt import _core
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.results import Entity
from mobilebert_rt.text.task import CallOptions, OnOverflow, TextTask
from mobilebert_rt.text.tokenizer import TokenizerSource

if TYPE_CHECKING:
    from typing import Unpack

Aggregation = Literal["none", "simple", "first", "average", "max"]


class TagOptions(CallOptions, total=False):
    """Keywords of a call: see TokenClassifier.__call__."""

    aggregation: Aggregation | None
    ignore_labels: Iterable[str] | None
    is_split_into_words: bool | None


class TokenClassifier(TextTask[_core.tasks.TokenClassifier]):
    """Names, places and the like in a text, with character offsets.

    aggregation: "none": each token alone, its label as the model names it (B-PER). "simple", the default: neighbouring
    tokens of the same type form one entity, named without its prefix (PER); B- begins a new one. "first", "average"
    and "max": as "simple", but a whole word has the label of its first token, of the highest mean over its tokens, or
    of its token of the highest score. ignore_labels: entities that are left out, by default "O". With
    on_overflow="stride" each token of a long text is labelled in the window that shows most of its context. Other
    keywords: see TextTask.

    >>> tagger = TokenClassifier.from_pretrained("ner.safetensors", aggregation="first")
    >>> entities = tagger("Ada Lovelace lived in London")  # [Entity(text="Ada Lovelace", label="PER", ...), ...]
    """

    _core_type = _core.tasks.TokenClassifier

    def __init__(
        self,
        model: Model,
        *,
        aggregation: Aggregation | None = None,
        ignore_labels: Iterable[str] | None = None,
        tokenizer: TokenizerSource | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(model, locals())

    @property
    def aggregation(self) -> str:
        """How tokens become entities."""
        return self._task.aggregation

    @property
    def labels(self) -> list[str]:
        """The model's label names, LABEL_0 and so on when it has none."""
        return self._text_model.labels

    @overload
    def __call__(self, texts: str, **options: Unpack[TagOptions]) -> list[Entity]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(
        self, texts: Iterable[str] | Iterable[list[str]], **options: Unpack[TagOptions]
    ) -> list[list[Entity]]: ...
    def __call__(
        self,
        texts: str | Iterable[str] | Iterable[list[str]],
        *,
        is_split_into_words: bool | None = None,
        aggregation: Aggregation | None = None,
        ignore_labels: Iterable[str] | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Any:
        """The entities of a text in order; a list of such lists for several texts.

        is_split_into_words: each text is a list of words (words alone are a list of one text); it is read as these
        with a space between them, and offsets count its characters. aggregation, ignore_labels,
        max_length, on_overflow, stride, max_batch_tokens, batch_size: as those of the constructor, for this call only.
        progress, timeout, cancel: see TextTask.

        Raises InputError, TimeoutError, CancelledError.
        """
        inputs = _joined(texts) if is_split_into_words else texts
        return self._call("tag", inputs, Entity, locals())

    def stream(
        self,
        texts: Iterable[str] | Iterable[list[str]],
        *,
        is_split_into_words: bool | None = None,
        aggregation: Aggregation | None = None,
        ignore_labels: Iterable[str] | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[list[Entity]]:
        """The same, one text's list after another, for inputs too many to hold; keywords as those of a call."""
        inputs = map(_joined_words, texts) if is_split_into_words else texts
        return self._stream("tag", inputs, Entity, locals())


def _joined(texts: Any) -> list[str]:
    """The words of one text, or of several, as texts."""
    if isinstance(texts, list) and texts and all(isinstance(word, str) for word in texts):
        return [" ".join(texts)]
    return [_joined_words(words) for words in texts]


def _joined_words(words: object) -> str:
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise InputError(f"is_split_into_words: found {words!r}; expected a list of words.")
    return " ".join(words)
