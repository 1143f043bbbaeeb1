"""Words for the masks of a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, overload

from mobilebert_rt import _core
from mobilebert_rt.model import Model
from mobilebert_rt.text.results import Fill
from mobilebert_rt.text.task import Control, Options, TextTask
from mobilebert_rt.text.tokenizer import Text

if TYPE_CHECKING:
    from typing import Unpack


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
    def __call__(self, texts: str, *, top_k: int | None = None, **control: Unpack[Control]) -> list[list[Fill]]: ...
    @overload
    def __call__(
        self, texts: list[str], *, top_k: int | None = None, **control: Unpack[Control]
    ) -> list[list[list[Fill]]]: ...
    def __call__(self, texts: Any, *, top_k: int | None = None, **control: Unpack[Control]) -> Any:
        """For each mask of the text, in order, its proposals, best first; a list of that for a list of texts.

        top_k: the number of proposals; None for a few. Each mask is filled with the others still masked. Raises
        InputError (also for a text without a mask), TimeoutError, CancelledError.
        """
        return self._call(self._fill, texts, control, top_k=top_k)

    def stream(
        self, texts: Iterable[str], *, top_k: int | None = None, **control: Unpack[Control]
    ) -> Iterator[list[list[Fill]]]:
        """The same, one text after another, for inputs too many to hold."""
        return self._stream(self._fill, texts, control, top_k=top_k)

    def _fill(self, texts: tuple[Text, ...], **keywords: Any) -> list[list[list[Fill]]]:
        return [[[Fill(*fill) for fill in mask] for mask in masks] for masks in self._task.fill(texts, **keywords)]
