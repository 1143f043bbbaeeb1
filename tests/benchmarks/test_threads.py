"""benchmarks.threads: every model at every length on one thread and on several, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.threads.__main__ import lengths, main, parser
from tests.engine.support import write_model


@pytest.mark.parametrize(("text", "expected"), [("1-4", [1, 2, 3, 4]), ("8,2", [8, 2]), ("5", [5])])
def test_lengths_are_a_range_or_a_list(text: str, expected: list[int]) -> None:
    assert lengths(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0-3", "4-1", "a", "1,b", "-3"])
def test_other_lengths_are_errors(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args([f"--lengths={text}"])
    assert "expected lengths such as 1-64 or 1,8,32" in capsys.readouterr().err


def test_every_length_of_every_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = [str(write_model(tmp_path, name)) for name in ("bert_int8", "mobilebert")]
    file = tmp_path / "results.json"
    options = [
        "--lengths",
        "1,9",
        "--threads",
        "3",
        "--rounds",
        "1",
        "--turn-ms",
        "1",
        "--busy",
        "1",
        "--json",
        str(file),
    ]
    assert main([*models, *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[1:]] == ["tokens", "------", "1", "9"]
    results = json.loads(file.read_text())["results"]
    assert {(result["model"], result["tokens"]) for result in results} == {(m, n) for m in models for n in (1, 9)}
    assert all(result["seconds"]["1"] > 0 and result["seconds"]["3"] > 0 for result in results)
