"""The commands that read texts, on a fake model: what they read, and what they print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt.cli import main
from mobilebert_rt.text import TextEmbedder
from tests.cli.conftest import Mbrt
from tests.text.fake_model import FakeModel
from tests.text.test_classifier import counts
from tests.text.test_fill_mask import after
from tests.text.test_question_answerer import peaks
from tests.text.test_token_classifier import LABELS, label_rows
from tests.text.test_windows import words

Fake = Callable[[FakeModel], FakeModel]


def classifier() -> FakeModel:
    return FakeModel(counts, labels=["NEGATIVE", "POSITIVE"], head="sequence_classification")


def test_embed_prints_every_bit_as_json(mbrt: Mbrt, fake: Fake) -> None:
    model = fake(FakeModel())
    shown = mbrt("embed", "m", "the cat", "a dog", "--json")
    assert [line["text"] for line in shown.lines] == ["the cat", "a dog"]
    vectors = np.array([line["embedding"] for line in shown.lines], dtype=np.float32)
    np.testing.assert_array_equal(vectors, TextEmbedder(model)(["the cat", "a dog"]))


def test_embed_writes_an_array(mbrt: Mbrt, fake: Fake, tmp_path: Path) -> None:
    model = fake(FakeModel())
    (tmp_path / "texts").write_bytes(b"the cat\n\na dog\n")
    shown = mbrt("embed", "m", "--file", tmp_path / "texts", "--output", tmp_path / "out.array", "--normalize")
    assert (shown.code, shown.out, shown.err) == (0, "", "")
    expected = TextEmbedder(model, normalize=True)(["the cat", "", "a dog"])
    np.testing.assert_array_equal(np.load(tmp_path / "out.array"), expected)


def test_an_empty_context_is_an_error(mbrt: Mbrt, fake: Fake) -> None:
    fake(FakeModel(peaks, head="question_answering"))
    shown = mbrt("answer", "m", "who", stdin=b" \n")
    assert (shown.code, shown.out) == (2, "")
    assert "the context is empty" in shown.err


def test_embed_shows_people_a_line_a_text(mbrt: Mbrt, fake: Fake) -> None:
    fake(FakeModel())
    shown = mbrt("embed", "m", "the\ncat", "--pooling", "cls", "--normalize")
    assert shown.out.count("\n") == 1
    assert "width 8, length 1  the cat" in shown.out


@pytest.mark.parametrize("content", [b"good film\nbad\n", b"\xef\xbb\xbfgood film\r\nbad\r\n", b"good film\nbad"])
@pytest.mark.parametrize("source", ["file", "stdin", "dash"])
def test_lines_are_texts_wherever_they_come_from(
    mbrt: Mbrt, fake: Fake, tmp_path: Path, content: bytes, source: str
) -> None:
    fake(classifier())
    (tmp_path / "texts").write_bytes(content)
    options = {"file": ["--file", tmp_path / "texts"], "stdin": [], "dash": ["--file", "-"]}[source]
    shown = mbrt("classify", "m", "--json", *options, stdin=b"" if source == "file" else content)
    assert [line["text"] for line in shown.lines] == ["good film", "bad"]
    assert [line["labels"][0]["label"] for line in shown.lines] == ["POSITIVE", "NEGATIVE"]


def test_nothing_to_read_gives_nothing(mbrt: Mbrt, fake: Fake) -> None:
    fake(classifier())
    shown = mbrt("classify", "m", "--json", stdin=b"")
    assert (shown.code, shown.out, shown.err) == (0, "", "")


def test_classify_shows_the_best_label_or_all_as_json(mbrt: Mbrt, fake: Fake) -> None:
    fake(classifier())
    assert mbrt("classify", "m", "a good film").out.split() == ["POSITIVE", "0.7311", "a", "good", "film"]
    assert mbrt("classify", "m", "a good film", "--top-k", "2").out.count("\n") == 2
    assert len(mbrt("classify", "m", "a good film", "--json").lines[0]["labels"]) == 2


def test_classify_reads_pairs(mbrt: Mbrt, fake: Fake) -> None:
    model = fake(classifier())
    assert mbrt("classify", "m", "--pairs", "good", "bad", "--json").lines[0]["text"] == ["good", "bad"]
    assert mbrt("classify", "m", "--pairs", "--json", stdin=b"good\tbad film\n").code == 0
    assert [call["types"] for call in model.calls] == [[[0, 0, 0, 1, 1]], [[0, 0, 0, 1, 1, 1]]]


def test_tag_gives_entities_with_offsets(mbrt: Mbrt, fake: Fake) -> None:
    fake(FakeModel(label_rows, labels=LABELS, head="token_classification"))
    entities = mbrt("tag", "m", "Ada Lovelace lived", "--json").lines[0]["entities"]
    assert [(e["text"], e["label"], e["start"], e["end"]) for e in entities] == [("Ada Lovelace", "PER", 0, 12)]
    lines = mbrt("tag", "m", "the", "Ada lived in London", "--aggregation", "first").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["2:0-3", "PER"], ["2:13-19", "LOC"]]


def test_answer_takes_its_context_from_argument_file_or_standard_input(mbrt: Mbrt, fake: Fake, tmp_path: Path) -> None:
    fake(FakeModel(peaks, head="question_answering"))
    context = "it was by\nAda Lovelace"
    (tmp_path / "context").write_text(context, encoding="utf-8")
    for options, stdin in (
        (["--context", context], b""),
        (["--file", tmp_path / "context"], b""),
        ([], context.encode()),
    ):
        (line,) = mbrt("answer", "m", "who wrote it", "--json", "--stride", "4", *options, stdin=stdin).lines
        assert line["answers"][0]["text"] == "Ada Lovelace"
    shown = mbrt("answer", "m", "who", "what", "--context", context, "--n-best", "2").out.splitlines()
    assert (shown[0], shown[3]) == ("who", "what")
    assert mbrt("answer", "m", "who", "--context", "the cat", "--allow-no-answer").out.endswith("(no answer)\n")


def test_fill_shows_whole_texts(mbrt: Mbrt, fake: Fake) -> None:
    fake(FakeModel(after, head="masked_lm"))
    shown = mbrt("fill", "m", "the [MASK] was good", "--top-k", "1")
    assert shown.out.split()[1:] == ["cat", "the", "cat", "was", "good"]
    line = mbrt("fill", "m", "the [MASK] and the [MASK]", "--json").lines[0]
    assert [len(mask) for mask in line["masks"]] == [5, 5]


def test_options_reach_the_model_and_the_task(mbrt: Mbrt, fake: Fake) -> None:
    model = fake(classifier())
    shown = mbrt(
        "classify", "path", words(40), "--precision", "fp32", "--threads", "2", "--isa", "scalar",
        "--on-overflow", "stride", "--max-length", "12", "--stride", "2", "--max-batch-tokens", "30",
    )  # fmt: skip
    assert shown.code == 0
    assert model.loaded == ("path", (), {"precision": "fp32", "num_threads": 2, "isa": "scalar"})
    assert [len(ids) for call in model.calls for ids in call["ids"]] == [12, 12, 12, 12, 10]


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["m", "the", "--file", "x"], b"", "choose one"),
        (["m", "--file", "/nonexistent/file"], b"", "/nonexistent/file"),
        (["m"], b"good\nb\xff\n", "standard input, line 2: not UTF-8 text (byte 1 is 0xFF)"),
        (["m", "--pairs", "a", "b", "c"], b"", "even number of texts; there are 3"),
        (["m", "--pairs"], b"a\tb\nc\n", "line 2 is not a pair"),
        (["m", "the " * 50], b"", "input 0 has 52 tokens"),
        (["m", "a", "--top-k", "0"], b"", "--top-k is 0"),
        (["m", "a", "--max-length", "99"], b"", "max_length is 99"),
    ],
)
def test_errors_are_told_on_standard_error(
    mbrt: Mbrt, fake: Fake, arguments: list[str], stdin: bytes, message: str
) -> None:
    fake(classifier())
    shown = mbrt("classify", *arguments, stdin=stdin)
    assert shown.code == 2
    assert shown.err.startswith("mbrt classify: ")
    assert message in shown.err


def test_a_terminal_is_not_waited_for(
    fake: Fake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(classifier())
    monkeypatch.setattr("sys.stdin", Terminal())
    assert main(["classify", "m"]) == 2
    assert "there is no text: give it as an argument" in capsys.readouterr().err


class Terminal:
    def isatty(self) -> bool:
        return True


def test_options_may_stand_anywhere_and_texts_may_begin_with_a_dash(mbrt: Mbrt, fake: Fake) -> None:
    fake(classifier())
    expected = mbrt("classify", "m", "the cat", "good", "--json").out
    assert mbrt("classify", "--json", "m", "the cat", "good").out == expected
    assert mbrt("classify", "m", "--json", "the cat", "good").out == expected
    assert mbrt("classify", "m", "the cat", "--json", "good").out == expected
    assert mbrt("classify", "--json", "m", "--", "-good film").lines[0]["text"] == "-good film"
