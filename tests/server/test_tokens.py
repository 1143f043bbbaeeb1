"""/tokenize and /decode against the library `tokenizers`, as text-embeddings-inference uses it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tokenizers

from tests.server.process import Server
from tests.small_models.text import VOCAB_SIZE, tokenizer_json

TEXTS = ["The cat, was it good?", "lovelace 1843 zebra!", "", "[MASK] dogs ' n"]


@pytest.fixture(scope="module")
def reference() -> tokenizers.Tokenizer:
    return tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json()))


@pytest.mark.parametrize("special", [True, False])
def test_tokenize(server: Server, reference: tokenizers.Tokenizer, special: bool) -> None:
    found = server.post("/tokenize", {"inputs": TEXTS, "add_special_tokens": special})
    for text, tokens in zip(TEXTS, found, strict=True):
        encoding = reference.encode(text, add_special_tokens=special)
        assert [token["id"] for token in tokens] == encoding.ids
        for token, (start, stop), sequence in zip(tokens, encoding.offsets, encoding.sequence_ids, strict=True):
            if sequence is None:
                assert (token["special"], token["start"], token["stop"]) == (True, None, None)
                assert token["text"] == reference.id_to_token(token["id"])
            else:
                assert (token["special"], token["start"], token["stop"]) == (False, start, stop)
                assert token["text"] == text[start:stop]


@pytest.mark.parametrize("skip", [True, False])
def test_decode(server: Server, reference: tokenizers.Tokenizer, skip: bool) -> None:
    lists = [reference.encode(text).ids for text in TEXTS] + [list(range(VOCAB_SIZE))]
    expected = [reference.decode(ids, skip_special_tokens=skip) for ids in lists]
    assert server.post("/decode", {"ids": lists, "skip_special_tokens": skip}) == expected
    assert server.post("/decode", {"ids": lists[0], "skip_special_tokens": skip}) == expected[:1]


@pytest.mark.parametrize("ids", [[-1], [1.5], ["a"], [[[1]]], [2**40]])
def test_decode_refuses_other_ids(server: Server, ids: Any) -> None:
    assert server.post("/decode", {"ids": ids}, 422)["error_type"] == "validation"


def test_decode_leaves_unknown_ids_out(server: Server) -> None:
    assert server.post("/decode", {"ids": [2_000_000_000]}) == [""]
