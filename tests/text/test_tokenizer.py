"""TextTokenizer; the oracle for ids and offsets is the `tokenizers` library."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobilebert_rt import InputError, Model, ModelFormatError, TextEmbedder
from mobilebert_rt.text import TextTokenizer
from tests.small_models import save_model
from tests.small_models.files import READS_TEXT, write_lookup_model
from tests.small_models.text import VOCAB_SIZE, VOCABULARY, word_id
from tests.text.library import wordpiece

tokenizers = pytest.importorskip("tokenizers")

MULTILINGUAL = [
    "Hello, World! Don't stop.",
    "\u00c9t\u00e9 \u00e0 Z\u00fcrich, na\u00efve caf\u00e9",
    "\u5317\u4eac\u5927\u5b66 and \u6771\u4eac\u30bf\u30ef\u30fc",
    "tab\tand\u00a0nbsp\u200bzero\u0000nul\ufeff",
    "\U0001d518\U0001d52b \U0001f600\U0001f469\u200d\U0001f469\u200d\U0001f467 \U00020000",
    "\u041f\u0440\u0438\u0432\u0435\u0442; \u0645\u0631\u062d\u0628\u0627",
    "\u0928\u092e\u0938\u094d\u0924\u0947; \uc548\ub155",
    "a" * 150 + " unaffable [MASK] [SEP] U.S.A. 3.14e-10 foo_bar-baz",
    "e\u0301 combining, \ufb01 ligature, \u0130stanbul \u1e9e",
    "",
    "   ",
]
INPUTS: list[Any] = [*MULTILINGUAL, *((text, MULTILINGUAL[2]) for text in MULTILINGUAL)]


def columns(encoding: Any) -> tuple[Any, ...]:
    return encoding.ids, encoding.type_ids, encoding.offsets, encoding.sequence_ids, encoding.word_ids


def equal(tokenizer: TextTokenizer, library: tokenizers.Tokenizer, inputs: list[Any] = INPUTS) -> bool:
    found = tokenizer.encode_batch(inputs)
    return [columns(e) for e in found] == [columns(e) for e in library.encode_batch(inputs)]


def unigram() -> tokenizers.Tokenizer:
    """A multilingual tokenizer as XLM-R's and E5's: Unigram over pieces of white space and letters."""
    letters = sorted({c for text in MULTILINGUAL for c in text.lower() if not c.isspace()})
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -3.0), ("<mask>", 0.0)]
    pieces += [(word, -5.0) for word in ("\u2581and", "\u2581hello", "\u5317\u4eac", "ing", "\u2581stop")]
    pieces += [(letter, -8.0 - i / 100) for i, letter in enumerate(letters[:40])]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(pieces, unk_id=3))
    tokenizer.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.NFKC(), tokenizers.normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    return tokenizer


def test_published_tokenizer_json_and_vocabulary(minilm: Callable[[str], str], tmp_path: Path) -> None:
    library = tokenizers.Tokenizer.from_str(minilm("tokenizer.json"))
    library.no_truncation()
    library.no_padding()
    for name in ("vocab.txt", "tokenizer_config.json", "tokenizer.json"):
        (tmp_path / name).write_text(minilm(name), encoding="utf-8")
    for path in (tmp_path, tmp_path / "vocab.txt", str(tmp_path / "tokenizer.json")):
        assert equal(TextTokenizer(path), library)


def test_unigram_is_that_of_the_tokenizers_library(tmp_path: Path) -> None:
    library = unigram()
    library.save(str(tmp_path / "tokenizer.json"))
    for source in (tmp_path, library):
        tokenizer = TextTokenizer(source)
        assert equal(tokenizer, library)
        assert (tokenizer.size, tokenizer.mask_token) == (library.get_vocab_size(), "<mask>")
        assert tokenizer.piece(4) == "\u2581"


def test_truncation_and_padding_of_a_tokenizer_are_ignored(minilm: Callable[[str], str]) -> None:
    for library in (tokenizers.Tokenizer.from_str(minilm("tokenizer.json")), unigram()):
        library.enable_truncation(4)
        library.enable_padding(length=9)
        tokenizer = TextTokenizer(library)
        assert len(tokenizer.encode_batch(["word " * 300])[0].ids) > 300
        assert len(tokenizer.encode_batch(["a"])[0].ids) < 9
        assert library.truncation["max_length"] == 4, "the caller's own object must stay unchanged"


def test_windows_of_a_unigram_model_are_those_of_the_tokenizers_library(tmp_path: Path) -> None:
    library = unigram()
    metadata = {"tokenizer.json": library.to_str()}
    path = write_lookup_model(tmp_path / "m.safetensors", [[1, 2]] * library.get_vocab_size(), "none", metadata)
    model = Model.from_pretrained(path)
    text, pair = "hello and stop " * 9, ("stop", "and hello " * 30)
    task = TextEmbedder(model, max_length=12, on_overflow="stride", stride=3)
    library.enable_truncation(12, stride=3)
    first = library.encode(text)
    assert task.sequences([text]) == [(e.ids, e.type_ids) for e in [first, *first.overflowing]]
    library.enable_truncation(12)
    short = TextEmbedder(model, max_length=12, on_overflow="truncate")
    for given in (text, pair):
        expected = library.encode(*(given if isinstance(given, tuple) else (given,)))
        assert short.sequences([given]) == [(expected.ids, expected.type_ids)]
    assert TextEmbedder(model)("hello and \u5317\u4eac").tolist() == [1, 2]


def test_callable_is_a_tokenizer(tmp_path: Path) -> None:
    path = write_lookup_model(tmp_path / "m.safetensors", [[1, 2]] * VOCAB_SIZE, "none", READS_TEXT)
    library = wordpiece(VOCABULARY)
    given = []

    def encode(texts: list[Any]) -> list[Any]:
        given.append(texts)
        return library.encode_batch(texts)

    texts = ["a cat", ("the dog", "\u5317 cat")]
    task = TextEmbedder(Model.from_pretrained(path), tokenizer=encode)
    assert task.sequences(texts) == [(e.ids, e.type_ids) for e in library.encode_batch(texts)]
    assert given == [texts]
    assert columns(TextTokenizer(encode).encode_batch(texts)[1]) == columns(library.encode_batch(texts)[1])


class _Found:
    """An encoding whose columns do not fit."""

    def __init__(self, **changes: Any) -> None:
        fine = {"ids": [2, 5, 3], "type_ids": [0] * 3, "word_ids": [None, 0, None], "sequence_ids": [None, 0, None]}
        self.__dict__ = fine | {"offsets": [(0, 0), (0, 1), (0, 0)]} | changes


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([], "returned 0 encodings for 1 texts"),
        ([_Found(type_ids=[0])], "differ in length"),
        ([_Found(sequence_ids=[0, 1, 0])], "not contiguous"),
        ([_Found(sequence_ids=[0, None, 0])], "not contiguous"),
        ([_Found(offsets=[(0, 0)])], "3 ids and 1 offsets"),
        ([_Found(offsets=[(0, 0), (0, 9), (0, 0)])], "offsets 0 to 9 are outside of the text of 1 characters"),
    ],
)
def test_unsuitable_result_of_a_callable_is_named(result: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextTokenizer(lambda texts: result).encode_batch(["a"])


def test_exception_of_a_callable_reaches_the_caller() -> None:
    def encode(texts: list[Any]) -> list[Any]:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        TextTokenizer(encode).encode_batch(["a"])


@pytest.mark.parametrize(
    ("settings", "text", "pieces"),
    [
        ({}, "CITY C\u00e4t", ["city", "cat"]),
        ({"do_lower_case": False}, "city CITY", ["city", "[UNK]"]),
        ({"do_lower_case": False, "strip_accents": True}, "c\u00e4t", ["cat"]),
        ({"strip_accents": False}, "c\u00e4t", ["[UNK]"]),
    ],
)
def test_settings_beside_a_vocabulary(tmp_path: Path, settings: dict[str, Any], text: str, pieces: list[str]) -> None:
    (tmp_path / "vocab.txt").write_text(VOCABULARY, encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = TextTokenizer(tmp_path)
    assert [tokenizer.piece(i) for i in tokenizer.encode_batch([text])[0].ids[1:-1]] == pieces


def test_special_tokens_may_have_other_names(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("<s>\n</s>\n<unk>\n<mask>\ncat\n")
    names = {"cls_token": {"content": "<s>"}, "sep_token": "</s>", "unk_token": "<unk>", "mask_token": "<mask>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(names))
    tokenizer = TextTokenizer(tmp_path)
    assert tokenizer.encode_batch(["cat <mask> dog"])[0].ids == [0, 4, 3, 2, 1]
    assert (tokenizer.mask_token, tokenizer.token_id("<mask>"), tokenizer.token_id("dog")) == ("<mask>", 3, None)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"vocab.txt": ""}, "holds no tokenizer"),
        ({"vocab.txt": "\n\n"}, "vocab.txt.*the vocabulary is empty"),
        ({"vocab.txt": "a\nb\n[UNK]\n"}, r"vocabulary of 3 pieces lacks the special token"),
        ({"tokenizer.json": "{}"}, r"tokenizer\.json.*lacks the key"),
        ({"tokenizer.json": '{"a"'}, r"(?s)tokenizer\.json"),
        (
            {
                "tokenizer.json": '{"model": {"type": "BPE"}}',
                "tokenizer_config": '{"tokenizer_class": "TokenizersBackend"}',
            },
            r"the installed `tokenizers` library cannot read it|lacks",
        ),
        ({"tokenizer_config": "["}, "tokenizer_config"),
        ({"tokenizer_config": "[1]"}, "tokenizer_config"),
        ({"vocab.txt": VOCABULARY + "more\n"}, f'"more" has the id {VOCAB_SIZE}; the model has rows'),
    ],
)
def test_unusable_tokenizer_of_a_model_is_named(tmp_path: Path, metadata: dict[str, str], message: str) -> None:
    path = write_lookup_model(tmp_path / "m.safetensors", [[1, 2]] * VOCAB_SIZE, "none", READS_TEXT | metadata)
    with pytest.raises(ModelFormatError, match=message):
        TextEmbedder.from_pretrained(path)


def test_task_takes_a_tokenizer(tmp_path: Path) -> None:
    model = Model.from_pretrained(save_model(tmp_path / "m.safetensors"))
    (tmp_path / "vocab.txt").write_text(VOCABULARY, encoding="utf-8")
    library = wordpiece(VOCABULARY)
    library.save(str(tmp_path / "other.json"))
    for source in (tmp_path, tmp_path / "vocab.txt", str(tmp_path / "other.json"), library, TextTokenizer(library)):
        ((ids, _),) = TextEmbedder(model, tokenizer=source).sequences(["the cat"])
        assert ids == [word_id(piece) for piece in ("[CLS]", "the", "cat", "[SEP]")]
    with pytest.raises(ModelFormatError, match=r"nowhere.*could be read"):
        TextEmbedder(model, tokenizer=tmp_path / "nowhere")
    with pytest.raises(InputError, match="tokenizer: found int; expected a path"):
        TextEmbedder(model, tokenizer=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (3, "input 1 is int, not text"),
        (("a", None), "input 1 is NoneType, not text"),
        (("a", "b", "c"), "input 1 is a tuple of 3 items"),
        ("bad \ud800 text", r"input 1 has a lone surrogate \(U\+D800\) at character 4"),
        (("\u5317", "\u4eac\udfff"), r"input 1 has a lone surrogate \(U\+DFFF\) at character 1"),
    ],
)
def test_input_that_is_not_text_is_named_by_its_number(text: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextTokenizer(wordpiece(VOCABULARY)).encode_batch(["fine", text])
