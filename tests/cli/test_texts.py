"""The commands that read texts: what they read, and what they print."""

from __future__ import annotations

import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt import FillMask, QuestionAnswerer, TextClassifier, TextEmbedder, TokenClassifier
from tests import interpreter
from tests.cli.conftest import Mbrt
from tests.small_models.files import write_lookup_model, write_model
from tests.small_models.text import VOCAB_SIZE, VOCABULARY

TEXTS = ["Ada Lovelace lived in London.", "", "the cat"]


def lookup(path: Path, head: str, labels: str, scores: dict[str, list[float]]) -> Path:
    """A model whose logits are those of the words: 0 for the others."""
    table = np.zeros((VOCAB_SIZE, len(next(iter(scores.values())))), np.float32)
    words = VOCABULARY.split()
    for word, row in scores.items():
        table[words.index(word)] = row
    metadata = {"vocab.txt": VOCABULARY, "labels": labels} if labels else {"vocab.txt": VOCABULARY}
    write_lookup_model(path, table, head, metadata)
    return path


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """A classifier that likes "good" and dislikes "bad"."""
    scores = {"good": [-9.0, 9.0], "bad": [9.0, -9.0]}
    return lookup(tmp_path / "reviews", "sequence_classification", '["NEGATIVE", "POSITIVE"]', scores)


@pytest.fixture
def names(tmp_path: Path) -> Path:
    """A tagger of persons and cities."""
    labels = {"PER": ("ada", "love", "##lace"), "LOC": ("london",), "O": ("lived", "in", "the", ".")}
    scores = {word: [9.0 * (label == own) for label in ("O", "PER", "LOC")] for own in labels for word in labels[own]}
    return lookup(tmp_path / "names", "token_classification", '["O", "PER", "LOC"]', scores)


def test_embed_prints_every_bit_as_json(mbrt: Mbrt, models: Path) -> None:
    model = write_model(models, "embed")
    shown = mbrt("embed", model, *TEXTS, "--json")
    assert [line["text"] for line in shown.lines] == TEXTS
    vectors = np.array([line["embedding"] for line in shown.lines], dtype=np.float32)
    np.testing.assert_array_equal(vectors, TextEmbedder.from_pretrained(model)(TEXTS))


def test_embed_writes_an_array(mbrt: Mbrt, models: Path, tmp_path: Path) -> None:
    model = write_model(models, "embed")
    (tmp_path / "texts").write_bytes(b"the cat\n\na dog\n")
    shown = mbrt("embed", model, "--file", tmp_path / "texts", "--output", tmp_path / "out.array", "--no-normalize")
    assert (shown.code, shown.out, shown.err) == (0, "", "")
    expected = TextEmbedder.from_pretrained(model, normalize=False)(["the cat", "", "a dog"])
    np.testing.assert_array_equal(np.load(tmp_path / "out.array"), expected)
    assert mbrt("embed", model, "--output", tmp_path / "none").code == 0
    assert np.load(tmp_path / "none").shape == (0, expected.shape[1])


def test_embed_says_how_many_texts_were_cut(mbrt: Mbrt, models: Path) -> None:
    model = write_model(models, "embed")
    words = ("embed", model, "cat " * 60, "a cat", "dog " * 60)
    shown = mbrt(*words)
    assert "texts cut because they are longer than the model reads: 2; --on-overflow chooses otherwise" in shown.err
    for options in (["--on-overflow", "truncate"], ["--quiet"]):
        assert mbrt(*words, *options).err == ""
    assert mbrt(*words, "--on-overflow", "error").code == 1


def test_embed_prints_one_line_per_text(mbrt: Mbrt, models: Path) -> None:
    model = write_model(models, "embed")
    vectors = TextEmbedder.from_pretrained(model, pooling="cls", normalize=True)(["the\ncat", ""])
    shown = [line.split() for line in mbrt("embed", model, "the\ncat", "", "--pooling", "cls").out.splitlines()]
    numbers = [[f"{x:.4f}" for x in vector[:4]] for vector in vectors]
    assert shown == [["1", *numbers[0], "...", "(30", "numbers)"], ["2", *numbers[1], "...", "(30", "numbers)"]]


def test_json_has_the_results_of_the_tasks(mbrt: Mbrt, models: Path) -> None:
    def plain(result: object) -> object:
        return [plain(one) for one in result] if isinstance(result, list) else asdict(result)  # type: ignore[call-overload]

    model = write_model(models, "classify")
    found = [line["labels"] for line in mbrt("classify", model, *TEXTS, "--json").lines]
    assert found == plain(TextClassifier.from_pretrained(model)(TEXTS, top_k=None))
    model = write_model(models, "tag")
    found = [line["entities"] for line in mbrt("tag", model, *TEXTS, "--aggregation", "first", "--json").lines]
    assert found == plain(TokenClassifier.from_pretrained(model)(TEXTS, aggregation="first"))
    model = write_model(models, "answer")
    (line,) = mbrt("answer", model, "who", "--context", TEXTS[0], "--n-best", "3", "--json").lines
    assert line == {
        "question": "who",
        "answers": plain(QuestionAnswerer.from_pretrained(model)("who", TEXTS[0], n_best=3)),
    }
    model = write_model(models, "fill")
    (line,) = mbrt("fill", model, "the [MASK] and [MASK]", "--top-k", "2", "--json").lines
    assert line["masks"] == plain(FillMask.from_pretrained(model)("the [MASK] and [MASK]", top_k=2))


