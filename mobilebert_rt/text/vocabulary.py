"""A `tokenizers` WordPiece tokenizer from a bare `vocab.txt`, as BERT's own code would have read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from mobilebert_rt.errors import ModelFormatError

REQUIRED = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
OPTIONAL = {"pad_token": "[PAD]", "mask_token": "[MASK]"}


def read_vocabulary(text: str, source: str) -> dict[str, int]:
    """Piece -> id; the id is the line's number from 0. A repeated piece takes its last line, as in Hugging
    Face.

    Only the line feed ends a line: vocabularies hold pieces such as U+2028 that `str.splitlines` would cut
    at. Raises ModelFormatError when there is no piece at all.
    """
    lines = text.removesuffix("\n").split("\n")
    vocabulary = {line.rstrip("\r"): index for index, line in enumerate(lines)}
    if not any(vocabulary):
        raise ModelFormatError(f"{source}: the vocabulary is empty; it should hold one word piece a line.")
    return vocabulary


def special_tokens(settings: Mapping[str, Any]) -> dict[str, str]:
    """`cls_token` and its like -> the token, from a tokenizer_config (a string, or an object's `content`)."""
    found = {**REQUIRED, **OPTIONAL}
    for name in found:
        value = settings.get(name)
        if isinstance(value, Mapping):
            value = value.get("content")
        if isinstance(value, str) and value:
            found[name] = value
    return found


def read_settings(text: str | None, source: str) -> dict[str, Any]:
    """The tokenizer_config, {} when there is none. Raises ModelFormatError when it is not a JSON object."""
    if not text:
        return {}
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise ModelFormatError(f"{source}: tokenizer_config is not JSON ({error}).") from error
    if not isinstance(settings, dict):
        raise ModelFormatError(f"{source}: tokenizer_config should be a JSON object, it is {type(settings).__name__}.")
    return settings


def wordpiece(vocab_text: str, settings: Mapping[str, Any], source: str) -> Tokenizer:
    """BERT's tokenizer: normalise, split at spaces and punctuation, longest piece first, [CLS] a [SEP] b
    [SEP].

    settings: `do_lower_case` (default true), `strip_accents` (default: as do_lower_case),
    `tokenize_chinese_chars` (default true), and the special tokens' names. Raises ModelFormatError when a
    special token is not in the vocabulary.
    """
    vocabulary = read_vocabulary(vocab_text, source)
    special = special_tokens(settings)
    missing = [special[name] for name in REQUIRED if special[name] not in vocabulary]
    if missing:
        raise ModelFormatError(
            f"{source}: the vocabulary of {len(vocabulary):,} pieces lacks the special token "
            f"{' and '.join(missing)}. Is this the model's own vocab.txt? "
            "Other names can be given in tokenizer_config.json (cls_token, ...)."
        )
    unknown, cls, sep = special["unk_token"], special["cls_token"], special["sep_token"]
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=unknown, max_input_chars_per_word=100))
    tokenizer.add_special_tokens([token for token in special.values() if token in vocabulary])
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=bool(settings.get("tokenize_chinese_chars", True)),
        strip_accents=settings.get("strip_accents"),
        lowercase=bool(settings.get("do_lower_case", True)),
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing((sep, vocabulary[sep]), (cls, vocabulary[cls]))
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return tokenizer
