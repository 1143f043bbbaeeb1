"""Texts to vectors."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.default_model import default_model_path
from mobilebert_rt.errors import CancelledError, TimeoutError
from mobilebert_rt.model import CancelToken, Model
from mobilebert_rt.text import vectors as arithmetic
from mobilebert_rt.text.encode import encode, encode_with_prompt
from mobilebert_rt.text.inputs import as_texts
from mobilebert_rt.text.task import OnOverflow, TextTask
from mobilebert_rt.text.tokenizer import TextInputs, TokenizerSource
from mobilebert_rt.text.vectors import Floats, Output


class TextEmbedder(TextTask[_core.tasks.Embedder]):
    """Sentence embeddings, as sentence-transformers computes them.

    model: a loaded Model; by default the one that comes with the package (see `default_model_path`). pooling: over the
    tokens of a text, [CLS] and [SEP] too: "mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", or
    several joined by "+". normalize: to length 1, after truncate_dim. prompt: put before each text; prompt_name: one of
    `prompts` instead. truncate_dim: keep the first dimensions only. All these, and max_length, default to what the
    model's sentence-transformers folder says; else to mean, not normalised, and the model's own limit. output:
    "float32", or "int8", "uint8", "binary", "ubinary" with `ranges`: see `mobilebert_rt.text.quantize`.

    A text of more than max_length tokens is cut, with one warning for each call (logger "mobilebert_rt");
    on_overflow="error" refuses it. With on_overflow="stride" its vector is the mean of its windows' pooled vectors,
    weighted by their token counts; modules and normalisation follow. Other keywords: see TextTask.

    >>> embedder = TextEmbedder()  # or TextEmbedder.from_pretrained("minilm.safetensors")
    >>> embedder(["a query", "a passage"]).shape
    (2, 384)
    """

    _core_type = _core.tasks.Embedder
    _warns_of_cut_texts = True
    _not_in_core = TextTask._not_in_core | {"output", "ranges"}
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
        output: Output | None = None,
        ranges: npt.ArrayLike | None = None,
        tokenizer: TokenizerSource | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        if output is not None:
            arithmetic.check_output(output)
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

    @property
    def similarity_fn_name(self) -> str:
        """ "cosine", "dot", "euclidean" or "manhattan", as the model file says; "cosine" when it does not."""
        return self.model.metadata.get("similarity", "cosine")

    @property
    def max_seq_length(self) -> int:
        """limits.max_length, by the name of sentence-transformers."""
        return self.limits.max_length

    def get_embedding_dimension(self) -> int:
        """The same as `dimension`, by the name of sentence-transformers."""
        return self.dimension

    get_sentence_embedding_dimension = get_embedding_dimension
    encode = encode
    encode_query = encode_with_prompt("query")
    encode_document = encode_with_prompt("document")

    def __call__(
        self,
        texts: TextInputs,
        *,
        pooling: str | None = None,
        normalize: bool | None = None,
        prompt: str | None = None,
        prompt_name: str | None = None,
        truncate_dim: int | None = None,
        output: Output | None = None,
        ranges: npt.ArrayLike | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Any:
        """[H] for one text (a str, or a pair as a tuple), [N, H] for N texts; float32, or as output says.

        pooling, normalize, prompt, prompt_name, truncate_dim, output, ranges, max_length, on_overflow, stride,
        max_batch_tokens, batch_size: as those of the constructor, for this call only. progress, timeout, cancel: see
        TextTask.

        Raises InputError for an input that is not text, TimeoutError, CancelledError.
        """
        given = locals()
        to_output = self._to_output(output, ranges)
        return to_output(self._call("embed", texts, None, given))

    def stream(
        self,
        texts: TextInputs,
        *,
        pooling: str | None = None,
        normalize: bool | None = None,
        prompt: str | None = None,
        prompt_name: str | None = None,
        truncate_dim: int | None = None,
        output: Output | None = None,
        ranges: npt.ArrayLike | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[Any]:
        """One [H] vector after another, in order, holding only a few batches at a time; keywords as those of a call.

        Raises InputError for output "int8" and "uint8" without ranges.
        """
        given = locals()
        to_output = self._to_output(output, ranges)
        to_output(np.zeros(self._with(pooling=pooling, truncate_dim=truncate_dim).dimension, np.float32))
        return map(to_output, self._stream("embed", texts, None, given))

    def token_vectors(
        self,
        texts: TextInputs,
        *,
        prompt: str | None = None,
        prompt_name: str | None = None,
        max_length: int | None = None,
        on_overflow: OnOverflow | None = None,
        stride: int | None = None,
        max_batch_tokens: int | None = None,
        batch_size: int | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> Any:
        """The last hidden state [S, H] of one text, a list of them for a list: a row for each token.

        Special tokens and the prompt are included. A text that is read in windows gives one array for each window.
        Keywords: as those of a call.

        >>> TextEmbedder().token_vectors("a cat").shape
        (4, 384)
        """
        given = locals()
        began = time.monotonic()
        task, keywords = self._split(given)
        inputs, single = as_texts(texts)
        with self._keywords(task, None, given | {"progress": False}) as common:
            windows = task.sequences(inputs, **common, **keywords)
        left = _time_left(timeout, began)
        states: list[Floats] = []
        for batch in _batches(windows, task.max_batch_tokens):
            ids, types = [ids for ids, _ in batch], [types for _, types in batch]
            has_types = self.model.config.type_vocab_size > 0
            states += self.model(
                ids, token_type_ids=types if has_types else None, output_logits=False, timeout=left(), cancel=cancel
            ).last_hidden_state
        return states[0] if single and len(states) == 1 else states

    def similarity(self, a: npt.ArrayLike, b: npt.ArrayLike) -> Any:
        """[N, M] float32: the similarity of each row of a [N, H] with each of b [M, H], by `similarity_fn_name`.

        A numpy array; a torch.Tensor when a or b is one. See `mobilebert_rt.text.similarity`.

        >>> embedder = TextEmbedder()
        >>> vectors = embedder(["a cat", "a kitten", "a tax form"])
        >>> embedder.similarity(vectors[:1], vectors[1:]).shape
        (1, 2)
        """
        found = arithmetic.similarity(a, b, self.similarity_fn_name)
        torch = sys.modules.get("torch")
        are_tensors = torch is not None and any(isinstance(each, torch.Tensor) for each in (a, b))
        return torch.from_numpy(found) if torch is not None and are_tensors else found

    def search(
        self,
        queries: Any,
        corpus: Any,
        top_k: int = 10,
        *,
        progress: bool | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> tuple[Floats, npt.NDArray[np.int64]]:
        """The top_k rows of a corpus for each query: scores and row numbers, both [Q, top_k], best first.

        queries, corpus: float vectors [Q, H] and [N, H], or texts, which get the model's prompts "query" and
        "document" unless the embedder has a prompt. Scores are those of `similarity`. The corpus is read in blocks and
        may be a `numpy.memmap`: see `mobilebert_rt.text.search`. progress, timeout, cancel: see TextTask.

        >>> scores, rows = TextEmbedder().search(["a small cat"], ["a tax form", "a kitten"], top_k=1)
        >>> rows.tolist()
        [[1]]
        """
        keywords = {"progress": progress, "timeout": timeout, "cancel": cancel}
        self._call("embed", [], None, keywords)  # checks them
        left = _time_left(timeout, time.monotonic())

        def check() -> None:
            if cancel is not None and cancel.cancelled:
                raise CancelledError("call: cancelled by its caller.")
            if left() == 0:
                raise TimeoutError("call: its timeout passed during the search.")

        def as_vectors(given: Any, name: str) -> Any:
            items, are_texts = _read(given)
            if not are_texts:
                return items
            prompt = {} if {"prompt", "prompt_name"} & self._options.keys() else {"prompt_name": name}
            return self._call("embed", items, None, keywords | prompt | {"timeout": left()})

        found = as_vectors(queries, "query"), as_vectors(corpus, "document")
        return arithmetic.search(*found, top_k, self.similarity_fn_name, check)

    def _to_output(self, output: Output | None, ranges: npt.ArrayLike | None) -> Callable[[Floats], Any]:
        """From vectors in float32 to those of a call."""
        wanted = self._options.get("output", "float32") if output is None else output
        arithmetic.check_output(wanted)
        limits = self._options.get("ranges") if ranges is None else ranges
        return lambda vectors: arithmetic.quantize(vectors, wanted, limits)


def _time_left(timeout: float | None, began: float) -> Callable[[], float | None]:
    """Seconds left of a call, at least 0; None for no limit. began: in time.monotonic()."""
    if timeout is None:
        return lambda: None
    end = began + timeout
    return lambda: max(0.0, end - time.monotonic())


def _read(given: Any) -> tuple[Any, bool]:
    """Vectors or texts, and whether they are texts."""
    if hasattr(given, "dtype") and np.asarray(given).dtype.kind in "fiu":
        return given, False
    items = list(as_texts(given)[0])
    first = items[0] if items else ""
    return items, isinstance(first[0] if isinstance(first, tuple) and first else first, str)


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
