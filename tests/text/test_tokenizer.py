from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import tokenizers

from mobilebert_rt.errors import InputError, ModelFormatError
from mobilebert_rt.text.tokenizer import TextTokenizer, tokenizer_of
from mobilebert_rt.text.vocabulary import read_vocabulary, wordpiece
from tests.text.fake_model import VOCABULARY, FakeModel, word_id

MULTILINGUAL = [
    "Hello, World! Don't stop.",
    "Été à Zürich, naïve café",
    "北京大学 and 東京タワー",
    "tab\tand\u00a0nbsp\u200bzero\u0000nul\ufeff",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 😀👩‍👩‍👧 \U00020000",
    "Привет мир; مرحبا بالعالم; नमस्ते; 안녕",
    "a" * 150 + " unaffable [MASK] [SEP] U.S.A. 3.14e-10 foo_bar-baz",
    "e\u0301 combining, ﬁ ligature, İstanbul ẞ",
    "",
    "   ",
]


def test_vocabulary_alone_gives_the_published_tokenizer(minilm: Callable[[str], str]) -> None:
    published = tokenizers.Tokenizer.from_str(minilm("tokenizer.json"))
    published.no_truncation()
    published.no_padding()
    own = wordpiece(minilm("vocab.txt"), json.loads(minilm("tokenizer_config.json")), "vocab.txt")
    for text in MULTILINGUAL:
        for pair in (None, MULTILINGUAL[0]):
            expected, found = published.encode(text, pair), own.encode(text, pair)
            assert (found.ids, found.type_ids, found.offsets) == (
                expected.ids,
                expected.type_ids,
                expected.offsets,
            )


def test_published_truncation_and_padding_are_off(minilm: Callable[[str], str]) -> None:
    backend = tokenizers.Tokenizer.from_str(minilm("tokenizer.json"))
    tokenizer = tokenizer_of(FakeModel(vocab_size=30522), backend)
    lengths = [len(encoding) for encoding in tokenizer.encode_batch(["word " * 300, "word"], 0, False)]
    assert lengths == [302, 3]
    assert backend.truncation["max_length"] == 128, "the caller's own object is left alone"


def test_model_with_tokenizer_json_and_with_vocabulary_agree(minilm: Callable[[str], str]) -> None:
    both = FakeModel(vocab_size=30522, metadata={"tokenizer.json": minilm("tokenizer.json")})
    bare = FakeModel(vocab_size=30522, metadata={"vocab.txt": minilm("vocab.txt")})
    ids = [[e.ids for e in tokenizer_of(model).encode_batch(MULTILINGUAL, 0, False)] for model in (both, bare)]
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    ("settings", "text", "pieces"),
    [
        ({}, "CITY Cät", ["city", "cat"]),
        ({"do_lower_case": False}, "city CITY", ["city", "[UNK]"]),
        ({"do_lower_case": False, "strip_accents": True}, "cät", ["cat"]),
        ({"strip_accents": False}, "cät", ["[UNK]"]),
    ],
)
def test_settings_of_a_bare_vocabulary(settings: dict[str, object], text: str, pieces: list[str]) -> None:
    model = FakeModel(metadata={"tokenizer_config": json.dumps(settings)})
    tokenizer = tokenizer_of(model)
    assert tokenizer.encode_bare(text).tokens == pieces


def test_special_tokens_may_have_other_names() -> None:
    vocabulary = "<s>\n</s>\n<unk>\n<mask>\ncat\n"
    settings = {
        "cls_token": {"content": "<s>"},
        "sep_token": "</s>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    model = FakeModel(metadata={"vocab.txt": vocabulary, "tokenizer_config": json.dumps(settings)})
    tokenizer = tokenizer_of(model)
    assert tokenizer.encode_batch(["cat <mask> dog"], 0, False)[0].ids == [0, 4, 3, 2, 1]
    assert tokenizer.mask_id == 3


def test_vocabulary_lines_end_at_line_feeds_only() -> None:
    assert read_vocabulary("a\r\n\u2028\n\x85\nb", "v") == {"a": 0, "\u2028": 1, "\x85": 2, "b": 3}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"vocab.txt": ""}, "fake.safetensors holds no tokenizer.*tokenizer='path"),
        ({"vocab.txt": "\n\n"}, "vocab.txt: the vocabulary is empty"),
        (
            {"vocab.txt": "a\nb\n[UNK]\n"},
            r"vocabulary of 3 pieces lacks the special token \[CLS\] and \[SEP\]",
        ),
        ({"tokenizer.json": "{}"}, "tokenizer.json is not a tokenizer"),
        ({"tokenizer.json": '{"a"'}, "tokenizer.json is not a tokenizer"),
        ({"tokenizer_config": "["}, "tokenizer_config is not JSON"),
        ({"tokenizer_config": "[1]"}, "should be a JSON object, it is list"),
        ({"vocab.txt": VOCABULARY + "more\n"}, "the tokenizer has 68 pieces, the model only 67 rows"),
    ],
)
def test_unusable_tokenizer_says_what_is_wrong(metadata: dict[str, str], message: str) -> None:
    with pytest.raises(ModelFormatError, match=message):
        tokenizer_of(FakeModel(metadata=metadata))


def test_tokenizer_can_be_given(tmp_path: Path) -> None:
    model = FakeModel(metadata={"vocab.txt": ""})
    (tmp_path / "vocab.txt").write_text(VOCABULARY, encoding="utf-8")
    backend = wordpiece(VOCABULARY, {}, "v")
    backend.save(str(tmp_path / "other.json"))
    sources = [
        tmp_path,
        tmp_path / "vocab.txt",
        str(tmp_path / "other.json"),
        backend,
        TextTokenizer(backend),
    ]
    for source in sources:
        assert tokenizer_of(model, source).encode_bare("the cat").ids == [word_id("the"), word_id("cat")]
    with pytest.raises(ModelFormatError, match=r"nowhere.*could be read"):
        tokenizer_of(model, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (3, "input 6 is int, not text"),
        (("a", None), "input 6 is NoneType, not text"),
        (("a", "b", "c"), "input 6 is a tuple of 3 items"),
        ("bad \ud800 text", r"input 6 has a lone surrogate \(U\+D800\) at character 4"),
    ],
)
def test_what_is_not_text_is_named_by_its_number(text: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tokenizer_of(FakeModel()).encode_batch(["fine", text], 5, False)


def test_tokenizer_pickles() -> None:
    copy = pickle.loads(pickle.dumps(tokenizer_of(FakeModel())))
    assert copy.encode_bare("the cat").ids == [word_id("the"), word_id("cat")]
