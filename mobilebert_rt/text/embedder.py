"""Texts to vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.default_model import default_model_path
from mobilebert_rt.model import Model
from mobilebert_rt.text.task import Control, Options, TextTask
from mobilebert_rt.text.tokenizer import Text

if TYPE_CHECKING:
    from typing import Unpack

Pooling = Literal["mean", "cls"]
Floats = npt.NDArray[np.float32]


class TextEmbedder(TextTask):
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
    _task: _core.tasks.Embedder

    def __init__(
        self,
        model: Model | None = None,
        *,
        pooling: Pooling | None = None,
        normalize: bool | None = None,
        **options: Unpack[Options],
    ) -> None:
        if model is None:
            model = Model.from_pretrained(default_model_path())
        super().__init__(model, pooling=pooling, normalize=normalize, **options)

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

    def __call__(self, texts: str | tuple[str, str] | Iterable[Text], **control: Unpack[Control]) -> Floats:
        """[H] for one text (a str, or a pair as a tuple), [N, H] for a list of N; float32.

        Raises InputError for an input that is not text or is too long, TimeoutError, CancelledError.
        """
        vectors: Floats = self._call(self._task.embed, texts, control)
        return vectors

    def stream(self, texts: Iterable[Text], **control: Unpack[Control]) -> Iterator[Floats]:
        """One [H] vector after another, in order, holding only a few batches at a time."""
        return self._stream(self._task.embed, texts, control)
