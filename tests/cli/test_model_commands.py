"""convert, inspect, bench, verify and info, with the real engine on a small random MobileBERT."""

from __future__ import annotations

import json
import math
import platform
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt.cli.verify import row_errors
from tests.cli.conftest import Mbrt
from tests.emulation import import_on_host


@pytest.fixture
def file(mbrt: Mbrt, folder: Path, tmp_path: Path) -> Path:
    target = tmp_path / "model.safetensors"
    assert mbrt("convert", folder, target).code == 0
    return target


def test_convert_reports_the_file(mbrt: Mbrt, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "m.safetensors"
    report = json.loads(mbrt("convert", folder, target, "--precision", "fp32", "--json").out)
    assert report == {
        "source": str(folder), "target": str(target), "precision": "fp32", "bytes": target.stat().st_size,
        "native_text_problem": None,
    }  # fmt: skip
    again = mbrt("convert", folder, target)
    assert again.code == 1
    assert "exists already. --force replaces it" in again.err
    assert "int8" in mbrt("convert", folder, target, "--force").out
    assert "found no folder" in mbrt("convert", target, tmp_path / "other").err


def test_convert_says_when_native_programs_cannot_read_the_tokenizer(mbrt: Mbrt, folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "japanese"
    shutil.copytree(folder, source)
    (source / "tokenizer_config.json").write_text('{"tokenizer_class": "BertJapaneseTokenizer"}')
    done = mbrt("convert", source, tmp_path / "m.safetensors")
    assert done.code == 0
    assert "Native programs run this file with token ids only. the model file" in done.out
    assert '"BertJapaneseTokenizer"' in done.out


def test_file_and_folder_embed_alike(mbrt: Mbrt, folder: Path, file: Path) -> None:
    outputs = [mbrt("embed", source, "the cat", "ada", "--json").out for source in (folder, file)]
    assert outputs[0] == outputs[1] != ""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_inspect_shows_scales_sizes_and_kernels(mbrt: Mbrt, folder: Path, file: Path, kind: str) -> None:
    source = file if kind == "file" else folder
    report = json.loads(mbrt("inspect", source, "--json").out)
    assert report["config"]["bottleneck"] == "shared"
    assert report["metadata"]["tokenizer"] == "vocab.txt"
    assert set(report["cpu"]) == {"isa", "threads", "kernels"}
    quantised = [tensor for tensor in report["tensors"] if tensor["dtype"] == "I8"]
    assert quantised
    assert all(0 < tensor["scale"][0] <= tensor["scale"][1] < math.inf for tensor in quantised)
    assert sum(tensor["bytes"] for tensor in report["tensors"]) < file.stat().st_size
    text = mbrt("inspect", source).out
    assert "encoder.layer.1.ffn.2.output.weight" in text
    assert f"runs on    {report['cpu']['isa']}" in text


def test_inspect_of_fp32_has_no_scales(mbrt: Mbrt, folder: Path) -> None:
    report = json.loads(mbrt("inspect", folder, "--precision", "fp32", "--json").out)
    assert all(tensor["scale"] is None for tensor in report["tensors"])


def test_bench_measures_every_combination(mbrt: Mbrt, folder: Path) -> None:
    shown = mbrt(
        "bench", folder, "--lengths", "2,24", "--batch-sizes", "1,3", "--threads", "1,2",
        "--precision", "int8,fp32", "--repeats", "3", "--warmup", "1", "--json",
    )  # fmt: skip
    report = json.loads(shown.out)
    lines = report["lines"]
    swept = [(line["precision"], line["threads"], line["batch_size"], line["length"]) for line in lines]
    assert len(set(swept)) == len(lines) == 16
    for line in lines:
        assert line["tokens"] == line["batch_size"] * line["length"]
        assert 0 < line["ms"]["p50"] <= line["ms"]["p90"] <= line["ms"]["p99"]
        assert line["ms"]["calls"] == 3
        assert line["tokens_per_second"] == pytest.approx(line["tokens"] / line["ms"]["mean"] * 1e3)
        assert line["load_ms"] > 0
        assert line["first_call_ms"] > 0
        assert sys.platform == "win32" or line["peak_bytes"] > 0
    assert report["machine"]["isas"]


def test_bench_of_texts_times_the_tokenizer_too(mbrt: Mbrt, file: Path, tmp_path: Path) -> None:
    (tmp_path / "texts").write_text("the cat\n\nada lovelace lived\n", encoding="utf-8")
    options = ["--text", tmp_path / "texts", "--batch-sizes", "1,3", "--repeats", "2"]
    lines = json.loads(mbrt("bench", file, *options, "--json").out)["lines"]
    assert [(line["batch_size"], line["tokens"]) for line in lines] == [(1, 4), (3, 4 + 6 + 4)]
    assert lines[0]["tokenize_ms"] > 0
    table = mbrt("bench", file, *options).out
    assert "tokenisation" in table
    assert "p99 ms" in table


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lengths", "25"], "--lengths: found 25; expected at most 24"),
        (["--lengths", "8,x"], "--lengths: found 'x'; expected a whole number, at least 1"),
        (["--repeats", "0"], "--repeats: found '0'; expected a whole number, at least 1"),
        (["--seconds", "0"], "--seconds: found '0'; expected a positive number"),
        (["--precision", "fp16"], "--precision: found 'fp16'; expected one of int8|fp32[,...]"),
        (["--precision", "fp32"], "fp32"),
        (["--text", "/nonexistent"], "/nonexistent: No such file or directory."),
        (["--text", "/dev/null"], "/dev/null: found no text; expected one text per line."),
    ],
)
def test_wrong_options_of_bench_are_errors(mbrt: Mbrt, file: Path, options: list[str], message: str) -> None:
    shown = mbrt("bench", file, *options)
    assert (shown.code, shown.out) == (1 if options[0] == "--text" or options[1] == "fp32" else 2, "")
    assert message in shown.err


