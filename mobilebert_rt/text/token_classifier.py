"""Texts to entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, get_args, overload

import numpy as np

from mobilebert_rt.errors import InputError
from mobilebert_rt.text.aggregation import Aggregation, Tokens, entities_of
from mobilebert_rt.text.batching import Job, run_windows
from mobilebert_rt.text.classifier import model_labels
from mobilebert_rt.text.numeric import Floats, softmax
from mobilebert_rt.text.results import Entity
from mobilebert_rt.text.task import Control, TextTask, single_texts
from mobilebert_rt.text.tokenizer import Text
from mobilebert_rt.text.windows import Window, encode_windows, own_tokens

if TYPE_CHECKING:
    from typing import Unpack

    from mobilebert_rt.model import Model, ModelOutput


class TokenClassifier(TextTask):
    """Names, places and the like in a text, with character offsets into it.

    aggregation: "none", "simple" (default), "first" or "max" (see entities_of). ignore_labels: what is not an
    entity. With on_overflow="stride" each token of a long text is judged in the window that shows most of its
    surroundings. Other keywords: see TextTask.

        tagger = TokenClassifier.from_pretrained("ner.safetensors", aggregation="first")
        tagger("Ada Lovelace lived in London")     # [Entity(text="Ada Lovelace", label="PER", ...), ...]
    """

    heads = ("token_classification",)

    def __init__(
        self,
        model: Model,
        *,
        aggregation: Aggregation = "simple",
        ignore_labels: Iterable[str] = ("O",),
        **options: Any,
    ) -> None:
        super().__init__(model, **options)
        self.aggregation = _known(aggregation)
        self.ignored = frozenset(ignore_labels)
        self.labels = model_labels(model)

    @overload
    def __call__(
        self, texts: str, *, aggregation: Aggregation | None = None, **control: Unpack[Control]
    ) -> list[Entity]: ...
    @overload
    def __call__(
        self, texts: list[str], *, aggregation: Aggregation | None = None, **control: Unpack[Control]
    ) -> list[list[Entity]]: ...
    def __call__(self, texts: Any, *, aggregation: Aggregation | None = None, **control: Unpack[Control]) -> Any:
        """The entities of a text in order; a list of such lists for a list of texts.

        aggregation: for this call only. Raises InputError, TimeoutError, CancelledError.
        """
        how = self.aggregation if aggregation is None else _known(aggregation)
        return self._call(texts, lambda *group: self._tag(how, *group), control)

    def stream(
        self, texts: Iterable[str], *, aggregation: Aggregation | None = None, **control: Unpack[Control]
    ) -> Iterator[list[Entity]]:
        """The same, one text's list after another, for inputs too many to hold."""
        how = self.aggregation if aggregation is None else _known(aggregation)
        return self._stream(texts, lambda *group: self._tag(how, *group), control)

    def _tag(self, how: Aggregation, texts: list[Text], first_index: int, job: Job) -> list[list[Entity]]:
        singles = single_texts(texts, first_index)
        windows = encode_windows(self.tokenizer, texts, self.limits, first_index=first_index, with_offsets=True)
        logits = run_windows(self.model, windows, _token_logits, max_tokens=self.max_batch_tokens, job=job)
        members = groupby(zip(windows, logits, strict=True), key=lambda item: item[0].index)
        stitched = [_stitch(list(group)) for _, group in members]
        return [
            entities_of(text, tokens, self.labels, self.ignored, how)
            for text, tokens in zip(singles, stitched, strict=True)
        ]


def _known(aggregation: Aggregation) -> Aggregation:
    if aggregation not in get_args(Aggregation):
        raise InputError(f"aggregation is {aggregation!r}; it can be {', '.join(get_args(Aggregation))}.")
    return aggregation


def _token_logits(output: ModelOutput, row: int, window: Window) -> Floats:
    """[T, labels]: the window's rows without those of its special tokens."""
    part = window.part(0)
    return np.asarray(output.logits[row][part.start : part.stop])


def _stitch(parts: list[tuple[Window, Floats]]) -> Tokens:
    """The tokens of one text, each from the window that answers for it."""
    owned = own_tokens([window for window, _ in parts], [len(rows) for _, rows in parts])
    logits: list[Floats] = []
    offsets: list[tuple[int, int]] = []
    words: list[int | None] = []
    for (window, rows), own in zip(parts, owned, strict=True):
        assert window.encoding is not None
        begin, end = own.start - window.first, own.stop - window.first
        start = window.part(0).start
        logits.append(rows[begin:end])
        offsets.extend(window.encoding.offsets[start + begin : start + end])
        words.extend(window.encoding.word_ids[start + begin : start + end])
    return Tokens(softmax(np.concatenate(logits)), offsets, words)
