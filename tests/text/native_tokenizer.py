"""The C++ tokenizer (csrc/text) gives what the `tokenizers` library gives. The library is the oracle throughout.

Run by ctest ("tokenizer"), with the program tests/text/tokenize.cc in $MBRT_TOKENIZE, and by hand:

    MBRT_TOKENIZE=build/editable/tests/tokenize python -m pytest -q tests/text/native_tokenizer.py

$MBRT_TOKENIZER_LINES (default 20,000; a million for the figures in docs/tokenizer.md) multilingual lines and a tenth as
many random byte strings are compared, and the lines of every file that $MBRT_TOKENIZER_TEXTS (paths between colons; a
line of a .jsonl is a JSON string or an object with "text") names, by default this project's documents. $MBRT_EMULATOR:
what the program is run with.
"""

from __future__ import annotations

import copy
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from tests.small_models.text import added_token, tokenizer_json
from tests.text import lines, tokenizer_folders
from tests.text.library import wordpiece
from tests.text.native import Failed, Text, both, compare, difference, encode, expected

LINES = int(os.environ.get("MBRT_TOKENIZER_LINES", "20000"))
CHUNK = 20000
ROOT = Path(__file__).parents[2]
TABLES = ROOT / "csrc/text"
DOCUMENTS = ROOT / "docs"
# What comes after normalisation: all that is assigned somewhere, and of the rest some.
POINTS = [
    c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and (c < 0x32400 or 0xE0000 <= c < 0xE1000 or c % 4096 < 2)
]
FULL = 0x3000 if LINES >= 20000 else 0x100  # below: all
SOME = POINTS if LINES >= 1_000_000 else [c for c in POINTS if c < FULL or c % 61 == 0 or 0x11000 <= c < 0x11100]
# Alone between letters; before marks of different classes; between marks that stay, as a mark that reorders them.
CONTEXTS = ["a%sb ", "%s\u0301\u0323 ", "b\u0f71%s\u1baa\u0323"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SMALL = {piece: i for i, piece in enumerate([*SPECIAL, "a", "##b", "ab", "##ba", "c"])}
FLAGS = [{}, {"single_word": True}, {"lstrip": True}, {"rstrip": True}]

Both = tuple[tokenizers.Tokenizer, Path]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        yield


@pytest.fixture(scope="module")
def wide() -> dict[str, int]:
    return lines.vocabulary(POINTS, seed=1)


@pytest.fixture(scope="module")
def some() -> dict[str, int]:
    return lines.vocabulary(SOME, seed=1)


@pytest.fixture(scope="module")
def uncased(wide: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Both:
    return both(tmp_path_factory.mktemp("uncased"), tokenizer_json(wide))


@pytest.fixture(scope="module")
def published(minilm: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Both:
    return both(tmp_path_factory.mktemp("published"), json.loads(minilm("tokenizer.json")))


def chunks(found: Iterator[bytes]) -> Iterator[list[bytes]]:
    while chunk := list(islice(found, CHUNK)):
        yield chunk


def test_every_code_point_as_the_library_has_it(uncased: Both) -> None:
    texts = [line for context in CONTEXTS[:2] for line in lines.code_points(context, POINTS)]
    assert compare(*uncased, texts) > 13800


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("strip_accents", [None, True, False])
@pytest.mark.parametrize("clean_text", [True, False])
def test_code_points_under_every_setting(
    some: dict[str, int], tmp_path: Path, lowercase: bool, strip_accents: bool | None, clean_text: bool
) -> None:
    texts = [line for context in CONTEXTS for line in lines.code_points(context, SOME)]
    for chinese in (True, False):
        settings = {"lowercase": lowercase, "strip_accents": strip_accents, "clean_text": clean_text}
        made = both(tmp_path, tokenizer_json(some, handle_chinese_chars=chinese, **settings))
        assert compare(*made, texts) > len(SOME) // 14


def test_multilingual_lines(uncased: Both, published: Both) -> None:
    total = 0
    for chunk in chunks(lines.multilingual(LINES // 2, seed=2)):
        total += compare(*uncased, chunk)
    for chunk in chunks(lines.multilingual(LINES // 2, seed=3)):
        total += compare(*published, chunk)
    print(f"{total:,} multilingual lines are equal")
    assert total == LINES // 2 * 2


def test_random_bytes(uncased: Both, published: Both) -> None:
    total = 0
    for seed, made in enumerate((uncased, published)):
        for chunk in chunks(lines.random_bytes(LINES // 20, seed)):
            total += compare(*made, chunk)
    print(f"{total:,} random byte strings are equal")
    assert total == LINES // 20 * 2


def test_lines_of_files(published: Both) -> None:
    named = os.environ.get("MBRT_TOKENIZER_TEXTS")
    files = list(map(Path, named.split(":"))) if named else sorted(DOCUMENTS.glob("*.md"))
    assert files
    for file in files:
        with file.open("rb") as opened:
            texts = (line_of(raw, file.suffix == ".jsonl") for raw in opened)
            total = sum(compare(*published, chunk) for chunk in chunks(texts))
        print(f"{total:,} lines of {file.name} are equal")
        assert total


def line_of(raw: bytes, is_json: bool) -> bytes:
    raw = raw.rstrip(b"\n")
    if not is_json:
        return raw
    value = json.loads(raw)
    return str(value["text"] if isinstance(value, dict) else value).encode()


def test_pairs(published: Both) -> None:
    library, file = published
    rng = random.Random(4)
    source = list(lines.multilingual(3000, seed=5))
    texts = [Text(first, rng.choice(source)) for first in source]
    for text, own, theirs in zip(texts, encode(file, texts), expected(library, texts), strict=True):
        assert own.same(theirs), difference(library, repr(text).encode(), own, theirs)


def test_long_words_are_unknown_from_the_first_character_too_many(uncased: Both) -> None:
    texts = [character * n + " a" for n in range(97, 104) for character in ("a", "\u00e9", "\uac01", "e\u0301", "A\0")]
    assert compare(*uncased, [text.encode() for text in texts]) == 35


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("flags", [*FLAGS, FLAGS[1] | FLAGS[2] | FLAGS[3]])
def test_added_tokens_are_found_in_raw_or_normalized_text(
    tmp_path: Path, flags: dict[str, bool], normalized: bool
) -> None:
    contents = ["<e>", "<e>f", "[E]", "\u00c9t\u00e9", "ab", "Ab c", " x"]
    new = iter(range(len(SMALL), 100))
    flags = flags | {"normalized": normalized}
    added = [added_token(content, SMALL[content] if content in SMALL else next(new), **flags) for content in contents]
    made = both(tmp_path, tokenizer_json(SMALL, added))
    rng = random.Random(6)
    parts = [*contents, *lines.SPACES, *" _-a<\u0301\u4e00\u200d\u24b6\xb2", "[MASK]"]
    texts = ["".join(rng.choices(parts, k=rng.randint(0, 9))).encode() for _ in range(5000)]
    damaged = [text.replace(b"\xcc\x81", rng.choice([b"\xff", b"\xe4\xb8", b"\xcc"])) for text in texts]
    assert compare(*made, texts + damaged) == 10000


def test_words_beside_added_tokens_are_those_of_the_library(tmp_path: Path) -> None:
    made = both(tmp_path, tokenizer_json(SMALL, [added_token("<e>", len(SMALL), single_word=True)]))
    for template in ("%s<e> ", "<e>%s "):
        assert compare(*made, lines.code_points(template, POINTS)) > 6900


def test_vocabulary_file_reads_as_in_python(minilm: Callable[[str], str], tmp_path: Path) -> None:
    text = minilm("vocab.txt").replace("\nthe\n", "\nthe\r\n", 1) + "hello\n\nworld\r\n"
    file = tmp_path / "vocab.txt"
    file.write_bytes(text.encode())
    for options in ([], ["cased"]):
        library = wordpiece(text, lowercase=not options)
        texts = [b"hello world the World", *lines.multilingual(2000, seed=7)]
        assert compare(library, file, texts, "vocab", *options) == 2001
        texts_ = [Text(b"hello", b"world")]
        assert next(encode(file, texts_, "vocab", *options)).same(next(expected(library, texts_)))


def changed(path: str, value: Any) -> dict[str, Any]:
    """The small tokenizer with one value replaced; `path` has the keys between slashes, "-" deletes."""
    made = copy.deepcopy(tokenizer_json(SMALL))
    *keys, last = path.split("/")
    part: Any = made
    for key in keys:
        part = part[int(key)] if isinstance(part, list) else part[key]
    if value == "-":
        del part[last]
    else:
        part[int(last) if isinstance(part, list) else last] = value
    return made


TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
    ],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {},
}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model", {"type": "BPE", "vocab": {}, "merges": []}, 'its model is "BPE"'),
        ("normalizer", {"type": "Lowercase"}, 'its normalizer is "Lowercase"'),
        ("normalizer", None, "it has no normalizer"),
        ("normalizer/squeeze", True, 'its normalizer has the unknown field "squeeze"'),
        ("pre_tokenizer", {"type": "ByteLevel", "add_prefix_space": True}, 'its pre-tokenizer is "ByteLevel"'),
        ("post_processor", {"type": "RobertaProcessing", "sep": ["a", 5]}, 'its post-processor is "RobertaProcessing"'),
        ("post_processor", TEMPLATE, "its template is not"),
        ("oracle", {}, 'it has the unknown part "oracle"'),
        ("model/max_input_chars_per_word", 5000, "words of up to 5,000 characters"),
    ],
)
def test_what_is_not_berts_is_refused_by_name(path: str, value: Any, message: str, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(changed(path, value)))
    with pytest.raises(Failed, match=f"UnsupportedModelError: tokenizer.json: {message}"):
        list(encode(file, [Text(b"a")]))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model/vocab", {}, "the vocabulary is empty"),
        ("model/vocab/a", 2**31, "an id that is too large"),
        ("model/vocab/a", 0, r'the pieces "(a|\[PAD\])" and "(a|\[PAD\])" have the same id 0'),
        ("model/vocab/a", -1, "expected a whole number"),
        ("model/vocab/a", "b", "expected a number"),
        ("model/vocab/[UNK]", "-", r'lacks the unknown token "\[UNK\]"'),
        ("model/vocab", "-", 'model lacks the key "vocab"'),
        ("model", "-", 'lacks the key "model"'),
        ("normalizer/lowercase", "yes", "expected true or false"),
        ("post_processor/sep", ["[SEP]"], "expected the token's id"),
        ("added_tokens/0/id", 3, r'the added token "\[PAD\]" has the id 3, but the vocabulary gives it 0'),
        ("added_tokens/0/content", "new", r'"new" has the id 0, but the vocabulary gives that to "\[PAD\]"'),
        ("added_tokens/1", added_token("new", 11), r'"new" has the id 11, but the vocabulary goes on with 10'),
        ("added_tokens/0/content", "", "an added token without content"),
        ("added_tokens/0/lstrip", "-", 'an added token lacks the key "lstrip"'),
    ],
)
def test_what_is_malformed_is_named(path: str, value: Any, message: str, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(changed(path, value)))
    with pytest.raises(Failed, match=f"(?s)ModelFormatError: tokenizer.json.*{message}"):
        list(encode(file, [Text(b"a")]))


def test_every_truncated_file_is_refused(tmp_path: Path) -> None:
    whole = json.dumps(tokenizer_json(SMALL))
    file = tmp_path / "tokenizer.json"
    for size in range(0, len(whole), 97):
        file.write_text(whole[:size])
        with pytest.raises(Failed, match=r"ModelFormatError: tokenizer\.json"):
            list(encode(file, [Text(b"a")]))


def test_vocabulary_that_is_damaged_is_named(tmp_path: Path) -> None:
    file = tmp_path / "vocab.txt"
    for data, message in (
        (b"[PAD]\nna\xff\n", r'ModelFormatError: vocab.txt: line 2, "na\\xff", is not UTF-8'),
        (b"\n\n", "ModelFormatError: vocab.txt: the vocabulary is empty"),
        (b"a\nb\n", r'ModelFormatError: vocab.txt: .*lacks the unknown token "\[UNK\]"'),
        (b"[UNK]\n[CLS]\n", r'ModelFormatError: vocab.txt: .*lacks the special token "\[SEP\]"'),
    ):
        file.write_bytes(data)
        with pytest.raises(Failed, match=message):
            list(encode(file, [Text(b"a")], "vocab"))


def test_folders_are_read_as_in_transformers(tmp_path: Path) -> None:
    """Every folder of the grid of test_tokenizer_folders.py; some of them under emulation and sanitizers."""
    expected_digests = json.loads(tokenizer_folders.VERSION_4.read_text(encoding="utf-8"))
    texts = [Text(text.encode()) for text in tokenizer_folders.TEXTS]
    texts.append(Text(*(part.encode() for part in tokenizer_folders.PAIR)))
    read = 0
    for name, files in list(tokenizer_folders.folders())[:: max(1, 20000 // LINES)]:
        folder = tokenizer_folders.write(tmp_path, files)
        try:
            found = [pieces.rows[0].tolist() for pieces in encode(folder, texts, "folder")]
        except Failed:
            continue
        read += 1
        if not expected_digests[name].startswith("error"):  # version 5 alone reads it
            assert tokenizer_folders.digest(found) == expected_digests[name], name
    assert read > 50


@pytest.mark.skipif(bool(os.environ.get("MBRT_EMULATOR")), reason="[emulated] runs on the host")
def test_tables_are_what_their_generator_writes() -> None:
    made = subprocess.run(
        [sys.executable, TABLES / "make_unicode_tables.py"], check=True, capture_output=True, text=True
    ).stdout
    assert made == (TABLES / "unicode_tables.inc").read_text()