def test_row_errors_are_relative_to_the_row() -> None:
    found = row_errors([[1.0, 2.0], [0.0, 0.0], [1e6, 2e6]], [[1.0, 4.0], [0.0, 0.0], [1e6, 2e6 + 2]])
    np.testing.assert_allclose(found, [0.5, 0.0, 1e-6], rtol=1e-5)
    assert math.isinf(row_errors([[1.0]], [[0.0]])[0])
    assert row_errors([3.0, 4.0], [3.0, 4.0]).shape == (1,)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_verify_compares_every_layer(mbrt: Mbrt, folder: Path, precision: str) -> None:
    import_on_host("transformers")
    import_on_host("torch")
    arguments = ["verify", folder, "--against", folder, "--precision", precision, "--lengths", "1,24"]
    report = json.loads(mbrt(*arguments, "ada lovelace lived", "--json").out)
    names = [row["name"] for row in report["rows"]]
    assert names == ["embeddings", "layer 1", "layer 2", "pooler_output"]
    assert (report["sequences"], report["tokens"]) == (3, 31)
    assert all(row["mean"] <= row["max"] < (1e-5 if precision == "fp32" else 0.5) for row in report["rows"])
    assert mbrt(*arguments, "--tolerance", "0.9").code == 0
    assert mbrt(*arguments, "--tolerance", "1e-12").code == 1
    assert "layer 2" in mbrt("verify", folder, "--against", folder).out
    too_long = mbrt(*arguments, "ada", "ada " * 600)
    assert too_long.code == 1
    assert "text 2: found 602 tokens; expected at most" in too_long.err
    assert "overflow" not in too_long.err


def test_verify_without_torch_names_the_command(mbrt: Mbrt, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    shown = mbrt("verify", folder, "--against", folder)
    assert shown.code == 1
    assert "pip install 'torch>=2' 'transformers>=5,<6'" in shown.err
    assert "found no config.json" in mbrt("verify", folder, "--against", "hub/name").err


def test_info_shows_versions_and_kernel_sets(mbrt: Mbrt, monkeypatch: pytest.MonkeyPatch) -> None:
    report = json.loads(mbrt("info", "--json").out)
    assert report["isa"] in report["isas"]
    assert report["python"].startswith(platform.python_implementation())
    assert report["packages"]["numpy"] == np.__version__
    assert "numpy" in mbrt("info").out
    monkeypatch.setenv("MBRT_ISA", "nonsense")
    assert "error: " in json.loads(mbrt("info", "--json").out)["isa"]
