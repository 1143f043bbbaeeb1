"""Texts to labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.inputs import as_texts
from mobilebert_rt.text.results import Classification
from mobilebert_rt.text.task import CallOptions, FunctionToApply, OnOverflow, TextTask
from mobilebert_rt.text.tokenizer import Text, TextInputs, TokenizerSource

if TYPE_CHECKING:
    from typing import Unpack


class ClassifyOptions(CallOptions, total=False):
    """Keywords of a call: see TextClassifier.__call__."""

    top_k: int | None
    function_to_apply: FunctionToApply | None


class TextClassifier(TextTask[_core.tasks.Classifier]):
    """Labels of a text, or of a pair of texts, with their scores.

    function_to_apply: how logits become scores, "softmax", "sigmoid" or "none". By default that of a cross-encoder's
    folder; else from the model's problem type: softmax for single-label, sigmoid for multi-label, none for regression.
    A model that says neither has a sigmoid for one label, softmax for several, as in transformers. With
    on_overflow="stride" the logits of a long text are the mean over its windows. max_length: of a cross-encoder, by
    default that of its tokenizer. Other keywords: see TextTask.

    >>> classifier = TextClassifier.from_pretrained("sst2.safetensors")
    >>> classifier("a warm, funny film")[0].label in classifier.labels
    True
    """

    _core_type = _core.tasks.Classifier

    def __init__(
        self,
        model: Model,
        *,
        function_to_apply: FunctionToApply | None = None,
        tokenizer: TokenizerSource | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(model, locals())

    @property
    def function_to_apply(self) -> str:
        """ "softmax", "sigmoid" or "none"."""
        return self._task.function_to_apply

    @property
    def labels(self) -> list[str]:
        """The model's label names, LABEL_0 and so on when it has none."""
        return self._text_model.labels

    @overload
    def __call__(self, texts: Text, **options: Unpack[ClassifyOptions]) -> list[Classification]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Iterable[Text], **options: Unpack[ClassifyOptions]) -> list[list[Classification]]: ...
    def __call__(
        self,
        texts: TextInputs,
        *,
        top_k: int | None = None,
        function_to_apply: FunctionToApply | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Any:
        """The labels of a text (a str, or a pair as a tuple), best first; a list of such lists for several texts.

        top_k: the number of labels; None for all. function_to_apply, max_length, on_overflow, stride,
        max_batch_tokens, batch_size: as those of the constructor, for this call only. progress, timeout, cancel: see
        TextTask.

        Raises InputError, TimeoutError, CancelledError.
        """
        return self._call("classify", texts, Classification, locals())

    def stream(
        self,
        texts: Iterable[Text],
        *,
        top_k: int | None = None,
        function_to_apply: FunctionToApply | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[list[Classification]]:
        """The same, one text's list after another, for inputs too many to hold; keywords as those of a call."""
        return self._stream("classify", texts, Classification, locals())

    def scores(
        self,
        texts: TextInputs,
        *,
        function_to_apply: FunctionToApply | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> npt.NDArray[np.float32]:
        """[N, labels] float32, columns in the order of `labels`; keywords as those of a call."""
        scores: npt.NDArray[np.float32] = self._call("scores", list(as_texts(texts)[0]), None, locals())
        return scores
