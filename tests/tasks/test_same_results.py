"""The native `mbrt` gives what the Python one gives for the same model file and texts, on every architecture.

Vectors and scores are equal to the bit, and so are labels, spans and proposals; on 32-bit ARM numbers are within 1e-4.
"""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import convert
from mobilebert_rt.cli import main
from tests.model.make_model_file import make_file
from tests.small_models import published
from tests.small_models.files import MODELS, READS_TEXT, write_model
from tests.tasks.native import Tool

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
    "answer_nothing": ("answer", ["when", "-c", "\u200b"]),  # of which no token is made
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
    """Equal, apart from floating-point numbers, which may differ by the tolerance, relative or absolute."""
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        found, wanted = list(found.values()), list(wanted.values())
    if isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other, tolerance)
    elif isinstance(wanted, float) and tolerance > 0:
        assert math.isclose(found, wanted, rel_tol=tolerance, abs_tol=tolerance), f"{found} is not {wanted}"
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
    assert_same(found, wanted, tool.tolerance)


def test_same_bits_on_every_kernel_set(tool: Tool, models: Path, expected: Expected) -> None:
    isas = json.loads(tool.run("info", "--json").stdout)["isas"]
    assert "scalar" in isas
    assert len(isas) > 1
    for precision in ("fp32", "int8"):
        model = write_model(models, "embed", precision)
        wanted = expected("embed", model, *TEXTS)
        for isa in isas:
            found = tool.json("embed", model, *TEXTS, "--isa", isa, "--threads", "2")
            assert_same(found, wanted, tool.tolerance)


# Metadata that change what a task does: (command, model of MODELS, changes of its configuration, of its metadata)
VARIANTS: dict[str, tuple[str, str, dict[str, Any], dict[str, str | None]]] = {
    "multi_label": ("classify", "classify", {}, {"problem_type": "multi_label_classification", "labels": None}),
    "regression": ("classify", "classify", {"num_labels": 1}, {"labels": json.dumps(["stars"])}),
    "one_label": (
        "classify",
        "classify",
        {"num_labels": 1},
        {"labels": None, "problem_type": "single_label_classification"},
    ),
    "first_token": ("embed", "embed", {}, {"pooling": json.dumps({"mode": "cls", "normalize": False})}),
    "no_pooling": ("embed", "embed", {}, {"pooling": None}),
    "vectors_of_a_language_model": ("embed", "fill", {}, {}),
    "cased": ("embed", "embed", {}, {"tokenizer_config": json.dumps({"do_lower_case": False, "mask_token": None})}),
    "own_mask": (
        "fill",
        "fill",
        {},
        {
            "vocab.txt": READS_TEXT["vocab.txt"].replace("[MASK]", "<mask>"),
            "tokenizer_config": json.dumps(
                {"mask_token": {"content": "<mask>", "lstrip": True}, "strip_accents": True}
            ),
        },
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_the_file_says_decides(host: Tool, tmp_path: Path, expected: Expected, variant: str) -> None:
    command, name, configuration, changes = VARIANTS[variant]
    config, metadata = MODELS[name]
    kept = {key: text for key, text in {**metadata, **changes}.items() if text is not None}
    (tmp_path / "model").write_bytes(make_file(config | configuration, 31, kept))
    texts = [text.replace("[MASK]", "<mask>") for text in MASKED] if command == "fill" else TEXTS
    found, wanted = (run(command, tmp_path / "model", *texts) for run in (host.json, expected))
    assert_same(found, wanted, host.tolerance)


def test_a_tokenizer_from_elsewhere(host: Tool, tmp_path: Path, expected: Expected) -> None:
    (tmp_path / "model").write_bytes(make_file(MODELS["embed"][0], 31, {}))
    (tmp_path / "vocab.txt").write_text(READS_TEXT["vocab.txt"], encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"strip_accents": true, "added": {"0": [1, {"x": null}]}}')
    for path in (tmp_path, tmp_path / "vocab.txt"):
        found, wanted = (run("embed", tmp_path / "model", *TEXTS, "--tokenizer", path) for run in (host.json, expected))
        assert_same(found, wanted, 0.0)


def test_more_lines_than_are_held_at_once(host: Tool, models: Path, expected: Expected) -> None:
    model = write_model(models, "embed", "int8")
    lines = "".join(f"{'the cat and ' * (i % 7)}{i} dogs\n" for i in range(6000)).encode()
    assert len(lines) > 1 << 17
    found, wanted = (run("embed", model, stdin=lines) for run in (host.json, expected))
    assert len(wanted) == 6000
    assert_same(found, wanted, 0.0)


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """all-MiniLM-L6-v2 as model files, by precision."""
    folder = tmp_path_factory.mktemp("minilm")
    try:
        source = published.minilm_folder(folder / "source")
    except published.UnavailableError as error:
        pytest.skip(str(error))
    files = {precision: folder / f"{precision}.safetensors" for precision in ("fp32", "int8")}
    for precision, file in files.items():
        convert(source, file, precision=precision)
    return files


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_published_model_gives_the_same_vectors(
    tool: Tool, minilm: dict[str, Path], expected: Expected, precision: str
) -> None:
    texts = [
        *(TEXTS if tool.target == "host" else TEXTS[:1]),
        "The quick brown fox; na\u00efve fa\u00e7ades \u65e5\u672c\u8a9e \U0001f680!",
    ]
    lines = "".join(text + "\n" for text in texts).encode()
    found, wanted = (run("embed", minilm[precision], stdin=lines) for run in (tool.json, expected))
    vectors = np.array([line["embedding"] for line in wanted])
    assert vectors.shape == (len(texts), 384)
    assert len(np.unique(vectors, axis=0)) == len(vectors)
    assert_same(found, wanted, tool.tolerance)
