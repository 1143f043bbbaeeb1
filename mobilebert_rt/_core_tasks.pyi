"""Stubs of _core.tasks: the text tasks of csrc/tasks. mobilebert_rt.text is the API for people.

Texts are tuples of str or (str, str). Keywords that are None have the default of the C++ code; unknown ones raise
TypeError. Those of every call: first_index (the number of the first text in messages), num_threads, timeout (seconds),
cancel (CancelToken), progress (called with the number of texts after each batch), truncated (called with index and
tokens of each text that is truncated). Offsets count characters.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

_Texts = tuple[Any, ...]
_Floats = npt.NDArray[np.float32]

def native_tokenizer_problem(metadata: dict[str, str]) -> str | None:
    """Why native programs cannot read the tokenizer in a model file's metadata; None when they can."""

class Tokenizer:
    def __init__(self, source: object) -> None: ...
    def encode_batch(self, texts: _Texts, num_threads: int = 1) -> list[tuple[Any, Any, Any, Any, Any]]:
        """(ids, type_ids, offsets, sequence_ids, word_ids) of each text."""

    def piece(self, id: int) -> str: ...
    def id(self, piece: str) -> int | None: ...
    @property
    def size(self) -> int: ...
    @property
    def mask_token(self) -> str | None: ...

class TextModel:
    """model: a _core.Model; name: in messages; tokenizer: a Tokenizer, its source, or None for the model's own."""

    def __init__(self, model: object, name: str | bytes, tokenizer: object = None) -> None: ...
    @property
    def labels(self) -> list[str]: ...
    @property
    def mask_token(self) -> str | None: ...
    @property
    def tokenizer(self) -> Tokenizer: ...

class Limits:
    @property
    def max_length(self) -> int: ...
    @property
    def on_overflow(self) -> str: ...
    @property
    def stride(self) -> int: ...

class Task:
    def __init__(self, model: TextModel, **options: Any) -> None: ...
    def count_tokens(self, texts: _Texts) -> list[int]: ...
    def sequences(self, texts: _Texts, **call: Any) -> list[tuple[list[int], list[int]]]:
        """(ids, type_ids) of each sequence that the model runs."""

    @property
    def limits(self) -> Limits: ...
    @property
    def prompt(self) -> str: ...
    @property
    def max_batch_tokens(self) -> int: ...
    @property
    def group_bytes(self) -> int:
        """Bytes of text that are tokenised and run together."""

class Embedder(Task):
    def embed(self, texts: _Texts, **call: Any) -> _Floats: ...
    @property
    def dimension(self) -> int: ...
    @property
    def pooling(self) -> str: ...
    @property
    def normalize(self) -> bool: ...

class Classifier(Task):
    def scores(self, texts: _Texts, **call: Any) -> _Floats: ...
    def classify(self, texts: _Texts, **call: Any) -> list[list[tuple[str, float]]]:
        """For each text (label, score), best first."""

    @property
    def function_to_apply(self) -> str: ...

class Reranker(Classifier):
    def rank(self, documents: _Texts, **call: Any) -> list[tuple[int, float, str]]:
        """(index, score, document), best first."""

class ZeroShotClassifier(Task):
    def classify(self, texts: _Texts, **call: Any) -> list[tuple[str, list[str], list[float]]]:
        """For each text (text, labels, scores), best first."""

class TokenClassifier(Task):
    def tag(self, texts: _Texts, **call: Any) -> list[list[tuple[str, str, float, int, int]]]:
        """For each text (text, label, score, start, end)."""

    @property
    def aggregation(self) -> str: ...
    @property
    def ignored_labels(self) -> list[str]: ...

class QuestionAnswerer(Task):
    def answer(self, texts: _Texts, **call: Any) -> list[list[tuple[str, float, int, int]]]:
        """For each pair (text, score, start, end), best first."""

    @property
    def whole_words(self) -> bool: ...

class FillMask(Task):
    def fill(self, texts: _Texts, **call: Any) -> list[list[list[tuple[str, int, float, str]]]]:
        """For each text, for each mask (token, token_id, score, sequence), best first."""
