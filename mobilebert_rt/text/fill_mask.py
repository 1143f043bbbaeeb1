"""Proposals for the masks of a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from mobilebert_rt.errors import InputError, ModelFormatError
from mobilebert_rt.text.batching import Job, run_windows
from mobilebert_rt.text.numeric import Floats, softmax
from mobilebert_rt.text.results import Fill
from mobilebert_rt.text.task import Control, TextTask, single_texts
from mobilebert_rt.text.tokenizer import Text
from mobilebert_rt.text.windows import Window, encode_windows, own_tokens

if TYPE_CHECKING:
    from typing import Unpack

    from mobilebert_rt.model import Model, ModelOutput


class FillMask(TextTask):
    """What a masked language model would write where a text says [MASK] (`mask_token`).

    With on_overflow="stride" each mask of a long text is filled in the window that shows most of its
    surroundings. Keywords: see TextTask.

        fill = FillMask.from_pretrained("mobilebert.safetensors")
        fill("Paris is the [MASK] of France.")[0][0].token        # first mask, best proposal
    """

    heads = ("masked_lm", "pretraining")

    def __init__(self, model: Model, **options: Any) -> None:
        super().__init__(model, **options)
        if self.tokenizer.mask_token is None:
            raise ModelFormatError(f"{model.path}: its tokenizer has no mask token ([MASK]), so nothing can be filled.")
        self.mask_token: str = self.tokenizer.mask_token

    @overload
    def __call__(self, texts: str, *, top_k: int = 5, **control: Unpack[Control]) -> list[list[Fill]]: ...
    @overload
    def __call__(self, texts: list[str], *, top_k: int = 5, **control: Unpack[Control]) -> list[list[list[Fill]]]: ...
    def __call__(self, texts: Any, *, top_k: int = 5, **control: Unpack[Control]) -> Any:
        """For each mask of the text, in order, its top_k proposals, best first; a list of that for a list of
        texts.

        Masks are filled one by one: the others stay masked. Raises InputError (also for a text without a
        mask), TimeoutError, CancelledError.
        """
        return self._call(texts, lambda *group: self._fill(top_k, *group), control)

    def stream(self, texts: Iterable[str], *, top_k: int = 5, **control: Unpack[Control]) -> Iterator[list[list[Fill]]]:
        """The same, one text after another, for inputs too many to hold."""
        return self._stream(texts, lambda *group: self._fill(top_k, *group), control)

    def _fill(self, top_k: int, texts: list[Text], first_index: int, job: Job) -> list[list[list[Fill]]]:
        if top_k < 1:
            raise InputError(f"top_k is {top_k}; it should be at least 1.")
        singles = single_texts(texts, first_index)
        windows = encode_windows(self.tokenizer, texts, self.limits, first_index=first_index, with_offsets=True)
        positions: list[list[int]] = []
        for index, group in groupby(windows, key=lambda window: window.index):
            found = self._masks(list(group))
            if not any(found):
                raise InputError(f"input {first_index + index} has no {self.mask_token} that could be filled.")
            positions.extend(found)
        logits = run_windows(
            self.model, windows, _mask_logits, max_tokens=self.max_batch_tokens, job=job, positions=positions
        )
        fills: list[list[list[Fill]]] = [[] for _ in texts]
        for window, places, rows in zip(windows, positions, logits, strict=True):
            assert window.encoding is not None
            text = singles[window.index]
            for place, scores in zip(places, softmax(rows), strict=True):
                fills[window.index].append(self._best(text, window.encoding.offsets[place], scores, top_k))
        return fills

    def _masks(self, windows: list[Window]) -> list[list[int]]:
        """For each window of one text, the positions of the masks it answers for."""
        parts = [window.part(0) for window in windows]
        owned = own_tokens(windows, [len(part) for part in parts])
        found = []
        for window, part, own in zip(windows, parts, owned, strict=True):
            shift = part.start - window.first
            mask = self.tokenizer.mask_id
            found.append([place for place in range(own.start + shift, own.stop + shift) if window.ids[place] == mask])
        return found

    def _best(self, text: str, where: tuple[int, int], scores: Floats, top_k: int) -> list[Fill]:
        order = np.argsort(-scores, kind="stable")[:top_k].tolist()
        return [
            Fill(token, token_id, float(scores[token_id]), _filled(text, where, token))
            for token_id in order
            for token in [self.tokenizer.piece(token_id)]
        ]


def _mask_logits(output: ModelOutput, row: int, window: Window) -> Floats:
    """[masks, V]"""
    return np.asarray(output.logits[row], dtype=np.float32)


def _filled(text: str, where: tuple[int, int], token: str) -> str:
    """The text with the mask at `where` replaced; a ##piece joins the word before it."""
    start, end = where
    before = text[:start]
    if token.startswith("##") and len(token) > 2:
        before, token = before.rstrip(), token[2:]
    return before + token + text[end:]
