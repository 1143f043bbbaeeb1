"""Texts to labels that the caller chooses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, overload

from mobilebert_rt import _core
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.results import ZeroShotClassification
from mobilebert_rt.text.task import CallOptions, OnOverflow, TextTask
from mobilebert_rt.text.tokenizer import TokenizerSource

if TYPE_CHECKING:
    from typing import Unpack


class ZeroShotOptions(CallOptions, total=False):
    """Keywords of a call: see ZeroShotClassifier.__call__."""

    hypothesis_template: str | None
    multi_label: bool | None


class ZeroShotClassifier(TextTask[_core.tasks.ZeroShotClassifier]):
    """Labels that the caller chooses, with their scores, by a model for natural language inference (NLI).

    Each label becomes a hypothesis ("This example is sport."), and its score is how much the text entails it; all
    hypotheses of a text run in one batch. The model's entailment label is the one whose name begins with "entail".
    Long texts are truncated by default (on_overflow); the hypothesis always stays whole. Other keywords: see TextTask.

    >>> classify = ZeroShotClassifier.from_pretrained("mnli.safetensors")
    >>> found = classify("The match ended two to one.", ["sport", "politics"])
    >>> sorted(found.labels), round(sum(found.scores), 5)
    (['politics', 'sport'], 1.0)

    Raises UnsupportedModelError for a model without an entailment label.
    """

    _core_type = _core.tasks.ZeroShotClassifier

    def __init__(
        self,
        model: Model,
        *,
        tokenizer: TokenizerSource | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(model, locals())

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, texts: str, candidate_labels: str | Iterable[str], **options: Unpack[ZeroShotOptions]
    ) -> ZeroShotClassification: ...
    @overload
    def __call__(
        self, texts: Iterable[str], candidate_labels: str | Iterable[str], **options: Unpack[ZeroShotOptions]
    ) -> list[ZeroShotClassification]: ...
    def __call__(
        self,
        texts: str | Iterable[str],
        candidate_labels: str | Iterable[str],
        *,
        hypothesis_template: str | None = None,
        multi_label: bool | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Any:
        """The labels of a text with their scores, best first; a list of such results for several texts.

        candidate_labels: a list, or a str with commas between them. hypothesis_template: {} stands for the label
        (default: "This example is {}."). multi_label: each label has a score of its own, entailment against
        contradiction; by default, and with several labels, the scores of a text add up to 1. max_length, on_overflow,
        stride, max_batch_tokens, batch_size: as those of the constructor, for this call only. progress, timeout,
        cancel: see TextTask.

        Raises InputError, TimeoutError, CancelledError.
        """
        return self._call("classify", texts, ZeroShotClassification, locals())

    def stream(
        self,
        texts: Iterable[str],
        candidate_labels: str | Iterable[str],
        *,
        hypothesis_template: str | None = None,
        multi_label: bool | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[ZeroShotClassification]:
        """The same, one text after another, for inputs too many to hold; keywords as those of a call."""
        return self._stream("classify", texts, ZeroShotClassification, locals())
