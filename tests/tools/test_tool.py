"""The native `mbrt` as a command: input, output, errors, exit codes, signals."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt import __version__, default_model_path
from tests.small_models.files import write_model
from tests.tools.native import Tool, build

COMMANDS = ["embed", "classify", "zero-shot", "rank", "tag", "answer", "fill", "bench", "info"]
MAX_BYTES = 1_500_000  # of the static tool for aarch64, stripped
BAD_UTF8 = b"good\nb\xff\n"


@pytest.fixture
def model(models: Path) -> Path:
    return write_model(models, "embed", "int8")


def test_static_tool_for_aarch64_is_small(tmp_path: Path) -> None:
    tool = build("aarch64")
    stripped = tmp_path / "mbrt"
    subprocess.run(["aarch64-linux-gnu-strip", "-o", stripped, tool.path], check=True)
    assert stripped.stat().st_size <= MAX_BYTES
    headers = subprocess.run(["readelf", "-lW", stripped], check=True, capture_output=True, text=True).stdout
    assert "LOAD" in headers
    assert "INTERP" not in headers


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_an_example(host: Tool, command: str) -> None:
    for option in ("--help", "-h"):
        done = host.run(command, option)
        assert (done.returncode, done.stderr) == (0, b"")
        assert f"  mbrt {command}" in done.stdout.decode().split("examples:")[1]


def test_overview_lists_every_command(host: Tool) -> None:
    for word in ("--help", "-h", "help"):
        shown = host.run(word).stdout.decode()
        assert all(f"\n  {command} " in shown for command in COMMANDS)
    assert host.run("--version").stdout.decode() == f"mbrt {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "usage: mbrt COMMAND"),
        (["embd"], "mbrt: embd: no such command"),
        (["convert", "a", "b"], "convert, inspect, verify and profile are in the Python package"),
        (["embed"], "mbrt: found 0 arguments; expected MODEL [TEXT ...]. See `mbrt embed --help`."),
        (["answer", "MODEL"], "found 1 arguments; expected MODEL QUESTION [QUESTION ...]"),
        (["info", "MODEL"], "found 1 arguments; expected none"),
        (["embed", "MODEL", "--nonsense"], "--nonsense: no such option"),
        (["embed", "MODEL", "-5"], "-5: no such option. A text that begins with a dash goes behind `--`."),
        (["embed", "MODEL", "a", "--file"], "--file: found no value; expected PATH"),
        (["embed", "MODEL", "a", "--json=yes"], "--json takes no value"),
        (["embed", "MODEL", "--pooling", "min"], "--pooling: found 'min'; expected cls, max, mean, "),
        (["embed", "MODEL", "a", "--threads", "many"], "--threads: found 'many'; expected a whole number"),
        (["embed", "MODEL", "a", "--threads", "0"], "--threads: found '0'; expected a whole number, at least 1"),
        (
            ["embed", "MODEL", "a", "--threads", "257"],
            "--threads: found '257'; expected a whole number, at least 1 and at most 256",
        ),
        (["embed", "MODEL", "a", "--timeout", "0"], "--timeout: found '0'; expected a positive number"),
        (["embed", "MODEL", "a", "--normalize", "--no-normalize"], "Give one of the two"),
        (["embed", "MODEL", "a", "--file", "x"], "--file: found TEXT arguments too. Give one of the two."),
        (["classify", "MODEL", "--pairs", "a", "b", "c"], "--pairs: found 3 texts; expected an even number"),
        (["classify", "MODEL", "a", "--top-k", "0"], "--top-k: found '0'; expected a whole number, at least 1"),
        (["answer", "MODEL", "who", "-c", "x", "-f", "y"], "--context: found --file too. Give one of the two."),
        (["bench", "MODEL", "--lengths", "8,x"], "--lengths: found 'x'; expected a whole number, at least 1"),
        (["bench", "MODEL", "--lengths", "41"], "--lengths: found 41; expected at most 40"),
        (["bench", "MODEL", "--seconds", "-1"], "--seconds: found '-1'; expected a positive number"),
    ],
)
def test_usage_errors_exit_with_2(host: Tool, model: Path, arguments: list[str], message: str) -> None:
    done = host.run(*(str(model) if word == "MODEL" else word for word in arguments))
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["embed", "MODEL", "a", "--isa", "mmx"], b"", "mmx"),
        (["embed", "MODEL", "a", "--max-length", "41"], b"", "--max-length: found 41;"),
        (["embed", "MODEL", "a " * 50, "--on-overflow", "error"], b"", "mbrt: text 1 has 52 tokens"),
        (["embed", "MODEL", "a", "--precision", "fp32"], b"", "found precision int8; expected fp32"),
        (["embed", "MODEL", "a", "--tokenizer", "/nonexistent"], b"", "/nonexistent"),
        (["embed", "MODEL", "a", "--timeout", "1e-9"], b"", "deadline"),
        (
            ["embed", "MODEL", "--file", "/nonexistent/texts"],
            b"",
            "mbrt: /nonexistent/texts: No such file or directory",
        ),
        (["embed", "MODEL", b"b\xff"], b"", "mbrt: text 1: byte 1 is 0xFF; expected UTF-8 text."),
        (["answer", "MODEL", b"b\xff", "-c", "x"], b"", "mbrt: question 1: byte 1 is 0xFF; expected UTF-8 text."),
        (["answer", "MODEL", "who"], BAD_UTF8, "mbrt: standard input: byte 6 is 0xFF; expected UTF-8 text."),
        (["embed", "/nonexistent/model", "a"], b"", "/nonexistent/model"),
        (["embed", "FOLDER", "a"], b"", "found a folder; expected a model file"),
        (["classify", "EMBEDDER", "a"], b"", "sequence_classification"),
        (["answer", "MODEL", "who"], b" \n", "context: found no text"),
        (["bench", "MODEL", "--text", "/dev/null"], b"", "/dev/null: found no text; expected one text per line."),
    ],
)
def test_errors_exit_with_1(host: Tool, models: Path, arguments: list[str | bytes], stdin: bytes, message: str) -> None:
    embedder = write_model(models, "embed", "int8")
    classifier = write_model(models, "classify")
    own = {"classify": classifier, "answer": write_model(models, "answer")}.get(str(arguments[0]), embedder)
    names = {"MODEL": str(own), "EMBEDDER": str(embedder), "FOLDER": str(models)}
    done = host.run(*(names.get(word, word) if isinstance(word, str) else word for word in arguments), stdin=stdin)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"mbrt: ")
    assert message in done.stderr.decode()


LONG = "the " * 50


@pytest.mark.parametrize("number", [1, 2, 700, 1000])
@pytest.mark.parametrize(
    "case",
    [(LONG.encode(), " has 52 tokens"), (b"b\xff", ": byte 1 is 0xFF; expected UTF-8 text.")],
    ids=["long", "not_utf8"],
)
def test_results_before_a_bad_line_are_written(
    host: Tool, models: Path, tmp_path: Path, number: int, case: tuple[bytes, str]
) -> None:
    bad, problem = case
    model = write_model(models, "classify")
    lines = [f"the cat was {number}".encode() for number in range(1000)]
    lines[number - 1] = bad
    path = tmp_path / "texts"
    path.write_bytes(b"\n".join(lines))
    done = host.run("classify", model, "--file", path, "--on-overflow", "error", "--json")
    assert done.returncode == 1
    found = [json.loads(line)["text"].encode() for line in done.stdout.splitlines()]
    assert found == lines[: number - 1]
    assert done.stderr.decode().startswith(f"mbrt: {path}, line {number:,}{problem}")
    array = tmp_path / "rows.npy"
    embedder = write_model(models, "embed", "int8")
    done = host.run("embed", embedder, "--file", path, "--on-overflow", "error", "-o", array)
    assert done.returncode == 1
    assert array.exists() == (number > 1)
    if number > 1:
        assert np.load(array).shape == (number - 1, 30)
        assert f"mbrt: {array}: wrote the {number - 1:,} texts before the error\n" in done.stderr.decode()


def test_bad_texts_can_be_skipped(host: Tool, models: Path, tmp_path: Path) -> None:
    model = write_model(models, "classify")
    content = b"good\tbad\nno tab\n" + LONG.encode() + b"\tbad\nx\xff\ty\nthe cat\ta dog\n"
    words = ["classify", model, "--pairs", "--on-error", "skip", "--on-overflow", "error"]
    done = host.run(*words, "--json", stdin=content)
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]
    alone = host.json("classify", model, "--pairs", "good", "bad", "the cat", "a dog")
    assert [lines[0], lines[4]] == alone
    assert [line["text"] for line in lines[1:4]] == ["no tab", [LONG, "bad"], "x\\xff\\x09y"]
    reported = done.stderr.decode().splitlines()
    for number, text in ((2, ": found no tab"), (3, " has 54 tokens"), (4, ": byte 1 is 0xFF")):
        problem = f"standard input, line {number}{text}"
        assert lines[number - 1]["error"].startswith(problem)
        assert reported[number - 2].startswith(f"mbrt: {problem}")
    assert reported[3:] == ["mbrt: skipped 3 of 5 texts"]
    shown = host.run(*words, "--top-k", "1", stdin=content).stdout.decode().splitlines()
    assert [line.split()[0] for line in shown] == ["1", "5"]


def test_skipped_texts_have_rows_of_nan(host: Tool, model: Path, tmp_path: Path) -> None:
    words = ["embed", model, "the cat", LONG, "a dog", "--on-error", "skip", "--on-overflow", "error"]
    assert host.run(*words, "-o", tmp_path / "rows.npy").returncode == 0
    rows = np.load(tmp_path / "rows.npy")
    assert np.isnan(rows[1]).all()
    found = np.array([line["embedding"] for line in host.json("embed", model, "the cat", "a dog")], np.float32)
    np.testing.assert_array_equal(rows[[0, 2]], found)


def test_errors_name_options_of_the_command_line(host: Tool, model: Path) -> None:
    message = host.run("embed", model, LONG, "--on-overflow", "error").stderr.decode()
    assert "--on-overflow truncate" in message
    assert "on_overflow" not in message
    stated = host.run("embed", model, "a", "--max-length", "0")
    assert (stated.returncode, "--max-length: found '0'" in stated.stderr.decode()) == (2, True)


def test_array_is_replaced_only_by_force(host: Tool, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    path.write_bytes(b"precious")
    done = host.run("embed", model, "a", "-o", path)
    assert (done.returncode, done.stderr.decode()) == (1, f"mbrt: {path}: exists already. --force replaces it.\n")
    assert path.read_bytes() == b"precious"
    assert host.run("embed", model, "a", "-o", path, "--force").returncode == 0
    assert np.load(path).shape == (1, 30)
    assert host.run("embed", model, "a", "-o", "/dev/stdout").stdout.startswith(b"\x93NUMPY")


def test_default_is_the_model_of_the_package(tool: Tool, tmp_path: Path) -> None:
    """In the tree in which the program was built, and in the share folder beside an installed one."""
    (found,) = tool.json("embed", "default", "A cat sleeps.")
    assert len(found["embedding"]) == 384
    installed = tmp_path / "bin/mbrt"
    installed.parent.mkdir()
    shutil.copy(tool.path, installed)
    moved = Tool(tool.target, installed, (*tool.command[:-1], str(installed)))
    done = moved.run("embed", "default", "A cat sleeps.")
    assert (done.returncode, b"default: the model is neither installed" in done.stderr) == (1, True)
    share = tmp_path / "share/mobilebert_rt"
    share.mkdir(parents=True)
    shutil.copy(default_model_path(), share)
    assert moved.json("embed", "default", "A cat sleeps.") == [found]


def test_unknown_isa_in_the_environment_is_an_error(host: Tool, model: Path) -> None:
    done = host.run("embed", model, "a", environment={"MBRT_ISA": "mmx"})
    assert done.returncode == 1
    assert "MBRT_ISA" in done.stderr.decode()


@pytest.mark.parametrize(
    "content",
    [b"good film\nbad\n", b"\xef\xbb\xbfgood film\r\nbad\r\n", b"good film\nbad"],
    ids=["lf", "crlf_and_byte_order_mark", "no_last_line_end"],
)
@pytest.mark.parametrize("source", ["file", "stdin", "dash"])
def test_each_line_is_a_text(host: Tool, model: Path, tmp_path: Path, content: bytes, source: str) -> None:
    (tmp_path / "texts").write_bytes(content)
    options = {"file": ["--file", tmp_path / "texts"], "stdin": [], "dash": ["--file", "-"]}[source]
    found = host.json("embed", model, *options, stdin=b"" if source == "file" else content)
    assert found == host.json("embed", model, "good film", "bad")


def test_lines_end_at_line_feeds_only(host: Tool, model: Path) -> None:
    text = "a\rb\x0bc\x0cd\u0085e\u2028f"
    assert [line["text"] for line in host.json("embed", model, stdin=f"{text}\n\n".encode())] == [text, ""]


def test_pairs_come_from_arguments_and_from_tabs(host: Tool, models: Path) -> None:
    model = write_model(models, "classify")
    found = host.json("classify", model, "--pairs", "the cat", "a dog", "good", "bad")
    assert [line["text"] for line in found] == [["the cat", "a dog"], ["good", "bad"]]
    assert host.json("classify", model, "--pairs", stdin=b"the cat\ta dog\r\ngood\tbad\n") == found


@pytest.mark.parametrize("command", ["embed", "classify", "tag", "fill"])
def test_empty_input_gives_no_output(host: Tool, models: Path, command: str) -> None:
    done = host.run(command, write_model(models, command), "--json")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_options_stand_anywhere_and_texts_with_a_dash_behind_two(host: Tool, model: Path) -> None:
    expected = host.json("embed", model, "the cat", "good")
    for words in (["--quiet", model, "the cat", "good"], [model, "the cat", "-q", "good", "--threads=1"]):
        assert host.json("embed", *words) == expected
    done = host.run("embed", "--json", model, "--", "--file", "-5")
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["--file", "-5"]


def test_text_output_has_one_numbered_line_per_result(host: Tool, models: Path) -> None:
    texts = ["Ada\tlived in Z\u00fcrich", "the film\nwas good"]

    def lines(command: str, *arguments: str) -> list[list[str]]:
        shown = host.run(command, write_model(models, command), *arguments).stdout.decode()
        return [line.split() for line in shown.splitlines()]

    vectors = [line["embedding"] for line in host.json("embed", write_model(models, "embed"), *texts)]
    assert lines("embed", *texts) == [
        [str(number), *(f"{x:.4f}" for x in vector[:4]), "...", "(30", "numbers)"]
        for number, vector in enumerate(vectors, start=1)
    ]
    assert [line[0] for line in lines("classify", *texts, "--top-k", "2")] == ["1", "1", "2", "2"]
    assert len(lines("classify", "--pairs", *texts)) == 1
    source = "Z\u00fcrich, Ada Lovelace lived in London."
    tagged = lines("tag", source, "--aggregation", "none")
    assert tagged
    assert all((number, text) == ("1", source[int(start) : int(end)]) for number, text, _, _, start, end in tagged)
    assert [line[0] for line in lines("answer", "who", "where", "-c", texts[0], "-n2")] == ["1", "1", "2", "2"]
    assert [line[:2] for line in lines("fill", "[MASK] and [MASK]", "-k", "2")] == [["1", "1"]] * 2 + [["1", "2"]] * 2


def test_json_escapes_control_characters_and_keeps_the_rest(host: Tool, model: Path) -> None:
    text = '"quoted" \\ \x01\t\x7f \u2028 \U0001f642'
    assert host.json("embed", model, text)[0]["text"] == text
    assert "\U0001f642" in host.run("embed", model, text, "--json").stdout.decode()


def test_output_is_an_array_for_numpy(host: Tool, model: Path, tmp_path: Path) -> None:
    lines = host.json("embed", model, "the cat", "", "a dog")
    done = host.run("embed", model, "the cat", "", "a dog", "-o", tmp_path / "out.npy")
    assert (done.returncode, done.stdout) == (0, b"")
    array = np.load(tmp_path / "out.npy")
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, np.array([line["embedding"] for line in lines], np.float32))
    host.run("embed", model, "-o", tmp_path / "none.npy")
    assert np.load(tmp_path / "none.npy").shape == (0, array.shape[1])


def test_bench_measures_every_combination(host: Tool, model: Path) -> None:
    quick = ["--lengths", "4,8", "--batch-sizes", "1,2", "--threads", "1", "--repeats", "3", "--warmup", "0"]
    (report,) = host.json("bench", model, *quick)
    assert report["options"] == {"warmup": 0, "repeats": 3, "seconds": 5, "seed": 0}
    swept = [(line["batch_size"], line["length"], line["tokens"]) for line in report["lines"]]
    assert swept == [(1, 4, 4), (1, 8, 8), (2, 4, 8), (2, 8, 16)]
    for line in report["lines"]:
        assert 0 < line["ms"]["p50"] <= line["ms"]["p90"] <= line["ms"]["p99"]
        assert line["ms"]["calls"] == 3
        assert line["tokens_per_second"] == pytest.approx(line["tokens"] / line["ms"]["mean"] * 1e3)
        assert line["peak_bytes"] > 0
    table = host.run("bench", model, *quick).stdout.decode().splitlines()
    assert table[1].split()[:4] == ["precision", "threads", "batch", "tokens"]
    assert [line.split()[:4] for line in table[2:]] == [
        ["int8", "1", str(size), str(tokens)] for size, _, tokens in swept
    ]


def test_bench_of_texts_skips_blank_lines_and_times_the_tokenizer(host: Tool, model: Path, tmp_path: Path) -> None:
    (tmp_path / "texts").write_text("the cat\n\n  \r\nwas good in Paris", encoding="utf-8")
    (report,) = host.json("bench", model, "--text", tmp_path / "texts", "--batch-sizes", "1,3", "--repeats", "2")
    swept = [(line["batch_size"], line["length"], line["tokens"]) for line in report["lines"]]
    assert swept == [(1, None, 4), (3, None, 4 + 6 + 4)]
    assert report["lines"][0]["tokenize_ms"] > 0


def test_result_comes_before_the_next_line_is_read(host: Tool, model: Path) -> None:
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


def test_closed_output_is_no_error(host: Tool, model: Path) -> None:
    with subprocess.Popen(
        [*host.command, "embed", model, "--json", *["the cat"] * 500], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait() == 141
        assert process.stderr.read() == b""


@pytest.mark.parametrize("busy", [False, True], ids=["reading", "running"])
def test_interrupt_ends_reading_and_running(host: Tool, models: Path, model: Path, busy: bool) -> None:
    deep = write_model(models, "deep", "fp32")
    words = ["bench", deep, "--lengths", "512", "--repeats", "9999", "--seconds", "99"] if busy else ["embed", model]
    with subprocess.Popen(
        [*host.command, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        while not catches_interrupts(process.pid):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read() == b"mbrt: interrupted\n"


def catches_interrupts(pid: int) -> bool:
    caught = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt")]
    return bool(int(caught[0].split()[1], 16) >> (signal.SIGINT - 1) & 1)


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_line_on_a_terminal(host: Tool, models: Path, quiet: bool) -> None:
    """Shown after a second, removed at the end."""
    deep = write_model(models, "deep", "fp32")
    words = ["bench", deep, "--lengths", "256", "--batch-sizes", "1,1,1", "--repeats", "99", "--seconds", "0.6"]
    own, theirs = os.openpty()
    command = [*host.command, *map(str, words), *(["--quiet"] if quiet else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    assert done.stdout
    shown = ""
    with contextlib.suppress(OSError):  # the other end is closed: everything was read
        while True:
            shown += os.read(own, 1 << 16).decode()
    os.close(own)
    assert ("of 3 lines" in shown) == (not quiet)
    assert not shown or (shown.startswith("\r") and shown.endswith(" \r"))
