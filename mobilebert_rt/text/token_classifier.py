"""Texts to named entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, overload

from mobilebert_rt import _core
from mobilebert_rt.model import Model
from mobilebert_rt.text.results import Entity
from mobilebert_rt.text.task import Control, Options, TextTask

if TYPE_CHECKING:
    from typing import Unpack

Aggregation = Literal["none", "simple", "first", "max"]


class TagOptions(Control, total=False):
    """Keywords of a call: see TokenClassifier.__call__."""

    aggregation: Aggregation | None


class TokenClassifier(TextTask):
    """Names, places and the like in a text, with character offsets.

    aggregation: "none": each token alone, its label as the model names it (B-PER). "simple", the default: neighbouring
    tokens of the same type form one entity, named without its prefix (PER); B- begins a new one. "first" and "max": as
    "simple", but a whole word has the label of its first token, or of its token of the highest score. ignore_labels:
    labels that are no entities, by default "O". With on_overflow="stride" each token of a long text is labelled in
    the window that shows most of its context. Other keywords: see TextTask.

    >>> tagger = TokenClassifier.from_pretrained("ner.safetensors", aggregation="first")
    >>> entities = tagger("Ada Lovelace lived in London")  # [Entity(text="Ada Lovelace", label="PER", ...), ...]
    """

    _core_type = _core.tasks.TokenClassifier
    _task: _core.tasks.TokenClassifier

    def __init__(
        self,
        model: Model,
        *,
        aggregation: Aggregation | None = None,
        ignore_labels: Iterable[str] | None = None,
        **options: Unpack[Options],
    ) -> None:
        ignored = None if ignore_labels is None else list(ignore_labels)
        super().__init__(model, aggregation=aggregation, ignore_labels=ignored, **options)

    @property
    def aggregation(self) -> str:
        """How tokens become entities."""
        return self._task.aggregation

    @property
    def labels(self) -> list[str]:
        """The model's label names, LABEL_0 and so on when it has none."""
        return self._text_model.labels

    @overload
    def __call__(self, texts: str, **options: Unpack[TagOptions]) -> list[Entity]: ...
    @overload
    def __call__(self, texts: list[str], **options: Unpack[TagOptions]) -> list[list[Entity]]: ...
    def __call__(self, texts: Any, **options: Unpack[TagOptions]) -> Any:
        """The entities of a text in order; a list of such lists for a list of texts.

        aggregation: for this call only. progress, timeout, cancel: see TextTask. Raises InputError, TimeoutError,
        CancelledError.
        """
        return self._call(self._task.tag, texts, options, Entity)

    def stream(self, texts: Iterable[str], **options: Unpack[TagOptions]) -> Iterator[list[Entity]]:
        """The same, one text's list after another, for inputs too many to hold."""
        return self._stream(self._task.tag, texts, options, Entity)
