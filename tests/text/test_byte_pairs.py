"""The tokenizer of OpenAI GPT, byte pairs: read by the `tokenizers` library in Python, refused by name elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt import Model, TextEmbedder, _core, convert
from mobilebert_rt.errors import ModelFormatError
from mobilebert_rt.text import TextTokenizer
from tests.small_models import save_folder

tokenizers = pytest.importorskip("tokenizers")

VOCABULARY = {"<unk>": 0, "h": 1, "e": 2, "l": 3, "o</w>": 4, "a</w>": 5, "he": 6, "o": 7, "a": 8}
SETTINGS = {"tokenizer_class": "OpenAIGPTTokenizer", "unk_token": "<unk>"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With vocab.json and merges.txt, as transformers' slow tokenizer saved it."""
    folder = save_folder(tmp_path / "gpt", "gpt")
    (folder / "vocab.txt").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps(SETTINGS))
    (folder / "vocab.json").write_text(json.dumps(VOCABULARY))
    (folder / "merges.txt").write_text("#version: 0.2\nh e\n")
    return folder


def test_tokenizer_json_is_read_by_the_library(folder: Path) -> None:
    model = tokenizers.models.BPE(VOCABULARY, [("h", "e")], unk_token="<unk>", end_of_word_suffix="</w>")
    theirs = tokenizers.Tokenizer(model)
    theirs.normalizer = tokenizers.normalizers.BertNormalizer()
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    theirs.save(str(folder / "tokenizer.json"))
    ids = theirs.encode("Hello a").ids
    assert ids == [6, 3, 3, 4, 5]
    assert TextTokenizer(folder).encode_batch(["Hello a"])[0].ids == ids

    convert(folder, folder / "m.safetensors")
    states = Model.from_pretrained(folder / "m.safetensors")([ids]).last_hidden_state[0]
    vector = TextEmbedder.from_pretrained(folder / "m.safetensors", normalize=False)("Hello a")
    np.testing.assert_allclose(vector, states.mean(axis=0), rtol=1e-5, atol=1e-6)
    problem = _core.tasks.native_tokenizer_problem(Model.from_pretrained(folder / "m.safetensors").metadata)
    assert problem is not None
    assert 'the tokenizer class is "OpenAIGPTTokenizer"; expected BERT\'s WordPiece' in problem


def test_folder_without_tokenizer_json_takes_token_ids_only(folder: Path) -> None:
    assert Model.from_pretrained(folder)([[6, 3, 4]]).last_hidden_state[0].shape == (3, 24)
    with pytest.raises(ModelFormatError, match=r"holds no tokenizer.*from a folder that has tokenizer\.json"):
        TextEmbedder.from_pretrained(folder)