@pytest.mark.parametrize(
    "content",
    [b"good film\nbad\n", b"\xef\xbb\xbfgood film\r\nbad\r\n", b"good film\nbad"],
    ids=["lf", "crlf_and_byte_order_mark", "no_last_line_end"],
)
@pytest.mark.parametrize("source", ["file", "stdin", "dash"])
def test_each_line_is_a_text(mbrt: Mbrt, reviews: Path, tmp_path: Path, content: bytes, source: str) -> None:
    (tmp_path / "texts").write_bytes(content)
    options = {"file": ["--file", tmp_path / "texts"], "stdin": [], "dash": ["--file", "-"]}[source]
    shown = mbrt("classify", reviews, "--json", *options, stdin=b"" if source == "file" else content)
    assert [line["text"] for line in shown.lines] == ["good film", "bad"]
    assert [line["labels"][0]["label"] for line in shown.lines] == ["POSITIVE", "NEGATIVE"]


def test_lines_end_at_line_feeds_only(mbrt: Mbrt, models: Path) -> None:
    text = "a\rb\x0bc\x0cd\u0085e\u2028f"
    shown = mbrt("embed", write_model(models, "embed"), "--json", stdin=f"{text}\n\n".encode())
    assert [line["text"] for line in shown.lines] == [text, ""]


@pytest.mark.parametrize("command", ["embed", "classify", "tag", "fill"])
def test_empty_input_gives_no_output(mbrt: Mbrt, models: Path, command: str) -> None:
    shown = mbrt(command, write_model(models, command), "--json", stdin=b"")
    assert (shown.code, shown.out, shown.err) == (0, "", "")


def test_classify_shows_the_best_label_or_all_as_json(mbrt: Mbrt, reviews: Path) -> None:
    lines = mbrt("classify", reviews, "a good film", "a bad film").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["1", "POSITIVE"], ["2", "NEGATIVE"]]
    assert mbrt("classify", reviews, "a good film", "--top-k", "2").out.count("\n") == 2
    assert len(mbrt("classify", reviews, "a good film", "--json").lines[0]["labels"]) == 2


def test_classify_reads_pairs(mbrt: Mbrt, models: Path) -> None:
    model = write_model(models, "classify")
    pairs = [("the cat", "a dog"), ("good", "bad")]
    shown = mbrt("classify", model, "--pairs", *pairs[0], *pairs[1], "--json")
    assert [tuple(line["text"]) for line in shown.lines] == pairs
    assert mbrt("classify", model, "--pairs", "--json", stdin=b"the cat\ta dog\ngood\tbad\n") == shown
    expected = TextClassifier.from_pretrained(model)(pairs)
    assert [line["labels"][0]["score"] for line in shown.lines] == [labels[0].score for labels in expected]


def test_tag_shows_entities_with_offsets(mbrt: Mbrt, names: Path) -> None:
    entities = mbrt("tag", names, "Ada Lovelace lived", "--json").lines[0]["entities"]
    assert [(e["text"], e["label"], e["start"], e["end"]) for e in entities] == [("Ada Lovelace", "PER", 0, 12)]
    lines = mbrt("tag", names, "the", "Ada lived in London", "--aggregation", "first").out.splitlines()
    found = [line.split() for line in lines]
    assert [(n, text, label, int(start), int(end)) for n, text, label, _, start, end in found] == [
        ("2", "Ada", "PER", 0, 3),
        ("2", "London", "LOC", 13, 19),
    ]


def test_answer_takes_its_context_from_argument_file_or_standard_input(
    mbrt: Mbrt, models: Path, tmp_path: Path
) -> None:
    model = write_model(models, "answer")
    context = "it was by\nAda Lovelace"
    (tmp_path / "context").write_text(context, encoding="utf-8")
    expected = asdict(QuestionAnswerer.from_pretrained(model)("who wrote it", context)[0])
    for options, stdin in (
        (["--context", context], b""),
        (["--file", tmp_path / "context"], b""),
        ([], context.encode()),
    ):
        (line,) = mbrt("answer", model, "who wrote it", "--json", *options, stdin=stdin).lines
        assert line["answers"] == [expected]
    shown = mbrt("answer", model, "who", "what", "--context", context, "--n-best", "2").out.splitlines()
    assert [line.split()[0] for line in shown] == ["1", "1", "2", "2"]


