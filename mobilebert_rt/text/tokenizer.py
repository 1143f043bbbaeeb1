"""The model's tokenizer, ready to use: found, checked, and with no truncation or padding of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import tokenizers

from mobilebert_rt.errors import InputError, ModelFormatError
from mobilebert_rt.text.vocabulary import OPTIONAL, read_settings, special_tokens, wordpiece

if TYPE_CHECKING:
    from mobilebert_rt.model import Model

Text: TypeAlias = "str | tuple[str, str]"
"""One input: a text, or a pair of texts as a tuple."""

TokenizerSource: TypeAlias = "TextTokenizer | tokenizers.Tokenizer | str | Path"
"""Where a tokenizer can come from: an object, or the path of a tokenizer.json, a vocab.txt or a folder."""


class TextTokenizer:
    """Text to ids, by the `tokenizers` library. Immutable; may be used by any number of threads.

    backend: taken over and freed of truncation and padding: many published tokenizer.json files cut at 128
    tokens unasked. mask: the mask token's text when it is known; by default the usual names are looked for.
    """

    def __init__(self, backend: tokenizers.Tokenizer, mask: str | None = None) -> None:
        self.backend = backend
        self.backend.no_truncation()
        self.backend.no_padding()
        names = [mask] if mask else [OPTIONAL["mask_token"], "<mask>"]
        known = [name for name in names if self.backend.token_to_id(name) is not None]
        self.mask_token = known[0] if known else None
        self.mask_id = self.backend.token_to_id(known[0]) if known else None
        self.size = self.backend.get_vocab_size(with_added_tokens=True)

    def special_count(self, pair: bool) -> int:
        """How many special tokens a text, or a pair, is given."""
        return self.backend.num_special_tokens_to_add(pair)

    def encode_batch(self, texts: Sequence[Text], first_index: int, with_offsets: bool) -> list[tokenizers.Encoding]:
        """Whole encodings with special tokens; offsets are filled only when asked for (they cost time).

        Raises InputError naming the input that is not text; its number counts from `first_index`.
        """
        inputs = [_checked(text, first_index + i) for i, text in enumerate(texts)]
        encode = self.backend.encode_batch if with_offsets else self.backend.encode_batch_fast
        return encode(inputs)

    def encode_bare(self, text: str) -> tokenizers.Encoding:
        """Without special tokens; `assemble` adds them."""
        return self.backend.encode(text, add_special_tokens=False)

    def assemble(self, *parts: tokenizers.Encoding) -> tokenizers.Encoding:
        """Bare encodings of a text, or of a pair, with the special tokens that belong around them."""
        return self.backend.post_process(parts[0], parts[1] if len(parts) == 2 else None)

    def piece(self, token_id: int) -> str:
        """The vocabulary's own spelling of an id (`##ing`), or "" for an id without a piece."""
        return self.backend.id_to_token(token_id) or ""


def _checked(text: object, index: int) -> Text:
    parts = text if isinstance(text, tuple) else (text,)
    if isinstance(text, tuple) and len(text) != 2:
        raise InputError(
            f"input {index} is a tuple of {len(text)} items. A tuple is a pair of two texts; "
            "give several texts as a list."
        )
    for part in parts:
        if not isinstance(part, str):
            raise InputError(
                f"input {index} is {type(part).__name__}, not text. Give a str, or a pair of them as a tuple."
            )
        if not part.isascii():
            try:
                part.encode()
            except UnicodeEncodeError as error:
                raise InputError(
                    f"input {index} has a lone surrogate (U+{ord(part[error.start]):04X}) "
                    f"at character {error.start}: it was not decoded as UTF-8."
                ) from None
    return text  # type: ignore[return-value]  # shown to be a str or a pair of them just above


def tokenizer_of(model: Model, given: TokenizerSource | None = None) -> TextTokenizer:
    """The tokenizer that was given, or the one in the model's metadata (tokenizer.json first, then
    vocab.txt).

    Raises ModelFormatError when there is none, when it cannot be read, or when it has more pieces than the
    model has rows.
    """
    tokenizer = _from_model(model) if given is None else _from_source(given)
    if tokenizer.size > model.config.vocab_size:
        raise ModelFormatError(
            f"{model.path}: the tokenizer has {tokenizer.size:,} pieces, "
            f"the model only {model.config.vocab_size:,} rows for them: they do not belong together."
        )
    return tokenizer


def _from_model(model: Model) -> TextTokenizer:
    metadata, source = model.metadata, str(model.path)
    settings = read_settings(metadata.get("tokenizer_config"), source)
    if text := metadata.get("tokenizer.json"):
        return _from_json(text, f"{source}: tokenizer.json", _own_mask(settings))
    if text := metadata.get("vocab.txt"):
        return TextTokenizer(wordpiece(text, settings, f"{source}: vocab.txt"), special_tokens(settings)["mask_token"])
    raise ModelFormatError(
        f"{source} holds no tokenizer. Convert the model again from a folder that has tokenizer.json or "
        "vocab.txt, or give one: tokenizer='path/to/tokenizer.json' (on the command line: --tokenizer PATH)."
    )


def _own_mask(settings: dict[str, object]) -> str | None:
    return special_tokens(settings)["mask_token"] if settings.get("mask_token") else None


def _from_source(given: TokenizerSource) -> TextTokenizer:
    if isinstance(given, TextTokenizer):
        return given
    if not isinstance(given, str | Path):
        return TextTokenizer(tokenizers.Tokenizer.from_str(given.to_str()))  # the caller's own stays as it is
    path = Path(given)
    if path.is_dir():
        path = next((path / name for name in ("tokenizer.json", "vocab.txt") if (path / name).is_file()), path)
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFormatError(f"{path}: no tokenizer.json or vocab.txt could be read there ({error}).") from error
    beside = path.with_name("tokenizer_config.json")
    settings = read_settings(beside.read_text(encoding="utf-8") if beside.is_file() else None, str(beside))
    if path.suffix == ".json":
        return _from_json(text, str(path), _own_mask(settings))
    return TextTokenizer(wordpiece(text, settings, str(path)), special_tokens(settings)["mask_token"])


def _from_json(text: str, source: str, mask: str | None) -> TextTokenizer:
    try:
        return TextTokenizer(tokenizers.Tokenizer.from_str(text), mask)
    except Exception as error:  # the library raises plain Exception for every fault of the file
        raise ModelFormatError(f"{source} is not a tokenizer that this tokenizers release can read: {error}") from error
