"""Texts to labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.model import Model
from mobilebert_rt.text.results import Classification
from mobilebert_rt.text.task import Control, Options, TextTask
from mobilebert_rt.text.tokenizer import Text

if TYPE_CHECKING:
    from typing import Unpack

Activation = Literal["softmax", "sigmoid", "none"]


class ClassifyOptions(Control, total=False):
    """Keywords of a call: see TextClassifier.__call__."""

    top_k: int | None


class TextClassifier(TextTask):
    """Labels of a text, or of a pair of texts, with their scores.

    activation: how logits become scores. By default from the model's problem type: softmax for single-label, sigmoid
    for multi-label, none for regression; a model that does not say is a regression when it has one label, single-label
    otherwise. With on_overflow="stride" the logits of a long text are the mean over its windows. Other keywords: see
    TextTask.

    >>> classifier = TextClassifier.from_pretrained("sst2.safetensors")
    >>> classifier("a warm, funny film")[0].label in classifier.labels
    True
    """

    _core_type = _core.tasks.Classifier
    _task: _core.tasks.Classifier

    def __init__(self, model: Model, *, activation: Activation | None = None, **options: Unpack[Options]) -> None:
        super().__init__(model, activation=activation, **options)

    @property
    def activation(self) -> str:
        """ "softmax", "sigmoid" or "none"."""
        return self._task.activation

    @property
    def labels(self) -> list[str]:
        """The model's label names, LABEL_0 and so on when it has none."""
        return self._text_model.labels

    @overload
    def __call__(self, texts: str | tuple[str, str], **options: Unpack[ClassifyOptions]) -> list[Classification]: ...
    @overload
    def __call__(
        self, texts: list[str] | list[tuple[str, str]] | list[Text], **options: Unpack[ClassifyOptions]
    ) -> list[list[Classification]]: ...
    def __call__(self, texts: Any, **options: Unpack[ClassifyOptions]) -> Any:
        """The labels of a text (a str, or a pair as a tuple), best first; a list of such lists for a list of texts.

        top_k: the number of labels; None for all. progress, timeout, cancel: see TextTask. Raises InputError,
        TimeoutError, CancelledError.
        """
        return self._call(self._task.classify, texts, options, Classification)

    def stream(self, texts: Iterable[Text], **options: Unpack[ClassifyOptions]) -> Iterator[list[Classification]]:
        """The same, one text's list after another, for inputs too many to hold."""
        return self._stream(self._task.classify, texts, options, Classification)

    def scores(self, texts: Iterable[Text], **control: Unpack[Control]) -> npt.NDArray[np.float32]:
        """[N, labels] float32, columns in the order of `labels`."""
        inputs = [texts] if isinstance(texts, str | tuple) else texts
        scores: npt.NDArray[np.float32] = self._call(self._task.scores, inputs, control)
        return scores