def test_answer_may_be_empty(mbrt: Mbrt, tmp_path: Path) -> None:
    model = lookup(tmp_path / "model", "question_answering", "", {"[CLS]": [9.0, 9.0], "cat": [1.0, 1.0]})
    words = ["answer", model, "who", "--context", "the cat", "--json"]
    assert mbrt(*words).lines[0]["answers"][0]["text"] == "cat"
    assert mbrt(*words, "--allow-no-answer").lines[0]["answers"][0]["text"] == ""


def test_fill_shows_whole_texts(mbrt: Mbrt, models: Path) -> None:
    model = write_model(models, "fill")
    number, mask, token, _, score, *text = mbrt("fill", model, "the [MASK] was good", "--top-k", "1").out.split()
    assert (number, mask) == ("1", "1")
    assert 0 < float(score) <= 1
    assert text == ["the", token, "was", "good"]
    shown = mbrt("fill", model, "the [MASK] and the [MASK]").out.splitlines()
    assert [line.split()[1] for line in shown] == ["1"] * 5 + ["2"] * 5


def test_options_reach_the_model_and_the_task(mbrt: Mbrt, models: Path) -> None:
    model, text = write_model(models, "classify"), "the cat and the dog " * 8
    options = ["--on-overflow", "stride", "--max-length", "12", "--stride", "2", "--max-batch-tokens", "30"]
    (line,) = mbrt("classify", model, text, "--json", "--threads", "2", "--isa", "scalar", *options).lines
    task = TextClassifier.from_pretrained(model, on_overflow="stride", max_length=12, stride=2, max_batch_tokens=30)
    assert line["labels"] == [asdict(label) for label in task(text)]
    assert mbrt("classify", model, text, *options, "--timeout", "1e-9").code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MODEL", "the", "--file", "x"], "--file: found TEXT arguments too. Give one of the two."),
        (["MODEL", "--pairs", "a", "b", "c"], "--pairs: found 3 texts; expected an even number."),
        (["MODEL", "a", "--top-k", "0"], "found '0'; expected a whole number, at least 1"),
        (["MODEL", "a", "--timeout", "-1"], "--timeout: found '-1'; expected a positive number"),
        (["MODEL", "a", "--nonsense"], "--nonsense: no such option"),
    ],
)
def test_usage_errors_exit_with_2(mbrt: Mbrt, reviews: Path, arguments: list[str], message: str) -> None:
    shown = mbrt("classify", *(str(reviews) if word == "MODEL" else word for word in arguments))
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith("mbrt: ")
    assert message in shown.err
    assert shown.err.endswith("See `mbrt classify --help`.\n")


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        (["classify", "--file", "/nonexistent/file"], b"", "mbrt: /nonexistent/file: No such file or directory."),
        (["classify"], b"good\nb\xff\n", "mbrt: standard input, line 2: byte 1 is 0xFF; expected UTF-8 text."),
        (["answer", "who"], b"good\nb\xff\n", "mbrt: standard input: byte 6 is 0xFF; expected UTF-8 text."),
        (["classify", "--pairs"], b"a\tb\nc\n", "mbrt: standard input, line 2: found no tab; expected two texts"),
        (["classify", "the " * 50], b"", "--on-overflow truncate"),
        (["classify", "a", "--max-length", "99"], b"", "--max-length"),
        (["answer", "who"], b" \n", "mbrt: context: found no text"),
    ],
)
def test_errors_exit_with_1(mbrt: Mbrt, models: Path, words: list[str], stdin: bytes, message: str) -> None:
    command, *arguments = words
    shown = mbrt(command, write_model(models, command), *arguments, stdin=stdin)
    assert shown.code == 1
    assert shown.err.startswith("mbrt: ")
    assert message in shown.err


def test_terminal_is_not_read(reviews: Path) -> None:
    own, terminal = os.openpty()
    command = interpreter.command("-m", "mobilebert_rt", "classify", str(reviews))
    done = subprocess.run(command, stdin=terminal, capture_output=True, check=False)
    os.close(own)
    os.close(terminal)
    assert done.returncode == 2
    assert b"found no text; expected an argument, --file, or standard input." in done.stderr


def test_other_tokenizers_are_read_with_their_library(mbrt: Mbrt, models: Path, tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    model = write_model(models, "embed")
    words = {word: number for number, word in enumerate(VOCABULARY.split())}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    shown = mbrt("embed", model, "the cat", "a dog", "--tokenizer", tmp_path / "tokenizer.json", "--json")
    expected = TextEmbedder.from_pretrained(model, tokenizer=tokenizer)(["the cat", "a dog"])
    np.testing.assert_array_equal([line["embedding"] for line in shown.lines], expected)


def test_options_stand_anywhere_and_texts_with_a_dash_behind_two(mbrt: Mbrt, reviews: Path) -> None:
    expected = mbrt("classify", reviews, "the cat", "good", "--json").out
    assert mbrt("classify", "--json", reviews, "the cat", "good").out == expected
    assert mbrt("classify", reviews, "--json", "the cat", "good").out == expected
    assert mbrt("classify", reviews, "the cat", "--json", "good").out == expected
    assert mbrt("classify", "--json", reviews, "--", "-good film").lines[0]["text"] == "-good film"
