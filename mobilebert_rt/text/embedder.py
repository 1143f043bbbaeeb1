"""Texts to vectors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.default_model import default_model_path
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text.inputs import as_texts
from mobilebert_rt.text.task import OnOverflow, TextTask
from mobilebert_rt.text.tokenizer import TextInputs, TokenizerSource

Floats = npt.NDArray[np.float32]


class TextEmbedder(TextTask[_core.tasks.Embedder]):
    """Sentence embeddings, as sentence-transformers computes them.

    model: a loaded Model; by default the one that comes with the package (see `default_model_path`). pooling: over the
    tokens of a text, [CLS] and [SEP] too: "mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", or
    several joined by "+". normalize: to length 1, after truncate_dim. prompt: put before each text; prompt_name: one of
    `prompts` instead. truncate_dim: keep the first dimensions only. All these, and max_length, default to what the
    model's sentence-transformers folder says; else to mean, not normalised, and the model's own limit.

    A text of more than max_length tokens is cut, with one warning for each call (logger "mobilebert_rt");
    on_overflow="error" refuses it. With on_overflow="stride" its vector is the mean of its windows' pooled vectors,
    weighted by their token counts; modules and normalisation follow. Other keywords: see TextTask.

    >>> embedder = TextEmbedder()  # or TextEmbedder.from_pretrained("minilm.safetensors")
    >>> embedder(["a query", "a passage"]).shape
    (2, 384)
    """

    _core_type = _core.tasks.Embedder
    _warns_of_cut_texts = True
    _alternatives = TextTask._alternatives | {"prompt": "prompt_name", "prompt_name": "prompt"}

    def __init__(
        self,
        model: Model | None = None,
        *,
        pooling: str | None = None,
        normalize: bool | None = None,
        prompt: str | None = None,
        prompt_name: str | None = None,
        truncate_dim: int | None = None,
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
        """ "mean", "cls" or another mode, or several joined by "+"."""
        return self._task.pooling

    @property
    def normalize(self) -> bool:
        """Whether vectors are brought to length 1."""
        return self._task.normalize

    @property
    def prompt(self) -> str:
        """What is put before each text, "" for nothing."""
        return self._task.prompt

    @property
    def prompts(self) -> dict[str, str]:
        """The prompts in the model file, by name."""
        found: dict[str, str] = json.loads(self.model.metadata.get("prompts", "{}"))
        return found

    def __call__(
        self,
        texts: TextInputs,
        *,
        pooling: str | None = None,
        normalize: bool | None = None,
        prompt: str | None = None,
        prompt_name: str | None = None,
        truncate_dim: int | None = None,
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

        pooling, normalize, prompt, prompt_name, truncate_dim, max_length, on_overflow, stride, max_batch_tokens,
        batch_size: as those of the constructor, for this call only. progress, timeout, cancel: see TextTask.

        Raises InputError for an input that is not text, TimeoutError, CancelledError.
        """
        vectors: Floats = self._call("embed", texts, None, locals())
        return vectors

    def stream(
        self,
        texts: TextInputs,
        *,
        pooling: str | None = None,
        normalize: bool | None = None,
        prompt: str | None = None,
        prompt_name: str | None = None,
        truncate_dim: int | None = None,
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

    def token_vectors(self, texts: TextInputs) -> Any:
        """The last hidden state [S, H] of one text, a list of them for a list: a row for each token.

        Special tokens and the prompt are included. A text that is read in windows gives one array for each window.

        >>> TextEmbedder().token_vectors("a cat").shape
        (4, 384)
        """
        given, single = as_texts(texts)
        inputs = self.sequences(list(given))
        states: list[Floats] = []
        for batch in _batches(inputs, self.max_batch_tokens):
            ids, types = [ids for ids, _ in batch], [types for _, types in batch]
            has_types = self.model.config.type_vocab_size > 0
            states += self.model(
                ids, token_type_ids=types if has_types else None, output_logits=False
            ).last_hidden_state
        return states[0] if single and len(states) == 1 else states


def _batches(
    sequences: list[tuple[list[int], list[int]]], max_tokens: int
) -> Iterator[list[tuple[list[int], list[int]]]]:
    """Consecutive sequences of together at most max_tokens tokens, or one longer one."""
    batch: list[tuple[list[int], list[int]]] = []
    used = 0
    for sequence in sequences:
        if batch and used + len(sequence[0]) > max_tokens:
            yield batch
            batch, used = [], 0
        batch.append(sequence)
        used += len(sequence[0])
    if batch:
        yield batch
