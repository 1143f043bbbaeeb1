"""A WordPiece vocabulary: some words and parts of words, letters, punctuation and the special tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

WORDS = """
the a of in is was who where when what wrote notes by ada love ##lace lived london paris france capital city
cat dog ##s ##ing film good bad warm funny not very and to 1843 . , ? ! ' -
b c d e f g h i j k l m n o p q r s t u
"""
VOCABULARY = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]) + "\n"
VOCAB_SIZE = VOCABULARY.count("\n")
PIECES = {piece: index for index, piece in enumerate(VOCABULARY.split())}
SETTINGS: dict[str, Any] = {
    "do_lower_case": True,
    "strip_accents": None,
    "tokenize_chinese_chars": True,
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "mask_token": "[MASK]",
}


def word_id(piece: str) -> int:
    """The id of a piece of VOCABULARY, such as "cat", "##ing" or "[MASK]"."""
    return PIECES[piece]


def random_words(count: int, seed: int = 0) -> str:
    """A text of `count` whole words, each of one token."""
    words = [word for word in WORDS.split() if word.isalpha() and len(word) > 1]
    return " ".join(np.random.default_rng(seed).choice(words, count))


def tokenizer_json(
    vocabulary: Mapping[str, int] = PIECES, added: Iterable[dict[str, Any]] = (), **changes: Any
) -> dict[str, Any]:
    """The tokenizer.json of a vocabulary that has [UNK], [CLS] and [SEP]. changes: of the normaliser."""
    special = [
        added_token(name, vocabulary[name])
        for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        if name in vocabulary
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [*special, *added],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
            **changes,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "BertProcessing",
            "sep": ["[SEP]", vocabulary["[SEP]"]],
            "cls": ["[CLS]", vocabulary["[CLS]"]],
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": dict(vocabulary),
        },
    }


def added_token(content: str, number: int, **changes: Any) -> dict[str, Any]:
    """An entry of added_tokens."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": number, "content": content, **flags, **changes}
