"""Words for the masks of a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, overload

from mobilebert_rt import _core
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.results import Fill
from mobilebert_rt.text.task import CallOptions, OnOverflow, TextTask
from mobilebert_rt.text.tokenizer import TokenizerSource

if TYPE_CHECKING:
    from typing import Unpack


class FillOptions(CallOptions, total=False):
    """Keywords of a call: see FillMask.__call__."""

    top_k: int | None
    targets: str | Iterable[str] | None


class FillMask(TextTask[_core.tasks.FillMask]):
    """The words that a masked language model predicts for each [MASK] (`mask_token`) of a text.

    With on_overflow="stride" each mask of a long text is filled in the window that shows most of its context.
    Keywords: see TextTask.

    >>> fill = FillMask.from_pretrained("mobilebert.safetensors")
    >>> proposals = fill("Paris is the [MASK] of France.", top_k=3)[0]  # of the first mask, best first
    >>> len(proposals)
    3
    """

    _core_type = _core.tasks.FillMask

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

    @property
    def mask_token(self) -> str:
        """The text that stands for a mask."""
        return str(self._text_model.mask_token)

    @overload
    def __call__(self, texts: str, **options: Unpack[FillOptions]) -> list[list[Fill]]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Iterable[str], **options: Unpack[FillOptions]) -> list[list[list[Fill]]]: ...
    def __call__(
        self,
        texts: str | Iterable[str],
        *,
        top_k: int | None = None,
        targets: str | Iterable[str] | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Any:
        """For each mask of the text, in order, its proposals, best first; a list of that for several texts.

        Each mask is filled with the others still masked. top_k: the number of proposals; None for a few. targets:
        the only words to propose; their scores are those among all words. max_length, on_overflow, stride,
        max_batch_tokens, batch_size: as those of the constructor, for this call only. progress, timeout, cancel: see
        TextTask.

        Raises InputError (also for a text without a mask, and for a target that is not one token of the vocabulary),
        TimeoutError, CancelledError.
        """
        return self._call("fill", texts, Fill, locals())

    def stream(
        self,
        texts: Iterable[str],
        *,
        top_k: int | None = None,
        targets: str | Iterable[str] | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[list[list[Fill]]]:
        """The same, one text after another, for inputs too many to hold; keywords as those of a call."""
        return self._stream("fill", texts, Fill, locals())
