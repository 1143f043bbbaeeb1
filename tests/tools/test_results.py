"""The native `mbrt` prints the results of the Python API for the same model file and texts, on every architecture.

Numbers are equal as float32, and so are labels, spans and proposals; on 32-bit ARM numbers are within 1e-4.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import mobilebert_rt as mbrt
from scripts import published
from scripts.common import UnavailableError
from tests.model.make_model_file import make_file
from tests.small_models.files import MODELS, READS_TEXT, write_model
from tests.tools.native import Tool

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
WITH_MASKS_IN_WINDOWS = f"{LONG} [MASK] {LONG} the [MASK]."


class Case(NamedTuple):
    """inputs: texts, pairs, or questions; options: of the tool; made: of the task; called: of the call."""

    command: str
    inputs: Sequence[Any]
    options: Sequence[str] = ()
    made: dict[str, Any] = {}  # noqa: RUF012 - never changed
    called: dict[str, Any] = {}  # noqa: RUF012 - never changed


STRIDE = {"on_overflow": "stride"}
PAIRS = [(TEXTS[0], TEXTS[1]), (TEXTS[2], TEXTS[3])]
LONG_PAIRS = [(TEXTS[0], LONG), (LONG, TEXTS[2])]
CASES = {
    "embed": Case("embed", TEXTS),
    "embed_cls": Case("embed", TEXTS, ["--pooling", "cls", "--no-normalize"], {"pooling": "cls", "normalize": False}),
    "embed_windows": Case(
        "embed",
        [LONG, *TEXTS],
        ["--on-overflow", "stride", "--max-length", "17", "--stride", "5"],
        STRIDE | {"max_length": 17, "stride": 5},
    ),
    "embed_small_batches": Case(
        "embed",
        [*TEXTS, LONG],
        ["--on-overflow=truncate", "--max-batch-tokens", "20"],
        {"on_overflow": "truncate", "max_batch_tokens": 20},
    ),
    "embed_prompt": Case(
        "embed",
        TEXTS,
        ["--prompt", "who ", "--truncate-dim", "5", "--pooling", "mean+cls", "--normalize"],
        {"prompt": "who ", "truncate_dim": 5, "pooling": "mean+cls", "normalize": True},
    ),
    "classify": Case("classify", TEXTS),
    "classify_pairs": Case("classify", PAIRS, ["--pairs", "-k2"], called={"top_k": 2}),
    "classify_truncated_pairs": Case(
        "classify",
        LONG_PAIRS,
        ["--pairs", "--on-overflow", "truncate", "--max-length", "24"],
        {"on_overflow": "truncate", "max_length": 24},
    ),
    "classify_windows": Case(
        "classify",
        [LONG],
        ["--on-overflow", "stride", "--stride", "3", "--max-length", "12"],
        STRIDE | {"stride": 3, "max_length": 12},
    ),
    "classify_sigmoid": Case("classify", TEXTS, ["--function-to-apply", "sigmoid"], {"function_to_apply": "sigmoid"}),
    "zero_shot": Case(
        "zero-shot",
        [*TEXTS, LONG],
        ["--labels", "good, bad ,funny", "--on-overflow", "truncate"],
        called={"labels": "good, bad ,funny"},
    ),
    "zero_shot_multi_label": Case(
        "zero-shot",
        [LONG, *TEXTS],
        ["-l", "good,film", "--template", "{} of {{london}}", "--multi-label", "--on-overflow", "stride"],
        STRIDE,
        {"labels": ["good", "film"], "hypothesis_template": "{} of {{london}}", "multi_label": True},
    ),
    "rank": Case(
        "rank", ["who wrote the notes?", *TEXTS, LONG], ["-k3", "--on-overflow", "truncate"], called={"top_k": 3}
    ),
    "tag": Case("tag", [*TEXTS, LONG], ["--on-overflow", "stride", "--max-length", "20"], STRIDE | {"max_length": 20}),
    "tag_none": Case("tag", TEXTS, ["--aggregation", "none"], called={"aggregation": "none"}),
    "tag_first": Case("tag", TEXTS, ["--aggregation", "first"], called={"aggregation": "first"}),
    "tag_average": Case("tag", TEXTS, ["--aggregation", "average"], called={"aggregation": "average"}),
    "tag_ignored": Case("tag", TEXTS, ["--ignore-labels", "O,PER"], called={"ignore_labels": ["O", "PER"]}),
    "tag_max": Case("tag", TEXTS, ["--aggregation", "max"], called={"aggregation": "max"}),
    "answer": Case(
        "answer", ["Who wrote it?", "where"], ["-c", TEXTS[0], "-n", "4"], called={"context": TEXTS[0], "n_best": 4}
    ),
    "answer_windows": Case(
        "answer",
        ["who lived in Z\u00fcrich?"],
        ["--context", LONG, "--max-length", "19", "--stride", "6", "-n", "12"],
        {"max_length": 19, "doc_stride": 6},
        {"context": LONG, "n_best": 12},
    ),
    "answer_or_none": Case(
        "answer",
        ["when"],
        ["--allow-no-answer", "-n", "500", "--max-answer-length", "3", "-c", TEXTS[2]],
        called={"context": TEXTS[2], "n_best": 500, "max_answer_length": 3, "allow_no_answer": True},
    ),
    "answer_from_no_token": Case("answer", ["when"], ["-c", "\u200b"], called={"context": "\u200b"}),
    "fill": Case("fill", MASKED, ["--top-k", "7"], called={"top_k": 7}),
    "fill_targets": Case("fill", MASKED, ["--targets", "good,##s,cat"], called={"targets": ["good", "##s", "cat"]}),
    "fill_windows": Case(
        "fill",
        [WITH_MASKS_IN_WINDOWS],
        ["--on-overflow", "stride", "--max-length", "16", "--stride", "6"],
        STRIDE | {"max_length": 16, "stride": 6},
    ),
}


def words_of(case: Case) -> list[str]:
    """The inputs as arguments of the tool."""
    return [word for one in case.inputs for word in ([one] if isinstance(one, str) else one)]


def expected(case: Case, model: Path) -> list[Any]:
    """The JSON lines, with the results of the Python API."""
    inputs: Any = list(case.inputs)
    if case.command == "embed":
        vectors = mbrt.TextEmbedder.from_pretrained(model, **case.made)(inputs, **case.called)
        return [{"text": text, "embedding": row.tolist()} for text, row in zip(inputs, vectors, strict=True)]
    if case.command == "zero-shot":
        labels, called = case.called["labels"], {k: v for k, v in case.called.items() if k != "labels"}
        found = mbrt.ZeroShotClassifier.from_pretrained(model, **case.made)(inputs, labels, **called)
        return [
            {
                "text": one.sequence,
                "labels": [
                    {"label": label, "score": score} for label, score in zip(one.labels, one.scores, strict=True)
                ],
            }
            for one in found
        ]
    if case.command == "rank":
        ranked = mbrt.Reranker.from_pretrained(model, **case.made).rank(inputs[0], inputs[1:], **case.called)
        return [{"index": one.corpus_id, "score": one.score, "text": one.text} for one in ranked]
    task, key, text = {
        "classify": (mbrt.TextClassifier, "labels", "text"),
        "tag": (mbrt.TokenClassifier, "entities", "text"),
        "answer": (mbrt.QuestionAnswerer, "answers", "question"),
        "fill": (mbrt.FillMask, "masks", "text"),
    }[case.command]
    results = task.from_pretrained(model, **case.made)(inputs, **case.called)
    return [{text: one, key: plain(result)} for one, result in zip(inputs, results, strict=True)]


def plain(result: Any) -> Any:
    return [plain(one) for one in result] if isinstance(result, list) else asdict(result)


def assert_same(found: Any, wanted: Any, tolerance: float) -> None:
    """Equal; numbers with a fraction as float32, or within the tolerance, relative or absolute."""
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        found, wanted = list(found.values()), list(wanted.values())
    if isinstance(wanted, list | tuple):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other, tolerance)
    elif isinstance(wanted, float) and tolerance > 0:
        assert math.isclose(found, wanted, rel_tol=tolerance, abs_tol=tolerance), f"{found} is not {wanted}"
    elif isinstance(wanted, float):
        assert np.float32(found) == np.float32(wanted)
    else:
        assert found == wanted


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("name", CASES)
def test_results_are_those_of_the_python_api(tool: Tool, models: Path, name: str, precision: str) -> None:
    case = CASES[name]
    model = write_model(models, case.command, precision)
    wanted = expected(case, model)
    assert bool(wanted[-1].get("answers", True)) == (name != "answer_from_no_token")
    assert_same(tool.json(case.command, model, *words_of(case), *case.options), wanted, tool.tolerance)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_same_bits_on_every_kernel_set(tool: Tool, models: Path, precision: str) -> None:
    isas = json.loads(tool.run("info", "--json").stdout)["isas"]
    assert "scalar" in isas
    assert len(isas) > 1
    model = write_model(models, "embed", precision)
    wanted = expected(CASES["embed"], model)
    for isa in isas:
        found = tool.json("embed", model, *TEXTS, "--isa", isa, "--threads", "2")
        assert_same(found, wanted, tool.tolerance)


# Metadata that change what a task does: (command, changes of the model's configuration, of its metadata)
VARIANTS: dict[str, tuple[str, dict[str, Any], dict[str, str | None]]] = {
    "multi_label": ("classify", {}, {"problem_type": "multi_label_classification", "labels": None}),
    "regression": ("classify", {"num_labels": 1}, {"labels": json.dumps(["stars"]), "problem_type": "regression"}),
    "sigmoid": ("classify", {"num_labels": 1}, {"labels": None}),
    "cross_encoder": ("classify", {}, {"activation": "none"}),
    "one_label": ("classify", {"num_labels": 1}, {"labels": None, "problem_type": "single_label_classification"}),
    "first_token": ("embed", {}, {"pooling": json.dumps({"mode": "cls", "normalize": False})}),
    "no_pooling": ("embed", {}, {"pooling": None}),
    "modules": ("embed", {}, dict(MODELS["sentence"][1])),
    "cased": ("embed", {}, {"tokenizer_config": json.dumps({"do_lower_case": False, "mask_token": None})}),
    "own_mask": (
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
def test_metadata_of_the_file_decide(host: Tool, tmp_path: Path, variant: str) -> None:
    command, configuration, changes = VARIANTS[variant]
    config, metadata = MODELS[command]
    kept = {key: text for key, text in {**metadata, **changes}.items() if text is not None}
    (tmp_path / "model").write_bytes(make_file(config | configuration, 31, kept))
    texts = [text.replace("[MASK]", "<mask>") for text in MASKED] if command == "fill" else TEXTS
    assert_same(host.json(command, tmp_path / "model", *texts), expected(Case(command, texts), tmp_path / "model"), 0.0)


def test_masked_language_model_embeds(host: Tool, models: Path) -> None:
    model = write_model(models, "fill")
    assert_same(host.json("embed", model, *TEXTS), expected(Case("embed", TEXTS), model), 0.0)


def test_tokenizer_option_replaces_the_model_s(host: Tool, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.write_bytes(make_file(MODELS["embed"][0], 31, {}))
    (tmp_path / "vocab.txt").write_text(READS_TEXT["vocab.txt"], encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"strip_accents": true, "added": {"0": [1, {"x": null}]}}')
    for path in (tmp_path, tmp_path / "vocab.txt"):
        wanted = expected(Case("embed", TEXTS, made={"tokenizer": str(path)}), model)
        assert_same(host.json("embed", model, *TEXTS, "--tokenizer", path), wanted, 0.0)


def test_more_lines_than_one_read_returns(host: Tool, models: Path) -> None:
    model = write_model(models, "embed", "int8")
    texts = [f"{'the cat and ' * (i % 7)}{i} dogs" for i in range(6000)]
    lines = "".join(text + "\n" for text in texts).encode()
    assert len(lines) > 1 << 17
    assert_same(host.json("embed", model, stdin=lines), expected(Case("embed", texts), model), 0.0)


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """all-MiniLM-L6-v2 as model files, by precision."""
    folder = tmp_path_factory.mktemp("minilm")
    try:
        source = published.minilm_folder(folder / "source")
    except UnavailableError as error:
        pytest.skip(str(error))
    files = {precision: folder / f"{precision}.safetensors" for precision in ("fp32", "int8")}
    for precision, file in files.items():
        mbrt.convert(source, file, precision=precision)
    return files


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_published_model_gives_the_same_vectors(tool: Tool, minilm: dict[str, Path], precision: str) -> None:
    texts = [
        *(TEXTS if tool.target == "host" else TEXTS[:1]),
        "The quick brown fox; na\u00efve fa\u00e7ades \u65e5\u672c\u8a9e \U0001f680!",
    ]
    lines = "".join(text + "\n" for text in texts).encode()
    wanted = expected(Case("embed", texts), minilm[precision])
    vectors = np.array([line["embedding"] for line in wanted])
    assert vectors.shape == (len(texts), 384)
    assert len(np.unique(vectors, axis=0)) == len(vectors)
    assert_same(tool.json("embed", minilm[precision], stdin=lines), wanted, tool.tolerance)
