"""Texts to tokens and back."""

from __future__ import annotations

import asyncio
from typing import Any

from mobilebert_rt.errors import InputError
from mobilebert_rt.server import schemas
from mobilebert_rt.server.errors import ServerError
from mobilebert_rt.server.models import ServedModel
from mobilebert_rt.server.routes.embeddings import listed
from mobilebert_rt.server.routes.route import Context, Route
from mobilebert_rt.text import TextTokenizer

MOST_CHARACTERS = 1_000_000
MOST_IDS = 100_000
SPECIAL = frozenset({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})


def tokenizer_of(model: ServedModel) -> TextTokenizer:
    tokenizer: TextTokenizer = next(iter(model.tasks.values())).tokenizer
    return tokenizer


async def tokenize(context: Context, request: schemas.TokenizeRequest) -> list[list[dict[str, Any]]]:
    model = context.models.named(request.model)
    texts = listed(request.inputs)
    model.check_count(texts)
    characters = sum(map(len, texts))
    if characters > MOST_CHARACTERS:
        raise ServerError("too_large", f"inputs: found {characters} characters; expected at most {MOST_CHARACTERS}.")
    return await asyncio.to_thread(_tokens, tokenizer_of(model), texts, request.add_special_tokens)


def _tokens(tokenizer: TextTokenizer, texts: list[str], special: bool) -> list[list[dict[str, Any]]]:
    try:
        encodings = tokenizer.encode_batch(texts)
    except InputError as error:
        raise ServerError("tokenizer", str(error)) from None
    found = []
    for text, encoding in zip(texts, encodings, strict=True):
        tokens = []
        for token_id, (start, stop), sequence in zip(
            encoding.ids, encoding.offsets, encoding.sequence_ids, strict=True
        ):
            if sequence is not None:
                shown = {"text": text[start:stop], "special": False, "start": start, "stop": stop}
            elif special:
                shown = {"text": tokenizer.piece(token_id), "special": True, "start": None, "stop": None}
            else:
                continue
            tokens.append({"id": token_id} | shown)
        found.append(tokens)
    return found


async def decode(context: Context, request: schemas.DecodeRequest) -> list[str]:
    model = context.models.named(request.model)
    tokenizer = tokenizer_of(model)
    if tokenizer.token_id("[CLS]") is None:
        raise ServerError("backend", f"model {model.name}: has no WordPiece tokenizer; expected one to decode ids.")
    lists = [item if isinstance(item, list) else [item] for item in request.ids]
    if request.ids and all(isinstance(item, int) for item in request.ids):
        lists = [[number for numbers in lists for number in numbers]]
    count = sum(map(len, lists))
    if count > MOST_IDS or len(lists) > context.settings.max_texts:
        raise ServerError("too_large", f"ids: found {count} in {len(lists)} lists; expected at most {MOST_IDS}.")
    return [_text(tokenizer, ids, request.skip_special_tokens) for ids in lists]


def _text(tokenizer: TextTokenizer, ids: list[int], skip: bool) -> str:
    """As the library `tokenizers` decodes WordPiece. Ids without a piece are left out."""
    pieces = [piece for number in ids if (piece := tokenizer.piece(number)) and not (skip and piece in SPECIAL)]
    text = pieces[0] if pieces else ""
    for piece in pieces[1:]:
        if piece.startswith("##"):
            text += piece[2:]
        else:
            text += piece if piece in (".", "?", "!", ",") else f" {piece}"
    return text


ROUTES = (
    Route(
        "POST",
        "/tokenize",
        "Tokens of texts",
        tokenize,
        list[list[schemas.Token]],
        schemas.TokenizeRequest,
        {"inputs": "A cat sleeps."},
    ),
    Route(
        "POST",
        "/decode",
        "Texts of token ids",
        decode,
        list[str],
        schemas.DecodeRequest,
        {"ids": [101, 1037, 4937, 102]},
    ),
)
