"""The paper's tables: parameters and FLOPs of every configuration; tables; documents."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.common import documents, random_weights
from benchmarks.common.baselines import elmo, gpt
from benchmarks.common.configs import bert, mobilebert, shapes
from benchmarks.common.results import Result, Run
from benchmarks.paper import driver, tables
from benchmarks.paper.costs import flops, parameters
from benchmarks.paper.systems import LENGTH, OPTIMISATIONS, SYSTEMS, System, by_key
from mobilebert_rt import Model

# Independent counts: released checkpoints and transformers' classes.
EXACT = {
    "mobilebert": 24_581_888,
    "mobilebert-paper": 25_359_104,
    "tiny": 15_485_696,
    "ib-bert-large": 294_205_184 + 262_656,  # and its pooler
    "bert-base": 109_482_240,
    "bert-large": 335_141_888,
    "gpt": 116_534_784,
    "elmo": 93_600_864 + 4 * 16_384,  # AllenNLP's count, and the second bias of each of PyTorch's LSTMs
}

# The paper's columns are rounded, and some describe slightly different models: the released MobileBERT shares a
# bottleneck that its table 1 does not, and no six layers of BERT_BASE have 62.2 million parameters.
PARAMETERS_TOLERANCE, FLOPS_TOLERANCE = 0.08, 0.06


@pytest.mark.parametrize("key", EXACT)
def test_parameters_are_exact(key: str) -> None:
    assert parameters(by_key(key)) == EXACT[key]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.key)
def test_parameters_and_flops_are_close_to_the_paper(system: System) -> None:
    if system.parameters is not None:
        assert parameters(system.config) / 1e6 == pytest.approx(system.parameters, rel=PARAMETERS_TOLERANCE)
    if system.flops is not None:
        assert flops(system.config, LENGTH) / 1e9 == pytest.approx(system.flops, rel=FLOPS_TOLERANCE)


def test_mobilebert_of_table_1_has_the_published_parameters() -> None:
    # The paper truncates after the first decimal.
    assert f"{parameters(by_key('mobilebert-paper')) / 1e6:.2f}" == "25.36"
    assert flops(by_key("mobilebert-paper"), LENGTH) / 1e9 == pytest.approx(5.7, rel=0.025)


@pytest.mark.parametrize(
    ("key", "length", "billions"),
    [
        ("mobilebert", 128, 5.39),
        ("mobilebert", 384, 17.36),
        ("tiny", 384, 10.42),
        ("bert-base", 128, 22.35),
        ("bert-large", 128, 78.9),
        ("ib-bert-large", 384, 236.9),
        ("gpt", 128, 22.05),
        ("elmo", 128, 26.15),
    ],
)
def test_flops(key: str, length: int, billions: float) -> None:
    assert flops(by_key(key), length) / 1e9 == pytest.approx(billions, rel=2e-3)


def test_flops_of_a_tiny_model_counted_by_hand() -> None:
    config = bert(hidden=4, layers=1, heads=2, inner=8)
    dense = 4 * 4 * 4 + 2 * 4 * 8  # query, key, value, output; two of the FFN
    assert flops(config, length=3) == 2 * (3 * dense + 2 * 3 * 3 * 4)


def test_table_7_variants_differ_in_norm_and_activation_only() -> None:
    found = [(s.config["normalization_type"], s.config["hidden_act"]) for s in OPTIMISATIONS]
    assert found == [("layer_norm", "gelu"), ("layer_norm", "relu"), ("no_norm", "gelu"), ("no_norm", "relu")]
    assert [s.milliseconds for s in OPTIMISATIONS] == [192, 167, 92, 62]
    assert len({flops(s.config, LENGTH) for s in OPTIMISATIONS}) == 1


SMALL = {"vocab_size": 50, "num_hidden_layers": 2}


@pytest.mark.parametrize("key", ["mobilebert", "tiny", "without-opt", "mobilebert-paper", "bert-base"])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_engine_runs_random_weights_with_distinct_tokens(tmp_path: Path, key: str, precision: str) -> None:
    config = {**by_key(key), **SMALL}
    model = Model.from_pretrained(random_weights.write(tmp_path / "model", config), precision=precision, num_threads=1)
    states = model([[7, 8, 9]]).last_hidden_state[0]
    assert states.shape == (3, config["hidden_size"])
    assert np.isfinite(states).all()
    assert abs(np.corrcoef(states)[0, 1]) < 0.9


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_engine_runs_gpt_with_random_weights(tmp_path: Path, precision: str) -> None:
    config = gpt(vocab_size=50, n_layer=2)
    model = Model.from_pretrained(random_weights.write(tmp_path / "gpt", config), precision=precision, num_threads=1)
    states = model([[7, 8, 9]]).last_hidden_state[0]
    assert states.shape == (3, 768)
    assert np.isfinite(states).all()
    assert abs(np.corrcoef(states)[0, 1]) < 0.9


def test_elmo_reads_words_from_both_sides(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from benchmarks.peers.engines.elmo import Engine  # noqa: PLC0415

    config = elmo(cell=24, projection=8, filters=[[1, 4], [3, 12]])
    engine = Engine(str(random_weights.write(tmp_path / "elmo", config)), 1, {})
    one, other = (engine.bind([ids], None, masked=False)()[0] for ids in ([7, 8, 9], [7, 8, 30]))
    assert one.shape == (3, 16)
    assert np.isfinite(one).all()
    assert np.array_equal(one[:2, :8], other[:2, :8])  # what reads ahead does not see the last word yet
    assert not np.isclose(one[:, 8:], other[:, 8:]).all(axis=1).any()


def test_every_row_of_table_4_is_measured() -> None:
    keys = [system.key for system in SYSTEMS]
    _, table4 = driver.groups_of(driver.parse(["--threads", "1"]))
    peers = {key: [entry.peer.name for entry in table4.entries if entry.model == key] for key in keys}
    assert peers.pop("elmo") == ["elmo"]
    assert set(map(tuple, peers.values())) == {("ours-fp32", "ours-int8")}


def test_written_tensors_have_the_counted_shapes(tmp_path: Path) -> None:
    config = {**mobilebert(), **SMALL}
    file = random_weights.write(tmp_path / "model", config) / "model.safetensors"
    data = file.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    del header["__metadata__"]
    assert {name: tuple(entry["shape"]) for name, entry in header.items()} == shapes(config)
    assert max(entry["data_offsets"][1] for entry in header.values()) == 4 * sum(map(prod, shapes(config).values()))


def result(case: str, model: str, precision: str, median: float | None, spread: float = 0, **more: Any) -> Result:
    times = {"median": median, "first_quartile": (median or 0) - spread, "third_quartile": (median or 0) + spread}
    return Result(case, case, f"ours-{precision}", model, precision, 1, 1, 1, 128, 1, **times, **more)


def measured() -> Run:
    run = Run("python benchmarks/paper", "2026-01-01", {"processor": "a processor"}, {"quick": False, "threads": 1})
    run.results = [
        result("table4", "bert-base", "fp32", 0.2, 0.01),
        result("table4", "bert-base", "int8", 0.1),
        result("table4", "elmo", "fp32", 0.9),
        result("table4", "mobilebert", "fp32", 0.05),
        result("table4", "mobilebert", "int8", None, error="it crashed"),
        result("table7", "without-opt", "fp32", 0.06),
        result("table7", "mobilebert", "fp32", 0.03),
    ]
    return run


def cells(text: str, row: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.split("|")[1:2] and line.split("|")[1].strip() == row]
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_table_4_has_published_and_measured_columns() -> None:
    text = tables.table4(measured(), SYSTEMS)
    base = [
        "109.0",
        "109.5",
        "22.5",
        "22.35",
        "342",
        "200.00 ±10.00",
        "100.00 ±0.00",
        "100 %",
        "100 %",
        "100 %",
        "78.3",
    ]
    assert cells(text, "BERT_BASE") == base
    assert cells(text, "MobileBERT")[5:] == ["50.00 ±0.00", "-", "18 %", "25 %", "-", "77.7"]
    assert cells(text, "OpenAI GPT") == ["109.0", "116.5", "-", "22.05", *"-" * 6, "76.9"]
    assert cells(text, "ELMo-BiLSTM-Attn")[5:] == ["900.00 ±0.00", "-", "-", "450 %", "-", "70.0"]
    assert "ELMo-BiLSTM-Attn: a baseline, in PyTorch fp32" in text
    assert "not measured: mobilebert in int8: it crashed" in text


def test_table_7_is_relative_to_mobilebert() -> None:
    text = tables.table7(measured(), OPTIMISATIONS)
    assert cells(text, "LayerNorm + GELU") == ["192", "60.00 ±0.00", "-", "3.10", "2.00", "-"]
    assert cells(text, "NoNorm + GELU") == ["92", "-", "-", "1.48", "-", "-"]


def test_only_sizes_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(driver, "measure", None)
    assert driver.main(["--only-sizes", "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert cells(text.split("## Table 7")[0], "BERT_LARGE") == ["334.0", "335.1", "-", "78.92", *"-" * 7]
    assert "not been measured" in text


def test_only_text_between_the_markers_is_replaced(tmp_path: Path) -> None:
    document = tmp_path / "results.md"
    document.write_text("before\n<!-- begin a -->\nold\n<!-- end a -->\nafter <!-- begin b -->x<!-- end b -->\n")
    documents.put(document, "a", "new\n")
    expected = "before\n<!-- begin a -->\nnew\n<!-- end a -->\nafter <!-- begin b -->x<!-- end b -->\n"
    assert document.read_text() == expected
    with pytest.raises(documents.MarkerError, match="expected the lines <!-- begin c --> and <!-- end c -->"):
        documents.put(document, "c", "new")


def test_document_has_markers_for_every_table() -> None:
    text = documents.RESULTS.read_text(encoding="utf-8")
    for name in ("table-4", "table-7", "peers"):
        assert text.count(f"<!-- begin {name} -->") == text.count(f"<!-- end {name} -->") == 1


def test_figures_of_a_busy_machine_are_provisional() -> None:
    quiet = {"load_average": [0.2, 0, 0], "used": [1], "niceness": 0}
    assert documents.provisional(quiet, quick=False) == ""
    assert "quick" in documents.provisional(quiet, quick=True)
    assert "busy (load average 3" in documents.provisional({**quiet, "load_average": [3.0]}, quick=False)
    assert "low priority" in documents.provisional({**quiet, "niceness": 19}, quick=False)


def test_unknown_systems_are_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        driver.parse(["--systems", "mobilebert,xlnet"])
    assert "unknown system xlnet; expected elmo, gpt, bert-base" in capsys.readouterr().err
