"""Texts to vectors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from mobilebert_rt.default_model import default_model_path
from mobilebert_rt.errors import InputError, ModelFormatError
from mobilebert_rt.model import Model
from mobilebert_rt.text.batching import Job, run_windows
from mobilebert_rt.text.numeric import Doubles, Floats, fold_sum, unit_rows
from mobilebert_rt.text.task import Control, TextTask, refuse_path
from mobilebert_rt.text.tokenizer import Text
from mobilebert_rt.text.windows import Window, encode_windows

if TYPE_CHECKING:
    from typing import Unpack

    from mobilebert_rt.model import ModelOutput

Pooling = Literal["mean", "cls"]


class TextEmbedder(TextTask):
    """Sentence embeddings, float32, as sentence-transformers computes them.

    model: a loaded Model; by default the one that comes with the package (see `default_model_path`).
    pooling: "mean" over all tokens of a text ([CLS] and [SEP] too) or "cls", the first token; normalize: to
    length 1. Both, and max_length, default to what the model's sentence-transformers folder said; else to
    mean, not normalised, and the model's own limit.
    With on_overflow="stride" a long text's vector is the mean of its windows' vectors weighted by their token
    counts, normalised afterwards. Other keywords: see TextTask.

        embedder = TextEmbedder()                           # or TextEmbedder.from_pretrained("minilm.safetensors")
        vectors = embedder(["a query", "a passage"])        # [2, H]
    """

    def __init__(
        self,
        model: Model | None = None,
        *,
        pooling: Pooling | None = None,
        normalize: bool | None = None,
        max_length: int | None = None,
        **options: Any,
    ) -> None:
        if model is None:
            model = Model.from_pretrained(default_model_path())
        refuse_path(model, type(self))
        mode, unit, longest = _pooling_of(model)
        super().__init__(model, max_length=longest if max_length is None else max_length, **options)
        self.pooling = mode if pooling is None else pooling
        self.normalize = unit if normalize is None else normalize
        if self.pooling not in get_args(Pooling):
            raise InputError(f"pooling is {self.pooling!r}; it can be {', '.join(get_args(Pooling))}.")

    @property
    def dimension(self) -> int:
        """Length H of a vector."""
        return self.model.config.hidden_size

    def __call__(self, texts: str | tuple[str, str] | Iterable[Text], **control: Unpack[Control]) -> Floats:
        """[H] for one text (a str, or a pair as a tuple), [N, H] for a list of N; float32.

        Raises InputError for an input that is not text or is too long, TimeoutError, CancelledError.
        """
        vectors = self._call(texts, self._embed, control)
        if isinstance(vectors, np.ndarray):
            return vectors
        return np.stack(vectors) if vectors else np.zeros((0, self.dimension), dtype=np.float32)

    def stream(self, texts: Iterable[Text], **control: Unpack[Control]) -> Iterator[Floats]:
        """One [H] vector after another, in order, holding only a few batches at a time."""
        return self._stream(texts, self._embed, control)

    def _embed(self, texts: list[Text], first_index: int, job: Job) -> list[Floats]:
        windows = encode_windows(self.tokenizer, texts, self.limits, first_index=first_index)
        # A masked-LM head would otherwise compute a vocabulary of logits for each token.
        wasteful = self.model.config.head in ("masked_lm", "pretraining")
        positions: list[list[int]] | None = [[] for _ in windows] if wasteful else None
        pooled = run_windows(
            self.model, windows, self._pool, max_tokens=self.max_batch_tokens, job=job, positions=positions
        )
        members = groupby(zip(windows, pooled, strict=True), key=lambda item: item[0].index)
        rows = np.stack([_merge(list(group)) for _, group in members])
        return list((unit_rows(rows) if self.normalize else rows).astype(np.float32))

    def _pool(self, output: ModelOutput, row: int, window: Window) -> Doubles:
        """[H] float64 from one sequence's states [S, H]."""
        states = output.last_hidden_state[row]
        if self.pooling == "cls":
            return np.asarray(states[0], dtype=np.float64)
        return fold_sum(states) / len(window.ids)


def _merge(parts: list[tuple[Window, Doubles]]) -> Doubles:
    """The vector of one text from those of its windows, weighted by their tokens."""
    if len(parts) == 1:
        return parts[0][1]
    weights = [len(window.ids) for window, _ in parts]
    weighted = fold_sum([vector * weight for (_, vector), weight in zip(parts, weights, strict=True)])
    return np.asarray(weighted / sum(weights))


def _pooling_of(model: Model) -> tuple[str, bool, int | None]:
    """Mode, whether to normalise, and the most tokens of a text, as the model's metadata says."""
    text = model.metadata.get("pooling")
    if not text:
        return "mean", False, None
    try:
        settings = json.loads(text)
        tokens = settings.get("max_tokens")
        longest = None if tokens is None else min(int(tokens), model.config.max_positions)
        return str(settings["mode"]), bool(settings["normalize"]), longest
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFormatError(
            f'{model.path}: metadata "pooling" is {text!r}; '
            'it should be {"mode": "mean" or "cls", "normalize": bool}.'
        ) from error
