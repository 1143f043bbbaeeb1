"""Texts to labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

import numpy as np

from mobilebert_rt.errors import InputError
from mobilebert_rt.text.batching import Job, run_windows
from mobilebert_rt.text.numeric import Doubles, Floats, fold_sum, sigmoid, softmax
from mobilebert_rt.text.results import Classification
from mobilebert_rt.text.task import Control, TextTask
from mobilebert_rt.text.tokenizer import Text
from mobilebert_rt.text.windows import Window, encode_windows

if TYPE_CHECKING:
    from typing import Unpack

    from mobilebert_rt.model import Model, ModelOutput

Activation = Literal["softmax", "sigmoid", "none"]


class TextClassifier(TextTask):
    """Labels of a text, or of a pair of texts, with their scores.

    activation: how logits become scores. By default from the model's problem type: softmax for single-label,
    sigmoid for multi-label, none for regression; a model that does not say is a regression when it has one
    label, single-label else. With on_overflow="stride" the logits of a long text are the mean over its
    windows. Other keywords: see TextTask.

        classifier = TextClassifier.from_pretrained("sst2.safetensors")
        classifier("a warm, funny film")[0].label
    """

    heads = ("sequence_classification",)

    def __init__(self, model: Model, *, activation: Activation | None = None, **options: Any) -> None:
        super().__init__(model, **options)
        if activation is not None and activation not in get_args(Activation):
            raise InputError(f"activation is {activation!r}; it can be {', '.join(get_args(Activation))}.")
        self.activation = activation or _activation_of(model)
        self.labels = model_labels(model)

    @overload
    def __call__(
        self, texts: str | tuple[str, str], *, top_k: int | None = None, **control: Unpack[Control]
    ) -> list[Classification]: ...
    @overload
    def __call__(
        self,
        texts: list[str] | list[tuple[str, str]] | list[Text],
        *,
        top_k: int | None = None,
        **control: Unpack[Control],
    ) -> list[list[Classification]]: ...
    def __call__(self, texts: Any, *, top_k: int | None = None, **control: Unpack[Control]) -> Any:
        """The labels of a text (a str, or a pair as a tuple), best first; a list of such lists for a list of
        texts.

        top_k: at most so many labels; None for all. Raises InputError, TimeoutError, CancelledError.
        """
        return self._call(texts, lambda *group: self._classify(top_k, *group), control)

    def stream(
        self, texts: Iterable[Text], *, top_k: int | None = None, **control: Unpack[Control]
    ) -> Iterator[list[Classification]]:
        """The same, one text's list after another, for inputs too many to hold."""
        return self._stream(texts, lambda *group: self._classify(top_k, *group), control)

    def scores(self, texts: Iterable[Text], **control: Unpack[Control]) -> Floats:
        """[N, labels] float32, columns in the order of `labels`."""
        inputs = [texts] if isinstance(texts, str | tuple) else list(texts)
        rows = list(self._stream(inputs, self._scores, control))
        return np.stack(rows) if rows else np.zeros((0, len(self.labels)), dtype=np.float32)

    def _classify(self, top_k: int | None, texts: list[Text], first_index: int, job: Job) -> list[list[Classification]]:
        if top_k is not None and top_k < 1:
            raise InputError(f"top_k is {top_k}; it should be at least 1, or None for all labels.")
        ranked = []
        for scores in self._scores(texts, first_index, job):
            order = np.argsort(-scores, kind="stable")[:top_k]
            ranked.append([Classification(self.labels[i], float(scores[i])) for i in order])
        return ranked

    def _scores(self, texts: list[Text], first_index: int, job: Job) -> list[Floats]:
        windows = encode_windows(self.tokenizer, texts, self.limits, first_index=first_index)
        logits = run_windows(self.model, windows, _logits_row, max_tokens=self.max_batch_tokens, job=job)
        members = groupby(zip(windows, logits, strict=True), key=lambda item: item[0].index)
        rows = np.stack([_mean([row for _, row in group]) for _, group in members])
        if self.activation == "softmax":
            return list(softmax(rows))
        if self.activation == "sigmoid":
            return list(sigmoid(rows))
        return list(rows.astype(np.float32))


def _logits_row(output: ModelOutput, row: int, window: Window) -> Doubles:
    return np.asarray(output.logits[row], dtype=np.float64)


def _mean(rows: list[Doubles]) -> Doubles:
    return np.asarray(fold_sum(rows) / len(rows))


def _activation_of(model: Model) -> Activation:
    problem = model.metadata.get("problem_type")
    if problem == "multi_label_classification":
        return "sigmoid"
    if problem == "regression" or (problem is None and model.config.num_labels == 1):
        return "none"
    return "softmax"


def model_labels(model: Model) -> list[str]:
    """The model's label names, LABEL_0 and so on where it has none."""
    return list(model.labels) if model.labels else [f"LABEL_{i}" for i in range(model.config.num_labels)]
