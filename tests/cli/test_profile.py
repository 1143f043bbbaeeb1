from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mbrt


@pytest.mark.parametrize("by", ["operation", "layer"])
def test_table_has_a_line_per_operation_or_layer(mbrt: Mbrt, folder: Path, by: str) -> None:
    shown = mbrt("profile", folder, "--tokens", 20, "--batch", 2, "--repeats", 2, "--by", by)
    assert (shown.code, shown.err) == (0, "")
    title, header, *lines = shown.out.splitlines()
    assert title.startswith("40 tokens in 2 sequences, ")
    assert header.split()[:4] == [by, "calls", "ms", "share"]
    names = [line.split("  ")[0] for line in lines]
    assert {"operation": "ffn.1.output", "layer": "layer 1"}[by] in names
    assert "profiling costs" in lines[-1]


def test_json_has_operations_and_layers(mbrt: Mbrt, folder: Path) -> None:
    shown = mbrt("profile", folder, "--tokens", 8, "--repeats", 2, "--threads", 2, "--json")
    found = json.loads(shown.out)
    assert (found["tokens"], found["repeats"]) == (8, 2)
    assert {"name", "milliseconds", "share", "gmacs_per_second"} <= found["operations"][0].keys()
    assert [line["name"] for line in found["layers"]] == ["call", "embeddings", "layer 0", "layer 1", "head"]


def test_trace_is_written(mbrt: Mbrt, folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace.json"
    shown = mbrt("profile", folder, "--tokens", 8, "--repeats", 1, "--trace", trace)
    assert shown.code == 0
    assert shown.err == f"wrote {trace}\n"
    assert json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tokens", 25], "--tokens: found 25; expected at most 24"),
        (["--repeats", 0], "--repeats: found '0'"),
        (["--batch", 0], "--batch: found '0'"),
        (["--threads", 0], "--threads: found '0'"),
        (["--tokens", 8, "--trace", "/none/trace.json"], "/none/trace.json: No such file or directory."),
    ],
)
def test_wrong_options_are_errors(mbrt: Mbrt, folder: Path, options: list[object], message: str) -> None:
    shown = mbrt("profile", folder, *options)
    assert (shown.code, shown.out) == (1 if "--trace" in options else 2, "")
    assert message in shown.err
