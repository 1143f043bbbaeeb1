"""Documents in the order of their relevance to a query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.inputs import read_texts
from mobilebert_rt.text.results import RankedDocument
from mobilebert_rt.text.task import CallOptions, FunctionToApply, OnOverflow, TextTask
from mobilebert_rt.text.tokenizer import TokenizerSource

if TYPE_CHECKING:
    from typing import Unpack


class ScoreOptions(CallOptions, total=False):
    """Keywords of a call: see Reranker.__call__."""

    function_to_apply: FunctionToApply | None


class Reranker(TextTask[_core.tasks.Reranker]):
    """The relevance of documents to a query, by a cross-encoder: a model of one label that reads both as a pair.

    function_to_apply: to the model's output, "sigmoid" or "none"; by default what the model says. Long pairs are
    truncated by default (on_overflow). Other keywords: see TextTask.

    >>> reranker = Reranker.from_pretrained("cross-encoder.safetensors")
    >>> documents = ["Plants make sugar from light.", "The night train to Vienna is late."]
    >>> best = reranker.rank("How do plants make their food?", documents, top_k=1)[0]
    >>> best.text == documents[best.corpus_id]
    True

    Raises UnsupportedModelError for a model with several labels.
    """

    _core_type = _core.tasks.Reranker

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

    @overload
    def __call__(self, pairs: tuple[str, str], **options: Unpack[ScoreOptions]) -> np.float32: ...
    @overload
    def __call__(
        self, pairs: Iterable[tuple[str, str]], **options: Unpack[ScoreOptions]
    ) -> npt.NDArray[np.float32]: ...
    def __call__(
        self,
        pairs: tuple[str, str] | Iterable[tuple[str, str]],
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
    ) -> Any:
        """The score of a pair (query, document); float32 [N] for N pairs.

        function_to_apply, max_length, on_overflow, stride, max_batch_tokens, batch_size: as those of the constructor,
        for this call only. progress, timeout, cancel: see TextTask.

        Raises InputError, TimeoutError, CancelledError.
        """
        return self._call("scores", pairs, None, locals()).T[0]

    def rank(
        self,
        query: str,
        documents: Iterable[str],
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
    ) -> list[RankedDocument]:
        """The documents, best first.

        top_k: the number of documents; None for all. Other keywords: as those of a call.

        Raises InputError, TimeoutError, CancelledError.
        """
        texts = list(read_texts(documents, "documents"))
        ranked: list[RankedDocument] = self._call("rank", texts, RankedDocument, locals())
        return ranked
