"""Texts to vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.default_model import default_model_path
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.task import OnOverflow, TextTask
from mobilebert_rt.text.tokenizer import TextInputs, TokenizerSource

Pooling = Literal["mean", "cls"]
Floats = npt.NDArray[np.float32]


class TextEmbedder(TextTask[_core.tasks.Embedder]):
    """Sentence embeddings, float32, as sentence-transformers computes them.

    model: a loaded Model; by default the one that comes with the package (see `default_model_path`). pooling: "mean"
    over all tokens of a text ([CLS] and [SEP] too) or "cls", the first token. normalize: to length 1. Both, and
    max_length, default to what the model's sentence-transformers folder says; else to mean, not normalised, and the
    model's own limit. With on_overflow="stride" a long text's vector is the mean of its windows' vectors weighted by
    their token counts, normalised afterwards. Other keywords: see TextTask.

    >>> embedder = TextEmbedder()  # or TextEmbedder.from_pretrained("minilm.safetensors")
    >>> embedder(["a query", "a passage"]).shape
    (2, 384)
    """

    _core_type = _core.tasks.Embedder

    def __init__(
        self,
        model: Model | None = None,
        *,
        pooling: Pooling | None = None,
        normalize: bool | None = None,
        tokenizer: TokenizerSource | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        if model is None:
            model = Model.from_pretrained(default_model_path())
        super().__init__(model, locals())

    @property
    def dimension(self) -> int:
        """Length H of a vector."""
        return self._task.dimension

    @property
    def pooling(self) -> str:
        """ "mean" or "cls"."""
        return self._task.pooling

    @property
    def normalize(self) -> bool:
        """Whether vectors have length 1."""
        return self._task.normalize

    def __call__(
        self,
        texts: TextInputs,
        *,
        pooling: Pooling | None = None,
        normalize: bool | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Floats:
        """[H] for one text (a str, or a pair as a tuple), [N, H] for N texts; float32.

        pooling, normalize, max_length, on_overflow, stride, max_batch_tokens, batch_size: as those of the constructor,
        for this call only. progress, timeout, cancel: see TextTask.

        Raises InputError for an input that is not text or is too long, TimeoutError, CancelledError.
        """
        vectors: Floats = self._call("embed", texts, None, locals())
        return vectors

    def stream(
        self,
        texts: TextInputs,
        *,
        pooling: Pooling | None = None,
        normalize: bool | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[Floats]:
        """One [H] vector after another, in order, holding only a few batches at a time; keywords as those of a call."""
        return self._stream("embed", texts, None, locals())
