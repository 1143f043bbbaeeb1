"""The tokenizer of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mobilebert_rt import _core
from mobilebert_rt.keywords import checks_keywords
from mobilebert_rt.text.inputs import read_texts

if TYPE_CHECKING:
    import tokenizers

Text: TypeAlias = "str | tuple[str, str] | Mapping[str, str]"
"""One input: a text, or a pair of texts as a tuple or as a mapping with text and text_pair."""

TextInputs: TypeAlias = "Text | Iterable[Text]"
"""One input or several: see TextTask."""

TokenizerSource: TypeAlias = (
    "TextTokenizer | tokenizers.Tokenizer | str | PathLike[str] | Callable[[list[Text]], Iterable[Any]]"
)
"""A tokenizer, or the path of a tokenizer.json, of a vocab.txt or of a folder that holds one."""


class Encoding(NamedTuple):
    """The tokens of one input, as in `tokenizers.Encoding`. offsets: characters [start, end) of the token's text;
    sequence_ids: 0 first text, 1 second text, None special token; word_ids: index of the token's word."""

    ids: list[int]
    type_ids: list[int]
    offsets: list[tuple[int, int]]
    sequence_ids: list[int | None]
    word_ids: list[int | None]

    def __repr__(self) -> str:
        ids = str(self.ids) if len(self.ids) <= 16 else f"{str(self.ids[:16])[:-1]}, ...]"
        return f"Encoding({len(self.ids)} ids: {ids})"


@checks_keywords
class TextTokenizer:
    """Texts to token ids. Immutable; any number of threads may use one.

    source: the path of a tokenizer.json, of a vocab.txt or of a folder that holds one; a `tokenizers.Tokenizer`; or a
    callable that takes a list of texts (str, or pairs as tuples) and returns an object with the attributes of
    `Encoding` for each. WordPiece runs in C++; other kinds of tokenizers need the `tokenizers` library.

    >>> tokenizer = TextTokenizer("path/to/hf-folder")
    >>> len(tokenizer.encode_batch(["a cat"])[0].ids)  # [CLS] a cat [SEP]
    4

    Raises ModelFormatError for a file that cannot be read, UnsupportedModelError when it needs a missing library.
    """

    def __init__(self, source: TokenizerSource | _core.tasks.Tokenizer) -> None:
        self._core = source if isinstance(source, _core.tasks.Tokenizer) else _core.tasks.Tokenizer(source)

    def __repr__(self) -> str:
        return f"<TextTokenizer: {self.size} pieces>"

    @property
    def size(self) -> int:
        """The number of pieces, added tokens included."""
        return self._core.size

    @property
    def mask_token(self) -> str | None:
        """The mask token, [MASK] in BERT's vocabularies; None when there is none."""
        return self._core.mask_token

    def encode_batch(self, texts: Iterable[Text]) -> list[Encoding]:
        """The encoding of each text, special tokens included. Raises InputError for an input that is not text."""
        return [Encoding(*found) for found in self._core.encode_batch(tuple(read_texts(texts)))]

    def piece(self, token_id: int) -> str:
        """The vocabulary's spelling of an id (`##ing`), or "" for an id without a piece."""
        return self._core.piece(token_id)

    def token_id(self, piece: str) -> int | None:
        """The id of a piece, None when the vocabulary lacks it."""
        return self._core.id(piece)
