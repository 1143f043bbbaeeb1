"""How the native `mbrt` behaves as a command: what it reads, writes and says, and its exit codes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt.cli import main
from tests.small_models.files import write_model
from tests.tasks.native import Tool, build

COMMANDS = ["embed", "classify", "tag", "answer", "fill", "bench", "info"]
MOST_BYTES = 1_500_000  # of the static program for aarch64, stripped


@pytest.fixture
def model(models: Path) -> Path:
    return write_model(models, "embed", "int8")


def keys_of(value: Any) -> Any:
    """The shape of a JSON value: its keys, all the way down."""
    if isinstance(value, dict):
        return {key: keys_of(inner) for key, inner in value.items()}
    return [keys_of(value[0])] if isinstance(value, list) and value else None


def test_the_board_needs_one_small_file(tmp_path: Path) -> None:
    tool = build("aarch64")
    stripped = tmp_path / "mbrt"
    subprocess.run(["aarch64-linux-gnu-strip", "-o", stripped, tool.path], check=True)
    assert stripped.stat().st_size <= MOST_BYTES
    headers = subprocess.run(["readelf", "-lW", stripped], check=True, capture_output=True, text=True).stdout
    assert "LOAD" in headers
    assert "INTERP" not in headers


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example(host: Tool, command: str) -> None:
    done = host.run(command, "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"  mbrt {command}" in done.stdout.decode().split("examples:")[1]


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        ([], b"", "usage: mbrt COMMAND"),
        (["embd"], b"", "there is no command 'embd'; did you mean embed?"),
        (["convert", "a", "b"], b"", "convert is a command of the Python package"),
        (["embed"], b"", "the following arguments are required: MODEL"),
        (["embed", "MODEL", "--nonsense"], b"", "unrecognized arguments: --nonsense"),
        (["embed", "MODEL", "--pooling", "max"], b"", "invalid choice: 'max' (choose from mean, cls)"),
        (["embed", "MODEL", "a", "--threads", "many"], b"", "argument --threads: invalid int value: 'many'"),
        (["embed", "MODEL", "a", "--threads", "0"], b"", "--threads is 0; give a whole number from 1 to 256"),
        (["embed", "MODEL", "a", "--isa", "mmx"], b"", "mmx"),
        (["embed", "MODEL", "a", "--max-length", "41"], b"", "max_length is 41"),
        (["embed", "MODEL", "a " * 50], b"", "input 0 has 52 tokens with its special tokens, more than the 30 allowed"),
        (["embed", "MODEL", "a", "--precision", "fp32"], b"", "was written as int8"),
        (["embed", "MODEL", "a", "--tokenizer", "/nonexistent"], b"", "no tokenizer.json or vocab.txt could be read"),
        (["embed", "MODEL", "a", "--timeout", "0"], b"", "passed its deadline"),
        (["embed", "MODEL", "--file", "/nonexistent/texts"], b"", "/nonexistent/texts: No such file or directory"),
        (["embed", "MODEL", "a", "--file", "x"], b"", "choose one"),
        (["embed", "MODEL"], b"good\nb\xff\n", "standard input, line 2: not UTF-8 text (byte 1 is 0xFF)"),
        (["embed", "/nonexistent/model", "a"], b"", "/nonexistent/model"),
        (["embed", "default", "a"], b"", "this program brings no model"),
        (["embed", "FOLDER", "a"], b"", "is a folder; this program reads model files"),
        (["classify", "MODEL", "a"], b"", "A classifier needs a model for sequence_classification"),
        (["classify", "MODEL", "a"], b"", "has no head, and gives vectors alone"),
        (["classify", "MODEL", "--pairs", "a", "b", "c"], b"", "even number of texts; there are 3"),
        (["classify", "MODEL", "a", "--top-k", "0"], b"", "--top-k is 0; it should be at least 1"),
        (["answer", "MODEL", "who", "-c", "x", "-f", "y"], b"", "choose one"),
        (["answer", "MODEL", "who"], b" \n", "the context is empty"),
        (["bench", "MODEL", "--lengths", "8,x"], b"", "'8,x' is not a list of lengths such as 8,32,128"),
        (["bench", "MODEL", "--lengths", "41"], b"", "--lengths has 41"),
    ],
)
def test_errors_are_told_and_give_2(host: Tool, model: Path, arguments: list[str], stdin: bytes, message: str) -> None:
    names = {"MODEL": str(model), "FOLDER": str(model.parent)}
    done = host.run(*(names.get(word, word) for word in arguments), stdin=stdin)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()


def test_an_unknown_isa_in_the_environment_fails_loudly(host: Tool, model: Path) -> None:
    done = host.run("embed", model, "a", environment={"MBRT_ISA": "mmx"})
    assert done.returncode == 2
    assert "MBRT_ISA" in done.stderr.decode()


@pytest.mark.parametrize("content", [b"good film\nbad\n", b"\xef\xbb\xbfgood film\r\nbad\r\n", b"good film\nbad"])
@pytest.mark.parametrize("source", ["file", "stdin", "dash"])
def test_lines_are_texts_wherever_they_come_from(
    host: Tool, model: Path, tmp_path: Path, content: bytes, source: str
) -> None:
    (tmp_path / "texts").write_bytes(content)
    options = {"file": ["--file", tmp_path / "texts"], "stdin": [], "dash": ["--file", "-"]}[source]
    found = host.json("embed", model, *options, stdin=b"" if source == "file" else content)
    assert found == host.json("embed", model, "good film", "bad")


def test_options_may_stand_anywhere_and_texts_may_begin_with_a_dash(host: Tool, model: Path) -> None:
    expected = host.json("embed", model, "the cat", "good")
    for words in (["--quiet", model, "the cat", "good"], [model, "the cat", "-q", "good"]):
        assert host.json("embed", *words) == expected
    texts = [line["text"] for line in host.json("embed", "--threads=1", model, "- a list", "-5", "--quiet")]
    assert texts == ["- a list", "-5"]
    done = host.run("embed", "--json", model, "--", "--file")
    assert json.loads(done.stdout)["text"] == "--file"


def test_people_read_what_python_shows(host: Tool, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["Ada\tlived in Z\u00fcrich", "the film\nwas good"]
    cases = [
        ["embed", write_model(models, "embed", "fp32"), *texts],
        ["classify", write_model(models, "classify", "fp32"), *texts, "-k", "3"],
        ["classify", write_model(models, "classify", "fp32"), "--pairs", *texts],
        ["tag", write_model(models, "tag", "fp32"), *texts],
        ["answer", write_model(models, "answer", "fp32"), "who", "where", "-c", texts[0], "-n2", "--allow-no-answer"],
        ["fill", write_model(models, "fill", "fp32"), "[MASK] and [MASK]"],
    ]
    for case in cases:
        assert main([str(word) for word in case]) == 0
        assert host.run(*case).stdout.decode() == capsys.readouterr().out


def test_an_array_for_numpy(host: Tool, model: Path, tmp_path: Path) -> None:
    lines = host.json("embed", model, "the cat", "", "a dog")
    done = host.run("embed", model, "the cat", "", "a dog", "-o", tmp_path / "out.npy")
    assert (done.returncode, done.stdout) == (0, b"")
    array = np.load(tmp_path / "out.npy")
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, np.array([line["embedding"] for line in lines], np.float32))
    host.run("embed", model, "-o", tmp_path / "none.npy")
    assert np.load(tmp_path / "none.npy").shape == (0, array.shape[1])


def test_bench_and_info_have_python_s_keys(
    host: Tool, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "texts").write_text("the cat\n\n  \nwas good\x0bin Paris", encoding="utf-8")
    quick = ["--lengths", "4,8", "--batch-sizes", "1,2", "--threads", "1", "--repeats", "3", "--warmup", "0"]
    own_words = {"environment": None, "packages": None}
    for words in (["bench", model, *quick], ["bench", model, *quick, "--text", tmp_path / "texts"], ["info"]):
        found = json.loads(host.run(*words, "--json").stdout)
        assert main([str(word) for word in words] + ["--json"]) == 0
        wanted = json.loads(capsys.readouterr().out)
        for report in (found, wanted):
            report.get("machine", report).update(own_words)
        assert keys_of(found) == keys_of(wanted)
        for one, other in zip(found.get("lines", []), wanted.get("lines", []), strict=True):
            for key in ("precision", "isa", "threads", "batch_size", "length", "tokens"):
                assert one[key] == other[key]
            assert 0 < one["ms"]["p50"] <= one["ms"]["p90"] <= one["ms"]["p99"]
    table = host.run("bench", model, *quick).stdout.decode().splitlines()
    assert main(["bench", str(model), *quick]) == 0
    assert table[1].split() == capsys.readouterr().out.splitlines()[1].split()
    assert len(table) == 2 + 4


def test_answers_come_before_the_next_question(host: Tool, model: Path) -> None:
    """A program that writes a line and waits for its result is not left to wait."""
    with subprocess.Popen(
        [*host.command, "embed", model, "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text in ("the cat", "a dog"):
            process.stdin.write(text.encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["text"] == text
        process.stdin.close()
        assert process.wait() == 0


def test_a_broken_pipe_is_quiet(host: Tool, model: Path) -> None:
    with subprocess.Popen(
        [*host.command, "embed", model, "--json", *["the cat"] * 500], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait() == 141
        assert process.stderr.read() == b""


@pytest.mark.parametrize("busy", [False, True], ids=["reading", "running"])
def test_an_interrupt_ends_it(host: Tool, models: Path, model: Path, busy: bool) -> None:
    deep = write_model(models, "deep", "fp32")
    words = ["bench", deep, "--lengths", "512", "--repeats", "9999", "--seconds", "99"] if busy else ["embed", model]
    with subprocess.Popen(
        [*host.command, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        while not is_waiting_or_busy(process.pid):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read() == f"mbrt {words[0]}: interrupted\n".encode()


def is_waiting_or_busy(pid: int) -> bool:
    """Whether the program has set itself up to be interrupted."""
    caught = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt")]
    return bool(int(caught[0].split()[1], 16) >> (signal.SIGINT - 1) & 1)


def test_a_progress_line_on_a_terminal(host: Tool, models: Path) -> None:
    """Shown after a second, taken away in the end, and never with --quiet."""
    deep = write_model(models, "deep", "fp32")
    words = ["bench", deep, "--lengths", "256", "--batch-sizes", "1,1,1", "--repeats", "99", "--seconds", "0.6"]
    for quiet in ([], ["--quiet"]):
        own, theirs = os.openpty()
        done = subprocess.run(
            [*host.command, *map(str, words), *quiet], stdout=subprocess.PIPE, stderr=theirs, check=True
        )
        os.close(theirs)
        assert done.stdout
        shown = ""
        with contextlib.suppress(OSError):  # the other end is closed: that was all
            while True:
                shown += os.read(own, 1 << 16).decode()
        os.close(own)
        assert ("of 3 lines" in shown) == (not quiet)
        assert not shown or (shown.startswith("\r") and shown.endswith(" \r"))
