"""Words for the masks of a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, overload

from mobilebert_rt import _core
from mobilebert_rt.model import Model
from mobilebert_rt.text.results import Fill
from mobilebert_rt.text.task import Control, Options, TextTask

if TYPE_CHECKING:
    from typing import Unpack


class FillOptions(Control, total=False):
    """Keywords of a call: see FillMask.__call__."""

    top_k: int | None


class FillMask(TextTask):
    """The words that a masked language model predicts for each [MASK] (`mask_token`) of a text.

    With on_overflow="stride" each mask of a long text is filled in the window that shows most of its context.
    Keywords: see TextTask.

    >>> fill = FillMask.from_pretrained("mobilebert.safetensors")
    >>> proposals = fill("Paris is the [MASK] of France.", top_k=3)[0]  # of the first mask, best first
    >>> len(proposals)
    3
    """

    _core_type = _core.tasks.FillMask
    _task: _core.tasks.FillMask

    def __init__(self, model: Model, **options: Unpack[Options]) -> None:
        super().__init__(model, **options)

    @property
    def mask_token(self) -> str:
        """The text that stands for a mask."""
        return str(self._text_model.mask_token)

    @overload
    def __call__(self, texts: str, **options: Unpack[FillOptions]) -> list[list[Fill]]: ...
    @overload
    def __call__(self, texts: list[str], **options: Unpack[FillOptions]) -> list[list[list[Fill]]]: ...
    def __call__(self, texts: Any, **options: Unpack[FillOptions]) -> Any:
        """For each mask of the text, in order, its proposals, best first; a list of that for a list of texts.

        top_k: the number of proposals; None for a few. progress, timeout, cancel: see TextTask. Each mask is filled
        with the others still masked. Raises InputError (also for a text without a mask), TimeoutError, CancelledError.
        """
        return self._call(self._task.fill, texts, options, Fill)

    def stream(self, texts: Iterable[str], **options: Unpack[FillOptions]) -> Iterator[list[list[Fill]]]:
        """The same, one text after another, for inputs too many to hold."""
        return self._stream(self._task.fill, texts, options, Fill)
