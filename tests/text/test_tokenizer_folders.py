"""A folder's tokenizer gives the ids of transformers or an error, as a folder and in a converted file."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mobilebert_rt import Model, TextEmbedder, convert
from mobilebert_rt.errors import MobileBertError, ModelFormatError, UnsupportedModelError
from mobilebert_rt.text import TextTokenizer
from tests.emulation import import_on_host
from tests.small_models import save_folder
from tests.small_models.text import added_token
from tests.text.tokenizer_folders import (
    PAIR,
    PIECES,
    SIZE,
    TEXTS,
    VERSION_4,
    Files,
    decoder,
    digest,
    folder_json,
    folders,
    vocabulary_text,
    with_transformers,
    write,
)

GROUPS = 8


@cache
def all_folders() -> tuple[tuple[str, Files], ...]:
    return tuple(folders())


def own_ids(folder: Path) -> list[list[int]]:
    return [encoding.ids for encoding in TextTokenizer(folder).encode_batch([*TEXTS, PAIR])]


# Folders that both versions of transformers read alike and that are refused nevertheless: the ids in the files are not
# those that transformers gives, so the model was trained with others; or the native tokenizer cannot do it.
REFUSED = (
    "added_tokens.json with a gap",
    "decoder with a gap",
    "decoder with a wrong id of a piece",
    "JSON with a wrong id",
    "decoder with other flags than JSON",
    "two that are equal when normalized",
    "split_special_tokens",
    "JSON without a normalizer",
    "vocab.txt repeated, added",
    "vocab.txt trailing space",
    "vocab.txt without cls",
    "vocab.txt without unk",
    "class: vocab MPNetTokenizer",
)


@pytest.mark.parametrize("group", range(GROUPS))
def test_ids_are_those_of_transformers_or_the_folder_is_refused(tmp_path: Path, group: int) -> None:
    version_4 = json.loads(VERSION_4.read_text(encoding="utf-8"))
    for name, files in all_folders()[group::GROUPS]:
        folder = write(tmp_path, files)
        try:
            expected = digest(with_transformers(folder))
        except Exception:
            expected = "error"
        answers = {expected, version_4[name].split()[0]} - {"error"}
        try:
            own = digest(own_ids(folder))
        except MobileBertError:
            is_expected = len(answers) != 1 or name.startswith(REFUSED) or "JapaneseTokenizer" in name
            assert is_expected or "MyTokenizer" in name, name
        else:
            assert answers == {own}, name


def test_one_folder_in_every_form(tmp_path: Path) -> None:
    """TextTokenizer, the converted file and the native reader give the same ids for added tokens and settings."""
    tokens = {"<e1>": SIZE, "[e2]": SIZE + 1, "NewTok": SIZE + 2}
    for kind in ("vocab", "json"):
        folder = save_folder(tmp_path / kind, vocab_size=SIZE + 3)
        (folder / "vocab.txt").unlink()
        config = {"tokenizer_class": "BertTokenizer", "strip_accents": False, "mask_token": "<mask>"}
        files: Files = {"tokenizer_config.json": config, "added_tokens.json": tokens}
        files |= {"vocab.txt": vocabulary_text()} if kind == "vocab" else {"tokenizer.json": folder_json()}
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (folder / name).write_text(text, encoding="utf-8")
        expected = with_transformers(folder)
        assert own_ids(folder) == expected
        convert(folder, tmp_path / f"{kind}.safetensors")
        for path in (folder, tmp_path / f"{kind}.safetensors"):
            task = TextEmbedder.from_pretrained(path, on_overflow="truncate", max_length=40)
            found = [e.ids for e in task.tokenizer.encode_batch([*TEXTS, PAIR])]
            assert found == expected


def test_example_of_added_tokens(tmp_path: Path) -> None:
    tokens = {"<e1>": SIZE, "[e2]": SIZE + 1, "NewTok": SIZE + 2}
    files: Files = {"vocab.txt": vocabulary_text(), "added_tokens.json": tokens}
    tokenizer = TextTokenizer(write(tmp_path, files))
    (encoding,) = tokenizer.encode_batch(["buy <e1> now [e2] and newtok foo"])
    pieces = [tokenizer.piece(i) for i in encoding.ids[1:-1]]
    assert pieces == ["buy", "<e1>", "now", "[e2]", "and", "NewTok", "foo"]
    assert encoding.offsets[1:-1] == [(0, 3), (4, 8), (9, 12), (13, 17), (18, 21), (22, 28), (29, 32)]


def test_offsets_of_tokens_in_normalized_text_are_those_of_the_library(tmp_path: Path) -> None:
    transformers = import_on_host("transformers")

    texts = [
        *TEXTS,
        "\u00c9T\u00c9 \u00e9te\u0301 x\u0000NewTok\u00e4 \u5317\u4eac\u6771\u4eac  <e1>  ",
        "\u5317 \u4eac",
    ]
    flags: dict[str, Any] = {"special": False, "normalized": True}
    tokens = [
        added_token(content, SIZE + i, **flags, lstrip=i % 2 == 0, rstrip=i % 3 == 0)
        for i, content in enumerate(("\u00c9t\u00e9", "NewTok", "\u5317\u4eac\u6771", "<e1>", "<E2>"))
    ]
    config = {"tokenizer_class": "BertTokenizer", "added_tokens_decoder": decoder(*tokens)}
    files: Files = {"config.json": {"model_type": "bert"}, "tokenizer_config.json": config}
    folder = write(tmp_path, files | {"vocab.txt": vocabulary_text()})
    library = transformers.AutoTokenizer.from_pretrained(folder)
    for text, own in zip(texts, TextTokenizer(folder).encode_batch(texts), strict=True):
        theirs = library(text, return_offsets_mapping=True)
        assert (own.ids, own.offsets) == (theirs["input_ids"], theirs["offset_mapping"]), text


CONFIG = "tokenizer_config.json"
JSON = {"config.json": {}}  # of a BERT


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({CONFIG: {"tokenizer_class": "BertJapaneseTokenizer"}}, "BertJapaneseTokenizer"),
        ({"config.json": {"tokenizer_class": "BertJapaneseTokenizer"}}, "BertJapaneseTokenizer"),
        (
            {CONFIG: {"tokenizer_class": "RoFormerTokenizerFast"}, "tokenizer.json": folder_json()},
            "RoFormerTokenizerFast",
        ),
        ({CONFIG: {"tokenizer_class": "PreTrainedTokenizerFast"}}, r"from a tokenizer\.json"),
        ({CONFIG: {"split_special_tokens": True}}, "split_special_tokens is true"),
        ({CONFIG: {"truncation_side": "left"}}, 'truncation_side: found "left"; expected "right"'),
        ({CONFIG: {"image_token": "<i>"}}, "image_token"),
        (JSON | {"tokenizer.json": folder_json(clean_text=False)}, "clean_text"),
        (JSON | {"tokenizer.json": folder_json(model={"continuing_subword_prefix": "@"})}, "continuing_subword_prefix"),
        (JSON | {"tokenizer.json": folder_json(pre_tokenizer={"type": "Whitespace"})}, "PreTrainedTokenizerFast"),
    ],
)
def test_unsupported_folder_is_refused_by_name(tmp_path: Path, files: Files, message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        TextTokenizer(write(tmp_path, {"vocab.txt": vocabulary_text()} | files))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({CONFIG: "["}, "tokenizer_config"),
        ({CONFIG: {"added_tokens_decoder": {"a": {}}}}, "expected an id"),
        ({CONFIG: {"added_tokens_decoder": {"1": 2}}}, "expected an added token"),
        ({"added_tokens.json": {"<e1>": SIZE + 1}}, f'"<e1>" has the id {SIZE + 1}'),
        ({"added_tokens.json": {"<e1>": 2**31}}, "an id that is too large"),
        ({"added_tokens.json": [1]}, r"added_tokens\.json"),
        ({"special_tokens_map.json": "{"}, r"special_tokens_map\.json"),
    ],
)
def test_malformed_file_of_a_folder_is_named(tmp_path: Path, files: Files, message: str) -> None:
    with pytest.raises(ModelFormatError, match=message):
        TextTokenizer(write(tmp_path, {"vocab.txt": vocabulary_text()} | files))


def test_token_without_a_row_in_the_model_is_named(tmp_path: Path) -> None:
    folder = save_folder(tmp_path / "m", vocab_size=SIZE)
    (folder / "vocab.txt").write_text(vocabulary_text(), encoding="utf-8")
    TextEmbedder.from_pretrained(folder)
    (folder / "added_tokens.json").write_text(json.dumps({"<e1>": SIZE}))
    with pytest.raises(
        ModelFormatError, match=f'piece "<e1>" has the id {SIZE}; the model has rows for ids below {SIZE}'
    ):
        TextEmbedder.from_pretrained(folder)


def test_implied_special_token_needs_no_row(tmp_path: Path) -> None:
    """[MASK] is added behind a vocabulary that lacks it; only a text that has it needs a row for it."""
    folder = save_folder(tmp_path / "m", vocab_size=SIZE - 1, max_position_embeddings=40)
    pieces = [piece for piece in PIECES if piece != "[MASK]"]
    (folder / "vocab.txt").write_text(vocabulary_text(pieces), encoding="utf-8")
    (folder / "tokenizer_config.json").unlink()
    embedder = TextEmbedder.from_pretrained(folder)
    assert embedder.tokenizer.token_id("[MASK]") == SIZE - 1
    assert embedder("buy").shape == embedder("now").shape
    with pytest.raises(MobileBertError, match=str(SIZE - 1)):
        embedder("buy [MASK]")


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"tokenizer_config.json": {"model_max_length": 8}}, 8),
        ({"tokenizer_config.json": {"max_len": 8}}, 8),
        ({"tokenizer_config.json": {"model_max_length": 1000000000000000019884624838656}}, 40),
        ({"tokenizer_config.json": {"model_max_length": 512}}, 40),
        ({"sentence_bert_config.json": {"max_seq_length": 7}, "tokenizer_config.json": {"model_max_length": 8}}, 7),
        ({"sentence_bert_config.json": {"max_seq_length": 9}, "tokenizer_config.json": {"model_max_length": 8}}, 9),
        ({"sentence_bert_config.json": {"max_seq_length": None}, "tokenizer_config.json": {"model_max_length": 8}}, 8),
        ({"sentence_distilbert_config.json": {"max_seq_length": 7}}, 7),
        ({}, 40),
    ],
)
def test_length_limit_is_that_of_sentence_transformers(tmp_path: Path, limits: Files, expected: int) -> None:
    folder = save_folder(tmp_path / "m", max_position_embeddings=40, pooling="mean")
    for name in ("tokenizer_config.json", "sentence_bert_config.json"):
        (folder / name).unlink(missing_ok=True)
    for name, content in limits.items():
        (folder / name).write_text(json.dumps(content))
    convert(folder, tmp_path / "m.safetensors")
    for path in (folder, tmp_path / "m.safetensors"):
        assert TextEmbedder(Model.from_pretrained(path)).limits.max_length == expected
