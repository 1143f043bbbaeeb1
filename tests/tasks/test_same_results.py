"""The native `mbrt` gives what the Python one gives for the same model file and texts, on every architecture.

Vectors are equal to the bit, and so are labels, spans and proposals; scores that went through an exponential are equal
but for the last bit of a float, and on 32-bit ARM everything is within 1e-4.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import convert
from mobilebert_rt.cli import main
from tests.capi.models import write_model
from tests.tasks.native import Tool
from tests.text import assets

LAST_BIT = 1.2e-7  # of a float, relative
LOOSE = 1e-4

TEXTS = [
    "Ada Lovelace wrote the notes in London.",
    "",
    "the cat \u2014 Z\u00fcrich \U0001f642, \u6771\u4eac and the dogs?",
    "not very good , not very bad!",
    "love of the caf\u00e9 \u0130stanbul e\u0301t\u00e9",
]
LIVES = [
    ("Ada", "London", "good"),
    ("Love", "Paris", "funny"),
    ("dog", "France", "bad"),
    ("Lovelace", "\u6771\u4eac", "warm"),
    ("cat", "Z\u00fcrich", "not very good"),
    ("u", "t", "s"),
]
LONG = " ".join(f"{who} lived in {place}, the film was {what}." for who, place, what in LIVES)
MASKED = ["the [MASK] was good", "[MASK]\u00e9 and [MASK] .", "caf\u00e9 [MASK]"]

# command and model: the arguments behind the model
CASES: dict[str, tuple[str, list[str]]] = {
    "embed": ("embed", TEXTS),
    "embed_cls": ("embed", ["--pooling", "cls", "--no-normalize", *TEXTS]),
    "embed_windows": ("embed", [LONG, *TEXTS, "--on-overflow", "stride", "--max-length", "17", "--stride", "5"]),
    "embed_small_batches": ("embed", [*TEXTS, LONG, "--on-overflow=truncate", "--max-batch-tokens", "20"]),
    "classify": ("classify", TEXTS),
    "classify_pairs": ("classify", ["--pairs", *TEXTS[:4], "-k2"]),
    "classify_cut_pairs": (
        "classify",
        ["--pairs", TEXTS[0], LONG, LONG, TEXTS[2], "--on-overflow", "truncate", "--max-length", "24"],
    ),
    "classify_windows": ("classify", [LONG, "--on-overflow", "stride", "--stride", "3", "--max-length", "12"]),
    "tag": ("tag", [*TEXTS, LONG, "--on-overflow", "stride", "--max-length", "20"]),
    "tag_none": ("tag", [*TEXTS, "--aggregation", "none"]),
    "tag_first": ("tag", [*TEXTS, "--aggregation", "first"]),
    "tag_max": ("tag", [*TEXTS, "--aggregation", "max"]),
    "answer": ("answer", ["Who wrote it?", "where", "-c", TEXTS[0], "-n", "4"]),
    "answer_windows": (
        "answer",
        ["who lived in Z\u00fcrich?", "--context", LONG, "--max-length", "19", "--stride", "6", "-n", "12"],
    ),
    "answer_or_not": ("answer", ["when", "--allow-no-answer", "-n", "500", "--max-answer-length", "3", "-c", TEXTS[2]]),
    "answer_nothing": ("answer", ["when", "-c", ""]),
    "fill": ("fill", [*MASKED, "--top-k", "7"]),
    "fill_windows": (
        "fill",
        [f"{LONG} [MASK] {LONG} the [MASK].", "--on-overflow", "stride", "--max-length", "16", "--stride", "6"],
    ),
}

Expected = Callable[..., list[Any]]


@pytest.fixture
def expected(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Expected:
    """The JSON lines of the Python command line."""

    def run(*arguments: object, stdin: bytes = b"") -> list[Any]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        assert main([str(argument) for argument in arguments] + ["--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.split("\n")[:-1]]

    return run


def assert_same(found: Any, wanted: Any, tolerance: float) -> None:
    """Equal, apart from floating-point numbers, which may differ by the tolerance (of the larger of 1 and them)."""
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        found, wanted = list(found.values()), list(wanted.values())
    if isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other, tolerance)
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, rel=tolerance, abs=tolerance if tolerance == LOOSE else 0)
    else:
        assert found == wanted


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("case", CASES)
def test_what_python_gives(tool: Tool, models: Path, expected: Expected, case: str, precision: str) -> None:
    command, arguments = CASES[case]
    model = write_model(models, command, precision)
    found, wanted = (run(command, model, *arguments) for run in (tool.json, expected))
    shows_something = bool(wanted[-1].get("answers", True))
    assert shows_something == (case != "answer_nothing")
    exact = command == "embed" and tool.same_bits
    assert_same(found, wanted, 0.0 if exact else LAST_BIT if tool.same_bits else LOOSE)


def test_same_bits_on_every_kernel_set(tool: Tool, models: Path, expected: Expected) -> None:
    isas = json.loads(tool.run("info", "--json").stdout)["isas"]
    assert "scalar" in isas
    assert len(isas) > 1
    for precision in ("fp32", "int8"):
        model = write_model(models, "embed", precision)
        wanted = expected("embed", model, *TEXTS)
        for isa in isas:
            found = tool.json("embed", model, *TEXTS, "--isa", isa, "--threads", "2")
            assert_same(found, wanted, 0.0 if tool.same_bits else LOOSE)


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """all-MiniLM-L6-v2 as model files, by precision."""
    folder = tmp_path_factory.mktemp("minilm")
    try:
        source = assets.minilm_folder(folder / "source")
    except assets.UnavailableError as error:
        pytest.skip(str(error))
    files = {precision: folder / f"{precision}.safetensors" for precision in ("fp32", "int8")}
    for precision, file in files.items():
        convert(source, file, precision=precision)
    return files


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_published_model_gives_the_same_vectors(
    tool: Tool, minilm: dict[str, Path], expected: Expected, precision: str
) -> None:
    texts = [*TEXTS, "The quick brown fox; na\u00efve fa\u00e7ades \u65e5\u672c\u8a9e \U0001f680!"]
    lines = "".join(text + "\n" for text in texts).encode()
    found, wanted = (run("embed", minilm[precision], stdin=lines) for run in (tool.json, expected))
    vectors = np.array([line["embedding"] for line in wanted])
    assert vectors.shape == (6, 384)
    assert len(np.unique(vectors, axis=0)) == len(vectors)
    assert_same(found, wanted, 0.0 if tool.same_bits else LOOSE)
